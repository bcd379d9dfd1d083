import { describe, expect, test } from 'bun:test'
import { frameBodyBytesLimit, SealwireError } from '../../../src/protocol/index.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { ServerStage } from '../../support/server-stage.ts'
import { here, introduce, messageId, nextEntry, talker, words } from '../../support/talkers.ts'

const calm = { messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 }

async function pair(stage: ServerStage): Promise<{ alice: ContractPeer; bob: ContractPeer; conversation: number }> {
  const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, talker(stage, 'bob'))]
  return { alice, bob, conversation: await introduce(alice, bob) }
}

describe('message.send', () => {
  test('takes a conversation or a name, and no others than there are', async () => {
    using stage = new ServerStage(calm)
    const { alice, conversation } = await pair(stage)
    talker(stage, 'carol')
    const said = { id: messageId(), body: words('hello') }
    for (const where of [{}, { conversation, to: 'bob' }])
      expect(await alice.refusal('message.send', { ...said, ...where })).toBe('malformed')
    expect(await alice.refusal('message.send', { ...said, to: 'nobody' })).toBe('not_found')
    expect(await alice.refusal('message.send', { ...said, to: 'a b' })).toBe('name_invalid')
    expect(await alice.refusal('message.send', { ...said, to: 'carol' })).toMatch(/^not_/)
    expect(await alice.refusal('message.send', { ...said, conversation: conversation + 1 })).toBe('not_found')
    for (let again = 0; again < 2; again++) expect(await alice.refusal('message.send', { ...said, to: 'ALICE' })).toBe('is_self')
    for (let again = 0; again < 2; again++) expect(await alice.ask('message.send', { ...said, to: 'Bob' })).toMatchObject({ conversation })
  })

  test('carries the largest body with all that may go with it, and refuses what would fit no frame', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    await bob.ask('inbox.open', {})
    await nextEntry(bob)
    const body = new Uint8Array(60_000).fill(7)
    const mentions = Array.from({ length: 50 }, (_, index) => `name${index}`.padEnd(32, 'x'))
    const type = `text/${'x'.repeat(120)}`
    const { seq } = await alice.ask('message.send', { conversation, id: messageId(), body, type, replyTo: 1, mentions })
    expect((await nextEntry(bob)).entry).toMatchObject({ seq, type, replyTo: 1, mentions, body })
    const wide = mentions.map((name) => name.slice(0, 8).padEnd(96, '\u{1f600}'))
    expect(await alice.refusal('message.send', { conversation, id: messageId(), body: words('x'), mentions: wide })).toBe(
      'message_too_large',
    )
    expect(Math.max(...bob.bodies.map(({ length }) => length))).toBeLessThanOrEqual(frameBodyBytesLimit)
  })

  test('is answered in its turn, however many are under way and however soon one is refused', async () => {
    using stage = new ServerStage({ ...calm, messagesUnderWayMax: 5 })
    const { alice, bob, conversation } = await pair(stage)
    await bob.ask('inbox.open', {})
    const say = (text: string) => alice.send('message.send', { conversation, id: messageId(), body: words(text) })
    const mentions = Array.from({ length: 50 }, () => '\u{1f600}'.repeat(32))
    const asked = [
      ...Array.from({ length: 12 }, (_, index) => say(String(index))),
      // The name has to be looked up first, the second is refused before the store sees it, the third by its parameters.
      alice.send('message.send', { to: 'bob', id: messageId(), body: words('12') }),
      say('13'),
      alice.send('message.send', { conversation, id: messageId(), body: words('no'), mentions }),
      say('14'),
      alice.send('message.send', { id: messageId(), body: words('nowhere') }),
      say('15'),
      alice.send('session.ping', {}),
      say('16'),
    ]
    const answered: unknown[] = []
    while (answered.length < asked.length) answered.push((await alice.next(([kind]) => kind === 'result' || kind === 'fault'))[1])
    expect(answered).toEqual(asked)
    const heard: string[] = []
    while (heard.length < 17) {
      const { entry } = await nextEntry(bob)
      if (entry.kind === 'message') heard.push(Buffer.from(entry.body ?? []).toString())
    }
    expect(heard).toEqual(Array.from({ length: 17 }, (_, index) => String(index)))
  })

  test('waits, and all that comes behind it, while as many are under way as may be', async () => {
    using stage = new ServerStage({ ...calm, messagesUnderWayMax: 3 })
    const { alice, conversation } = await pair(stage)
    const begun: (() => void)[] = []
    stage.before.set('entry.post', () => new Promise((resolve) => void begun.push(() => resolve(undefined))))
    const say = () => alice.send('message.send', { conversation, id: messageId(), body: words('x') })
    const asked = [say(), say(), say(), say(), say(), alice.send('session.ping', {})]
    await alice.arrived()
    expect(begun.length).toBe(3)
    begun[0]?.()
    expect((await alice.next(([kind]) => kind === 'result'))[1]).toBe(asked[0])
    await alice.arrived()
    expect(begun.length).toBe(4)
    for (let at = 1; at < 5; at++) {
      begun[at]?.()
      expect((await alice.next(([kind]) => kind === 'result'))[1]).toBe(asked[at])
    }
    expect((await alice.next(([kind]) => kind === 'result'))[1]).toBe(asked[5])
  })

  test('is refused in its turn too, for a name or a file that needs no turn in the store', async () => {
    using stage = new ServerStage(calm)
    const { alice, conversation } = await pair(stage)
    const stored = Promise.withResolvers<void>()
    stage.before.set('entry.post', () => stored.promise)
    stage.before.set('file.find', () => Promise.reject(new SealwireError('busy', 'too many requests wait for the store')))
    const said = (more: object): number => alice.send('message.send', { id: messageId(), body: words('1'), ...more })
    const asked = [said({ conversation }), said({ to: 'a b' }), said({ conversation }), said({ conversation, file: messageId() })]
    const answered = async (): Promise<readonly unknown[]> =>
      (await alice.arrived()).filter(([kind]) => kind === 'result' || kind === 'fault').map(([kind, id]) => [kind, id])
    expect(await answered()).toEqual([])
    stored.resolve()
    expect(await answered()).toEqual(['result', 'fault', 'result', 'fault'].map((kind, index) => [kind, asked[index]]))
  })

  test('what waits behind it is not begun when the session ends meanwhile', async () => {
    using stage = new ServerStage(calm)
    const { alice, conversation } = await pair(stage)
    const begun: string[] = []
    const stored = Promise.withResolvers<void>()
    stage.before.set('entry.post', () => (begun.push('entry.post'), stored.promise))
    stage.before.set('inbox.open', async () => void begun.push('inbox.open'))
    alice.send('message.send', { conversation, id: messageId(), body: words('the last one') })
    alice.send('inbox.open', {})
    await alice.arrived()
    alice.link.terminate()
    await alice.next(([kind]) => kind === 'end')
    stored.resolve()
    await alice.arrived()
    expect(begun).toEqual(['entry.post'])
  })

  test('waits for the rate of its account; what only acknowledges does not', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 1_000 })
    const { alice, bob, conversation } = await pair(stage)
    await bob.ask('inbox.open', {})
    for (let index = 0; index < 1_100; index++) await bob.ask('inbox.ack', { seq: 1 })
    for (let index = 0; index < 999; index++) await alice.ask('message.send', { conversation, id: messageId(), body: words('x') })
    const id = alice.send('message.send', { conversation, id: messageId(), body: words('too much') })
    expect((await alice.arrived()).filter(([kind]) => kind !== 'event')).toEqual([])
    await stage.clock.move(2_000)
    expect((await alice.next(([kind]) => kind === 'result'))[1]).toBe(id)
  })
})

