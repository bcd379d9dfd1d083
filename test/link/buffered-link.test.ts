import { describe, expect, test } from 'bun:test'
import { BufferedLink, Flusher, type LinkEnd } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { Recorder } from '../compliance/link.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

/** A transport that only remembers what was asked of it. */
class Transport extends BufferedLink {
  readonly security = { protocol: 'test', cipher: '', alpn: '', peerCertificate: undefined }
  readonly asked: string[] = []
  takes = true

  write(_bytes: Uint8Array, start: number, end: number): number {
    return this.takes ? end - start : 0
  }
  pause(): void {}
  resume(): void {}
  protected endTransport(): void {
    this.asked.push('end')
  }
  protected cutTransport(): void {
    this.asked.push('cut')
  }
  arrive(bytes: Uint8Array): void {
    this.deliver(bytes)
  }
  peerEnds(): void {
    this.peerEnded()
  }
  breaks(end: LinkEnd): void {
    this.over(end)
  }
}

describe('BufferedLink', () => {
  test('cuts a peer that does not take its output within outputStallMsMax of the close', async () => {
    const { link, recorder, clock } = make()
    link.takes = false
    link.send(new Uint8Array(10))
    link.close()
    await clock.move(9_999)
    expect(link.asked).toEqual([])
    await clock.move(5_000)
    expect([link.asked, recorder.ends.length]).toEqual([['cut'], 1])
  })

  test('tells the first reason for its end', async () => {
    const { link, recorder } = make()
    link.peerEnds()
    link.breaks('reset')
    link.terminate()
    await settle()
    expect([recorder.ends, link.asked]).toEqual([['ended'], ['end']])
  })

  test('delivers nothing once it is closing', () => {
    const { link, recorder } = make()
    link.arrive(Buffer.from('a'))
    link.close()
    link.arrive(Buffer.from('b'))
    expect(recorder.text).toBe('a')
  })

  test('cuts a peer that goes on sending while the link is closing', async () => {
    const { link, recorder } = make()
    link.close()
    link.arrive(new Uint8Array(256 * 1024))
    expect(link.asked).toEqual(['end'])
    link.arrive(new Uint8Array(1))
    await settle()
    expect([link.asked, recorder.ends, recorder.bytesTotal]).toEqual([['end', 'cut'], ['closed'], 0])
  })

  test('leaves no timer behind', async () => {
    const { link, clock } = make()
    link.send(new Uint8Array(10))
    link.close()
    link.breaks('closed')
    await settle()
    expect(clock.timers).toBe(0)
  })
})

function make(): { link: Transport; recorder: Recorder; clock: ManualClock } {
  const limits = resolveLimits()
  const clock = new ManualClock()
  const link = new Transport({ address: 'test', port: 0 }, { limits, flusher: new Flusher(limits, clock) })
  const recorder = new Recorder()
  link.attach(recorder)
  return { link, recorder, clock }
}
