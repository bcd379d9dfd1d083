// Reading a small file that a person names, or standard input.

import { open } from 'node:fs/promises'
import { errorCode } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'

/**
 * The bytes of a file, `-` being standard input; what is longer than any of its kind is read no further than one byte more.
 * @throws {SealwireError} `usage` when it cannot be read.
 */
export async function readFileAtMost(name: string, bytesMax: number): Promise<Buffer> {
  try {
    await using file = await open(name === '-' ? '/dev/stdin' : name)
    const bytes = Buffer.alloc(bytesMax + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = (await file.read(bytes, length, bytes.length - length)).bytesRead
    }
    return bytes.subarray(0, length)
  } catch (cause) {
    const code = errorCode(cause)
    if (code === 'ENOENT') throw new SealwireError('usage', `there is no file ${name}`, { cause, hint: 'check the path' })
    throw new SealwireError('usage', `cannot read ${name} (${code ?? 'unknown reason'})`, { cause, hint: 'name a file' })
  }
}