describe('what makes the server read', () => {
  test.each([
    ['message.search', { text: 'word' }, 2],
    ['inbox.open', {}, 2],
    ['mark.read', { conversation: 1, seq: 1 }, 20],
  ] as const)('%s counts against the rate of its account', async (method, params, times) => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 20 })
    const { alice, bob, conversation } = await pair(stage)
    await stage.clock.move(60_000)
    const asked = 'conversation' in params ? { ...params, conversation } : params
    for (let each = 0; each < times; each++) await bob.ask(method, asked)
    const id = bob.send(method, asked)
    expect((await bob.arrived()).filter(([kind]) => kind !== 'event')).toEqual([])
    await alice.ask(method, asked)
    await stage.clock.move(11_000)
    expect((await bob.next(([kind]) => kind === 'result'))[1]).toBe(id)
  })

  test.each([
    ['message.history', { conversation: 1 }],
    ['conversation.list', {}],
    ['contact.list', {}],
    ['payment.statement', {}],
    ['payment.requests', {}],
  ] as const)('%s is a page: it counts against the rate of reading, and leaves that of what is said alone', async (method, params) => {
    const rates = { messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 10 }
    using stage = new ServerStage({ ...rates, readsPerSecondPerAccountMax: 1, readsBurstPerAccountMax: 5 })
    const { bob, conversation } = await pair(stage)
    await stage.clock.move(60_000)
    const asked = 'conversation' in params ? { conversation } : params
    for (let each = 0; each < 5; each++) await bob.ask(method, asked)
    for (let each = 0; each < 10; each++) await bob.ask('session.ping', {})
    const id = bob.send(method, asked)
    expect((await bob.arrived()).filter(([kind]) => kind !== 'event')).toEqual([])
    await stage.clock.move(1_000)
    expect((await bob.next(([kind]) => kind === 'result'))[1]).toBe(id)
  })

  test('is done where fewer requests are allowed at once than it counts', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 3 })
    const alice = await here(stage, talker(stage, 'alice'))
    await stage.clock.move(60_000)
    expect(await alice.ask('message.search', { text: 'word' })).toMatchObject({ entries: [], more: false })
  })
})

