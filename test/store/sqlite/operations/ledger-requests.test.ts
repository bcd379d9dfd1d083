import { describe, expect, test } from 'bun:test'
import { limitTable } from '../../../../src/protocol/index.ts'
import type { Input, PaymentRequest } from '../../../../src/store/index.ts'
import { LedgerStage } from './ledger-stage.ts'

const [alice, bob, carol] = [1n, 2n, 3n]

function asking(stage: LedgerStage, other: Partial<Input<'ledger.request'>> = {}): Input<'ledger.request'> {
  return {
    id: stage.id(),
    fromId: alice,
    toId: bob,
    unit: 'credits',
    amount: 50n,
    memo: 'rent',
    expiresAt: stage.at + 100n,
    at: stage.at,
    ...other,
  }
}

describe('a request to pay', () => {
  test('is paid at once or in parts, never more than was asked for', () => {
    using stage = new LedgerStage(3, 100n)
    const { id } = stage.run('ledger.request', asking(stage)).request
    expect(stage.order(stage.pay(bob, alice, 20n, { request: id })).request).toMatchObject({ paid: 20n, status: 'open' })
    expect(stage.refusal(stage.pay(bob, alice, 31n, { request: id }))).toBe('amount_invalid')
    expect(stage.order(stage.pay(bob, alice, 30n, { request: id })).request).toMatchObject({ paid: 50n, status: 'paid' })
    expect(stage.refusal(stage.pay(bob, alice, 1n, { request: id }))).toBe('gone')
    expect(stage.balance(bob)).toBe(50n)
    expect(stage.verify().fault).toBeUndefined()
  })

  test('is paid by no payment that was made without it, or for another', () => {
    using stage = new LedgerStage(3, 100n)
    const [one, other] = [asking(stage), asking(stage)].map((input) => stage.run('ledger.request', input).request.id)
    const [plain, paid] = [stage.pay(bob, alice, 10n), stage.pay(bob, alice, 20n)]
    stage.order(plain)
    expect(stage.refusal({ ...plain, request: one })).toBe('conflict')
    stage.order({ ...paid, request: one })
    expect(stage.refusal({ ...paid, request: other })).toBe('conflict')
    // Who names none, as a payee who brings it, is answered what became of the payment.
    for (const request of [one, undefined]) expect(stage.order({ ...paid, request })).toMatchObject({ repeated: true })
    const { requests } = stage.run('ledger.requests', { accountId: alice, max: 9n })
    expect(new Set(requests.map((request) => request.paid))).toEqual(new Set([0n, 20n]))
  })

  test('is of this payee to this payer in this unit', () => {
    using stage = new LedgerStage(3, 100n)
    const { id } = stage.run('ledger.request', asking(stage)).request
    stage.run('unit.create', { code: 'gold', name: 'Gold', decimals: 0n, at: 1n })
    stage.mint(bob, 50n, { unit: 'gold' })
    const request = { request: id }
    const tries = [
      stage.pay(carol, alice, 50n, request),
      stage.pay(bob, carol, 50n, request),
      stage.pay(bob, alice, 50n, { ...request, unit: 'gold' }),
    ]
    expect(tries.map((order) => stage.refusal(order))).toEqual(['not_found', 'not_found', 'not_found'])
    expect(stage.refusal(stage.pay(bob, alice, 50n, { ...request, at: stage.at + 100n }))).toBe('expired')
    expect(stage.refusal(stage.hold(bob, alice, 50n, request))).toBe('malformed')
    // Refused after it was counted: nothing is counted.
    stage.run('ledger.burn', { id: stage.id(), accountId: bob, unit: 'credits', amount: 100n, at: 1n })
    expect(stage.refusal(stage.pay(bob, alice, 50n, request))).toBe('insufficient_funds')
    expect(stage.run('ledger.requests', { accountId: alice, max: 9n }).requests).toMatchObject([{ paid: 0n, status: 'open' }])
  })

  test('again is the same; anything else is a conflict', () => {
    using stage = new LedgerStage(3, 100n)
    const input = asking(stage)
    const answer = stage.run('ledger.request', input)
    expect(stage.run('ledger.request', { ...input, at: 9_999n })).toEqual({ ...answer, repeated: true, posted: [] })
    for (const other of [{ amount: 51n }, { memo: 'x' }, { toId: carol }, { fromId: carol }, { expiresAt: 9n }]) {
      expect(stage.codeOf(() => stage.run('ledger.request', { ...input, ...other }))).toBe('conflict')
    }
    const refused = { is_self: { toId: alice }, not_found: { toId: 9n }, amount_invalid: { amount: 0n }, expired: { expiresAt: stage.at } }
    for (const [code, other] of Object.entries(refused)) {
      expect(stage.codeOf(() => stage.run('ledger.request', asking(stage, other)))).toBe(code as keyof typeof refused)
    }
  })

  test('that names no end has the usual one, counted from when it was first asked, and is the same whenever it is repeated', () => {
    using stage = new LedgerStage(2, 100n)
    const { expiresAt: _, ...input } = asking(stage)
    const { request } = stage.run('ledger.request', input)
    expect(request.expiresAt).toBe(stage.at + BigInt(limitTable.paymentRequestMs.value))
    const again = { request, repeated: true, posted: [] }
    expect(stage.run('ledger.request', { ...input, at: stage.at + 5_000n })).toEqual(again)
    expect(stage.run('ledger.request', { ...input, expiresAt: request.expiresAt })).toEqual(again)
    expect(stage.codeOf(() => stage.run('ledger.request', { ...input, expiresAt: request.expiresAt + 1n }))).toBe('conflict')
    expect(stage.codeOf(() => stage.run('ledger.request', { ...input, amount: 51n }))).toBe('conflict')
  })

  test('is listed once, page by page, also where many are of one moment', () => {
    using stage = new LedgerStage(2, 100n)
    const moments = [3n, 5n, 5n, 5n, 5n, 5n, 7n, 5n, 3n]
    for (const at of moments) stage.run('ledger.request', asking(stage, { at }))
    const list = { accountId: bob, max: 2n }
    const listed: PaymentRequest[] = []
    for (let more = true; more; ) {
      const last = listed.at(-1)
      const page = stage.run('ledger.requests', { ...list, before: last?.at, beforeId: last?.id })
      expect(page.requests.length).toBe(page.more ? 2 : 1)
      listed.push(...page.requests)
      more = page.more
    }
    expect(listed).toEqual([...stage.run('ledger.requests', { accountId: bob, max: 99n }).requests])
    expect(listed.map(({ at }) => at)).toEqual(moments.toSorted((one, other) => Number(other - one)))
    expect(new Set(listed.map(({ id }) => Buffer.from(id).toString('hex'))).size).toBe(moments.length)
    // The moment alone is what is older than it.
    expect(stage.run('ledger.requests', { accountId: bob, before: 5n, max: 9n }).requests.map(({ at }) => at)).toEqual([3n, 3n])
  })

  test('is cancelled by who asked, declined by who was asked, and nobody else', () => {
    using stage = new LedgerStage(3, 100n)
    const [first, second] = [asking(stage), asking(stage)]
    for (const input of [first, second]) stage.run('ledger.request', input)
    expect(stage.codeOf(() => stage.run('ledger.settle', { id: first.id, accountId: carol, at: 1n }))).toBe('not_found')
    expect(stage.run('ledger.settle', { id: first.id, accountId: alice, at: 1n })).toMatchObject({
      request: { status: 'cancelled' },
      changed: true,
    })
    expect(stage.run('ledger.settle', { id: first.id, accountId: alice, at: 1n }).changed).toBe(false)
    expect(stage.codeOf(() => stage.run('ledger.settle', { id: first.id, accountId: bob, at: 1n }))).toBe('gone')
    expect(stage.run('ledger.settle', { id: second.id, accountId: bob, at: 1n }).request.status).toBe('declined')
    expect(stage.refusal(stage.pay(bob, alice, 50n, { request: second.id }))).toBe('gone')
    expect(stage.run('ledger.requests', { accountId: bob, open: true, max: 9n }).requests).toEqual([])
    expect(stage.run('ledger.requests', { accountId: bob, max: 1n })).toMatchObject({ more: true })
  })

  test('shows its memo to who is asked where the two talk, and nothing of it where they block who asks', () => {
    using stage = new LedgerStage(3, 100n)
    const { id } = stage.run('ledger.request', asking(stage)).request
    const seen = (accountId: bigint) =>
      stage.run('ledger.requests', { accountId, max: 9n }).requests.map(({ memo, shown }) => [memo, shown])
    expect([seen(alice), seen(bob)]).toEqual([[['rent', 'numbers']], [[undefined, 'numbers']]])
    stage.befriend([alice, bob])
    expect([seen(alice), seen(bob)]).toEqual([[['rent', 'all']], [['rent', 'all']]])
    stage.run('block.add', { accountId: bob, blockedId: alice, at: 1n })
    expect(seen(bob)).toEqual([])
    expect(seen(alice)).toMatchObject([['rent', expect.anything()]])
    expect(stage.codeOf(() => stage.run('ledger.settle', { id, accountId: bob, at: 1n }))).toBe('not_found')
    // Whoever is blocked may be asked all the same, and sees it.
    stage.run('ledger.request', asking(stage, { fromId: bob, toId: alice, memo: 'tea' }))
    expect(seen(alice)).toContainEqual(['tea', 'all'])
    stage.run('block.remove', { accountId: bob, blockedId: alice })
    expect(seen(bob)).toContainEqual(['rent', 'all'])
  })

  test('that is not shown leaves no gap in a page', () => {
    using stage = new LedgerStage(3, 100n)
    for (let index = 0; index < 6; index++) {
      stage.run('ledger.request', asking(stage, { fromId: index % 2 === 0 ? alice : carol, at: BigInt(index), expiresAt: 99n }))
    }
    stage.run('block.add', { accountId: bob, blockedId: alice, at: 1n })
    const page = stage.run('ledger.requests', { accountId: bob, max: 2n })
    expect([page.requests.map(({ at }) => at), page.more]).toEqual([[5n, 3n], true])
    const next = stage.run('ledger.requests', { accountId: bob, max: 2n, before: 3n, beforeId: page.requests[1]?.id })
    expect([next.requests.map(({ at }) => at), next.more]).toEqual([[1n], false])
  })

  test('is bounded to one who has not agreed to talk, blocked or not', () => {
    using stage = new LedgerStage(3, 100n, { limits: { paymentRequestsStrangerMax: 2 } })
    const refusal = (toId: bigint) => stage.codeOf(() => stage.run('ledger.request', asking(stage, { toId })))
    expect([refusal(bob), refusal(bob), refusal(bob), refusal(carol)]).toEqual([undefined, undefined, 'busy', undefined])
    stage.run('block.add', { accountId: bob, blockedId: alice, at: 1n })
    expect(refusal(bob)).toBe('busy')
    stage.befriend([alice, bob])
    expect(refusal(bob)).toBeUndefined()
  })

  test('lasts a year at most', () => {
    using stage = new LedgerStage(2)
    const lasting = (ms: number) => asking(stage, { expiresAt: stage.at + BigInt(ms) })
    expect(stage.codeOf(() => stage.run('ledger.request', lasting(limitTable.paymentRequestMsMax.value + 1)))).toBe('limit_exceeded')
    stage.run('ledger.request', lasting(limitTable.paymentRequestMsMax.value))
  })

  test('ends in its time, is forgotten long after, and not more than so many are open', () => {
    using stage = new LedgerStage(2, 100n, { limits: { paymentRequestsMax: 2, paymentRequestMemoryMs: 60_000 } })
    for (let index = 0; index < 2; index++) stage.run('ledger.request', asking(stage))
    expect(stage.codeOf(() => stage.run('ledger.request', asking(stage)))).toBe('busy')
    expect(stage.run('ledger.expireHolds', { at: stage.at + 100n, max: 9n }).requests).toMatchObject([
      { status: 'expired' },
      { status: 'expired' },
    ])
    stage.run('ledger.request', asking(stage))
    stage.run('ledger.expireHolds', { at: stage.at + 60_101n, max: 9n })
    expect(stage.run('ledger.requests', { accountId: alice, max: 9n }).requests).toHaveLength(1)
  })
})

