import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { commands, makeProgram, run } from '../../src/cli/program.ts'
import { exitCodesHelp } from '../../src/cli/report.ts'
import { wrapHelp } from '../../src/cli/terminal/wrap-help.ts'
import { SealwireError } from '../../src/protocol/errors.ts'
import { runCli } from './cli-process.ts'

describe('run', () => {
  test.each<[string, readonly string[], string, string]>([
    ['a misspelt command', ['srve'], "unknown command 'srve'", 'did you mean serve?'],
    ['an unknown command', ['frobnicate'], "unknown command 'frobnicate'", 'sealwire --help shows the commands'],
    ['the help of an unknown command', ['help', 'frobnicate'], "unknown command 'frobnicate'", 'sealwire --help shows the commands'],
    ['the help of a misspelt command', ['srve', '--help'], "unknown command 'srve'", 'did you mean serve?'],
    ['an unknown command after -h', ['-h', 'frobnicate'], "unknown command 'frobnicate'", 'sealwire --help shows the commands'],
    ['an unknown flag', ['--frobnicate'], "unknown option '--frobnicate'", 'sealwire --help shows the commands'],
    ['a misspelt flag of a command', ['serve', '--dta', 'x'], "unknown option '--dta'", 'did you mean --data?'],
    [
      'a flag without its value',
      ['serve', '--data'],
      "option '--data <dir>' argument missing",
      'sealwire serve --help shows what it takes',
    ],
    [
      'an argument too many',
      ['serve', '1', '2'],
      "too many arguments for 'serve', expected 1 argument but got 2",
      'sealwire serve --help shows what it takes',
    ],
    [
      'a command of a command without its argument',
      ['rooms', 'create'],
      "missing required argument 'TITLE'",
      'sealwire rooms create --help shows what it takes',
    ],
    [
      'a command of a command of a command, by its own name',
      ['admin', 'unit', 'list', 'x'],
      "too many arguments for 'list', expected 0 arguments but got 1",
      'sealwire admin unit list --help shows what it takes',
    ],
    [
      'an argument that is called like another command',
      ['admin', 'ban', 'list', 'x'],
      "too many arguments for 'ban', expected 1 argument but got 2",
      'sealwire admin ban --help shows what it takes',
    ],
    [
      'a flag that ends the line',
      ['serve', '--dta\n(Did you mean x?)'],
      "unknown option '--dta\n(Did you mean x?)'",
      'sealwire serve --help shows what it takes',
    ],
  ])('refuses %s', async (_, args, sentence, hint) => {
    const error = await run(args).then(
      () => undefined,
      (reason: unknown) => SealwireError.from(reason),
    )
    expect(error).toMatchObject({ code: 'usage', sentence, hint })
  })
})

describe('makeProgram', () => {
  test('loads the chosen command alone', async () => {
    const program = await makeProgram('serve')
    const loaded = program.commands.filter((command) => command.options.length > 0).map((command) => command.name())
    expect(loaded).toEqual(['serve'])
    expect(program.commands.map((command) => command.name())).toEqual(Object.keys(commands))
  })

  test.each(Object.keys(commands))('finds a command of that name, with examples, in the file of %s', async (name) => {
    const program = await makeProgram(name)
    const command = program.commands.find((candidate) => candidate.name() === name)
    let help = ''
    command?.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp()
    expect(help).toStartWith(`Usage: sealwire ${name} `)
    expect(help).toContain(`Examples:\n  sealwire ${name}`)
    expect(help.trimEnd()).toEndWith(exitCodesHelp().trim())
  })
})

describe('sealwire', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']], [['help', 'help']]])(
    'prints its commands and exit codes on standard output (%p)',
    async (args: readonly string[]) => {
      const { exitCode, stdout, stderr } = await runCli(args)
      expect([exitCode, stderr]).toEqual([0, ''])
      for (const [name, { summary }] of Object.entries(commands)) expect(stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'))
      expect(stdout).toEndWith(`\n${wrapHelp(exitCodesHelp(), 80)}\n`)
    },
  )

  test.each([[['serve', '--help']], [['help', 'serve']]])('prints the help of a command (%p)', async (args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await runCli(args)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toContain('Usage: sealwire serve ')
  })

  test('writes the usage of a command of a command as it writes the others', async () => {
    const { stdout } = await runCli(['rooms', 'create', '--help'])
    expect(stdout).toStartWith('Usage: sealwire rooms create [OPTIONS] TITLE\n')
  })

  test('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    expect(await runCli(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
  })
})
