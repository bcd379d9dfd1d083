import { describe, expect, test } from 'bun:test'
import { SealwireError } from '../../../src/protocol/index.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { messageId } from '../../support/device-client.ts'
import { settle } from '../../support/manual-clock.ts'
import { password, ServerStage, type StageOptions, type TestPeer } from '../../support/server-stage.ts'

async function names(peer: ContractPeer): Promise<string[]> {
  return (await peer.ask('directory.who', {})).people.map(({ name, contact }) => (contact ? `${name}*` : name))
}

/** Without a password, which takes its time to be hashed. */
async function members(stage: ServerStage, ...wanted: string[]): Promise<ContractPeer[]> {
  const peers = []
  for (const name of wanted) {
    const peer = await stage.guest()
    const { token } = await peer.ask('account.register', { name })
    peers.push(Object.assign(peer, { name, token }))
  }
  return peers
}

async function meet(one: ContractPeer, other: ContractPeer): Promise<void> {
  await one.ask('contact.request', { name: other.name, id: messageId() })
  await other.ask('contact.accept', { name: one.name })
  await Promise.all([one.arrived(), other.arrived()])
}

/** Two at classic clients begin a chat. */
async function chat(one: TestPeer, other: TestPeer): Promise<void> {
  one.send(0x06, other.name)
  await other.expect(`06 ${one.name}`)
  other.send(0x04)
  await Promise.all([one.expect('04 CHAT'), other.expect('04 CHAT')])
}

async function leave(one: TestPeer, other: TestPeer): Promise<void> {
  one.send(0x0a)
  await Promise.all([one.expect('04 BYE'), other.expect('05 EXIT')])
}

/** Somebody who is at a classic client, too. */
async function alsoHere(stage: ServerStage, name: string): Promise<ContractPeer> {
  const peer = await stage.guest()
  await peer.ask('account.login', { name, password })
  return Object.assign(peer, { name })
}

/** What somebody at a classic client is told who asks for a chat. */
async function asks(caller: TestPeer, name: string): Promise<string[]> {
  caller.send(0x06, name)
  return caller.arrived()
}

/** A log that counts its warnings. */
function warnings(): { readonly events: string[]; readonly options: StageOptions } {
  const events: string[] = []
  const log = { debug() {}, info() {}, error() {}, warning: (event: string) => void events.push(event) }
  return { events, options: { log } }
}

describe('directory.who', () => {
  test('shows whom each one may see, by visibility, contact and block, both ways', async () => {
    using stage = new ServerStage()
    for (const visibility of ['everyone', 'contacts', 'nobody'] as const) {
      for (const contact of [false, true]) {
        for (const blocks of ['none', 'mine', 'theirs'] as const) {
          const tag = `${visibility}-${contact}-${blocks}`
          const [me, other] = (await members(stage, `me-${tag}`, `other-${tag}`)) as [ContractPeer, ContractPeer]
          await other.ask('account.visibility', { visibility })
          if (contact) await meet(me, other)
          if (blocks === 'mine') await me.ask('directory.block', { name: other.name })
          if (blocks === 'theirs') await other.ask('directory.block', { name: me.name })
          const isSeen = blocks === 'none' && (visibility === 'everyone' || (visibility === 'contacts' && contact))
          const expected = isSeen ? [contact ? `${other.name}*` : other.name] : []
          expect([tag, (await names(me)).filter((name) => name.startsWith(other.name))]).toEqual([tag, expected])
          for (const { link } of [me, other]) link.terminate()
        }
      }
    }
  }, 60_000)

  test('orders by name without regard to case, names an account once, and never oneself or who has gone', async () => {
    using stage = new ServerStage()
    const peers = await members(stage, 'alice', 'Bob', 'carol', '__proto__', 'Dave')
    for (const peer of peers) await peer.ask('account.visibility', { visibility: 'everyone' })
    const [alice, , carol, , dave] = peers as [ContractPeer, ContractPeer, ContractPeer, ContractPeer, ContractPeer]
    const second = await stage.guest()
    await second.ask('account.resume', { token: dave.token })
    expect(await names(alice)).toEqual(['__proto__', 'Bob', 'carol', 'Dave'])
    carol.link.terminate()
    dave.link.terminate()
    await settle()
    expect(await names(alice)).toEqual(['__proto__', 'Bob', 'Dave'])
    expect(await names(second)).toEqual(['__proto__', 'alice', 'Bob'])
  })

  test('lists no more than whoEntriesMax, and says that there are more', async () => {
    using stage = new ServerStage({ whoEntriesMax: 2 })
    const peers = await members(stage, 'alice', 'bob', 'carol', 'dave')
    for (const peer of peers) await peer.ask('account.visibility', { visibility: 'everyone' })
    const { people, more } = await (peers[3] as ContractPeer).ask('directory.who', {})
    expect([people.map(({ name }) => name), more]).toEqual([['alice', 'bob'], true])
    peers[0]?.link.terminate()
    await settle()
    expect((await (peers[3] as ContractPeer).ask('directory.who', {})).more).toBe(false)
  })

  test('lists no more than one frame holds, to the last that fits', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    // 32 characters of four bytes each: the longest names there are.
    const long = Array.from({ length: 600 }, (_, at) => ({ name: `𠮷𠮷`.repeat(15) + String(at).padStart(2, '0'), contact: false }))
    stage.context.people.seenBy = () => long
    const { people, more } = await alice.ask('directory.who', {})
    expect(more).toBe(true)
    const bytes = (alice.bodies.at(-1) as Uint8Array).length
    expect([bytes > 65_535 - 17 - 128, bytes <= 65_535, people.length > 400]).toEqual([true, true, true])
  })
})

