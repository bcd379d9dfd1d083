// Where a backup is read from: a file, or standard input.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { errorCode, unusable } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { unlessAborted } from '../terminal/stop-signal.ts'

export interface BackupSource {
  /** How long it is, where that is known before it is read. */
  readonly bytes: number | undefined
  /** Once. Its error is a {@link SealwireError}: the reason of the signal also while nothing comes. */
  stream(signal: AbortSignal): ReadableStream<Uint8Array>
}

/** A file. @throws {SealwireError} `data_unusable`. */
export async function fileSource(path: string): Promise<BackupSource> {
  try {
    const handle = await open(path, 'r')
    const stats = await handle.stat()
    await handle.close()
    if (!stats.isFile()) throw new SealwireError('data_unusable', `${path} is no file`)
    return { bytes: stats.size, stream: (signal) => told(createReadStream(path, { highWaterMark: pieceBytes }), path, signal) }
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') {
      throw new SealwireError('data_unusable', `there is no file ${path}`, { cause, hint: 'name a backup that sealwire backup has made' })
    }
    throw SealwireError.is(cause) ? cause : unusable(`cannot read ${path}`, cause)
  }
}

/** Standard input. */
export const inputSource: BackupSource = { bytes: undefined, stream: (signal) => told(process.stdin, 'standard input', signal) }

function told(input: AsyncIterable<Uint8Array>, what: string, signal: AbortSignal): ReadableStream<Uint8Array> {
  const pieces = input[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const result: IteratorResult<Uint8Array, unknown> = await unlessAborted(signal, pieces.next())
          if (result.done === true) controller.close()
          else controller.enqueue(result.value)
        } catch (cause) {
          controller.error(SealwireError.is(cause) ? cause : unusable(`cannot read ${what}`, cause))
        }
      },
      async cancel() {
        await pieces.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

const pieceBytes = 256 * 1024
