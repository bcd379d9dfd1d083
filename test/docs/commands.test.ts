// The command line as the pages tell it: each command has its place in docs/cli.md with all its flags, and no page shows a command or a
// flag that there is not.

import { expect, test } from 'bun:test'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { commands } from '../../src/cli/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Decisions and the changelog tell of the past. */
const pages = globSync(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/*.md', 'docs/protocol/*.md', 'test/*/README.md'], {
  cwd: root,
})
const textOf = (page: string): string => readFileSync(`${root}/${page}`, 'utf8')

const loaded = new Map<string, Command>()
for (const [name, { load }] of Object.entries(commands)) loaded.set(name, (await load()).command())

const sections = new Map(
  Array.from(textOf('docs/cli.md').matchAll(/^## (\S+)\n(.*?)(?=^## |(?![^]))/gms), ([, name = '', text = '']) => [name, text]),
)
/** What moves money, and tells of it, is told together. */
const sectionOf = (name: string): string => sections.get(name) ?? sections.get('pay') ?? ''

test('docs/cli.md has a place for every command, and for none that there is not', () => {
  expect([...sections.keys()].filter((name) => !loaded.has(name))).toEqual([])
  for (const name of loaded.keys()) expect(sectionOf(name)).toMatch(new RegExp(`\`(sealwire )?${name}\\b`))
})

test.each([...loaded])('docs/cli.md tells every flag of %s', (name, command) => {
  const told = flagsIn(sectionOf(name))
  // The page says once for all who takes these.
  const flags = longFlags(command).filter((flag) => flag !== '--home')
  expect(flags.filter((flag) => !told.includes(flag))).toEqual([])
})

test('every flag that docs/cli.md tells is one', () => {
  const all = [...loaded.values()].flatMap(longFlags)
  const others = new Set([...all, '--help', '--version', '--no-classic', '--silent'])
  expect(flagsIn(textOf('docs/cli.md')).filter((flag) => !others.has(flag))).toEqual([])
})

test.each(pages)('%s shows commands that there are, with flags that they have', (page) => {
  const wrong = shown(textOf(page)).filter((words) => !isGood(words))
  expect(wrong.map((words) => words.join(' '))).toEqual([])
})

test('commands are found in pages', () => {
  const found = pages.flatMap((page) => shown(textOf(page)))
  expect(found.length).toBeGreaterThan(100)
  expect(found.filter((words) => words.some((word) => word.startsWith('--'))).length).toBeGreaterThan(50)
})

function longFlags(command: Command): readonly string[] {
  const own = command.options.flatMap(({ long }) => (long ? [long] : []))
  return [...own, ...command.commands.flatMap(longFlags)]
}

function flagsIn(text: string): readonly string[] {
  return Array.from(text.matchAll(/(?<![\w-])--[a-z][\w-]*/g), ([flag]) => flag)
}

/** The words of each command line in a page, from the command on: behind the name of the program, and alone in code. */
function shown(text: string): readonly (readonly string[])[] {
  const behind = Array.from(
    text.matchAll(/(?:(?<![\w/.:-])sealwire(?:\.mjs)?|npm run --silent sealwire --) ([^\n`]+)/g),
    ([, line = '']) => line,
  )
  const started = Array.from(text.matchAll(/npm start -- ([^\n`]+)/g), ([, line = '']) => `serve ${line}`)
  const alone = Array.from(text.matchAll(/`([a-z-]+ --?[a-z][^`\n]*)`/g), ([, line = '']) => line).filter((line) =>
    loaded.has(wordsOf(line)[0] ?? ''),
  )
  return [...behind, ...started, ...alone].map(wordsOf)
}

/** Up to where something else begins: another column, a pipe, a comment, the next command. */
function wordsOf(line: string): readonly string[] {
  const [own = ''] = line.split(/ {3,}| [|<>] |\|{2}| #|[;)]|: /)
  return own.trim().split(/\s+/)
}

function isGood([name = '', ...words]: readonly string[]): boolean {
  // Prose, output, and what stands for any command.
  if (!/^[a-z][a-z-]*$/.test(name) || prose.has(name)) return true
  let command = loaded.get(name)
  const known = new Set(['--help', ...(command === undefined ? [] : ownFlags(command))])
  for (const word of words) {
    command = command?.commands.find((each) => each.name() === word) ?? command
    for (const flag of command === undefined ? [] : ownFlags(command)) known.add(flag)
  }
  return command !== undefined && flagsIn(words.join(' ')).every((flag) => known.has(flag))
}

function ownFlags({ options }: Command): readonly string[] {
  return options.flatMap(({ long }) => (long === undefined || long === null ? [] : long === '--classic' ? [long, '--no-classic'] : [long]))
}

/** What stands behind the name of the program where no command does. */
const prose: ReadonlySet<string> = new Set(['listening', 'help'])
