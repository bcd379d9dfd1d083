// Money over direct links, at a real server: the connections to it are cut for real; between the two there is what the test puts there.

import { afterAll, describe, expect, test } from 'bun:test'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Transfer } from '../../../src/client/payments.ts'
import { signCose } from '../../../src/pki/cose-sign1.ts'
import { newDeviceKeys } from '../../../src/pki/index.ts'
import type { PeerResult } from '../../../src/protocol/direct/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { type Between, soonHeld } from '../../support/direct-payer.ts'
import { newId } from '../../support/payer.ts'
import { PeerStage } from '../../support/peer-links.ts'
import { makePeers } from '../../support/peers.ts'
import { rejectionOf } from '../../support/refusal.ts'
import {
  HeldProgram,
  back,
  cut,
  cutOff,
  endStage,
  errorOf,
  filesOf,
  freshId,
  has,
  knownAtLast,
  linked,
  meet,
  mint,
  nextHeld,
  orderOf,
  person,
  restarted,
  server,
  sha256,
  signedBy,
  two,
  type Person,
} from './pay-stage.ts'

afterAll(endStage)

describe('a payment to somebody with whom there is a link', () => {
  test('goes to the server alone where that answers', async () => {
    const [alice, bob] = await two()
    const handed = await linked(alice, bob)
    const paid = await alice.me.payments.pay(bob.me.name, '1.50', { memo: 'tea' })
    expect([paid.amount, paid.balance, handed.length]).toEqual(['1.50', '8.50', 0])
  })

  test('is settled by its payee while the payer is cut off, proved by the receipt, and is one payment when the payer is back', async () => {
    const [alice, bob] = await two()
    const handed = await linked(alice, bob)
    const news = bob.me.payments.changes()
    cutOff(alice)
    const id = freshId()
    const paid = await alice.me.payments.pay(bob.me.name, '1.50', { memo: 'tea', id })
    expect(paid).toMatchObject({ id, kind: 'pay', status: 'posted', amount: '1.50', minor: 150n, unit: 'credits', memo: 'tea' })
    expect([paid.payer, paid.payee, paid.signer, paid.balance]).toEqual([alice.me.name, bob.me.name, alice.me.name, undefined])
    expect((await news.next()).value).toMatchObject({ transfer: { id, amount: '1.50', memo: 'tea' } })
    // The same once more, over the same way.
    expect(await alice.me.payments.pay(bob.me.name, '1.50', { memo: 'tea', id })).toEqual(paid)
    expect(handed).toEqual(['settled', 'settled'])
    await back(alice)
    const again = await alice.me.payments.pay(bob.me.name, '1.50', { memo: 'tea', id })
    expect(again).toEqual({ ...paid, balance: '8.50', balanceMinor: 850n })
    expect([await has(bob), await filesOf(bob)]).toEqual(['1.50', 0])
    expect(await rejectionOf(alice.me.payments.pay(bob.me.name, '1.51', { id }))).toBe('conflict')
  })

  test('goes both ways where the server is silent, and is one payment', async () => {
    const [alice, bob] = await two()
    const handed = await linked(alice, bob)
    for (let round = 1; round <= 3; round++) {
      // The order arrives, and nothing that the server says to this connection any more.
      alice.relay.muteFrom(240)
      const paid = await alice.me.payments.pay(bob.me.name, '0.10')
      expect([paid.amount, handed.length]).toEqual(['0.10', round])
      alice.relay.cut()
      alice.me.wake()
      await alice.me.online()
    }
    expect([await has(alice), await has(bob)]).toEqual(['9.70', '0.30'])
  })

  test('tries the next device where the first is gone, and the server where all are', async () => {
    const [alice, bob] = await two()
    const gone: Between = async () => {
      throw new SealwireError('connection_lost', 'the other device is gone')
    }
    await alice.me.link(bob.me, gone)
    const handed = await linked(alice, bob)
    cutOff(alice)
    expect((await alice.me.payments.pay(bob.me.name, '1')).amount).toBe('1.00')
    expect(handed).toEqual(['settled'])
    const [carol, dave] = await two()
    const link = await carol.me.link(dave.me, gone)
    cutOff(carol)
    const paying = carol.me.payments.pay(dave.me.name, '1')
    await back(carol)
    expect((await paying).balance).toBe('9.00')
    link.end()
    expect((await carol.me.payments.pay(dave.me.name, '1')).balance).toBe('8.00')
  })

  test('that pays a request, and everything that is no payment, goes to the server alone', async () => {
    const [alice, bob] = await two()
    const handed = await linked(alice, bob)
    const request = await bob.me.payments.request(alice.me.name, '1')
    cutOff(alice)
    const waiting = AbortSignal.timeout(1_500)
    expect(await rejectionOf(alice.me.payments.payRequest(request, { signal: waiting }))).toBe('unreachable')
    expect(await rejectionOf(alice.me.payments.hold(bob.me.name, '1', { signal: AbortSignal.timeout(1_500) }))).toBe('unreachable')
    expect(handed).toEqual([])
    await back(alice)
    expect(await has(alice)).toBe('10.00')
  })
})

