import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { verifyConsistency } from '../../../src/domain/index.ts'
import { makeCheckpoint, openCheckpoint, verifyReceipt } from '../../../src/pki/index.ts'
import { decodeCbor, encodeCbor, type Order, paymentType } from '../../../src/protocol/contract/index.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { memoHashOf, newId, Payer } from '../../support/payer.ts'
import { ServerStage, stageLedger, stageServerId } from '../../support/server-stage.ts'
import { words } from '../../support/talkers.ts'

async function twoOn(stage: ServerStage): Promise<readonly [Payer, Payer]> {
  return [await Payer.on(stage, 'alice', 10_000n), await Payer.on(stage, 'bob')]
}

/** They have agreed to talk; what that said is not of interest. */
async function acquaint(alice: Payer, bob: Payer): Promise<void> {
  await alice.peer.ask('contact.request', { name: bob.name, id: newId() })
  await bob.peer.ask('contact.accept', { name: alice.name })
  await alice.peer.arrived()
  await bob.peer.arrived()
}

/** The events that a peer hears next. */
async function heard(peer: ContractPeer, count: number): Promise<readonly unknown[]> {
  const events: unknown[] = []
  for (let at = 0; at < count; at++) events.push((await peer.next(([kind]) => kind === 'event')).slice(1))
  return events
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

describe('payment.order', () => {
  test('says between strangers nothing but what has moved; the words stand in the statement', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    await alice.order(alice.pay(bob, 1250n, { memoHash: memoHashOf('lunch') }), { memo: 'lunch' })
    const [[event, data] = []] = (await heard(bob.peer, 1)) as [string, { transfer: object }][]
    expect([event, data]).toMatchObject(['payment.changed', { transfer: { kind: 'pay', amount: '12.50', payer: 'alice' } }])
    expect(Object.keys(data?.transfer ?? {})).not.toContain('memo')
    expect(Object.keys(data?.transfer ?? {})).not.toContain('balance')
    expect((await bob.peer.ask('conversation.list', {})).conversations).toEqual([])
    const { lines } = await bob.peer.ask('payment.statement', {})
    expect(lines).toMatchObject([{ posting: 2, delta: '12.50', balance: '12.50', transfer: { memo: 'lunch', payer: 'alice' } }])
  })

  test('says it in the conversation of two who talk, in one step with the money', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    await acquaint(alice, bob)
    await bob.peer.ask('inbox.open', {})
    const order = alice.pay(bob, 1250n, { memoHash: memoHashOf('lunch') })
    await alice.order(order, { memo: 'lunch' })
    const conversation = (await bob.peer.ask('conversation.list', {})).conversations[0]?.conversation ?? 0
    const { entries } = await bob.peer.ask('message.history', { conversation })
    const message = entries.at(-1)
    expect(message).toMatchObject({ kind: 'message', from: 'alice', type: 'application/vnd.sealwire.payment+cbor', id: order.id })
    const said = decodeCbor(message?.body ?? new Uint8Array())
    expect(said).toEqual(['pay', 'alice', 'bob', 'credits', '12.50', 'lunch', Number(alice.id), order.id, 'posted'])
    const [, , news] = await bob.peer.next(([, event]) => event === 'payment.changed')
    expect(news).toMatchObject({ transfer: { memo: 'lunch' } })
    const [, , entry] = await bob.peer.next(([, event, data]) => event === 'inbox.entry' && JSON.stringify(data).includes('payment+cbor'))
    expect(entry).toMatchObject({ entry: { id: order.id } })
  })

  test('says a split in events to those who talk with its payer, and to nobody who blocks them', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const carol = await Payer.on(stage, 'carol')
    await acquaint(alice, bob)
    const told = async ({ peer }: Payer) => {
      const [, , data] = await peer.next(([, event]) => event === 'payment.changed')
      return (data as { transfer: { memo?: string } }).transfer.memo
    }
    const parts = [bob, carol].map(({ id }, at) => ({ payee: id, amount: 1n, memoHash: memoHashOf(`part ${at}`) }))
    const { server, payer, unit, expiresAt } = alice.pay(bob, 1n)
    await alice.order({ kind: 'split', server, payer, unit, id: newId(), expiresAt, parts }, { memos: ['part 0', 'part 1'] })
    expect([await told(bob), await told(carol)]).toEqual(['part 0', undefined])
    await bob.peer.ask('directory.block', { name: 'alice' })
    await alice.order(alice.pay(bob, 1n, { memoHash: memoHashOf('lunch') }), { memo: 'lunch' })
    expect(await told(bob)).toBeUndefined()
  })

  test('leaves no message when no money moves', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    await acquaint(alice, bob)
    const { conversations } = await bob.peer.ask('conversation.list', {})
    expect(await alice.refusal(alice.pay(bob, 10_001n))).toBe('insufficient_funds')
    expect((await bob.peer.ask('conversation.list', {})).conversations).toEqual(conversations)
  })
})