describe('a message that goes with a payment', () => {
  const message = (stage: LedgerStage, peerId: bigint, id = stage.id()) => [
    { peerId, id, type: 'application/vnd.sealwire.payment+cbor', body: new Uint8Array([0x80]) },
  ]

  test('is in the conversation of those who talk, and left out for others; the money moves', () => {
    using stage = new LedgerStage(3, 100n)
    stage.befriend([alice, bob])
    const order = { ...stage.pay(alice, bob, 10n), messages: message(stage, bob), device: 'd1.1' }
    const { posted } = stage.order(order)
    expect(posted).toMatchObject([{ seq: 1n, repeated: false, deliveries: [{ accountId: bob }] }])
    expect(stage.order(order)).toMatchObject({ repeated: true, posted: [] })
    const entries = stage.run('entry.history', {
      accountId: bob,
      conversationId: posted[0]?.conversationId ?? 0n,
      max: 9n,
      bytesMax: 999n,
    }).entries
    expect(entries).toMatchObject([{ kind: 'message', authorId: alice, type: 'application/vnd.sealwire.payment+cbor' }])
    expect(stage.order({ ...stage.pay(alice, carol, 10n), messages: message(stage, carol) }).posted).toEqual([])
    expect([stage.balance(alice), stage.balance(carol)]).toEqual([80n, 110n])
  })

  test('that cannot be stored: neither is; and no message without its payment', () => {
    using stage = new LedgerStage(3, 100n, { limits: { inboxEntriesPerSenderMax: 1 } })
    stage.befriend([alice, bob], [alice, carol])
    const [
      {
        posted: [posted],
      },
    ] = [stage.order({ ...stage.pay(alice, bob, 10n), messages: message(stage, bob) })]
    expect(stage.refusal({ ...stage.pay(alice, bob, 10n), messages: message(stage, bob) })).toBe('quota_exceeded')
    expect(stage.refusal({ ...stage.pay(alice, carol, 91n), messages: message(stage, carol) })).toBe('insufficient_funds')
    const used = stage.id()
    stage.order({ ...stage.pay(alice, carol, 1n), messages: message(stage, carol, used) })
    expect(stage.refusal({ ...stage.pay(alice, bob, 1n), messages: message(stage, bob, used) })).toBe('conflict')
    expect([stage.balance(alice), stage.balance(bob), stage.balance(carol)]).toEqual([89n, 110n, 101n])
    const page = stage.run('entry.history', { accountId: bob, conversationId: posted?.conversationId ?? 0n, max: 9n, bytesMax: 999n })
    expect(page.entries).toHaveLength(1)
  })

  test('keeps nobody from settling what is ordered: where there is no room it is left out', () => {
    using stage = new LedgerStage(2, 100n, { limits: { inboxEntriesPerSenderMax: 2 } })
    stage.befriend([alice, bob])
    const holds = [stage.hold(alice, bob, 10n), stage.hold(alice, bob, 20n)] as const
    const payment = stage.pay(alice, bob, 30n)
    for (const order of [...holds, payment]) stage.order(order)
    for (let index = 0; index < 2; index++) stage.order({ ...stage.pay(bob, alice, 1n), messages: message(stage, alice) })
    for (const begun of [stage.pay(bob, alice, 1n), stage.hold(bob, alice, 1n), stage.split(bob, [[alice, 1n]])])
      expect(stage.refusal({ ...begun, messages: message(stage, alice) })).toBe('quota_exceeded')
    for (const settled of [stage.capture(bob, holds[0], 10n), stage.void(bob, holds[1]), stage.refund(bob, payment, 5n)])
      expect(stage.order({ ...settled, messages: message(stage, alice) }).posted).toEqual([])
    expect([stage.balance(alice), stage.balance(bob)]).toEqual([67n, 133n])
  })
})