describe('a contact', () => {
  test('is who accepted, or was accepted, also after both have left', async () => {
    using stage = new ServerStage()
    const [alice, bob, carol] = (await members(stage, 'alice', 'bob', 'carol')) as [ContractPeer, ContractPeer, ContractPeer]
    await meet(alice, bob)
    await alice.ask('contact.request', { name: 'carol', id: messageId() })
    await carol.ask('contact.decline', { name: 'alice' })
    expect([await names(alice), await names(bob), await names(carol)]).toEqual([['bob*'], ['alice*'], []])
    for (const { link } of stage.sessions) link.terminate()
    await stage.context.people.close()
    const [again, other] = [await stage.guest(), await stage.guest()]
    await again.ask('account.resume', { token: alice.token })
    await other.ask('account.resume', { token: bob.token })
    expect([await names(again), await names(other)]).toEqual([['bob*'], ['alice*']])
  })

  test('is also who talked in the classic dialect', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await chat(bob, alice)
    expect(await names(await alsoHere(stage, 'alice'))).toEqual(['bob*'])
  })

  test('of a classic chat that cannot be stored is one until both have left, and the operator hears of it', async () => {
    const { events, options } = warnings()
    using stage = new ServerStage({}, options)
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    stage.before.set('contact.add', () => Promise.reject(new SealwireError('unavailable', 'the store has failed')))
    await chat(alice, bob)
    await stage.context.people.close()
    expect([await names(await alsoHere(stage, 'alice')), events]).toEqual([['bob*'], ['contact not stored']])
  })

  test('of a classic chat is written once, however often they talk', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await chat(alice, bob)
    await leave(alice, bob)
    await stage.context.people.close()
    let written = 0
    stage.before.set('contact.add', async () => void written++)
    await chat(bob, alice)
    await stage.context.people.close()
    expect([written, stage.store('contact.list', { accountId: 1n }).map(({ name }) => name)]).toEqual([0, ['bob']])
  })

  test('of a classic chat is not made beyond contactsPerAccountMax', async () => {
    using stage = new ServerStage({ contactsPerAccountMax: 1 })
    const [alice, bob, carol] = [await stage.person('alice'), await stage.person('bob'), await stage.person('carol')]
    for (const [one, other] of [
      [alice, bob],
      [carol, bob],
      [carol, alice],
    ] as const) {
      await chat(one, other)
      await leave(one, other)
    }
    const seen = []
    for (const name of ['alice', 'bob', 'carol']) seen.push(await names(await alsoHere(stage, name)))
    expect(seen).toEqual([['bob*'], ['alice*'], []])
  })
})

