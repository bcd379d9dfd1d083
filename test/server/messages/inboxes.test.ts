import { describe, expect, test } from 'bun:test'
import { SealwireError } from '../../../src/protocol/index.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { ServerStage } from '../../support/server-stage.ts'
import { eventsOf, here, introduce, messageId, nextEntries, nextEntry, nextEvent, talker, textOf, words } from '../../support/talkers.ts'

/** Two who talk, both with their inbox open and all before acknowledged. */
async function pair(stage: ServerStage): Promise<{ alice: ContractPeer; bob: ContractPeer; conversation: number }> {
  const [alice, bob] = [await here(stage, talker(stage, 'alice', 2)), await here(stage, talker(stage, 'bob', 2))]
  await bob.ask('inbox.open', {})
  const conversation = await introduce(alice, bob)
  const { seq } = await nextEntry(bob)
  await bob.ask('inbox.ack', { seq })
  return { alice, bob, conversation }
}

const calm = { messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 }

describe('an open inbox', () => {
  test('brings what was said, in the order in which it was said, with the place in the conversation', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    const answers = []
    for (let index = 0; index < 20; index++) {
      answers.push(await alice.ask('message.send', { to: 'BOB', id: messageId(), body: words(`word ${index}`) }))
    }
    const arrived = await nextEntries(bob, 20)
    expect(arrived.map(textOf)).toEqual(answers.map((_, index) => `word ${index}`))
    expect(arrived.map(({ entry }) => entry.seq)).toEqual(answers.map(({ seq }) => seq))
    expect(arrived.map(({ seq }) => seq)).toEqual(answers.map((_, index) => (arrived[0]?.seq ?? 0) + index))
    expect(arrived[0]?.entry).toMatchObject({ conversation, kind: 'message', from: 'alice', type: 'text/plain' })
  })

  test('brings nothing twice that was sent twice, however late', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    const said = { conversation, id: messageId(), body: words('once') }
    const first = await alice.ask('message.send', said)
    expect(await alice.ask('message.send', said)).toEqual(first)
    expect(await alice.ask('message.send', { to: 'bob', id: said.id, body: said.body })).toEqual(first)
    expect(await alice.refusal('message.send', { ...said, body: words('twice') })).toBe('conflict')
    expect((await eventsOf(bob, 'inbox.entry')).length).toBe(1)
  })

  test('brings after a broken connection what was not acknowledged, and only that', async () => {
    using stage = new ServerStage(calm)
    const bobs = talker(stage, 'bob')
    const alice = await here(stage, talker(stage, 'alice'))
    let bob = await here(stage, bobs)
    await bob.ask('inbox.open', {})
    const conversation = await introduce(alice, bob)
    const taken: string[] = []
    for (let round = 0; round < 10; round++) {
      for (let index = 0; index < 5; index++) {
        await alice.ask('message.send', { conversation, id: messageId(), body: words(`${round}.${index}`) })
      }
      // The first three are stored and acknowledged, what else arrives is lost with the connection.
      const arrived = await nextEntries(bob, 3)
      taken.push(...arrived.filter(({ entry }) => entry.kind === 'message').map(textOf))
      await bob.ask('inbox.ack', { seq: arrived.at(-1)?.seq ?? 0 })
      bob.link.terminate()
      bob = await here(stage, bobs)
      const { ackedSeq } = await bob.ask('inbox.open', {})
      expect(ackedSeq).toBe(arrived.at(-1)?.seq ?? -1)
    }
    taken.push(...(await nextEntries(bob, 50 - taken.length)).map(textOf))
    const all = Array.from({ length: 50 }, (_, index) => `${Math.floor(index / 5)}.${index % 5}`)
    expect(taken).toEqual(all)
    expect(await eventsOf(bob, 'inbox.entry')).toEqual([])
  })

  test('goes on where the device says it is, whatever was acknowledged', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    for (const word of ['a', 'b', 'c']) await alice.ask('message.send', { conversation, id: messageId(), body: words(word) })
    const [first] = await nextEntries(bob, 3)
    await bob.arrived()
    expect(await bob.ask('inbox.open', { after: first?.seq ?? 0 })).toMatchObject({ ackedSeq: first?.seq })
    expect((await nextEntries(bob, 2)).map(textOf)).toEqual(['b', 'c'])
    await alice.ask('message.send', { conversation, id: messageId(), body: words('d') })
    expect(textOf(await nextEntry(bob))).toBe('d')
    expect(await eventsOf(bob, 'inbox.entry')).toEqual([])
  })

  test('tells a device that has more than there is, and goes on where it was once it asks anew', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    await alice.ask('message.send', { conversation, id: messageId(), body: words('a') })
    const { seq } = await nextEntry(bob)
    expect(await bob.refusal('inbox.open', { after: seq + 1 })).toBe('conflict')
    expect(await bob.refusal('inbox.ack', { seq: seq + 1 })).toBe('conflict')
    expect(await bob.ask('inbox.open', {})).toMatchObject({ ackedSeq: seq - 1, lastSeq: seq })
    expect(textOf(await nextEntry(bob))).toBe('a')
    await alice.ask('message.send', { conversation, id: messageId(), body: words('b') })
    expect(await nextEntry(bob)).toMatchObject({ seq: seq + 1 })
    expect(await bob.ask('inbox.ack', { seq: seq + 1 })).toEqual({})
  })

  test('is acknowledged in steps where that is much, by one request, also by the one that opens it', async () => {
    using stage = new ServerStage({ ...calm, inboxStepEntriesMax: 5 })
    const { alice, bob, conversation } = await pair(stage)
    for (let index = 0; index < 40; index++) await alice.ask('message.send', { conversation, id: messageId(), body: words('x') })
    const arrived = await nextEntries(bob, 40)
    const { seq } = arrived.at(-1) ?? { seq: 0 }
    const steps: number[] = []
    stage.before.set('inbox.ack', async () => void steps.push(1))
    expect(await bob.ask('inbox.ack', { seq: seq - 20 })).toEqual({})
    expect(steps.length).toBeGreaterThan(3)
    expect((await alice.ask('conversation.find', { conversation })).peerDeliveredSeq).toBe(arrived.at(-21)?.entry.seq)
    expect(await bob.ask('inbox.open', { after: seq - 1 })).toMatchObject({ ackedSeq: seq - 1, lastSeq: seq })
    expect((await nextEntry(bob)).seq).toBe(seq)
    expect((await alice.ask('conversation.find', { conversation })).peerDeliveredSeq).toBe(arrived.at(-2)?.entry.seq)
    expect(await eventsOf(bob, 'inbox.entry')).toEqual([])
  })

  test('brings what was stored although nobody could tell, also when it was repeated before', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    const said = { conversation, id: messageId(), body: words('perhaps') }
    stage.after.set('entry.post', () => {
      stage.after.clear()
      throw new SealwireError('unknown_outcome', 'it may or may not have been stored')
    })
    expect(await alice.refusal('message.send', said)).toBe('unknown_outcome')
    await alice.ask('message.send', said)
    expect(await eventsOf(bob, 'inbox.entry')).toEqual([])
    await stage.clock.move(1_000)
    expect(textOf(await nextEntry(bob))).toBe('perhaps')
    await alice.ask('message.send', { conversation, id: messageId(), body: words('next') })
    expect(textOf(await nextEntry(bob))).toBe('next')
    expect(await eventsOf(bob, 'inbox.entry')).toEqual([])
  })

  test('comes after the answer that opens it', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    for (const word of ['a', 'b']) await alice.ask('message.send', { conversation, id: messageId(), body: words(word) })
    await bob.arrived()
    const id = bob.send('inbox.open', {})
    await nextEntriesSeen(bob)
    async function nextEntriesSeen(peer: ContractPeer): Promise<void> {
      expect((await peer.next()).slice(0, 2)).toEqual(['result', id])
      expect((await nextEntries(peer, 2)).map(textOf)).toEqual(['a', 'b'])
    }
  })

  test('is there for both devices of an account, and for what the other device says', async () => {
    using stage = new ServerStage(calm)
    const [alices, bobs] = [talker(stage, 'alice', 2), talker(stage, 'bob', 2)]
    const [phone, desk, bob, tablet] = [
      await here(stage, alices, 0),
      await here(stage, alices, 1),
      await here(stage, bobs, 0),
      await here(stage, bobs, 1),
    ]
    const all = [phone, desk, bob, tablet]
    for (const peer of all) await peer.ask('inbox.open', {})
    const conversation = await introduce(phone, bob)
    await phone.ask('message.send', { conversation, id: messageId(), body: words('from the phone') })
    await tablet.ask('message.send', { conversation, id: messageId(), body: words('from the tablet') })
    const said: string[][] = []
    for (const peer of all) {
      const arrived = await nextEntries(peer, 4)
      said.push(arrived.filter(({ entry }) => entry.kind === 'message').map(textOf))
    }
    expect(said).toEqual(all.map(() => ['from the phone', 'from the tablet']))
    // One device has it: for the other it stays.
    await desk.ask('inbox.ack', { seq: 4 })
    phone.link.terminate()
    const back = await here(stage, alices, 0)
    expect(await back.ask('inbox.open', {})).toMatchObject({ lastSeq: 4, ackedSeq: 0 })
    expect((await nextEntries(back, 4)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  })

  test('is there for who comes back with a token, too, at the place where that one was', async () => {
    using stage = new ServerStage(calm)
    const alice = await here(stage, talker(stage, 'alice'))
    const bob = await stage.member('bob')
    await bob.ask('inbox.open', {})
    const conversation = await introduce(alice, bob)
    const { seq } = await nextEntry(bob)
    await bob.ask('inbox.ack', { seq })
    bob.link.terminate()
    await alice.ask('message.send', { conversation, id: messageId(), body: words('while you were away') })
    const back = await stage.guest()
    await back.ask('account.resume', { token: bob.token })
    expect(await back.ask('inbox.open', {})).toMatchObject({ ackedSeq: seq })
    expect(textOf(await nextEntry(back))).toBe('while you were away')
  })

  test('catches up with 10,000 entries page by page, and memory holds no more than pages', async () => {
    using stage = new ServerStage({ ...calm, inboxPageBytes: 64 * 1024 })
    const { alice, bob, conversation } = await pair(stage)
    bob.link.terminate()
    const alices = stage.store('account.find', { key: 'alice' })?.id ?? 0n
    const body = new Uint8Array(200)
    for (let index = 0; index < 10_000; index++) {
      new DataView(body.buffer).setUint32(0, index)
      const entry = { accountId: alices, at: 5n, conversationId: BigInt(conversation), kind: 'message', id: messageId() } as const
      stage.store('entry.post', { ...entry, type: 'text/plain', body: body.slice() })
    }
    let reads = 0
    stage.before.set('inbox.read', async () => void reads++)
    const back = await here(stage, { id: 0n, name: 'bob', devices: talkerDevices(stage) })
    let most = 0
    const sampled = setInterval(() => {
      for (const { link } of stage.sessions) most = Math.max(most, link.queuedBytes)
    }, 0)
    await back.ask('inbox.open', {})
    const arrived = []
    for (let index = 0; index < 10_000; index++) {
      const { seq, entry } = await nextEntry(back)
      arrived.push(new DataView((entry.body ?? new Uint8Array(4)).slice().buffer).getUint32(0))
      if (index % 1_000 === 0) await back.ask('inbox.ack', { seq })
    }
    clearInterval(sampled)
    expect(arrived).toEqual(arrived.map((_, index) => index))
    expect(reads).toBeGreaterThan(10)
    expect(most).toBeLessThan(stage.limits.outputBytesHigh + 4 * 64 * 1024)
    await alice.ask('message.send', { conversation, id: messageId(), body: words('live again') })
    expect(textOf(await nextEntry(back))).toBe('live again')
  }, 60_000)

  test('reads again what the store could not read', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    await alice.ask('message.send', { conversation, id: messageId(), body: words('waiting') })
    await bob.arrived()
    const failing = Promise.withResolvers<void>()
    stage.before.set('inbox.read', async () => {
      stage.before.delete('inbox.read')
      failing.resolve()
      throw new (await import('../../../src/protocol/index.ts')).SealwireError('busy', 'not now')
    })
    await bob.ask('inbox.open', {})
    await failing.promise
    expect(await eventsOf(bob, 'inbox.entry')).toEqual([])
    await stage.clock.move(1_000)
    expect(textOf(await nextEntry(bob))).toBe('waiting')
  })

  test('says what left it before the device came', async () => {
    using stage = new ServerStage({ ...calm, inboxTtlMs: 60_000, retentionSweepMs: 1_000 })
    const bobs = talker(stage, 'bob')
    const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, bobs)]
    await bob.ask('inbox.open', {})
    const conversation = await introduce(alice, bob)
    bob.link.terminate()
    await alice.ask('message.send', { conversation, id: messageId(), body: words('too long ago') })
    await stage.clock.move(62_000)
    await alice.ask('message.send', { conversation, id: messageId(), body: words('just now') })
    const back = await here(stage, bobs)
    const { lostSeq, lastSeq } = await back.ask('inbox.open', {})
    expect(lostSeq).toBe(lastSeq - 1)
    expect(textOf(await nextEntry(back))).toBe('just now')
    const { entries } = await back.ask('message.history', { conversation })
    expect(entries.map(({ body }) => body && Buffer.from(body).toString())).toContain('too long ago')
  })
})

