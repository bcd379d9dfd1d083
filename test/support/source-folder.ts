import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A temporary folder that is gone at the end of its scope. */
export interface SourceFolder extends Disposable {
  readonly path: string
}

/** Writes a small TypeScript project: a tsconfig.json and these files, by path. */
export function sourceFolder(files: Readonly<Record<string, string>>): SourceFolder {
  const path = mkdtempSync(join(tmpdir(), 'sealwire-sources-'))
  const compilerOptions = { module: 'nodenext', target: 'esnext', strict: true, noEmit: true, allowImportingTsExtensions: true, types: [] }
  const project = { 'tsconfig.json': JSON.stringify({ compilerOptions }), 'package.json': '{ "type": "module" }', ...files }
  for (const [name, text] of Object.entries(project)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}
