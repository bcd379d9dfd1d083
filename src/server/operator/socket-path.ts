// Where the operator's socket is. The system takes a path of about a hundred bytes for a socket; a data folder may lie
// deeper than that. Linux has a short name for an open folder, elsewhere there is no way around it.

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { SealwireError } from '../../protocol/index.ts'

/** A path that can be bound or dialled until it is disposed. */
export interface SocketPath extends Disposable {
  readonly path: string
}

/**
 * The path of the operator's socket in a data folder.
 * @throws {SealwireError} `data_unusable` when it is too long for this system.
 */
export function operatorSocketPath(folder: string): SocketPath {
  const path = join(folder, operatorSocketName)
  if (Buffer.byteLength(path) <= pathBytesMax) return { path, [Symbol.dispose]() {} }
  if (process.platform !== 'linux') {
    throw new SealwireError('data_unusable', `the path of the data folder is too long for a socket (over ${pathBytesMax} bytes)`, {
      hint: 'move the data folder to a shorter path',
    })
  }
  const descriptor = openSync(folder, 'r')
  return {
    path: `/proc/self/fd/${descriptor}/${operatorSocketName}`,
    [Symbol.dispose]: () => closeSync(descriptor),
  }
}

/** Its name in the data folder. */
export const operatorSocketName = 'operator.sock'

/** What sun_path holds beside its final zero: 104 bytes in all on macOS, 108 on Linux. */
const pathBytesMax = process.platform === 'linux' ? 107 : 103