describe('a payment that its payee cannot settle', () => {
  test('is held and worth nothing, is settled when the payee is back, and its id tells', async () => {
    const [alice, bob] = await two({ limits: soonHeld })
    await linked(alice, bob)
    const held = bob.me.direct.held()
    for (const each of [alice, bob]) cutOff(each)
    const id = freshId()
    const error = await errorOf(alice.me.payments.pay(bob.me.name, '2', { id }))
    expect([error.code, error.sentence]).toEqual([
      'unknown_outcome',
      `the order was handed over to ${bob.me.name}, and is worth nothing until it is settled`,
    ])
    const said = { from: alice.me.name, id, minor: 200n, unit: 'credits' }
    expect(await nextHeld(held)).toMatchObject({ ...said, state: 'unsettled' })
    expect(await filesOf(bob)).toBe(1)
    // The same again is held once.
    expect((await errorOf(alice.me.payments.pay(bob.me.name, '2', { id }))).code).toBe('unknown_outcome')
    expect(await filesOf(bob)).toBe(1)
    await back(bob)
    expect(await nextHeld(held)).toMatchObject({ ...said, state: 'settled' })
    expect([await has(bob), await filesOf(bob)]).toEqual(['2.00', 0])
    const paid = await knownAtLast(() => alice.me.payments.pay(bob.me.name, '2', { id }))
    expect(paid).toMatchObject({ id, amount: '2.00', status: 'posted' })
    await back(alice)
    expect(await alice.me.payments.transfer(id)).toMatchObject({ posting: paid.posting, balance: '8.00' })
  })

  test('is not known to be refused while the payee may have it: by the word of a payee, or by a server that may say otherwise later', async () => {
    const [alice, bob] = await two({ limits: soonHeld })
    const given = new AbortController()
    const refusing: Between = async () => {
      setTimeout(() => given.abort(), 100)
      throw new SealwireError('insufficient_funds', 'the payer cannot pay it')
    }
    await alice.me.link(bob.me, refusing)
    cutOff(alice)
    const error = await errorOf(alice.me.payments.pay(bob.me.name, '2', { signal: given.signal }))
    expect([error.code, error.sentence]).toEqual([
      'unknown_outcome',
      `the order was handed over to ${bob.me.name}, who may still have it settled`,
    ])
    // It had not been carried out: the payee has kept nothing.
    await back(alice)
    expect(await has(alice)).toBe('10.00')

    const [carol, dave] = await two({ limits: soonHeld })
    await linked(carol, dave)
    for (const each of [carol, dave]) cutOff(each)
    const id = freshId()
    expect((await errorOf(carol.me.payments.pay(dave.me.name, '9', { id }))).code).toBe('unknown_outcome')
    await back(carol)
    await carol.me.payments.pay(alice.me.name, '5')
    // The server refuses it to the payer now, and after that to the payee.
    const refused = await errorOf(carol.me.payments.pay(dave.me.name, '9', { id }))
    expect([refused.code, SealwireError.from(refused.cause).code]).toEqual(['unknown_outcome', 'insufficient_funds'])
    expect(await rejectionOf(carol.me.payments.pay(dave.me.name, '9'))).toBe('insufficient_funds')
    expect(await rejectionOf(carol.me.payments.pay(dave.me.name, '9.01', { id }))).toBe('unknown_outcome')
    const held = dave.me.direct.held()
    expect(await nextHeld(held)).toMatchObject({ id, state: 'unsettled' })
    await back(dave)
    expect(await nextHeld(held)).toMatchObject({ id, state: 'refused', reason: 'the payer cannot pay it' })
    expect([await has(dave), await filesOf(dave)]).toEqual(['0.00', 0])
  })

  test('is not known to be refused by a program that was started after it was handed over', async () => {
    const [alice, bob] = await two({ limits: soonHeld })
    await linked(alice, bob)
    for (const each of [alice, bob]) cutOff(each)
    const id = freshId()
    expect((await errorOf(alice.me.payments.pay(bob.me.name, '9', { id }))).code).toBe('unknown_outcome')
    const next = await restarted(alice)
    await next.me.payments.pay((await person()).me.name, '5')
    const refused = await errorOf(next.me.payments.pay(bob.me.name, '9', { id }))
    expect([refused.code, SealwireError.from(refused.cause).code]).toEqual(['unknown_outcome', 'insufficient_funds'])
    expect(await rejectionOf(next.me.payments.pay(bob.me.name, '9'))).toBe('insufficient_funds')
    await mint(next)
    const held = bob.me.direct.held()
    await nextHeld(held)
    await back(bob)
    expect(await nextHeld(held)).toMatchObject({ id, state: 'settled' })
    expect(await next.me.payments.pay(bob.me.name, '9', { id })).toMatchObject({ id, amount: '9.00', balance: '6.00' })
  })

  test('is not handed over where that cannot be remembered', async () => {
    const [alice, bob] = await two({ limits: { ...soonHeld, ordersHandedMax: 1 } })
    const handed = await linked(alice, bob)
    cutOff(alice)
    expect((await alice.me.payments.pay(bob.me.name, '1')).amount).toBe('1.00')
    const waiting = AbortSignal.timeout(1_500)
    expect(await rejectionOf(alice.me.payments.pay(bob.me.name, '2', { signal: waiting }))).toBe('unreachable')
    expect(handed).toEqual(['settled'])
  })

  test('is refused when it has expired, and when the device that signed was revoked', async () => {
    const [alice, bob] = await two({ limits: soonHeld })
    await linked(alice, bob)
    const held = bob.me.direct.held()
    cutOff(bob)
    const order = await orderOf(alice, bob, { amount: 100n, expiresAt: BigInt(Date.now() + 5_000) })
    const take = (signed: Uint8Array) => bob.me.direct.take({ order: signed }, { peer: { name: alice.me.name } })
    expect(await take(signedBy(alice, order))).toEqual({ state: 'held' })
    expect(await nextHeld(held)).toMatchObject({ state: 'unsettled', expiresAt: Number(order.expiresAt) })
    while (Date.now() <= Number(order.expiresAt)) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await rejectionOf(take(signedBy(alice, { ...order, id: newId() })))).toBe('expired')
    for (const expiresAt of [BigInt(Date.now()) + 366n * 86_400_000n, 8_640_000_000_000_001n]) {
      expect(await rejectionOf(take(signedBy(alice, { ...order, id: newId(), expiresAt })))).toBe('limit_exceeded')
    }
    await back(bob)
    expect(await nextHeld(held)).toMatchObject({ state: 'refused', reason: 'the order came too late' })

    cutOff(bob)
    expect(await take(signedBy(alice, await orderOf(alice, bob, { amount: 100n })))).toEqual({ state: 'held' })
    expect(await nextHeld(held)).toMatchObject({ state: 'unsettled' })
    const { devices } = await alice.me.calls.once('device.list', {})
    for (const { device } of devices) await alice.me.calls.once('device.revoke', { device }).catch(() => {})
    await back(bob)
    expect(await nextHeld(held)).toMatchObject({ state: 'refused', reason: 'the order is not signed by a device of the payer' })
    expect([await has(bob), await filesOf(bob)]).toEqual(['0.00', 0])
  })

  test('survives the death of the payee’s program between keeping and bringing', async () => {
    const [alice, bob] = await two({ limits: soonHeld })
    await bob.me[Symbol.asyncDispose]()
    const first = new HeldProgram(bob.home, alice.me.name)
    await first.line(/^ready$/)
    cut(bob)
    const order = await orderOf(alice, bob, { amount: 100n, memoHash: sha256('tea') })
    first.hand(signedBy(alice, order), 'tea')
    await first.line(/^answer held$/)
    await first.kill()
    expect(await filesOf(bob)).toBe(1)
    // What a crash has cut off, and what is no order, is in nobody's way.
    const folder = join(bob.home, 'orders-held', readdirSync(join(bob.home, 'orders-held'))[0] ?? '')
    writeFileSync(join(folder, `7-${'0'.repeat(32)}`), 'nothing')
    bob.relay.target = server.port
    const second = new HeldProgram(bob.home)
    await second.line(/^held \S+ \S+ 100 unsettled$/)
    await second.line(/^held \S+ \S+ 100 settled$/)
    await second.kill()
    const { transfer } = await alice.me.calls.again('payment.statement', {}).then(({ lines }) => lines[0] ?? { transfer: undefined })
    expect(transfer).toMatchObject({ id: order.id, amount: '1.00', memo: 'tea', status: 'posted' })
    expect([await has(alice), await filesOf(bob)]).toEqual(['9.00', 1])
  })
})

