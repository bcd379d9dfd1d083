import { describe, expect, test } from 'bun:test'
import { contractCommands, encodeRequest } from '../../../src/protocol/contract/index.ts'
import { encodeFrame } from '../../../src/protocol/index.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { settle } from '../../support/manual-clock.ts'
import { password, ServerStage, type TestPeer } from '../../support/server-stage.ts'

async function pair(stage: ServerStage): Promise<[ContractPeer, ContractPeer]> {
  const [alice, bob] = [await stage.member('alice'), await stage.member('bob')]
  await alice.ask('chat.request', { name: 'bob' })
  await bob.ask('chat.accept', {})
  await Promise.all([alice.arrived(), bob.arrived()])
  return [alice, bob]
}

/** A chat between a session of the contract and a classic one. */
async function mixedPair(stage: ServerStage): Promise<[ContractPeer, TestPeer]> {
  const [alice, bob] = [await stage.member('alice'), await stage.person('bob')]
  await alice.ask('chat.request', { name: 'bob' })
  await bob.expect('06 alice')
  bob.send(0x08)
  await bob.expect('04 CHAT')
  expect(await alice.next()).toEqual(['event', 'chat.begun', { name: 'bob' }])
  return [alice, bob]
}

const text = (words: string): Uint8Array => Uint8Array.from(Buffer.from(words))

describe('a chat in the contract', () => {
  test('is asked for, accepted, held and left', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.member('alice'), await stage.member('Bob')]
    expect(await alice.ask('chat.request', { name: 'BOB' })).toEqual({ name: 'Bob' })
    expect(await bob.next()).toEqual(['event', 'chat.requested', { name: 'alice' }])
    expect(await bob.ask('chat.accept', {})).toEqual({})
    expect([await alice.next(), await bob.next()]).toEqual([
      ['event', 'chat.begun', { name: 'Bob' }],
      ['event', 'chat.begun', { name: 'alice' }],
    ])
    expect(await alice.ask('chat.say', { body: text('hello') })).toEqual({})
    expect(await bob.next()).toEqual(['event', 'chat.said', { name: 'alice', type: 'text/plain', body: text('hello') }])
    await bob.ask('chat.say', { body: Uint8Array.of(0, 255), type: 'application/octet-stream' })
    const said = { name: 'Bob', type: 'application/octet-stream', body: Uint8Array.of(0, 255) }
    expect(await alice.next()).toEqual(['event', 'chat.said', said])
    expect(await bob.ask('chat.leave', {})).toEqual({})
    expect(await alice.next()).toEqual(['event', 'chat.left', {}])
    expect([await bob.refusal('chat.leave', {}), await alice.refusal('chat.say', { body: text('x') })]).toEqual([undefined, 'not_in_chat'])
  })

  test('is refused as the service refuses it', async () => {
    using stage = new ServerStage()
    const [alice, bob, carol] = [await stage.member('alice'), await stage.member('bob'), await stage.member('carol')]
    expect(await alice.refusal('chat.request', { name: 'Alice' })).toBe('is_self')
    expect(await alice.refusal('chat.request', { name: 'nobody' })).toBe('not_found')
    expect(await alice.refusal('chat.request', { name: 'a b' })).toBe('name_invalid')
    await alice.ask('chat.request', { name: 'bob' })
    expect(await carol.refusal('chat.request', { name: 'bob' })).toBe('busy')
    expect([await alice.refusal('chat.accept', {}), await alice.refusal('chat.decline', {})]).toEqual(['no_request', 'no_request'])
    expect(await bob.ask('chat.decline', {})).toEqual({})
    expect((await alice.arrived()).at(-1)).toEqual(['event', 'chat.declined', {}])
    expect(await bob.refusal('chat.decline', {})).toBe('no_request')
  })

  test('is given up when nobody answers', async () => {
    using stage = new ServerStage({ chatRequestMsMax: 60_000 })
    const [alice, bob] = [await stage.member('alice'), await stage.member('bob')]
    await alice.ask('chat.request', { name: 'bob' })
    await stage.clock.move(60_000)
    expect(await alice.arrived()).toEqual([['event', 'chat.declined', {}]])
    expect((await bob.arrived()).map(([, event]) => event)).toEqual(['chat.requested', 'chat.left'])
  })

  for (const [what, end] of [
    ['Goodbye', (peer: ContractPeer) => peer.goodbye()],
    ['hanging up', (peer: ContractPeer) => peer.link.terminate()],
    ['an end of the session', (peer: ContractPeer) => peer.frame(0x7f)],
  ] as const) {
    test(`is left by ${what}`, async () => {
      using stage = new ServerStage()
      const [alice, bob] = await pair(stage)
      end(bob)
      expect(await alice.next()).toEqual(['event', 'chat.left', {}])
      expect(await alice.refusal('chat.request', { name: 'bob' })).toBe('not_found')
    })
  }
})