describe('directory.block', () => {
  test('makes a call look as if the other were not here, whoever blocks', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await (await alsoHere(stage, 'alice')).ask('directory.block', { name: 'BOB' })
    for (const name of ['alice', 'nobody']) expect(await asks(bob, name)).toEqual(['05 NOPE'])
    expect([await asks(alice, 'bob'), await bob.arrived()]).toEqual([['05 NOPE'], []])
  })

  test('is taken back by directory.unblock, and both can be asked again', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.member('alice'), await stage.person('bob')]
    await alice.ask('directory.block', { name: 'bob' })
    await alice.ask('directory.block', { name: 'bob' })
    expect(await alice.ask('directory.blocked', {})).toEqual({ names: ['bob'] })
    await alice.ask('directory.unblock', { name: 'bob' })
    await alice.ask('directory.unblock', { name: 'bob' })
    expect(await alice.ask('directory.blocked', {})).toEqual({ names: [] })
    expect(await asks(bob, 'alice')).toEqual([])
    expect((await alice.ask('contact.list', {})).contacts).toMatchObject([{ name: 'bob', state: 'asking' }])
  })

  test('leaves the chat with the other, who hears what everybody hears', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    await chat(bob, alice)
    await (await alsoHere(stage, 'alice')).ask('directory.block', { name: 'bob' })
    await bob.expect('05 EXIT')
    bob.send(0x03, 'still there?')
    await bob.expect('05 NOCHAT')
    expect(await alice.arrived()).toEqual([])
  })

  test('declines the open request of the other, and one that comes before the block is stored', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.person('alice'), await stage.person('bob')]
    const also = await alsoHere(stage, 'alice')
    expect(await asks(bob, 'alice')).toEqual([])
    const gate = Promise.withResolvers<void>()
    stage.before.set('block.add', () => gate.promise)
    const answered = also.ask('directory.block', { name: 'bob' })
    await bob.expect('05 DENY')
    expect(await asks(bob, 'alice')).toEqual([])
    gate.resolve()
    await answered
    await bob.expect('05 DENY')
    alice.send(0x04)
    expect([await alice.arrived(), await bob.arrived()]).toEqual([['06 bob', '06 bob'], []])
  })

  test('holds for every session of both, and after they have come back', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.member('alice'), await stage.person('bob')]
    const second = await stage.guest()
    await second.ask('account.resume', { token: alice.token })
    await second.ask('directory.block', { name: 'bob' })
    second.link.terminate()
    await settle()
    expect(await asks(bob, 'alice')).toEqual(['05 NOPE'])
    for (const { link } of stage.sessions) link.terminate()
    await settle()
    const [again, other] = [await stage.guest(), stage.connect()]
    other.send(0x02, `bob:${password}`)
    await other.expect('04 OK')
    await again.ask('account.resume', { token: alice.token })
    expect(await asks(other, 'alice')).toEqual(['05 NOPE'])
  })

  test('is not missed by a login of the same account that was under way', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.member('alice'), await stage.person('bob')]
    const gate = Promise.withResolvers<void>()
    stage.before.set('block.add', () => gate.promise)
    alice.send('directory.block', { name: 'bob' })
    const second = await stage.guest()
    await second.ask('account.resume', { token: alice.token })
    alice.link.terminate()
    await settle()
    gate.resolve()
    await settle()
    expect(await asks(bob, 'alice')).toEqual(['05 NOPE'])
  })

  test('is refused for oneself, for a name that nobody has, and beyond blocksPerAccountMax', async () => {
    using stage = new ServerStage({ blocksPerAccountMax: 1 })
    const [alice] = (await members(stage, 'alice', 'bob', 'carol')) as [ContractPeer]
    const codes = []
    for (const name of ['Alice', 'nobody', 'a b', 'bob', 'carol']) codes.push(await alice.refusal('directory.block', { name }))
    expect(codes).toEqual(['is_self', 'not_found', 'name_invalid', undefined, 'busy'])
    expect(await alice.refusal('directory.unblock', { name: 'nobody' })).toBe('not_found')
  })

  test('that cannot be stored is refused and not in force', async () => {
    const { events, options } = warnings()
    using stage = new ServerStage({}, options)
    const [alice, bob] = [await stage.member('alice'), await stage.person('bob')]
    stage.before.set('block.add', () => Promise.reject(new SealwireError('storage_full', 'there is no room to store it')))
    expect(await alice.refusal('directory.block', { name: 'bob' })).toBe('storage_full')
    expect(await asks(bob, 'alice')).toEqual([])
    expect(events).toEqual(['request failed'])
  })

  test('lists as many of the longest names as can be blocked', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const name = '𠮷'.repeat(32)
    stage.context.people.blocked = () => Promise.resolve(Array.from({ length: 500 }, (_, id) => ({ id: BigInt(id), key: name, name })))
    expect((await alice.ask('directory.blocked', {})).names).toHaveLength(500)
  })
})