describe('what a payee hands back', () => {
  const other = newDeviceKeys()
  const changed = (receipt: Uint8Array) => receipt.with(-1, (receipt.at(-1) ?? 0) ^ 1)
  type Settled = Extract<PeerResult<'direct.pay'>, { state: 'settled' }>
  const lies: readonly (readonly [what: string, lie: (settled: Settled, earlier: Uint8Array) => Settled])[] = [
    ['the receipt of another payment', (settled, receipt) => ({ ...settled, receipt })],
    ['a changed receipt', (settled) => ({ ...settled, receipt: changed(settled.receipt) })],
    ['nothing of a receipt', (settled) => ({ ...settled, receipt: new Uint8Array(0) })],
    ['what it has signed itself', (settled) => ({ ...settled, receipt: signCose(settled.receipt, 'sealwire/receipt/1', other.ed25519) })],
  ]
  test.each(lies)('is not believed: %s', async (_what, lie) => {
    const [alice, bob] = await two()
    const earlier = await alice.me.payments.pay(bob.me.name, '1')
    const receipt = await bob.me.payments.receipt(earlier.id, { signer: alice.me.name })
    await alice.me.link(bob.me, async (pass, ...asked) => {
      const answer = await pass(...asked)
      return answer.state === 'settled' ? lie(answer, receipt) : answer
    })
    cutOff(alice)
    const id = freshId()
    const error = await errorOf(alice.me.payments.pay(bob.me.name, '1', { id }))
    expect([error.code, error.sentence]).toMatchObject(['untrusted', expect.stringContaining('the order may have been carried out')])
    // It was.
    await back(alice)
    expect(await alice.me.payments.pay(bob.me.name, '1', { id })).toMatchObject({ balance: '8.00' })
  })

  test('proves nothing where the key of the ledger is not known, and what it says beside the receipt is not looked at', async () => {
    const [alice, bob] = await two({ ledgerKey: () => undefined })
    await linked(alice, bob)
    cutOff(alice)
    expect((await errorOf(alice.me.payments.pay(bob.me.name, '1'))).code).toBe('untrusted')
    const [carol, dave] = await two()
    await carol.me.link(dave.me, async (pass, ...asked) => {
      const answer = await pass(...asked)
      if (answer.state === 'settled') expect(Object.keys(answer.transfer)).not.toContain('balance')
      return answer.state === 'settled'
        ? { ...answer, transfer: { ...answer.transfer, amount: '0.01', payee: 'mallory', posting: 1 } }
        : answer
    })
    cutOff(carol)
    const paid: Transfer = await carol.me.payments.pay(dave.me.name, '1')
    expect([paid.amount, paid.payee, paid.posting > 1]).toEqual(['1.00', dave.me.name, true])
  })

  test('is waited for no longer than it says, and then it is not known', async () => {
    const [alice, bob] = await two({ limits: { directPayAnswerMs: 200 } })
    await alice.me.link(bob.me, (_pass, _method, _params, { signal } = {}) => {
      const { promise, reject } = Promise.withResolvers<never>()
      signal?.addEventListener('abort', () => reject(new SealwireError('unknown_outcome', 'no answer came')), { once: true })
      return promise
    })
    cutOff(alice)
    const paying = errorOf(alice.me.payments.pay(bob.me.name, '1', { signal: AbortSignal.timeout(5_000) }))
    expect((await paying).code).toBe('unknown_outcome')
  })
})

