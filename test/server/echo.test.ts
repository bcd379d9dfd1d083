import { describe, expect, test } from 'bun:test'
import { Flusher, linkPair, type MemoryLink } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { EchoService } from '../../src/server/echo.ts'
import { Recorder } from '../compliance/link.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

describe('EchoService', () => {
  test('sends back what it is sent and tells its observer', async () => {
    const { service, connect, told } = make()
    const { far, recorder } = connect()
    far.send(Buffer.from('hello'))
    await recorder.until(() => recorder.bytesTotal === 5)
    far.terminate()
    await settle()
    expect([recorder.text, told, service.connections]).toEqual(['hello', ['opened', 'received hello', 'closed reset'], 0])
  })

  test('pauses who does not take the echo, and loses nothing', async () => {
    const { connect } = make({ outputBytesHigh: 16 * 1024 })
    const { far, near, recorder } = connect()
    far.pause()
    const piece = Buffer.alloc(8 * 1024, 'x')
    for (let i = 0; i < 40; i++) {
      far.send(piece)
      await settle()
    }
    expect(near.queuedBytes).toBeLessThan(128 * 1024)
    far.resume()
    await recorder.until(() => recorder.bytesTotal === 40 * 8 * 1024)
  })

  test('closes a connection that is silent for echoIdleMsMax, not one that is not', async () => {
    const { connect, clock } = make({ echoIdleMsMax: 600_000 })
    const [silent, active] = [connect(), connect()]
    for (let minute = 0; minute < 16; minute++) {
      active.far.send(Buffer.from('x'))
      await clock.move(60_000)
      if (minute < 9) expect(silent.recorder.ends).toEqual([])
    }
    expect([silent.recorder.ends, active.recorder.ends]).toEqual([['ended'], []])
  })

  test('closes everything when asked to', async () => {
    const { service, connect } = make()
    const peers = [connect(), connect()]
    service.closeAll()
    await settle()
    expect(peers.map(({ recorder }) => recorder.ends)).toEqual([['ended'], ['ended']])
    service[Symbol.dispose]()
  })
})

function make(overrides = {}) {
  const clock = new ManualClock()
  const limits = resolveLimits(overrides)
  const told: string[] = []
  const service = new EchoService(limits, clock, {
    opened: () => told.push('opened'),
    received: (_link, bytes) => told.push(`received ${Buffer.from(bytes).toString()}`),
    closed: (_link, end) => told.push(`closed ${end}`),
  })
  const connect = (): { near: MemoryLink; far: MemoryLink; recorder: Recorder } => {
    const [near, far] = linkPair({ limits, flusher: new Flusher(limits, clock) })
    const recorder = new Recorder()
    far.attach(recorder)
    near.attach(service.open(near))
    return { near, far, recorder }
  }
  return { service, connect, told, clock }
}