describe('chat.say', () => {
  test('between two sessions of the contract is carried out in the turn in which it arrives', async () => {
    using stage = new ServerStage()
    const [alice] = await pair(stage)
    const [speaker] = [...stage.sessions]
    const [listener] = stage.context.presence.sessionsOf('bob')
    const heard: string[] = []
    if (listener !== undefined) listener.said = (body) => (heard.push(Buffer.from(body).toString()), 'handed_over')
    const body = text('now')
    speaker?.received(encodeFrame(contractCommands.request, encodeRequest(99, 'chat.say', { body })))
    expect(heard).toEqual(['now'])
    expect(await alice.arrived()).toEqual([['result', 99, {}]])
  })

  test('takes 65,000 bytes, and refuses only what does not fit with the longest type', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await pair(stage)
    const body = new Uint8Array(65_000).fill(7)
    await alice.ask('chat.say', { body, type: 'x'.repeat(128) })
    expect((await bob.next())[2]).toEqual({ name: 'alice', type: 'x'.repeat(128), body })
    expect(await alice.refusal('chat.say', { body: new Uint8Array(65_001) })).toBe('malformed')
  })

  test('is slowed down to the pace of the listener and loses nothing', async () => {
    using stage = new ServerStage({ outputBytesHigh: 64 * 1024, messagesBurstPerAccountMax: 100_000 })
    const [alice, bob] = await pair(stage)
    bob.link.pause()
    for (let at = 0; at < 100; at++) {
      alice.send('chat.say', { body: new Uint8Array(10_000).fill(at) })
      await settle()
    }
    expect((await alice.arrived()).length).toBeLessThan(30)
    bob.link.resume()
    const heard: unknown[] = []
    while (heard.length < 100) heard.push(...(await bob.arrived()).map(([, , data]) => (data as { body: Uint8Array }).body[0]))
    expect(heard).toEqual(Array.from({ length: 100 }, (_, at) => at))
  })

  test('says peer_lost when the listener is on its way out', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await pair(stage)
    bob.link.pause()
    const { link } = [...stage.sessions][1] as { link: { send(bytes: Uint8Array): void; close(): void } }
    link.send(new Uint8Array(200_000)) // The link is closing until this is taken.
    link.close()
    expect(await alice.refusal('chat.say', { body: text('are you there?') })).toBe('peer_lost')
  })
})

describe('a chat between the dialects', () => {
  test('carries what both say, and ends for both', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await mixedPair(stage)
    await alice.ask('chat.say', { body: text('hello'), type: 'text/plain; charset=utf-8' })
    await bob.expect('03 alice: hello')
    bob.send(0x03, 'hi')
    await bob.expect('04 OK')
    expect(await alice.next()).toEqual(['event', 'chat.said', { name: 'bob', type: 'text/plain', body: text('hi') }])
    bob.send(0x03, '/exit')
    await bob.expect('04 BYE')
    expect(await alice.next()).toEqual(['event', 'chat.left', {}])
  })

  test('is asked for by the classic side too, and declined', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.member('alice'), await stage.person('bob')]
    bob.send(0x07, 'alice')
    expect(await alice.next()).toEqual(['event', 'chat.requested', { name: 'bob' }])
    await alice.ask('chat.decline', {})
    await bob.expect('05 DENY')
  })

  test('refuses what a classic client cannot show', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await mixedPair(stage)
    expect(await alice.refusal('chat.say', { body: text('{}'), type: 'application/json' })).toBe('type_unsupported')
    expect(await bob.arrived()).toEqual([])
  })

  test('refuses a classic text that fits no event, and carries the longest that does', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await mixedPair(stage)
    bob.send(0x03, 'x'.repeat(65_535))
    await bob.expect('05 BADF')
    const room = 65_535 - (1 + 10 + 1 + 5 + 4 + 5 + 11 + 5 + 3)
    bob.send(0x03, 'x'.repeat(room + 1))
    await bob.expect('05 BADF')
    bob.send(0x03, 'x'.repeat(room))
    await bob.expect('04 OK')
    expect((await alice.next())[2]).toEqual({ name: 'bob', type: 'text/plain', body: text('x'.repeat(room)) })
  })

  test('rings at the newest free session, whatever it speaks', async () => {
    using stage = new ServerStage()
    const [alice, older] = [await stage.member('alice'), await stage.member('bob')]
    const newer = stage.connect()
    newer.send(0x02, `bob:${password}`)
    await newer.expect('04 OK')
    await alice.ask('chat.request', { name: 'bob' })
    await newer.expect('06 alice')
    expect(await older.arrived()).toEqual([])
  })
})
