// What a program asks of the kernel about files, in its order, as strace tells it: whether bytes and names were brought to the
// disk cannot be seen afterwards, as long as nobody pulls the plug.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { skipWithout } from './store-contents.ts'

export const cannotTrace = (): boolean => skipWithout('strace, which tells of system calls', spawnSync('strace', ['-V']).status === 0)

const calls = 'fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,write'

/** A command that runs another one and keeps its calls in `folder`, for {@link callsIn}. */
export function tracing(folder: string): readonly string[] {
  return ['strace', '-f', '-y', '-qq', '-s', '64', '-e', `trace=${calls}`, '-o', join(folder, 'calls')]
}

/** What was done: `sync PATH`, `rename TO`, `remove PATH`, and `say TEXT` for a line on standard output. */
export function callsIn(folder: string): readonly string[] {
  return readFileSync(join(folder, 'calls'), 'utf8').split('\n').flatMap(callOf)
}

function callOf(line: string): readonly string[] {
  for (const [what, form] of forms) {
    const [, text] = form.exec(line) ?? []
    if (text !== undefined) return [`${what} ${text}`]
  }
  return []
}

/** A descriptor is followed by its path. */
const forms: readonly (readonly [string, RegExp])[] = [
  ['sync', /\b(?:fsync|fdatasync)\(\d+<([^>]*)>/],
  ['rename', /\brename(?:at2?)?\(.*"([^"]*)"/],
  ['remove', /\bunlink(?:at)?\(.*"([^"]*)"/],
  ['say', /\bwrite\(1<[^>]*>, "((?:[^"\\]|\\[^n])*)\\n"/],
]