describe('message.history', () => {
  test('pages both ways without a gap, as much as one frame holds', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    // 1 and 2 are the request and its answer.
    for (let index = 3; index <= 60; index++) {
      await alice.ask('message.send', { conversation, id: messageId(), body: new Uint8Array(index % 7 === 0 ? 30_000 : 10).fill(index) })
    }
    const back: number[] = []
    for (let before: number | undefined, more = true; more; before = back[0]) {
      const page = await bob.ask('message.history', { conversation, max: 20, ...(before === undefined ? {} : { before }) })
      back.unshift(...page.entries.map(({ seq }) => seq))
      more = page.more
    }
    const forth: number[] = []
    for (let more = true; more; ) {
      const page = await bob.ask('message.history', { conversation, max: 20, after: forth.at(-1) ?? 0 })
      forth.push(...page.entries.map(({ seq }) => seq))
      more = page.more
    }
    const all = Array.from({ length: 60 }, (_, index) => index + 1)
    expect([back, forth]).toEqual([all, all])
    expect(await bob.refusal('message.history', { conversation, before: 3, after: 1 })).toBe('malformed')
  })

  test('gives as many as a page may have, however many are asked for; message.search too', async () => {
    using stage = new ServerStage({ ...calm, historyEntriesMax: 3 })
    const { alice, conversation } = await pair(stage)
    for (let index = 3; index <= 6; index++) await alice.ask('message.send', { conversation, id: messageId(), body: words('word') })
    await stage.clock.move(1_000)
    const told = async (method: 'message.history' | 'message.search', asked: object): Promise<readonly unknown[]> => {
      const text = method === 'message.search' ? { text: 'word' } : {}
      const { entries, more } = await alice.ask(method, { conversation, max: 200, ...text, ...asked })
      return [entries.map(({ seq }) => seq), more]
    }
    expect(await told('message.history', {})).toEqual([[4, 5, 6], true])
    expect(await told('message.history', { before: 4 })).toEqual([[1, 2, 3], false])
    expect(await told('message.history', { after: 3 })).toEqual([[4, 5, 6], false])
    expect(await told('message.search', {})).toEqual([[6, 5, 4], true])
  })
})

describe('message.search', () => {
  test('leaves nothing out between two pages, by the moment of the last one or by its place', async () => {
    using stage = new ServerStage(calm)
    const { alice, conversation } = await pair(stage)
    const said: number[] = []
    // As many as no page holds, three at each moment.
    for (let index = 0; index < 180; index++) {
      const { seq } = await alice.ask('message.send', { conversation, id: messageId(), body: words(`word ${'x'.repeat(200)}`) })
      said.unshift(seq)
      if (index % 3 === 2) await stage.clock.move(100)
    }
    await stage.clock.move(1_000)
    for (const byPlace of [false, true]) {
      const found: number[] = []
      for (let from = {}, more = true; more; ) {
        const page = await alice.ask('message.search', { text: 'word', max: 200, ...from })
        found.push(...page.entries.map(({ seq }) => seq))
        const last = page.entries.at(-1)
        more = page.more && last !== undefined
        from = { before: last?.at, ...(byPlace ? { place: { conversation, seq: last?.seq } } : {}) }
      }
      expect(found).toEqual(said)
    }
    expect(await alice.refusal('message.search', { text: 'word', place: { conversation, seq: 1 } })).toBe('malformed')
  })

  test('takes at most eight different words', async () => {
    using stage = new ServerStage(calm)
    const { alice, conversation } = await pair(stage)
    await alice.ask('message.send', { conversation, id: messageId(), body: words('a b c d e f g h') })
    await stage.clock.move(1_000)
    expect((await alice.ask('message.search', { text: 'a b c d e f g h, a! b?' })).entries).toHaveLength(1)
    expect(await alice.refusal('message.search', { text: 'a b c d e f g h i' })).toBe('malformed')
  })

  test('finds what was said once it is indexed, and says up to when; nothing that was deleted, nothing of others', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await pair(stage)
    const eve = await here(stage, talker(stage, 'eve'))
    const { seq, at } = await alice.ask('message.send', { conversation, id: messageId(), body: words('the secret garden') })
    await alice.ask('message.send', { conversation, id: messageId(), body: words('another garden') })
    const early = await bob.ask('message.search', { text: 'garden' })
    expect(early.entries.length === 2 || early.upTo <= at).toBe(true)
    await stage.clock.move(1_000)
    const found = await bob.ask('message.search', { text: 'GARDEN' })
    expect(found.entries.map((entry) => entry.seq)).toEqual([seq + 1, seq])
    expect(found.upTo).toBeGreaterThan(at)
    expect((await bob.ask('message.search', { text: 'garden secret', conversation })).entries.map((entry) => entry.seq)).toEqual([seq])
    expect((await eve.ask('message.search', { text: 'garden' })).entries).toEqual([])
    await alice.ask('message.edit', { conversation, target: seq, id: messageId(), body: words('the public park') })
    await alice.ask('message.delete', { conversation, target: seq + 1, id: messageId() })
    await stage.clock.move(1_000)
    expect((await bob.ask('message.search', { text: 'garden' })).entries).toEqual([])
    expect((await bob.ask('message.search', { text: 'park' })).entries.map((entry) => entry.seq)).toEqual([seq])
  })
})
