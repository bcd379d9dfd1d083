import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { CliProcess, runCli } from './cli-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-main-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('main', () => {
  test('ends a wrong command line with one line on standard error and 2', async () => {
    expect(await runCli(['serve', '--dta', 'x'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: "sealwire: unknown option '--dta'. did you mean --data?\n",
    })
  })

  test.each([[['help', 'fly']], [['fly', '--help']]])(
    'ends the help of an unknown command as that command (%p)',
    async (args: string[]) => {
      const unknown = await runCli(['fly'])
      expect(unknown).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(/^sealwire: [^\n]+\n$/) })
      expect(await runCli(args)).toEqual(unknown)
    },
  )

  test('shows no control character of what it was given', async () => {
    const { stderr } = await runCli(['\u001b[31m\u009b\u202e\nfly'])
    expect(stderr).toBe("sealwire: unknown command '\\u001b[31m\\u009b\\u202e\\nfly'. sealwire --help shows the commands.\n")
  })

  test('colours its name when it is asked to, and nothing else', async () => {
    const { stderr } = await runCli(['fly'], { environment: { FORCE_COLOR: '1' } })
    expect(stderr).toStartWith(`${styleText(['bold', 'red'], 'sealwire:', { validateStream: false })} unknown command 'fly'. `)
  })

  test('does not start where certificate checks are switched off', async () => {
    const { exitCode, stderr } = await runCli(['--version'], { environment: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } })
    expect(exitCode).toBe(2)
    expect(stderr).toBe('sealwire: NODE_TLS_REJECT_UNAUTHORIZED=0 switches every certificate check off. remove it from the environment.\n')
  })

  test('does not start on another runtime', async () => {
    const preload = module('old.ts', `Object.defineProperty(process.versions, 'bun', { value: '1.3.14' })`)
    const { exitCode, stderr } = await runCli(['--version'], { preload })
    expect(exitCode).toBe(2)
    expect(stderr).toStartWith('sealwire: this needs Bun 1.4.5 or Node 24.15.0, or newer, not Bun 1.3.14. ')
  })

  test('is not disturbed by a reader that has left', async () => {
    await using cli = new CliProcess(['serve', '--help'])
    cli.child.stdout.destroy()
    expect(await cli.ended()).toBe(0)
    expect(cli.stderr).toBe('')
  })

  test.each([
    ['an exception', `throw new TypeError('odd')`],
    ['a rejection', `Promise.reject(new TypeError('odd'))`],
  ])('ends by %s that nobody caught with one line and 1', async (_, source) => {
    // As soon as the command line listens for it.
    const crash = `const wait = setInterval(() => {
      if (process.listenerCount('uncaughtException') === 0) return
      clearInterval(wait)
      ${source}
    }, 1)`
    const { exitCode, stderr } = await runCli(['serve', '--help'], { preload: module('crash.ts', crash) })
    expect(exitCode).toBe(1)
    expect(stderr).toBe('sealwire: internal error: TypeError: odd. this is a bug: please report it, with the log at --log-level debug.\n')
  })
})

function module(name: string, source: string): readonly string[] {
  writeFileSync(join(folder, name), source)
  return [join(folder, name)]
}
