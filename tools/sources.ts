// Parsed sources for the tools that measure and check them. The parser is TypeScript's own; its programming interface
// is marked unstable, which the exact version in package.json makes harmless (docs/decisions/0002-tools.md).

import { relative, sep } from 'node:path'
import type { SourceFile } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/async'

export interface Source {
  /** Relative to the folder, with forward slashes: `src/protocol/errors.ts`. */
  readonly path: string
  readonly file: SourceFile
  /** As many as an editor shows. */
  readonly lines: number
}

/** Parses every file of the program that `FOLDER/tsconfig.json` describes, but for installed packages; sorted by path. */
export async function readSources(folder: string): Promise<readonly Source[]> {
  const api = new API({ cwd: folder })
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [`${folder}/tsconfig.json`] })
    const [project] = snapshot.getProjects()
    if (project === undefined) throw new Error(`no tsconfig.json in ${folder}`)
    const own = (await project.program.getSourceFileNames()).filter((name) => isOwn(relative(folder, name))).toSorted()
    const files = await Promise.all(own.map((name) => project.program.getSourceFile(name)))
    return files.filter((file) => file !== undefined).map((file) => source(folder, file))
  } finally {
    await api.close()
  }
}

function isOwn(path: string): boolean {
  return !path.startsWith('..') && !path.includes('node_modules') && !path.includes(':')
}

function source(folder: string, file: SourceFile): Source {
  return { path: relative(folder, file.fileName).split(sep).join('/'), file, lines: file.text.replace(/\n$/, '').split('\n').length }
}

/** The line of a position in the file, from 1. */
export function lineOf(file: SourceFile, position: number): number {
  return file.getLineAndCharacterOfPosition(position).line + 1
}