describe('payment.request', () => {
  test('is paid in part, then the rest, and never more', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const id = newId()
    const asked = await bob.peer.ask('payment.request', { id, name: 'alice', amount: '12.50', memo: 'lunch' })
    expect(asked).toMatchObject({ from: 'bob', to: 'alice', amount: '12.50', paid: '0.00', status: 'open', memo: 'lunch' })
    expect(await bob.peer.ask('payment.request', { id, name: 'alice', amount: '12.50', memo: 'lunch' })).toEqual(asked)
    expect(await bob.peer.refusal('payment.request', { id, name: 'alice', amount: '12.51', memo: 'lunch' })).toBe('conflict')
    await alice.order(alice.pay(bob, 250n), { request: id })
    expect(await alice.refusal(alice.pay(bob, 1001n), { request: id })).toBe('amount_invalid')
    await alice.order(alice.pay(bob, 1000n), { request: id })
    expect((await alice.peer.ask('payment.requests', {})).requests).toMatchObject([{ status: 'paid', paid: '12.50' }])
    expect(await alice.refusal(alice.pay(bob, 1n), { request: id })).toBe('gone')
    expect(await bob.balance()).toBe('12.50')
  })

  test('that names no end is the same when it is asked again later', async () => {
    using stage = new ServerStage()
    const [, bob] = await twoOn(stage)
    const params = { id: newId(), name: 'alice', amount: '12.50' }
    const asked = await bob.peer.ask('payment.request', params)
    await stage.clock.move(5_000)
    expect(await bob.peer.ask('payment.request', params)).toEqual(asked)
    expect(await bob.peer.ask('payment.request', { ...params, expiresAt: asked.expiresAt })).toEqual(asked)
    expect(await bob.peer.refusal('payment.request', { ...params, expiresAt: Number(asked.expiresAt) + 1 })).toBe('conflict')
  })

  test('is cancelled by who asked and declined by who was asked; both hear of it', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const [one, two] = [newId(), newId()]
    for (const id of [one, two]) await bob.peer.ask('payment.request', { id, name: 'alice', amount: '1' })
    await heard(alice.peer, 2)
    expect(await bob.peer.ask('payment.settle', { id: one })).toMatchObject({ status: 'cancelled' })
    expect(await heard(alice.peer, 1)).toMatchObject([['payment.changed', { request: { status: 'cancelled' } }]])
    expect(await alice.peer.ask('payment.settle', { id: two })).toMatchObject({ status: 'declined' })
    expect(await heard(bob.peer, 1)).toMatchObject([['payment.changed', { request: { status: 'declined' } }]])
    expect((await alice.peer.ask('payment.requests', { open: true })).requests).toEqual([])
  })

  test('tells strangers no words, in no list and no event, until they talk; who asks reads its own', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const id = newId()
    const requestTold = async (peer: ContractPeer) => {
      const [, , data] = await peer.next(([, event]) => event === 'payment.changed')
      return (data as { request: object }).request
    }
    expect(await bob.peer.ask('payment.request', { id, name: 'alice', amount: '1', memo: 'lunch' })).toMatchObject({ memo: 'lunch' })
    const listed = async ({ peer }: Payer) => (await peer.ask('payment.requests', {})).requests
    const [atFirst] = await listed(alice)
    expect(atFirst).toMatchObject({ id, from: 'bob', amount: '1.00', status: 'open' })
    expect([await requestTold(alice.peer), atFirst].map((told) => Object.hasOwn(told ?? {}, 'memo'))).toEqual([false, false])
    expect(await listed(bob)).toMatchObject([{ memo: 'lunch' }])
    await acquaint(alice, bob)
    expect(await listed(alice)).toMatchObject([{ memo: 'lunch' }])
    expect(await bob.peer.ask('payment.settle', { id })).toMatchObject({ status: 'cancelled', memo: 'lunch' })
    expect(await requestTold(alice.peer)).toMatchObject({ status: 'cancelled', memo: 'lunch' })
    const other = newId()
    await alice.peer.ask('directory.block', { name: 'bob' })
    await bob.peer.ask('payment.request', { id: other, name: 'alice', amount: '2', memo: 'dinner' })
    expect(await listed(alice)).toEqual([])
    expect(await alice.peer.refusal('payment.settle', { id: other })).toBe('not_found')
    await alice.peer.ask('directory.unblock', { name: 'bob' })
    // The first event since the cancellation: there was none of what was asked meanwhile.
    expect(await alice.peer.ask('payment.settle', { id: other })).toMatchObject({ status: 'declined', memo: 'dinner' })
    await bob.peer.ask('payment.request', { id: newId(), name: 'alice', amount: '3' })
    expect(await requestTold(alice.peer)).toMatchObject({ amount: '3.00' })
    expect(await requestTold(bob.peer)).toMatchObject({ id: other, status: 'declined', memo: 'dinner' })
  })

  test('that a stranger declines is answered without words, and told with them to who asked', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const id = newId()
    await bob.peer.ask('payment.request', { id, name: 'alice', amount: '1', memo: 'lunch' })
    const declined = await alice.peer.ask('payment.settle', { id })
    expect([declined.status, declined.memo]).toEqual(['declined', undefined])
    const [[, data] = []] = (await heard(bob.peer, 1)) as [string, object][]
    expect(data).toMatchObject({ request: { status: 'declined', memo: 'lunch' } })
  })

  test('is placed with a stranger so many times and no more; two who talk have room', async () => {
    using stage = new ServerStage({ paymentRequestsStrangerMax: 2 })
    const [alice, bob] = await twoOn(stage)
    const ask = () => bob.peer.refusal('payment.request', { id: newId(), name: 'alice', amount: '1' })
    expect([await ask(), await ask(), await ask()]).toEqual([undefined, undefined, 'busy'])
    await acquaint(alice, bob)
    expect(await ask()).toBeUndefined()
  })

  test('refuses amounts that are none, each with its reason', async () => {
    using stage = new ServerStage()
    const [, bob] = await twoOn(stage)
    const malformed = ['1e3', 'NaN', '٣', '05', '', '+1', ' 1', '1.', '.5', '1,5', '0x10', 'Infinity']
    const invalid = [
      '0',
      '0.00',
      '-1',
      '1.234',
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
      '9223372036854775807',
      '18446744073709551616',
    ]
    const refusal = (amount: string) => bob.peer.refusal('payment.request', { id: newId(), name: 'alice', amount })
    for (const amount of malformed) expect([amount, await refusal(amount)]).toEqual([amount, 'amount_invalid'])
    for (const amount of invalid) expect([amount, await refusal(amount)]).toEqual([amount, 'amount_invalid'])
    expect(await refusal('0.5')).toBeUndefined()
  })
})

