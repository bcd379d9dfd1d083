import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sourceFolder } from '../support/source-folder.ts'

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const configuration = readFileSync(fromRoot('.oxlintrc.json'), 'utf8')

/** The layer table of docs/ARCHITECTURE.md: a folder may import from the folders of lower levels and from itself. */
const levels = { protocol: 0, channel: 1, domain: 1, link: 2, pki: 2, store: 2, server: 3, client: 3, cli: 4 } as const
const folders = Object.keys(levels) as (keyof typeof levels)[]

/** Lints these files under the rules of this repository; the answer is `path rule` for each finding, sorted. */
function findings(files: Readonly<Record<string, string>>): readonly string[] {
  using folder = sourceFolder({ '.oxlintrc.json': configuration, ...files })
  // The linter looks for its type checker in the folder it works in.
  symlinkSync(fromRoot('node_modules'), join(folder.path, 'node_modules'))
  const { stdout, stderr } = spawnSync(fromRoot('node_modules/.bin/oxlint'), ['--format', 'json'], { cwd: folder.path, encoding: 'utf8' })
  expect(stderr).toBe('')
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] }
  return diagnostics.map(({ filename, code }) => `${filename} ${code}`).toSorted()
}

describe('the layer table', () => {
  const targets = Object.fromEntries(folders.map((folder) => [`src/${folder}/it.ts`, `export const ${folder} = 1\n`]))
  const importer = (from: string, depth: string) =>
    folders
      .filter((to) => to !== from)
      .map((to) => `export { ${to} } from '${depth}${to}/it.ts'\n`)
      .join('')
  const shallow = Object.fromEntries(folders.map((folder) => [`src/${folder}/all.ts`, importer(folder, '../')]))
  const deep = Object.fromEntries(folders.map((folder) => [`src/${folder}/below/all.ts`, importer(folder, '../../')]))
  const reported = findings({ ...targets, ...shallow, ...deep })

  test.each(folders)('lets src/%s import lower folders only', (folder) => {
    const forbidden = folders.filter((other) => other !== folder && levels[other] >= levels[folder]).length
    for (const path of [`src/${folder}/all.ts`, `src/${folder}/below/all.ts`]) {
      expect(reported.filter((line) => line.startsWith(`${path} `))).toEqual(
        Array<string>(forbidden).fill(`${path} eslint(no-restricted-imports)`),
      )
    }
  })

  test('holds for types too', () => {
    const pki = { 'src/pki/pin.ts': 'export type Pin = string\n' }
    const link = { 'src/link/tls.ts': "import type { Pin } from '../pki/pin.ts'\nexport const pin: Pin = ''\n" }
    expect(findings({ ...pki, ...link })).toEqual(['src/link/tls.ts eslint(no-restricted-imports)'])
  })

  test('keeps the index of the package for its users', () => {
    const index = { 'src/index.ts': "export { a } from './domain/a.ts'\n", 'src/domain/a.ts': 'export const a = 1\n' }
    const user = { 'src/server/b.ts': "export { a } from '../index.ts'\n", 'test/b.test.ts': "export { a } from '../src/index.ts'\n" }
    expect(findings({ ...index, ...user })).toEqual(['src/server/b.ts eslint(no-restricted-imports)'])
  })
})

