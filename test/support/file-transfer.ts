// Uploads and downloads of a client: a window of requests without their answer, as a program would do it.

import type { Client } from '../../src/client/index.ts'
import { fileChunkBytesMax } from '../../src/protocol/contract/index.ts'

export interface Upload {
  readonly id: Uint8Array
  readonly conversation: number
  readonly bytes: Uint8Array
  readonly sha256: Uint8Array
}

/** Requests without their answer. */
const window = 4

/** Announces a file, or finds out how much of it is there. */
export async function beginUpload(client: Client, { id, conversation, bytes, sha256 }: Upload, name = 'report.pdf'): Promise<number> {
  return (await client.request('file.begin', { id, conversation, name, size: bytes.length, sha256 })).offset
}

/** Puts everything from `offset` on, up to `end`. */
export async function putAll(client: Client, { id, bytes }: Upload, offset: number, end = bytes.length): Promise<void> {
  const steps = stepsOf(offset, end)
  await windowed(steps, async (at) => {
    await client.request('file.put', { id, offset: at, data: bytes.subarray(at, Math.min(at + fileChunkBytesMax, end)) })
  })
}

/** The whole of it, from where it stopped. Returns where that was. */
export async function upload(client: Client, file: Upload): Promise<number> {
  const offset = await beginUpload(client, file)
  await putAll(client, file, offset)
  await client.request('file.end', { id: file.id })
  return offset
}

/** Everything from `offset` on. */
export async function download(
  client: Client,
  { id, size }: { readonly id: Uint8Array; readonly size: number },
  offset = 0,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size - offset)
  await windowed(stepsOf(offset, size), async (at) => {
    const { data } = await client.request('file.get', { id, offset: at, length: Math.min(fileChunkBytesMax, size - at) })
    bytes.set(data, at - offset)
  })
  return bytes
}

function stepsOf(offset: number, end: number): Iterator<number> {
  return (function* () {
    for (let at = offset; at < end; at += fileChunkBytesMax) yield at
  })()
}

async function windowed(steps: Iterator<number>, act: (at: number) => Promise<void>): Promise<void> {
  const work = async (): Promise<void> => {
    for (let step = steps.next(); step.done !== true; step = steps.next()) await act(step.value)
  }
  await Promise.all(Array.from({ length: window }, work))
}