describe('the word of a payee does not end the wait for a server', () => {
  const settled: PeerResult<'direct.pay'> = {
    ...{ state: 'settled', receipt: new Uint8Array(10) },
    transfer: {
      id: newId(),
      kind: 'pay',
      status: 'posted',
      unit: 'credits',
      amount: '1',
      payer: 'a',
      payee: 'b',
      signer: 'a',
      posting: 1,
      at: 1,
    },
  }
  const words: readonly (readonly [what: string, word: () => PeerResult<'direct.pay'>])[] = [
    ['that it is held', () => ({ state: 'held' })],
    ['with a bad receipt', () => settled],
    [
      'that it is refused',
      () => {
        throw new SealwireError('expired', 'the order came too late')
      },
    ],
  ]
  test.each(words)('which answers later: %s', async (_what, word) => {
    const [alice, bob] = await two()
    await alice.me.link(bob.me, async () => {
      setTimeout(() => alice.relay.release(), 500)
      return word()
    })
    alice.relay.hold()
    expect(await alice.me.payments.pay(bob.me.name, '1')).toMatchObject({ status: 'posted', balance: '9.00' })
  })

  test('but for the time that a payee has, and the connection', async () => {
    const [alice, bob] = await two({ limits: { directPayAnswerMs: 1_000 } })
    await alice.me.link(bob.me, async () => ({ state: 'held' }))
    alice.relay.hold()
    expect((await errorOf(alice.me.payments.pay(bob.me.name, '1'))).sentence).toMatch(/^the order was handed over/)
    alice.relay.release()
    // What ends this one is that the connection is lost.
    const [carol, dave] = await two({ limits: { directPayAnswerMs: 600_000 } })
    await carol.me.link(dave.me, async () => {
      setTimeout(() => cutOff(carol), 300)
      return { state: 'held' }
    })
    carol.relay.hold()
    expect((await errorOf(carol.me.payments.pay(dave.me.name, '1'))).sentence).toMatch(/^the order was handed over/)
  })
})