describe('what is changed', () => {
  test('reaches the inbox like what was said: edit, reaction, pin, delete', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    const { seq: target } = await alice.ask('message.send', { conversation, id: messageId(), body: words('frist') })
    await alice.ask('message.edit', { conversation, target, id: messageId(), body: words('first') })
    await alice.ask('message.react', { conversation, target, id: messageId(), emoji: '👍', on: true })
    await alice.ask('message.pin', { conversation, target, id: messageId(), on: true })
    expect((await alice.ask('message.history', { conversation, pinned: true })).entries).toMatchObject([
      { seq: target, body: words('first') },
    ])
    await alice.ask('message.delete', { conversation, target, id: messageId() })
    const arrived = (await nextEntries(bob, 5)).map(({ entry }) => entry)
    expect(arrived.map(({ kind }) => kind)).toEqual(['message', 'edit', 'reaction', 'pin', 'delete'])
    expect(arrived.slice(1).map((entry) => entry.target)).toEqual([target, target, target, target])
    expect(arrived[1]).toMatchObject({ body: words('first') })
    expect(arrived[2]).toMatchObject({ emoji: '👍', on: true })
    expect(await bob.refusal('message.react', { conversation, target, id: messageId(), emoji: 'x', on: true })).toBe('gone')
    expect(await nextEvent(alice, 'presence.changed')).toMatchObject({ name: 'bob', here: true })
  })
})

function talkerDevices(stage: ServerStage) {
  const account = stage.store('account.find', { key: 'bob' })
  return stage.store('device.list', { accountId: account?.id ?? 0n }).filter(({ label }) => label === 'bob 0')
}
