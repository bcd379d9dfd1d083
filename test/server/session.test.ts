import { describe, expect, test } from 'bun:test'
import { encodeFrame } from '../../src/protocol/index.ts'
import { settle } from '../support/manual-clock.ts'
import { password, ServerStage } from '../support/server-stage.ts'

describe('Session', () => {
  test('closes a connection that does not log in within loginMsMax', async () => {
    using stage = new ServerStage({ loginMsMax: 10_000 })
    const peer = stage.connect()
    await stage.clock.move(9_999)
    expect(await peer.arrived()).toEqual([])
    await stage.clock.move(1)
    await peer.expect('05 SLOW', 'end')
    expect(stage.sessions.size).toBe(0)
  })

  test('stops the clock when a login has arrived, and starts it again when it was refused', async () => {
    using stage = new ServerStage({ loginMsMax: 10_000 })
    const peer = stage.connect()
    peer.send(0x02, `nobody:${password}`)
    await settle()
    await stage.clock.move(20_000)
    await peer.expect('05 AUTH!')
    await stage.clock.move(10_000)
    await peer.expect('05 SLOW', 'end')
  })

  test('lets a session that has logged in stay silent', async () => {
    using stage = new ServerStage()
    const alice = await stage.person('alice')
    expect(alice.authenticated).toBe(1)
    await stage.clock.move(3_600_000)
    expect(await alice.arrived()).toEqual([])
  })

  test('takes frames of 1,024 bytes before login and of any length after', async () => {
    using stage = new ServerStage()
    const stranger = stage.connect()
    stranger.send(0x03, new Uint8Array(1013))
    await stranger.expect('05 NOLOG')
    stranger.send(0x03, new Uint8Array(1014))
    await stranger.expect('05 LIMIT', 'end')
    const alice = await stage.person('alice')
    alice.send(0x03, new Uint8Array(65_535))
    await alice.expect('05 NOCHAT')
  })

  for (const [what, bytes, word] of [
    ['bad magic', Buffer.from('GET / HTTP/1.1\r\n'), 'MAGIC'],
    ['a bad checksum', encodeFrame(0x03).fill(0, 7), 'CRC'],
  ] as const) {
    test(`says ${word} and closes on ${what}`, async () => {
      using stage = new ServerStage()
      const peer = stage.connect()
      peer.raw(bytes)
      await peer.expect(`05 ${word}`, 'end')
    })
  }

  test('answers classic only when the operator asked for it', async () => {
    using stage = new ServerStage({}, { classic: false })
    const peer = stage.connect()
    peer.send(0x01, `alice:${password}`)
    await peer.expect('05 UNKN', 'end')
  })

  test('says why in the contract where classic is not spoken and no frame has come', async () => {
    using stage = new ServerStage({ loginMsMax: 10_000 }, { classic: false })
    const peers = [stage.dial(), stage.dial()]
    peers[0]?.raw(Buffer.from('GET / HTTP/1.1\r\n'))
    await stage.clock.move(10_000)
    expect(await Promise.all(peers.map((peer) => peer.arrived()))).toEqual([
      [['fault', null, 'bad_magic', 'a frame must start with MAGC'], ['end']],
      [['fault', null, 'login_too_slow', 'no login in time'], ['end']],
    ])
  })

  test('answers in order: what follows a login waits for it', async () => {
    using stage = new ServerStage()
    const peer = stage.connect()
    peer.raw(Buffer.concat([encodeFrame(0x01, Buffer.from(`alice:${password}`)), encodeFrame(0x03, Buffer.from('x')), encodeFrame(0x0a)]))
    await peer.expect('04 OK', '05 NOCHAT', '04 BYE')
  })

  test('closes a connection that sends too much before it was answered', async () => {
    using stage = new ServerStage({ heldBytesMax: 64 * 1024 })
    const peer = stage.connect()
    peer.send(0x01, `alice:${password}`)
    await settle()
    // A transport may deliver what was in flight when it was paused; this one has no end of it.
    for (let i = 0; i < 70; i++) peer.session.received(new Uint8Array(1024))
    await peer.expect('05 LIMIT', 'end')
  })

  test('closes a connection whose frame drips, and not one whose frame is long but comes at a pace', async () => {
    using stage = new ServerStage({ frameMsMax: 10_000, frameBytesPerSecondMin: 1024 })
    const [drip, steady] = [await stage.person('drip'), await stage.person('steady')]
    const frame = encodeFrame(0x03, new Uint8Array(60_000))
    for (let second = 0; second < 12; second++) {
      drip.raw(frame.subarray(second, second + 1))
      steady.raw(frame.subarray(second * 2048, (second + 1) * 2048))
      await stage.clock.move(1000)
      for (const session of [...stage.sessions]) session.sweep(stage.clock.monotonic())
    }
    await drip.expect('05 SLOW', 'end')
    expect(await steady.arrived()).toEqual([])
  })

  test('takes for gone who has pinged and says nothing more, and nobody else', async () => {
    using stage = new ServerStage()
    const [silent, busy, never] = [await stage.member('silent'), await stage.member('busy'), await stage.member('never')]
    for (const peer of [silent, busy]) await peer.ask('session.ping', {})
    const { silentMsMax } = stage.limits
    const sweepUntil = async (ms: number): Promise<void> => {
      while (stage.clock.monotonic() < ms) {
        await stage.clock.move(500)
        for (const session of [...stage.sessions]) session.sweep(stage.clock.monotonic())
      }
    }
    const began = stage.clock.monotonic()
    await sweepUntil(began + silentMsMax)
    expect(await silent.arrived()).toEqual([])
    await busy.ask('session.echo', { data: new Uint8Array(1) })
    await sweepUntil(began + silentMsMax + 2_000)
    expect(await silent.arrived()).toEqual([['fault', null, 'frame_too_slow', 'there was no sign of life'], ['end']])
    expect([await busy.arrived(), await never.arrived()]).toEqual([[], []])
  })

  test('does not take a stream of whole frames for a slow one, however its reads are cut', async () => {
    using stage = new ServerStage({ frameMsMax: 1000 })
    const alice = await stage.person('alice')
    const frame = encodeFrame(0x0a)
    alice.raw(frame.subarray(0, 5))
    for (let i = 0; i < 20; i++) {
      alice.raw(Buffer.concat([frame.subarray(5), frame.subarray(0, 5)]))
      await stage.clock.move(500)
      for (const session of [...stage.sessions]) session.sweep(stage.clock.monotonic())
    }
    expect(await alice.arrived()).toEqual(Array(20).fill('04 BYE'))
  })

  test('reads no more while the peer does not take its answers, and loses none of them', async () => {
    using stage = new ServerStage({ outputBytesHigh: 16 * 1024 })
    const alice = await stage.person('alice')
    alice.link.pause()
    for (let i = 0; i < 40; i++) {
      alice.raw(Buffer.concat(Array(500).fill(encodeFrame(0x0b))))
      await settle()
    }
    expect(alice.near.queuedBytes).toBeLessThan(64 * 1024)
    alice.link.resume()
    const answers = []
    while (answers.length < 20_000) answers.push(...(await alice.arrived()))
    expect(new Set(answers)).toEqual(new Set(['05 UNKN']))
  })

  test('is told that the server stops, after the answer that it waits for', async () => {
    using stage = new ServerStage()
    const [idle, waiting] = [await stage.person('alice'), stage.connect()]
    waiting.send(0x01, `bob:${password}`)
    await settle()
    for (const session of [...stage.sessions]) session.stop()
    await idle.expect('05 STOP', 'end')
    await waiting.expect('04 OK', '05 STOP', 'end')
    expect(stage.sessions.size).toBe(0)
  })
})
