import { describe, expect, test } from 'bun:test'
import { budgets } from '../../tools/budgets.ts'
import { sourceFolder } from '../support/source-folder.ts'

async function report(files: Readonly<Record<string, string>>) {
  using folder = sourceFolder(files)
  return await budgets(folder.path)
}

const statements = (count: number) => '  console.log()\n'.repeat(count)

describe('the figures', () => {
  test('are medians, ninth tenths and largest values', async () => {
    const { lines } = await report({
      'src/a.ts': 'export function one() {\n  return 1\n}\n',
      'src/b.ts': 'export const b = () => 2\nexport class B {\n  get c() {\n    const d = 4\n    return d\n  }\n}\n',
      'src/c.ts': `export const c = () => {\n${statements(8)}}\n`,
    })
    expect(lines).toContain('files            3, 20 lines')
    expect(lines).toContain('file length      median 7, max 10 (target median 130, gate 400)')
    expect(lines).toContain('function length  median 4, p90 10, max 10 (targets 12 and 30, gate 60)')
  })

  test('name every any and every double cast', async () => {
    const { lines, broken } = await report({
      'src/a.ts': 'export const a = 1 as unknown as string\nexport const b = (a as unknown) as number\nexport const c = a as string\n',
      'src/b.ts': "export const text = 'any'\n// any\nexport const b: any = 1\n",
    })
    expect(lines).toContain('any              1\n                   src/b.ts:3')
    expect(lines).toContain('double casts     2\n                   src/a.ts:1\n                   src/a.ts:2')
    expect(broken).toEqual([])
  })

  test('name the sources that no test mirrors, but for those without code', async () => {
    const { lines } = await report({
      'src/a/tested.ts': 'export const a = 1\n',
      'src/a/untested.ts': 'export const b = 1\n',
      'src/a/types.ts': "import type { b } from './untested.ts'\nexport interface A {}\nexport type B = typeof b\n",
      'src/a/index.ts': "/** One. */\nexport { a } from './tested.ts'\n",
      'test/a/tested.test.ts': 'export {}\n',
    })
    expect(lines).toContain('without a test   1\n                   src/a/untested.ts')
    expect(lines).toContain('test : src       0.14 (about 1)')
  })
})

describe('the gates', () => {
  test('hold at the limit and break above it', async () => {
    const fits = `export function a() {\n${statements(58)}}\n${'\n'.repeat(340)}`
    expect((await report({ 'src/a.ts': fits })).broken).toEqual([])
    const tooLong = `export function a() {\n${statements(59)}}\n${'\n'.repeat(340)}`
    expect((await report({ 'src/a.ts': tooLong })).broken).toEqual([
      'src/a.ts has 401 lines, at most 400',
      'src/a.ts:1 is a function of 61 lines, at most 60',
    ])
  })

  test('let the functions of a test be long, but not its file', async () => {
    const { broken } = await report({ 'test/a.test.ts': `export const a = () => {\n${statements(399)}}\n` })
    expect(broken).toEqual(['test/a.test.ts has 401 lines, at most 400'])
  })

  test('find import cycles of values and no cycles of types', async () => {
    const { broken } = await report({
      'src/a.ts': "import { b } from './b.ts'\nexport const a = () => b\n",
      'src/b.ts': "export { c as b } from './c.ts'\n",
      'src/c.ts': "import { a } from './a.ts'\nexport const c = () => a\n",
      'src/d.ts': "import { e } from './e.ts'\nexport type D = typeof e\n",
      'src/e.ts': "import type { D } from './d.ts'\nexport const e = 1\nexport type E = D\n",
    })
    expect(broken).toEqual(['import cycle: src/a.ts, src/b.ts, src/c.ts'])
  })

  test('forbid errors without a code and export *', async () => {
    const { broken } = await report({
      'src/a.ts': "export * from './b.ts'\nexport * as c from './b.ts'\n",
      'src/b.ts':
        "export class MyError extends Error {}\nexport const b = () => {\n  throw new Error('new Error')\n}\nexport const c = Error('c')\n",
      'test/b.test.ts': "throw new Error('a test may')\n",
    })
    expect(broken).toEqual([
      'src/b.ts:3 makes a bare Error, use SealwireError',
      'src/b.ts:5 makes a bare Error, use SealwireError',
      'src/a.ts:1 has export *, name each export',
      'src/a.ts:2 has export *, name each export',
    ])
  })

  test('want a doc comment where the declaration of an exported name stands', async () => {
    const { broken, lines } = await report({
      'src/a/index.ts': "export { named as renamed, type Plain } from './a.ts'\nexport { two } from './b/index.ts'\n",
      'src/a/a.ts': '/** Named. */\nexport const named = 1\n// Not a doc comment.\nexport interface Plain {}\n',
      'src/a/b/index.ts': "export { two } from './c.ts'\n",
      'src/a/b/c.ts': 'export function two() {}\n',
    })
    expect(broken).toEqual(
      ['src/a/b/index.ts: two', 'src/a/index.ts: Plain', 'src/a/index.ts: two'].map((name) => `${name} has no doc comment`),
    )
    expect(lines).toContain('documented       1 of 4 exports of index.ts')
  })
})