describe('payment.requests', () => {
  test('tells each once, page by page, also when all are of one moment', async () => {
    using stage = new ServerStage({ paymentRequestsStrangerMax: 120 })
    const [alice, bob] = await twoOn(stage)
    const ids = Array.from({ length: 120 }, newId)
    for (const id of ids) await bob.peer.ask('payment.request', { id, name: 'alice', amount: '1' })
    const told: string[] = []
    let moments = 0
    for (let last: { at: number; id: Uint8Array } | undefined, more = true; more; ) {
      const page = await alice.peer.ask('payment.requests', last === undefined ? {} : { before: last.at, beforeId: last.id })
      moments += new Set(page.requests.map(({ at }) => at)).size
      told.push(...page.requests.map(({ id }) => hex(id)))
      last = page.requests.at(-1)
      more = page.more
    }
    expect([told, moments]).toEqual([ids.map(hex).toSorted(), 3])
    expect(await alice.peer.refusal('payment.requests', { beforeId: newId() })).toBe('malformed')
  })
})

describe('payment.statement', () => {
  test('says that there are more lines when there are, and not when a page is merely full', async () => {
    using stage = new ServerStage()
    const alice = await Payer.on(stage, 'alice')
    const mint = () =>
      stage.store('ledger.mint', { id: newId(), accountId: alice.id, unit: 'credits', amount: 1n, at: BigInt(stage.clock.now()) })
    for (let posting = 1; posting <= 40; posting++) mint()
    expect(await alice.peer.ask('payment.statement', {})).toMatchObject({ lines: { length: 40 }, more: false })
    mint()
    expect(await alice.peer.ask('payment.statement', {})).toMatchObject({ lines: { length: 40 }, more: true })
    const { lines, more } = await alice.peer.ask('payment.statement', { before: 2 })
    expect([lines.map(({ posting }) => posting), more]).toEqual([[1], false])
  })
})