describe('what only some folders may use', () => {
  test('Bun is for src/link', () => {
    const globals = { 'globals.d.ts': 'declare const Bun: { gc(): void }\n' }
    const uses = (folder: string) => ({ [`src/${folder}/a.ts`]: 'Bun.gc()\n', [`src/${folder}/b.ts`]: "import 'bun:sqlite'\n" })
    const reported = findings({
      ...globals,
      ...uses('link'),
      ...uses('store'),
      ...uses('server'),
      ...uses('cli'),
      'test/a.ts': 'Bun.gc()\n',
    })
    expect(reported).toEqual(
      ['cli', 'server', 'store'].flatMap((folder) => [
        `src/${folder}/a.ts eslint(no-restricted-globals)`,
        `src/${folder}/b.ts eslint(no-restricted-imports)`,
      ]),
    )
  })

  test('the protocol depends on nothing but itself, its schemas and its codec', () => {
    const reported = findings({
      'src/protocol/a.ts': "import 'node:fs'\nimport 'smol-toml'\nimport 'valibot'\nimport 'cborg'\nimport './b.ts'\n",
      'src/protocol/b.ts': 'export const b = Buffer.alloc(1)\nexport const now = Date.now()\nsetTimeout(() => {}, 1)\n',
    })
    expect(reported.filter((line) => line.startsWith('src/protocol/a.ts'))).toHaveLength(2)
    expect(reported.filter((line) => line === 'src/protocol/b.ts eslint(no-restricted-globals)')).toHaveLength(3)
  })

  test('the client runs in a browser, but for the file that does not', () => {
    const needsMore =
      "import 'node:fs'\nimport { link } from '../link/index.ts'\nexport const bytes = Buffer.from(link)\nsetImmediate(() => {})\n"
    const reported = findings({
      'globals.d.ts': 'declare const Buffer: { from(text: string): Uint8Array }\ndeclare function setImmediate(action: () => void): void\n',
      'src/link/index.ts': "export const link = 'link'\nexport type Link = string\n",
      'src/client/node.ts': needsMore,
      'src/client/a.ts': needsMore,
      'src/client/b.ts': "import { bytes } from './node.ts'\nexport const all = bytes\n",
      'src/client/c.ts': "import type { Link } from '../link/index.ts'\nexport const c: Link = ''\n",
    })
    expect(reported).toEqual([
      ...Array<string>(2).fill('src/client/a.ts eslint(no-restricted-globals)'),
      ...Array<string>(2).fill('src/client/a.ts eslint(no-restricted-imports)'),
      'src/client/b.ts eslint(no-restricted-imports)',
    ])
  })

  test('time comes from the clock', () => {
    const time = 'export const now = Date.now() + performance.now()\nexport const timer = setTimeout(() => {}, 1)\n'
    const reported = findings({ 'src/domain/clock.ts': time, 'src/link/a.ts': time, 'src/cli/a.ts': time, 'test/a.test.ts': time })
    const each = (path: string) => [
      `${path} eslint(no-restricted-globals)`,
      ...Array<string>(2).fill(`${path} eslint(no-restricted-properties)`),
    ]
    expect(reported).toEqual([...each('src/cli/a.ts'), ...each('src/link/a.ts')])
  })

  test('the console is for src/cli', () => {
    const prints = "console.log('hello')\n"
    const reported = findings({ 'src/cli/a.ts': prints, 'src/server/a.ts': prints, 'test/a.test.ts': prints, 'tools/a.ts': prints })
    expect(reported).toEqual(['src/server/a.ts eslint(no-console)'])
  })
})

describe('the rules for all code', () => {
  const broken: Readonly<Record<string, string>> = {
    'typescript(no-floating-promises)': 'async function work() {}\nwork()\n',
    'typescript(no-misused-promises)': "export async function work() {}\nprocess.on('exit', async () => await work())\n",
    'typescript(no-explicit-any)': 'export const a: any[] = []\n',
    'typescript(switch-exhaustiveness-check)':
      "export function f(a: 'x' | 'y') {\n  switch (a) {\n    case 'x':\n      return 1\n  }\n  return 2\n}\n",
    'typescript(only-throw-error)': "export function f() {\n  throw 'text'\n}\n",
    'typescript(no-non-null-assertion)': 'export const f = (a: string | undefined) => a!.length\n',
    'typescript(no-unsafe-return)': 'export const f = (text: string): string => JSON.parse(text)\n',
    'typescript(consistent-type-imports)': "import { A } from '../a.ts'\nexport const a: A = 1\n",
    'import(no-default-export)': 'export default 1\n',
    'unicorn(filename-case)': 'export const a = 1\n',
    'eslint(no-else-return)': 'export function f(a: boolean) {\n  if (a) return 1\n  else return 2\n}\n',
    'eslint(no-shadow)': 'export const a = 1\nexport const f = (a: number) => a\n',
  }

  const path = (rule: string) => `src/domain/${rule.replaceAll(/[()]/g, '-')}/${rule === 'unicorn(filename-case)' ? 'bB' : 'b'}.ts`
  const reported = findings({
    ...Object.fromEntries(Object.entries(broken).map(([rule, text]) => [path(rule), text])),
    'src/domain/a.ts': 'export type A = number\n',
    'globals.d.ts': 'declare const process: { on(event: string, action: () => void): void }\n',
  })

  test.each(Object.keys(broken))('%s bites', (rule) => {
    expect(reported.filter((line) => line.startsWith(`${path(rule)} `))).toEqual([`${path(rule)} ${rule}`])
  })

  test('an import cycle of values is found, one of types is not', () => {
    const values = {
      'src/domain/a.ts': "import { b } from './b.ts'\nexport const a = (): number => b()\n",
      'src/domain/b.ts': "import { a } from './a.ts'\nexport const b = (): number => a()\n",
    }
    expect(findings(values)).toEqual(['src/domain/a.ts import(no-cycle)', 'src/domain/b.ts import(no-cycle)'])
    const types = {
      'src/domain/a.ts': "import type { B } from './b.ts'\nexport const a = 1\nexport type A = B\n",
      'src/domain/b.ts': "import { a } from './a.ts'\nexport const b = a\nexport type B = typeof b\n",
    }
    expect(findings(types)).toEqual([])
  })

  test('a comment that switches off nothing is itself an error', () => {
    const idle = '// oxlint-disable-next-line no-console\nexport const a = 1\n'
    expect(findings({ 'src/domain/a.ts': idle })).toHaveLength(1)
  })
})
