// The TypeScript that the pages show compiles: a method, an option or a field that there is not is found here. Some of it is also run:
// test/e2e/readme-bot.test.ts, test/client/payments.test.ts.

import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')
const manifest = JSON.parse(textOf('package.json')) as { readonly exports: Readonly<Record<string, unknown>> }

const blocks = ['docs/sdk.md', 'docs/direct.md'].flatMap((page) =>
  Array.from(textOf(page).matchAll(/^```ts\n(.*?)^```$/gms), ([, block = '']) => block),
)

test('docs/sdk.md names what the package exports', () => {
  const named = Array.from(
    textOf('docs/sdk.md').matchAll(/'(sealwire(?:\/[\w/]+)?)'|`(sealwire\/[\w/…]+)`/g),
    ([, one, other]) => one ?? other ?? '',
  )
  expect(named.length).toBeGreaterThan(10)
  const exported = Object.keys(manifest.exports).map((subpath) => `sealwire${subpath.slice(1).replace('*', '…')}`)
  expect(named.filter((name) => !exported.includes(name))).toEqual([])
})

test('what docs/sdk.md and docs/direct.md show compiles', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(9)
  const { status, stdout } = compiled(blocks)
  expect(stdout).toBe('')
  expect(status).toBe(0)
}, 60_000)

test('what there is not does not compile', () => {
  const wrong = [
    "import { conect } from 'sealwire'",
    "await me.sendd('bob', 'hello')",
    "await me.payments.pay('bob', 12.5)",
    "await connect('./alice', { ofline: true })",
  ]
  const { stdout } = compiled(wrong)
  expect(stdout.split('\n').filter((line) => line.includes('error'))).toHaveLength(wrong.length)
}, 60_000)

/** Each block for itself, among what a page takes for granted. */
function compiled(texts: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-pages-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const files = { sealwire: 'index', 'sealwire/client': 'client/index', 'sealwire/client/web': 'client/web' }
    const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, [join(root, `src/${file}.ts`)]]))
    const compilerOptions = { paths, noUnusedLocals: false, noUnusedParameters: false }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }),
    )
    for (const [index, text] of texts.entries()) writeFileSync(join(folder, `block${index + 1}.ts`), module(text))
    const tsc = join(root, 'node_modules/.bin/tsc')
    return spawnSync(process.execPath, [tsc, '-p', folder], { cwd: folder, encoding: 'utf8' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What a block says of its own is not taken for granted. Lines that begin anew with the same name are blocks for themselves. */
function module(text: string): string {
  const imports = text.match(/^import .*$/gm) ?? []
  const body = text.replaceAll(/^import .*$/gm, '').replaceAll(/^(for await .*\)) …/gm, '$1 {}')
  const own = Array.from(body.matchAll(/^const (\w+)/gm), ([, name = '']) => name)
  const scopes = new Set(own).size === own.length ? [body] : body.split(/^(?=const )/m)
  const imported = Array.from(imports.join().matchAll(/\w+/g), ([name]) => name)
  const others = Object.entries(usual).filter(([name]) => !imported.includes(name.replace('type ', '')))
  const taken = Object.entries(given).filter(([name]) => !own.includes(name) || scopes.length > 1)
  return [
    ...imports,
    ...others.map(([name, from]) => `import { ${name} } from '${from}'`),
    ...taken.map(([name, type]) => `declare const ${name}: ${type}`),
    ...scopes.map((scope) => `{\n${scope}\n}`),
  ].join('\n')
}

const usual = {
  connect: 'sealwire',
  blobSource: 'sealwire/client',
  newMessageId: 'sealwire/client',
  'type Conversation': 'sealwire/client',
  'type PaymentRequest': 'sealwire/client',
  'type ReadEntry': 'sealwire/client',
  'type Sealwire': 'sealwire/client',
}

const given = {
  me: 'Sealwire',
  bob: 'Conversation',
  bytes: 'Uint8Array',
  id: 'string',
  signal: 'AbortSignal',
  seq: 'number',
  number: 'number',
  progress: '(done: number, total: number) => void',
  entry: "ReadEntry & { file: NonNullable<ReadEntry['file']> }",
  paid: '{ id: string }',
  transfer: '{ id: string }',
  request: 'PaymentRequest',
  invitation: 'Uint8Array',
}