describe('what is said of money', () => {
  const type = paymentType
  const body = encodeCbor(['pay', 'alice', 'bob', 'credits', '500.00', '', 1, newId(), 'posted'])

  test('is said by the server alone: nobody sends it, makes something else into it, or changes it', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    await acquaint(alice, bob)
    await alice.order(alice.pay(bob, 1250n))
    const direct = (await alice.peer.ask('conversation.list', {})).conversations[0]?.conversation ?? 0
    const { conversation: room } = await alice.peer.ask('room.create', { id: newId(), title: 'garden' })
    const paid = (await alice.peer.ask('message.history', { conversation: direct })).entries.at(-1)?.seq ?? 0
    for (const where of [{ to: 'bob' }, { conversation: direct }, { conversation: room }]) {
      const { seq: target } = await alice.peer.ask('message.send', { ...where, id: newId(), body: words('hello') })
      const conversation = 'to' in where ? direct : where.conversation
      const before = await alice.peer.ask('message.history', { conversation })
      expect(await alice.peer.refusal('message.send', { ...where, id: newId(), type, body })).toBe('not_permitted')
      const same = ` ${type.toUpperCase()} ;v=1`
      expect(await alice.peer.refusal('message.send', { ...where, id: newId(), type: same, body })).toBe('not_permitted')
      expect(await alice.peer.refusal('message.edit', { conversation, target, id: newId(), type, body })).toBe('not_permitted')
      if (conversation === direct) {
        for (const other of [{ body: words('nothing') }, { type, body }])
          expect(await alice.peer.refusal('message.edit', { conversation, target: paid, id: newId(), ...other })).toBe('not_permitted')
      }
      expect(await alice.peer.ask('message.history', { conversation })).toEqual(before)
    }
    const { entries } = await bob.peer.ask('message.history', { conversation: direct })
    expect(entries.filter((entry) => entry.type === type)).toMatchObject([{ seq: paid }])
  })

  test('can be deleted by who has paid; the payment stays', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    await acquaint(alice, bob)
    const order = alice.pay(bob, 1250n)
    await alice.order(order)
    const conversation = (await bob.peer.ask('conversation.list', {})).conversations[0]?.conversation ?? 0
    const target = (await bob.peer.ask('message.history', { conversation })).entries.at(-1)?.seq ?? 0
    expect(await bob.peer.refusal('message.delete', { conversation, target, id: newId() })).toBe('not_permitted')
    await alice.peer.ask('message.delete', { conversation, target, id: newId() })
    const deleted = (await bob.peer.ask('message.history', { conversation })).entries.find(({ seq }) => seq === target)
    expect(deleted).toMatchObject({ kind: 'message', from: 'alice', deleted: true })
    expect(deleted?.body).toBeUndefined()
    expect(await bob.peer.ask('payment.transfer', { id: order.id, payer: 'alice' })).toMatchObject({ status: 'posted', amount: '12.50' })
  })
})

