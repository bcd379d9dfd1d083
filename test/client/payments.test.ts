// Money by the SDK: real accounts with devices at a real server.

import { afterAll, describe, expect, test } from 'bun:test'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from '../../src/index.ts'
import { Home } from '../../src/client/home/home.ts'
import { openMember } from '../../src/client/home/member.ts'
import { HomeSigner } from '../../src/client/home/order-signer.ts'
import {
  type LoggedIn,
  MemoryOutbox,
  newMessageId,
  type OrderSigner,
  type PaymentRequest,
  Sealwire,
  type StatementLine,
} from '../../src/client/index.ts'
import { systemClock } from '../../src/domain/clock.ts'
import { parseLedgerPublicKey, verifyReceipt } from '../../src/pki/index.ts'
import type { Code } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { isMissing, nodeBinary } from '../support/python.ts'
import { rejectionOf } from '../support/refusal.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { MutedRelay } from './muted-relay.ts'

const server = await ServerProcess.start({ registration: 'invite', limits: { ...liftedRates, paymentRequestsStrangerMax: 60 } })
const relay = await MutedRelay.to(server.port)
const homes = new Homes()
const link = await inviteLink(server, '--uses', '100')
const root = fileURLToPath(new URL('../..', import.meta.url))
const everybody: Sealwire[] = []
let members = 0
/** Who gives everybody what they begin with. */
const bank = await member()
await admin('mint', bank.name, '1000')
afterAll(async () => {
  await Promise.all(everybody.map((me) => me.close()))
  homes[Symbol.dispose]()
  relay[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})

describe('pay', () => {
  test('resolves with what is posted, and both see it', async () => {
    const [alice, bob] = await two('10.00')
    const paid = await alice.payments.pay(bob.name, '2.50', { memo: 'lunch' })
    expect(paid).toMatchObject({ kind: 'pay', status: 'posted', unit: 'credits', amount: '2.50', minor: 250n, memo: 'lunch' })
    expect([paid.payer, paid.payee, paid.signer, paid.balance, paid.balanceMinor]).toEqual([alice.name, bob.name, alice.name, '7.50', 750n])
    expect(paid.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(await alice.payments.pay(bob.name, 1n)).toMatchObject({ amount: '0.01', minor: 1n, balance: '7.49' })
    expect(await bob.payments.balance()).toEqual({
      unit: 'credits',
      amount: '2.51',
      minor: 251n,
      held: '0.00',
      heldMinor: 0n,
      frozen: false,
    })
    expect(await bob.payments.transfer(paid.id, { signer: alice.name })).toMatchObject({ id: paid.id, amount: '2.50', balance: '2.50' })
  })

  test('pays once under one id, and nothing else under it', async () => {
    const [alice, bob] = await two('10.00')
    const id = freshId()
    const [first, second] = await Promise.all([alice.payments.pay(bob.name, '1', { id }), alice.payments.pay(bob.name, '1', { id })])
    expect([first.id, second.posting, (await bob.payments.balance()).amount]).toEqual([id, first.posting, '1.00'])
    expect(await rejectionOf(alice.payments.pay(bob.name, '1.01', { id }))).toBe('conflict')
  })

  test('is refused with a code, and takes no numbers', async () => {
    const [alice, bob] = await two('1.00')
    const refusals: Readonly<Record<string, Code>> = {
      '1.01': 'insufficient_funds',
      '0': 'amount_invalid',
      '1e3': 'amount_invalid',
      '0.001': 'amount_invalid',
    }
    for (const [amount, code] of Object.entries(refusals)) expect(await rejectionOf(alice.payments.pay(bob.name, amount))).toBe(code)
    expect(await rejectionOf(alice.payments.pay(bob.name, 0n))).toBe('amount_invalid')
    expect(await rejectionOf(alice.payments.pay(bob.name, -1n))).toBe('amount_invalid')
    expect(await rejectionOf(alice.payments.pay('nobody-of-that-name', '1'))).toBe('not_found')
    expect(await rejectionOf(alice.payments.pay(alice.name, '1'))).toBe('is_self')
    expect(await rejectionOf(alice.payments.pay(bob.name, '1', { unit: 'gold' }))).toBe('not_found')
    for (const number of [1, 0.5, Number.NaN]) {
      await expect(alice.payments.pay(bob.name, number as unknown as string)).rejects.toBeInstanceOf(TypeError)
    }
    await expect(alice.payments.pay(bob.name, '1', { id: 'none' })).rejects.toBeInstanceOf(TypeError)
    await expect(alice.payments.pay(bob.name, '1', { id: new Uint8Array(5) })).rejects.toBeInstanceOf(TypeError)
    for (const livesMs of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e30]) {
      await expect(alice.payments.hold(bob.name, '1', { livesMs })).rejects.toBeInstanceOf(TypeError)
      await expect(bob.payments.request(alice.name, '1', { livesMs })).rejects.toBeInstanceOf(TypeError)
    }
    expect(await alice.payments.balance()).toMatchObject({ amount: '1.00' })
  })

  test('is done once where the answer is lost behind the posting, and the program is none the wiser', async () => {
    const [alice, bob] = await two('10.00')
    await using deaf = deafAfterSigning(alice)
    for (const amount of ['1', '2']) {
      const news = bob.payments.changes()
      const paying = deaf.payments.pay(bob.name, amount)
      const { value } = await news.next()
      relay.cut()
      expect(await paying).toMatchObject({ id: value?.transfer?.id, status: 'posted', minor: BigInt(amount) * 100n })
      await news.return?.()
    }
    expect((await linesOf(bob)).map(({ amount }) => amount)).toEqual(['2.00', '1.00'])
    expect((await alice.payments.balance()).amount).toBe('7.00')
  })

  test('says that it may have been done where nobody waits for the answer, and its id tells', async () => {
    const [alice, bob] = await two('10.00')
    await using deaf = deafAfterSigning(alice)
    const [abort, id] = [new AbortController(), freshId()]
    const news = bob.payments.changes()
    const paying = rejectionOf(deaf.payments.pay(bob.name, '1', { id, signal: abort.signal }))
    await news.next()
    abort.abort()
    expect(await paying).toBe('unknown_outcome')
    relay.cut()
    expect(await alice.payments.transfer(id)).toMatchObject({ status: 'posted', amount: '1.00' })
    expect(await alice.payments.pay(bob.name, '1', { id })).toMatchObject({ balance: '9.00' })
    expect(await rejectionOf(alice.payments.transfer(freshId()))).toBe('not_found')
  })
})

describe('hold', () => {
  test('is captured in part, and the rest goes back', async () => {
    const [alice, bob] = await two('10.00')
    const held = await alice.payments.hold(bob.name, '5', { livesMs: 3_600_000 })
    expect(held).toMatchObject({ kind: 'hold', status: 'pending', minor: 500n })
    expect(await alice.payments.balance()).toMatchObject({ amount: '5.00', held: '5.00', heldMinor: 500n })
    const captured = await bob.payments.capture(alice.name, held.id, '3.20')
    expect(captured).toMatchObject({ kind: 'capture', status: 'posted', amount: '3.20', original: held.id, balance: '3.20' })
    expect(await alice.payments.transfer(held.id)).toMatchObject({ status: 'posted', captured: '3.20', capturedMinor: 320n })
    expect(await alice.payments.balance()).toMatchObject({ amount: '6.80', heldMinor: 0n })
    expect(await rejectionOf(bob.payments.capture(alice.name, held.id, '1'))).toBe('gone')
  })

  test('is let go', async () => {
    const [alice, bob] = await two('10.00')
    const held = await alice.payments.hold(bob.name, 500n)
    expect(await bob.payments.void(alice.name, held.id)).toMatchObject({ kind: 'void', status: 'posted', original: held.id })
    expect(await alice.payments.balance()).toMatchObject({ amount: '10.00', heldMinor: 0n })
  })

  test('is found by its id whatever the version of that', async () => {
    const [alice, bob] = await two('10.00')
    const id = Buffer.from(freshId().replaceAll('-', ''), 'hex')
    id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x40, 6)
    const held = await alice.payments.hold(bob.name, '5', { id: new Uint8Array(id) })
    expect(held.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
    expect(await bob.payments.capture(alice.name, held.id, '5')).toMatchObject({ original: held.id })
    expect(await alice.payments.transfer(held.id)).toMatchObject({ status: 'posted' })
    await expect(alice.payments.pay(bob.name, '1', { id: held.id })).rejects.toBeInstanceOf(TypeError)
  })

  test('is captured and paid back in its own unit, whatever the standard one is', async () => {
    await admin('unit', 'create', 'beans', '--name', 'Beans', '--decimals', '0')
    const [alice, bob] = await two('1.00')
    await admin('mint', bank.name, '100', '--unit', 'beans')
    await bank.payments.pay(alice.name, '10', { unit: 'beans' })
    const [beans] = await linesOf(alice, 'beans')
    expect(beans).toMatchObject({ amount: '10', balanceMinor: 10n })
    const held = await alice.payments.hold(bob.name, '10', { unit: 'beans' })
    // In whichever form the amount is: `4` of credits would be 400 beans.
    for (const amount of ['0.04', 4n]) {
      const captured = bob.payments.capture(alice.name, held.id, amount, { unit: 'credits' })
      await expect(captured).rejects.toMatchObject({ code: 'amount_invalid', sentence: 'the hold is in beans, not in credits' })
    }
    expect(await bob.payments.capture(alice.name, held.id, '4')).toMatchObject({ unit: 'beans', minor: 4n })
    const paid = await alice.payments.pay(bob.name, '6', { unit: 'beans' })
    expect(await rejectionOf(bob.payments.refund(alice.name, paid.id, '0.05', { unit: 'credits' }))).toBe('amount_invalid')
    expect(await bob.payments.refund(alice.name, paid.id, '5')).toMatchObject({ unit: 'beans', minor: 5n })
    expect(await bob.payments.balances()).toMatchObject([
      { unit: 'credits', minor: 0n },
      { unit: 'beans', amount: '5', minor: 5n },
    ])
    expect((await linesOf(bob, 'beans')).map(({ minor }) => minor)).toEqual([-5n, 6n, 4n])
  })
})

describe('split', () => {
  test('pays several or nobody', async () => {
    const [alice, bob] = await two('10.00')
    const carol = await member()
    const shares = [
      { name: bob.name, amount: '1.50', memo: 'soup' },
      { name: carol.name, amount: 250n },
    ]
    const paid = await alice.payments.split(shares)
    expect(paid).toMatchObject({ kind: 'split', minor: 400n, balance: '6.00' })
    expect(paid.parts).toEqual([
      { payee: bob.name, amount: '1.50', minor: 150n, memo: 'soup' },
      { payee: carol.name, amount: '2.50', minor: 250n },
    ])
    expect(await linesOf(bob)).toMatchObject([{ kind: 'split', amount: '1.50', transfer: { memo: 'soup', minor: 150n } }])
    expect(await rejectionOf(alice.payments.split([{ name: bob.name, amount: '1' }]))).toBe('malformed')
    const tooMuch = [...shares.slice(0, 1), { name: carol.name, amount: '9' }]
    expect(await rejectionOf(alice.payments.split(tooMuch))).toBe('insufficient_funds')
    expect((await bob.payments.balance()).amount).toBe('1.50')
  })
})

describe('request', () => {
  test('is paid in part, then the rest, and then no more', async () => {
    const [alice, bob] = await two('10.00')
    const id = freshId()
    const asked = await bob.payments.request(alice.name, '4', { id, memo: 'taxi' })
    expect(asked).toMatchObject({
      id,
      from: bob.name,
      to: alice.name,
      amount: '4.00',
      minor: 400n,
      paidMinor: 0n,
      status: 'open',
      memo: 'taxi',
    })
    expect(await bob.payments.request(alice.name, '4', { id, memo: 'taxi' })).toEqual(asked)
    const [found] = await requestsOf(alice)
    // They do not talk: what it is for is nobody else's business yet.
    const { memo: _, ...wordless } = asked
    expect(found).toEqual(wordless)
    await alice.payments.payRequest(asked, { amount: '1' })
    const [rest] = await requestsOf(alice)
    expect(rest).toMatchObject({ paid: '1.00', paidMinor: 100n, status: 'open' })
    expect(await rejectionOf(alice.payments.payRequest(asked))).toBe('amount_invalid')
    expect(await alice.payments.payRequest(rest as PaymentRequest)).toMatchObject({ minor: 300n, balance: '6.00' })
    expect(await requestsOf(alice)).toEqual([])
    const [over] = await requestsOf(bob, true)
    expect(over).toMatchObject({ id, status: 'paid' })
    expect(await rejectionOf(alice.payments.payRequest(over as PaymentRequest))).toBe('gone')
  })

  test('is cancelled by who asked, and declined by who was asked', async () => {
    const [alice, bob] = await two('1.00')
    const [one, other] = [await bob.payments.request(alice.name, 1n), await bob.payments.request(alice.name, 2n)]
    expect(await bob.payments.cancel(one.id)).toMatchObject({ id: one.id, status: 'cancelled' })
    expect(await alice.payments.decline(other.id)).toMatchObject({ id: other.id, status: 'declined' })
    expect(await rejectionOf(alice.payments.payRequest(other))).toBe('gone')
  })
})

describe('what there is to see', () => {
  test('a statement of several pages, newest first, each posting once', async () => {
    const [alice, bob] = await two('10.00')
    const count = 120
    await Promise.all(Array.from({ length: count }, () => alice.payments.pay(bob.name, 1n)))
    const lines = await linesOf(bob)
    expect(lines.map(({ balanceMinor }) => balanceMinor)).toEqual(Array.from({ length: count }, (_, each) => BigInt(count - each)))
    const [newest] = lines
    const older: StatementLine[] = []
    for await (const line of bob.payments.statement({ unit: 'credits', before: newest?.posting })) if (older.push(line) === 60) break
    expect(older).toEqual(lines.slice(1, 61))
  })

  test('requests of several pages, each once', async () => {
    const [alice, bob] = await two('1.00')
    const made = await Promise.all(Array.from({ length: 60 }, () => bob.payments.request(alice.name, 1n)))
    const listed = await requestsOf(alice)
    expect(listed.map(({ id }) => id).toSorted()).toEqual(made.map(({ id }) => id).toSorted())
  })

  test('a receipt that is good without the server', async () => {
    const [alice, bob] = await two('1.00')
    const paid = await alice.payments.pay(bob.name, '0.50')
    const receipts = [
      await alice.payments.receipt(paid.id),
      await bob.payments.receipt(paid.id, { signer: alice.name }),
      await bob.payments.receipt(paid.posting),
    ]
    const path = join(homes.path(alice.name), 'ledger.pub')
    const key = parseLedgerPublicKey(readFileSync(path, 'utf8'), path)
    for (const receipt of receipts) expect(verifyReceipt(receipt, key).posting).toMatchObject({ kind: 'pay', seq: BigInt(paid.posting) })
  })

  test('what others change is told live, in the words of the SDK', async () => {
    const [alice, bob] = await two('10.00')
    const [news, events] = [bob.payments.changes(), bob.events()]
    const paid = await alice.payments.pay(bob.name, '1')
    expect((await news.next()).value).toMatchObject({ transfer: { id: paid.id, amount: '1.00', minor: 100n } })
    expect((await events.next()).value).toMatchObject({ event: 'payment.changed', data: { transfer: { amount: '1.00' } } })
    const asked = await alice.payments.request(bob.name, '2')
    const { value } = await news.next()
    expect(value?.request).toMatchObject({ id: asked.id, minor: 200n })
    const stop = new AbortController()
    const stopped = bob.payments.changes({ signal: stop.signal })
    stop.abort()
    expect(await stopped.next()).toEqual({ done: true, value: undefined })
    await bob.close()
    expect(await news.next()).toEqual({ done: true, value: undefined })
  })
})

const onBun = ['Bun', process.execPath] as const

describe('the program of docs/sdk.md', () => {
  test.each(isMissing('SEALWIRE_NODE') ? [onBun] : [onBun, ['Node', nodeBinary] as const])(
    'pays, and prints what moved, on %s',
    async (_name, runtime) => {
      const [alice, bob] = await two('20.00')
      await alice.close()
      const text = /^## Payments\n.*?^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/sdk.md'), 'utf8'))?.[1] ?? ''
      const program = homes.path(`program-${alice.name}.ts`)
      const main = JSON.stringify(join(root, 'src/index.ts'))
      const own = text
        .replace("'sealwire'", main)
        .replace("'./alice'", JSON.stringify(homes.path(alice.name)))
        .replace("'bob'", `'${bob.name}'`)
      writeFileSync(program, own)
      const { stdout, stderr } = await promisify(execFile)(runtime, [program], { timeout: 50_000 })
      expect(stderr.replace(/^.*(Warning|node --trace).*\n/gm, '')).toBe('')
      expect(stdout.replace(/^\S+Z /gm, '')).toMatch(
        /^paid 12\.50 credits, 7\.50 left, id \S+\npay -12\.50 credits 7\.50\npay 20\.00 credits 20\.00\n$/,
      )
      expect(await bob.payments.balance()).toMatchObject({ amount: '12.50' })
    },
  )
})

/** Somebody new. */
async function member(port = server.port): Promise<Sealwire> {
  const name = `member${++members}`
  const me = await connect(link.replace(`:${server.port}/`, `:${port}/`), { name, home: homes.path(name) })
  everybody.push(me)
  return me
}

/** Two who are new; the first one has something, and talks through the relay. */
async function two(amount: string): Promise<readonly [Sealwire, Sealwire]> {
  const [alice, bob] = [await member(relay.port), await member()]
  await bank.payments.pay(alice.name, amount)
  return [alice, bob]
}

/** Another program of the same home, through the relay; from the moment that it has signed, its connection brings nothing any more until it is cut. */
function deafAfterSigning(me: Sealwire): Sealwire {
  const home = new Home(homes.path(me.name))
  const signer = new HomeSigner(home)
  const sign: OrderSigner = (payload, purpose) => {
    relay.mute()
    return signer.sign(payload, purpose)
  }
  const open = async (signal: AbortSignal): Promise<LoggedIn> => {
    const { client, device, profile } = await openMember(home, { clock: systemClock, signal, warn: () => {} })
    return { client, device, name: profile.name }
  }
  return new Sealwire({ open, sign, outbox: new MemoryOutbox() })
}

async function admin(...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runCli(['admin', ...args, '--data', server.data])
  if (exitCode !== 0) throw new Error(stderr)
}

async function linesOf(me: Sealwire, unit?: string): Promise<readonly StatementLine[]> {
  const lines: StatementLine[] = []
  for await (const line of me.payments.statement({ unit })) lines.push(line)
  return lines
}

async function requestsOf(me: Sealwire, all = false): Promise<readonly PaymentRequest[]> {
  const requests: PaymentRequest[] = []
  for await (const request of me.payments.requests({ all })) requests.push(request)
  return requests
}

function freshId(): string {
  return newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))
}