test('payments go over a link as two devices have it, both ways, and so do refusals', async () => {
  const [alice, bob] = [await person({}, 'alice'), await person({}, 'bob')]
  await mint(alice)
  await meet(alice, bob)
  const answers = ({ me }: Person) => ({ 'direct.pay': me.direct.take })
  const links = await new PeerStage(await makePeers()).both(answers(alice), answers(bob))
  alice.me.join(links.alice)
  bob.me.join(links.bob)
  await Promise.all([alice.me.direct.learnt('bob'), bob.me.direct.learnt('alice')])
  cutOff(alice)
  const paid = await alice.me.payments.pay('BOB', '3', { memo: 'Übersicht 👋🏽' })
  expect(paid).toMatchObject({ amount: '3.00', payee: 'bob', memo: 'Übersicht 👋🏽' })
  await back(alice)
  cutOff(bob)
  expect((await bob.me.payments.pay('alice', '1')).payee).toBe('alice')
  expect(await has(alice)).toBe('8.00')
  // Nobody has so much: alice is told so by the server, and bob by alice, which is no more than her word.
  const error = await errorOf(bob.me.payments.pay('alice', '5', { signal: AbortSignal.timeout(5_000) }))
  expect(error.code).toBe('unknown_outcome')
  expect(await filesOf(alice)).toBe(0)
  links.alice.close()
  await links.bob.closed
})