describe('payment.receipt', () => {
  test('proves a payment to both of its parties, with a checkpoint made for it', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 1250n)
    await alice.order(order)
    const { receipt } = await bob.peer.ask('payment.receipt', { id: order.id, payer: 'alice' })
    expect((await alice.peer.ask('payment.receipt', { id: order.id })).receipt).toEqual(receipt)
    expect((await alice.peer.ask('payment.receipt', { posting: 2 })).receipt).toEqual(receipt)
    const { posting, server, device, checkpoint } = verifyReceipt(receipt, stageLedger.publicKey)
    expect(posting).toMatchObject({ seq: 2n, kind: 'pay', unit: 'credits', signer: alice.id, id: order.id })
    expect([server, device?.length, checkpoint.size]).toEqual([stageServerId, 32, 2n])
    // Later payments do not change it.
    await alice.order(alice.pay(bob, 1n))
    await stage.clock.move(120_000)
    expect((await alice.peer.ask('payment.receipt', { id: order.id })).receipt).toEqual(receipt)
  })

  test('is nobody else’s', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const carol = await Payer.on(stage, 'carol')
    const order = alice.pay(bob, 1250n)
    await alice.order(order)
    expect(await carol.peer.refusal('payment.receipt', { id: order.id, payer: 'alice' })).toBe('not_found')
    expect(await carol.peer.refusal('payment.receipt', { posting: 2 })).toBe('not_found')
    expect(await carol.peer.refusal('payment.transfer', { id: order.id, payer: 'alice' })).toBe('not_found')
    expect(await carol.peer.refusal('payment.receipt', { posting: 99 })).toBe('not_found')
    expect(await carol.peer.refusal('payment.receipt', {})).toBe('malformed')
  })

  test('makes at most one checkpoint a second, which all who wait share', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const orders: Order[] = []
    for (let at = 0; at < 5; at++) orders.push(alice.pay(bob, 1n))
    await alice.order(orders[0] as Order)
    await alice.peer.ask('payment.receipt', { posting: 2 })
    for (const order of orders.slice(1)) await alice.order(order)
    const waiting = [alice.peer.send('payment.receipt', { posting: 3 }), bob.peer.send('payment.receipt', { posting: 6 })]
    expect((await alice.peer.arrived()).filter(([kind]) => kind === 'result')).toEqual([])
    await stage.clock.move(1_000)
    const isAnswer = ([kind]: readonly unknown[]): boolean => kind !== 'event'
    const answers = [await alice.peer.next(isAnswer), await bob.peer.next(isAnswer)] as unknown as [
      string,
      number,
      { receipt: Uint8Array },
    ][]
    expect(answers.map(([kind, id]) => [kind, id])).toEqual(waiting.map((id) => ['result', id]))
    const sizes = answers.map(([, , { receipt }]) => verifyReceipt(receipt, stageLedger.publicKey).checkpoint.size)
    expect(sizes).toEqual([6n, 6n])
  })
})

describe('payment.checkpoint', () => {
  test('brings the newest and the proof that it extends an older one', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const first = openCheckpoint((await alice.peer.ask('payment.checkpoint', {})).checkpoint, stageLedger.publicKey)
    expect([first.size, first.server]).toEqual([1n, stageServerId])
    for (let at = 0; at < 6; at++) await alice.order(alice.pay(bob, 1n))
    await stage.clock.move(62_000)
    const { checkpoint, proof = [] } = await alice.peer.ask('payment.checkpoint', { from: 1 })
    const second = openCheckpoint(checkpoint, stageLedger.publicKey)
    expect(second.size).toBe(7n)
    expect(verifyConsistency(sha256, { from: 1n, fromRoot: first.root, to: 7n, toRoot: second.root, proof })).toBe(true)
    expect(await alice.peer.refusal('payment.checkpoint', { from: 99 })).toBe('not_found')
  })

  test('is made every so many postings without anybody asking', async () => {
    using stage = new ServerStage({ checkpointPostingsMax: 5 })
    const [alice, bob] = await twoOn(stage)
    for (let at = 0; at < 9; at++) await alice.order(alice.pay(bob, 1n))
    await alice.peer.arrived()
    const found = stage.store('ledger.checkpointFind', {})
    expect(Number(found?.size)).toBeGreaterThanOrEqual(5)
  })

  test('is never earlier than that of fewer postings, also when the clock was put back', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const needed = stage.store('ledger.checkpointNeeded', { at: 0n, covers: 1n })
    if (needed === undefined) throw new Error('there is nothing to sign')
    const ahead = { size: needed.size, root: needed.root, at: BigInt(stage.clock.now()) + 600_000n }
    const cose = makeCheckpoint({ ...ahead, server: stageServerId }, stageLedger)
    stage.store('ledger.checkpointStore', { ...ahead, cose })
    const { id } = await alice.order(alice.pay(bob, 1n))
    const { checkpoint } = verifyReceipt((await alice.peer.ask('payment.receipt', { id })).receipt, stageLedger.publicKey)
    expect([checkpoint.size, checkpoint.at]).toEqual([2n, ahead.at])
  })

  test('is not there where nothing was ever paid', async () => {
    using stage = new ServerStage()
    const alice = await Payer.on(stage, 'alice')
    expect(await alice.peer.refusal('payment.checkpoint', {})).toBe('not_found')
  })
})

describe('payment.units and payment.find', () => {
  test('tell a device what it needs to sign orders', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const { units } = await alice.peer.ask('payment.units', {})
    expect(units).toEqual([{ unit: 'credits', name: 'Credits', decimals: 2, standard: true }])
    expect(await alice.peer.ask('payment.find', { name: 'BOB' })).toEqual({ account: Number(bob.id), name: 'bob' })
    expect(await alice.peer.refusal('payment.find', { name: 'nobody' })).toBe('not_found')
  })
})
