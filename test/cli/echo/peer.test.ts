import { describe, expect, test } from 'bun:test'
import { EchoPeer } from '../../../src/cli/echo/peer.ts'
import { Flusher, linkPair } from '../../../src/link/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { rejectionOf } from '../../support/refusal.ts'

const limits = resolveLimits({ echoAnswerBytesMax: 1024 })

describe('ask', () => {
  test('sends a line and resolves with the next one that comes', async () => {
    const { peer, far, farRecorder } = open()
    farRecorder.onBytes = (bytes) => far.send(bytes)
    expect(await ask(peer, 'one')).toBe('one')
    expect(await ask(peer, '')).toBe('')
    expect(farRecorder.text).toBe('one\n\n')
  })

  test('waits for the whole line, and keeps what comes behind it for the next', async () => {
    const { peer, far, farRecorder, clock } = open()
    const first = ask(peer, 'question')
    await farRecorder.until(() => farRecorder.bytesTotal > 0)
    for (const part of ['an', 'swer\nsec', 'ond\n']) {
      far.send(Buffer.from(part))
      await clock.move(0)
    }
    expect(await first).toBe('answer')
    expect(await ask(peer, 'question')).toBe('second')
  })

  test('refuses a line that could not come back, and one that comes back without an end', async () => {
    const { peer, far, farRecorder } = open()
    expect(await rejectionOf(ask(peer, 'x'.repeat(1024)))).toBe('message_too_large')
    farRecorder.onBytes = () => far.send(Buffer.alloc(1025, 'x'))
    expect(await rejectionOf(ask(peer, 'x'))).toBe('overrun')
    await peer.over
    expect(peer.end).toBe('terminated')
  })

  test('takes the longest line that is allowed', async () => {
    const { peer, far, farRecorder } = open()
    farRecorder.onBytes = (bytes) => far.send(bytes)
    const longest = 'x'.repeat(1023)
    expect(await ask(peer, longest)).toBe(longest)
  })

  test('waits no longer than it is told to', async () => {
    const { peer, clock } = open()
    const answer = rejectionOf(ask(peer, 'x'))
    await clock.move(4999)
    expect(peer.failure).toBeUndefined()
    await clock.move(1)
    expect(await answer).toBe('connection_lost')
    expect(peer.failure?.sentence).toBe('no answer came within 5 s')
  })

  test('rejects when the connection ends first, and ever after', async () => {
    const { peer, far } = open()
    const answer = rejectionOf(ask(peer, 'x'))
    far.close()
    expect(await answer).toBe('connection_lost')
    expect(await rejectionOf(ask(peer, 'x'))).toBe('connection_lost')
    expect(peer.end).toBe('ended')
  })

  test('doubts that it is an echo server when it ends the connection before any answer', async () => {
    for (const [answer, hint] of [
      ['', 'check that it is an echo server, and see what it printed'],
      ['x\n', 'see what the server printed, and try again'],
    ] as const) {
      const { peer, far } = open()
      far.send(Buffer.from(answer))
      far.close()
      await peer.over
      expect(peer.failure?.hint).toBe(hint)
    }
  })

  test('tells a reset from an end', async () => {
    const { peer, far } = open()
    far.terminate()
    await peer.over
    expect(peer.end).toBe('reset')
    expect(peer.failure?.sentence).toContain('reset')
  })

  test('still resolves with an answer that came before the end', async () => {
    const { peer, far } = open()
    far.send(Buffer.from('last words\n'))
    far.close()
    await peer.over
    expect(await ask(peer, 'x')).toBe('last words')
  })
})

describe('close', () => {
  test('ends the connection', async () => {
    const { peer, farRecorder } = open()
    await peer.close()
    expect(peer.end).toBe('closed')
    await farRecorder.until(() => farRecorder.ends.length > 0)
    expect(farRecorder.ends).toEqual(['ended'])
  })

  test('cuts a peer that does not end its side', async () => {
    const { peer, far, clock } = open()
    far.pause()
    const closed = peer.close()
    await clock.move(limits.exitMsMax)
    await closed
  })
})

async function ask(peer: EchoPeer, line: string): Promise<string> {
  return Buffer.from(await peer.ask(Buffer.from(line), 5000)).toString()
}

function open() {
  const clock = new ManualClock()
  const [near, far] = linkPair({ limits, flusher: new Flusher(limits, clock) })
  const peer = new EchoPeer(near, limits, clock)
  const farRecorder = new Recorder()
  near.attach(peer)
  far.attach(farRecorder)
  return { peer, far, farRecorder, clock }
}
