import { describe, expect, test } from 'bun:test'
import { ServerStage } from '../../support/server-stage.ts'

describe('session.echo', () => {
  test('sends back up to 1,024 bytes before login and after', async () => {
    using stage = new ServerStage()
    const data = Uint8Array.from({ length: 1_024 }, (_, at) => at & 255)
    for (const peer of [await stage.guest(), await stage.member('alice')]) {
      expect(await peer.ask('session.echo', { data })).toEqual({ data })
      expect(await peer.ask('session.echo', { data: new Uint8Array(0) })).toEqual({ data: new Uint8Array(0) })
    }
  })
})

describe('session.ping', () => {
  test('says the time', async () => {
    using stage = new ServerStage()
    expect(await (await stage.guest()).ask('session.ping', {})).toEqual({ time: stage.clock.now() })
  })

  test('does not keep a connection from having to log in', async () => {
    using stage = new ServerStage({ loginMsMax: 10_000 })
    const peer = await stage.guest()
    await stage.clock.move(9_000)
    await peer.ask('session.ping', {})
    await stage.clock.move(1_000)
    expect(await peer.arrived()).toEqual([['fault', null, 'login_too_slow', 'no login in time'], ['end']])
  })
})
