// Rows of the classic table that need time, several sessions or memory links. Every row is played over TLS by a client
// in Python: test/e2e/classic_table.py.

import { describe, expect, test } from 'bun:test'
import { settle } from '../support/manual-clock.ts'
import { password, ServerStage, type TestPeer } from '../support/server-stage.ts'

describe('ClassicDialect', () => {
  test('plays the conversation of docs/protocol/classic.md', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await talk(alice, bob)
    alice.send(0x03, 'hello')
    await bob.expect('03 alice: hello')
    await alice.expect('04 OK')
    bob.send(0x0a)
    await bob.expect('04 BYE')
    await alice.expect('05 EXIT')
  })

  test('starts nothing when the caller acknowledges its own request', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    alice.send(0x06, 'bob')
    for (const command of [0x04, 0x08]) alice.send(command)
    alice.send(0x03, 'may I?')
    await bob.expect('06 alice')
    await alice.expect('05 NOCHAT')
    expect(await bob.arrived()).toEqual([])
  })

  test('gives up a request that nobody answers, and both are free again', async () => {
    using stage = new ServerStage({ chatRequestMsMax: 60_000 })
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    alice.send(0x06, 'bob')
    await bob.expect('06 alice')
    await stage.clock.move(60_000)
    await alice.expect('05 DENY')
    await bob.expect('05 EXIT')
    bob.send(0x04)
    expect(await bob.arrived()).toEqual([])
    await talk(bob, alice)
  })

  test('tells the other side of a hang-up, in a chat and in a request', async () => {
    using stage = new ServerStage()
    const [alice, bob, carol] = [await stage.person('alice'), await stage.person('bob'), await stage.person('carol')]
    await talk(alice, bob)
    alice.link.terminate()
    await bob.expect('05 EXIT')
    carol.send(0x06, 'bob')
    await bob.expect('06 carol')
    bob.link.terminate()
    await carol.expect('05 EXIT')
    carol.send(0x06, 'bob')
    await carol.expect('05 NOPE')
  })

  test('rings at the newest free session of an account and is busy when there is none', async () => {
    using stage = new ServerStage()
    const [alice, carol] = [await stage.person('alice'), await stage.person('carol')]
    const older = await stage.person('bob')
    const newer = stage.connect()
    newer.send(0x02, `bob:${password}`)
    await newer.expect('04 OK')
    alice.send(0x06, 'bob')
    await newer.expect('06 alice')
    carol.send(0x06, 'BOB')
    await older.expect('06 carol')
    const dave = await stage.person('dave')
    dave.send(0x06, 'bob')
    await dave.expect('05 BUSY')
    older.link.terminate()
    await carol.expect('05 EXIT')
    newer.send(0x04)
    await newer.expect('04 CHAT')
    await alice.expect('04 CHAT')
  })

  test('paces an account over its rate, and refuses after messageDelayMsMax until the rate is back', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 10, messagesBurstPerAccountMax: 5, messageDelayMsMax: 1000 })
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await talk(alice, bob) // The request was one of the five.
    for (let i = 0; i < 30; i++) alice.send(0x03, `${i}`)
    expect(await bob.arrived()).toEqual(Array.from({ length: 4 }, (_, i) => `03 alice: ${i}`))
    await stage.clock.move(100)
    expect(await bob.arrived()).toEqual(['03 alice: 4'])
    await stage.clock.move(900)
    expect(await bob.arrived()).toEqual(Array.from({ length: 9 }, (_, i) => `03 alice: ${i + 5}`))
    await stage.clock.move(100)
    const answers = await alice.arrived()
    expect([answers.filter((frame) => frame === '04 OK').length, answers.filter((frame) => frame === '05 BUSY').length]).toEqual([14, 16])
    await stage.clock.move(2000)
    alice.send(0x03, 'slowly')
    await bob.expect('03 alice: slowly')
    await alice.expect('04 OK')
  })

  test('does not give an account a new burst for a new connection', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 3, messageDelayMsMax: 0 })
    const alice = await stage.person('alice')
    for (let i = 0; i < 4; i++) alice.send(0x03, 'x')
    await alice.expect('05 NOCHAT', '05 NOCHAT', '05 NOCHAT', '05 BUSY')
    alice.link.terminate()
    const again = stage.connect()
    again.send(0x02, `alice:${password}`)
    await again.expect('04 OK')
    again.send(0x03, 'x')
    await again.expect('05 BUSY')
  })

  test('slows a speaker down to the pace of the listener and loses nothing', async () => {
    using stage = new ServerStage({ outputBytesHigh: 64 * 1024, messagesBurstPerAccountMax: 100_000 })
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await talk(alice, bob)
    bob.link.pause()
    const text = 'm'.repeat(10_000)
    for (let i = 0; i < 100; i++) {
      alice.send(0x03, `${i} ${text}`)
      await settle()
    }
    expect(bob.near.queuedBytes).toBeLessThan(128 * 1024)
    expect((await alice.arrived()).length).toBeLessThan(30)
    bob.link.resume()
    const heard: string[] = []
    while (heard.length < 100) heard.push(...(await bob.arrived()))
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => `03 alice: ${i} ${text}`))
  })

  test('says LOST when the listener is on its way out', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await talk(alice, bob)
    bob.link.pause()
    bob.near.send(new Uint8Array(200_000)) // The link is closing until this is taken.
    bob.near.close()
    alice.send(0x03, 'are you there?')
    const [first] = await alice.arrived()
    expect(first).toBe('05 LOST')
  })

  test('refuses a text that does not fit together with its prefix, to the byte', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await talk(alice, bob)
    alice.send(0x03, 'x'.repeat(65_535 - 'alice: '.length))
    await alice.expect('04 OK')
    expect((await bob.arrived())[0]).toHaveLength('03 '.length + 65_535)
    alice.send(0x03, 'x'.repeat(65_536 - 'alice: '.length))
    await alice.expect('05 BADF')
  })

  test('bounds the sessions of an account', async () => {
    using stage = new ServerStage({ sessionsPerAccountMax: 1 })
    await stage.person('alice')
    const second = stage.connect()
    second.send(0x02, `alice:${password}`)
    await second.expect('05 BUSY')
  })

  for (const name of ['__proto__', 'constructor', 'toString']) {
    test(`takes ${name} for the ordinary name that it is`, async () => {
      using stage = new ServerStage()
      const [alice, odd] = [await stage.person('alice'), await stage.person(name)]
      await talk(alice, odd)
      alice.send(0x03, 'hello')
      await odd.expect('03 alice: hello')
    })
  }
})

async function talk(caller: TestPeer, callee: TestPeer): Promise<void> {
  caller.send(0x06, callee.name)
  await callee.expect(`06 ${caller.name}`)
  callee.send(0x04)
  await callee.expect('04 CHAT')
  await caller.expect('04 CHAT')
}
