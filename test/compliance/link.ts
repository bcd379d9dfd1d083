// What every link must do, whatever is underneath. An adapter's test calls this with a way to make a connected pair:
// `near` is the adapter under test, `far` its peer (which may be another adapter).

import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { Link, LinkEnd, LinkReceiver } from '../../src/link/index.ts'
import type { Limits } from '../../src/protocol/index.ts'

/** A receiver that remembers everything and can be waited for. */
export class Recorder implements LinkReceiver {
  readonly chunks: Uint8Array[] = []
  bytesTotal = 0
  drains = 0
  ends: LinkEnd[] = []
  onBytes: ((bytes: Uint8Array) => void) | undefined
  #wake: (() => void) | undefined

  received(bytes: Uint8Array): void {
    this.chunks.push(bytes)
    this.bytesTotal += bytes.length
    this.onBytes?.(bytes)
    this.#wake?.()
  }

  drained(): void {
    this.drains++
    this.#wake?.()
  }

  closed(end: LinkEnd): void {
    this.ends.push(end)
    this.#wake?.()
  }

  /** Resolves when `condition` holds; it is looked at after each event. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

export interface ConnectedPair {
  readonly near: Link
  readonly nearRecorder: Recorder
  readonly far: Link
  readonly farRecorder: Recorder
  /** Tells the near side that the connection broke. */
  breakFar(): void
}

export interface LinkSetup {
  setup(limits?: Partial<Limits>): Promise<ConnectedPair>
  teardown(): Promise<void>
}

export function linkCompliance(name: string, { setup, teardown }: LinkSetup): void {
  const withPair = (title: string, body: (pair: ConnectedPair) => Promise<void>, limits?: Partial<Limits>): void =>
    test(title, async () => {
      try {
        await body(await setup(limits))
      } finally {
        await teardown()
      }
    })

  describe(`${name} as a link`, () => {
    withPair('carries bytes both ways in order', async ({ near, nearRecorder, far, farRecorder }) => {
      for (let i = 0; i < 100; i++) near.send(Buffer.from(`${i},`))
      far.send(Buffer.from('hello'))
      const expected = Array.from({ length: 100 }, (_, i) => `${i},`).join('')
      await farRecorder.until(() => farRecorder.bytesTotal >= expected.length)
      await nearRecorder.until(() => nearRecorder.bytesTotal >= 5)
      expect([farRecorder.text, nearRecorder.text]).toEqual([expected, 'hello'])
    })

    withPair('gathers what a turn writes and leaves no output behind', async ({ near, farRecorder }) => {
      for (let i = 0; i < 50; i++) near.send(Buffer.from('x'))
      expect(near.queuedBytes).toBe(50)
      await farRecorder.until(() => farRecorder.bytesTotal === 50)
      expect(near.queuedBytes).toBe(0)
      expect(farRecorder.chunks.length).toBeLessThanOrEqual(2)
    })

    withPair('flushes at once when asked to', async ({ near }) => {
      near.send(Buffer.from('x'))
      near.flush()
      expect(near.queuedBytes).toBe(0)
    })

    withPair('carries 20 MB through a reader that pauses, every byte in its place', async ({ near, nearRecorder, far, farRecorder }) => {
      const piece = Buffer.alloc(50_000, 'abcdefghijklmnopqrstuvwxyz')
      const sent = createHash('sha256')
      farRecorder.onBytes = () => {
        far.pause()
        setImmediate(() => far.resume())
      }
      for (let i = 0; i < 400; i++) {
        piece.writeUInt32BE(i)
        sent.update(piece)
        near.send(piece)
        if (!near.keepsUp) await nearRecorder.until(() => near.keepsUp)
        else if (i % 4 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await farRecorder.until(() => farRecorder.bytesTotal === 20_000_000)
      const received = createHash('sha256').update(Buffer.concat(farRecorder.chunks)).digest('hex')
      expect(received).toBe(sent.digest('hex'))
    })

    withPair('says when the peer falls behind and when it is back', async ({ near, nearRecorder, far, farRecorder }) => {
      far.pause()
      await fillUntil(near, () => !near.keepsUp)
      expect(near.keepsUp).toBe(false)
      far.resume()
      await nearRecorder.until(() => nearRecorder.drains > 0)
      expect([near.keepsUp, near.open, farRecorder.ends]).toEqual([true, true, []])
    })

    withPair('drops a peer whose output grows over the limit', async ({ near, nearRecorder, far }) => {
      far.pause()
      await fillUntil(near, () => nearRecorder.ends.length > 0)
      expect(nearRecorder.ends).toEqual(['slow_consumer'])
      expect([near.open, near.queuedBytes]).toEqual([false, 0])
    })

    withPair(
      'drops a peer that makes no progress for too long',
      async ({ near, nearRecorder, far }) => {
        far.pause()
        // Written only while it keeps up, so that it is never over the limit of bytes: time alone must end it.
        await fillUntil(
          near,
          () => nearRecorder.ends.length > 0,
          () => near.keepsUp,
        )
        expect(nearRecorder.ends).toEqual(['slow_consumer'])
      },
      { outputStallMsMax: 300 },
    )

    withPair('hands over everything before it closes', async ({ near, nearRecorder, farRecorder }) => {
      near.send(Buffer.alloc(200_000, 'z'))
      near.close()
      expect(near.open).toBe(false)
      await farRecorder.until(() => farRecorder.ends.length > 0)
      await nearRecorder.until(() => nearRecorder.ends.length > 0)
      expect([farRecorder.bytesTotal, farRecorder.ends, nearRecorder.ends]).toEqual([200_000, ['ended'], ['closed']])
    })

    withPair('throws away what is written after close', async ({ near, farRecorder }) => {
      near.send(Buffer.from('last'))
      near.close()
      await farRecorder.until(() => farRecorder.ends.length > 0)
      near.send(Buffer.from('too late'))
      expect([farRecorder.text, near.open]).toEqual(['last', false])
    })

    withPair('tells an end of the peer, after everything it had sent', async ({ near, nearRecorder, far }) => {
      far.send(Buffer.from('bye'))
      far.close()
      await nearRecorder.until(() => nearRecorder.ends.length > 0)
      expect([nearRecorder.text, nearRecorder.ends, near.open]).toEqual(['bye', ['ended'], false])
    })

    // Not in the middle of a handshake's last write, which takes the only report of a reset that a system gives.
    withPair('tells a broken connection from an end', async ({ near, nearRecorder, farRecorder, breakFar }) => {
      near.send(Buffer.from('x'))
      await farRecorder.until(() => farRecorder.bytesTotal > 0)
      breakFar()
      await nearRecorder.until(() => nearRecorder.ends.length > 0)
      expect(nearRecorder.ends).toEqual(['reset'])
    })

    withPair('is over at once when terminated, and tells so later and once', async ({ near, nearRecorder, farRecorder }) => {
      near.terminate()
      near.terminate()
      near.close()
      expect([near.open, nearRecorder.ends]).toEqual([false, []])
      await farRecorder.until(() => farRecorder.ends.length > 0)
      await nearRecorder.until(() => nearRecorder.ends.length > 0)
      expect(nearRecorder.ends).toEqual(['terminated'])
    })
  })
}

/** Writes until `condition` holds, a piece a turn and only when `may`, so that the transport has its chance to take them. */
async function fillUntil(link: Link, condition: () => boolean, may: () => boolean = () => true): Promise<void> {
  const piece = Buffer.alloc(64 * 1024, 'f')
  while (!condition()) {
    if (may()) link.send(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
