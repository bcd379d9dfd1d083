// Load of payments over the contract and TLS: PAYERS accounts, each of which pays one other account the smallest part of a unit,
// with DEPTH orders that have no answer yet. Every order is signed by the device of its payer, before the clock starts: what is
// signed while it runs would be counted as the server's slowness on a machine of few cores.
//
//   node bin/bun.mjs bench/payment-load.ts PORT SERVER_PID PAYERS DEPTH SECONDS ORDERS TALK
//
// bench/payments.ts starts a server and this. Its first account, `bank`, gives to the others: the line `mint bank` on standard
// output asks for money, a line on standard input says that it is there. With TALK 1 the two have agreed to talk, and each
// payment brings a message into their conversation; with 0 it stands in the ledger alone.

import { createInterface } from 'node:readline/promises'
import { stampUuid7 } from '../src/domain/uuid7.ts'
import { signCose } from '../src/pki/cose-sign1.ts'
import { makeKeyStatement, newDeviceKeys } from '../src/pki/index.ts'
import { encodeOrder, type Order, orderPurposes } from '../src/protocol/contract/order.ts'
import { contractCommands, parseFault } from '../src/protocol/contract/index.ts'
import type { Packet } from '../src/protocol/index.ts'
import { createHash } from 'node:crypto'
import { Counts, fail, measure, storeWarmUpMs } from './load.ts'
import { dial, inSteps, LoadClient, newId, requestFrame } from './load-client.ts'
import { nativeLoad, play } from './native.ts'
import { encodePlan, type PlannedConnection } from './plan.ts'

const [port = 0, serverPid = 0, payers = 0, depth = 0, seconds = 0, orders = 0, talk = 0] = process.argv.slice(2).map(Number)
if (!(orders > 0)) fail('usage: payment-load.ts PORT SERVER_PID PAYERS DEPTH SECONDS ORDERS TALK')

const counts = new Counts()
const unit = 'credits'
const noMemo = new Uint8Array(createHash('sha256').digest())
const livesMs = 60 * 60 * 1000
const preparedAt = Date.now()

class Payer extends LoadClient {
  readonly #keys = newDeviceKeys()
  #server: Uint8Array = new Uint8Array()
  #account = 0n
  #frames: readonly Uint8Array[] = []
  #paid = 0
  #sentAt: number[] = []

  get account(): bigint {
    return this.#account
  }

  override async enter(): Promise<Uint8Array> {
    this.#server = await super.enter()
    await this.request('device.enrolKey', { statement: makeKeyStatement(this.#keys, this.#server) })
    this.#account = BigInt((await this.request('payment.units', {})).account)
    return this.#server
  }

  /** One order for many, 50 at a time. */
  async give(payees: readonly Payer[], amount: bigint): Promise<void> {
    for (let at = 0; at < payees.length; at += 50) {
      const parts = payees.slice(at, at + 50).map(({ account: payee }) => ({ payee, amount, memoHash: noMemo }))
      const given = { server: this.#server, payer: this.account, unit, id: newId(), expiresAt: BigInt(Date.now() + livesMs) }
      if (parts.length > 1) await this.request('payment.order', { kind: 'split', order: this.#signed({ kind: 'split', ...given, parts }) })
      else
        await this.request('payment.order', {
          kind: 'pay',
          order: this.#signed({ kind: 'pay', ...given, memoHash: noMemo, amount, payee: parts[0]?.payee ?? 0n }),
        })
    }
  }

  /** Ids begin with the time: the n-th of everybody with about the same, as if they were made when they are sent. */
  prepare(payee: Payer, count: number): void {
    const given = {
      kind: 'pay',
      server: this.#server,
      payer: this.account,
      payee: payee.account,
      unit,
      amount: 1n,
      memoHash: noMemo,
    } as const
    this.#frames = Array.from({ length: count }, (_, at) => {
      const id = stampUuid7(newId(), preparedAt + at)
      const order = this.#signed({ ...given, id, expiresAt: BigInt(Date.now() + livesMs) })
      return requestFrame(at, 'payment.order', { kind: 'pay', order })
    })
  }

  /** What {@link start} would do, for a program that costs less. */
  get plan(): PlannedConnection {
    return { token: this.token, requests: this.#frames }
  }

  start(): void {
    for (let open = 0; open < depth; open++) this.#pay()
  }

  protected packet({ command, body }: Packet): void {
    if (command === contractCommands.event) return void counts.delivered++
    if (command === contractCommands.fault) fail(`${this.name} was refused: ${parseFault(body).sentence}`)
    counts.accepted++
    counts.acceptMs.push(performance.now() - (this.#sentAt.shift() ?? fail('an answer too many')))
    this.#pay()
  }

  #pay(): void {
    this.send(this.#frames[this.#paid++] ?? fail('all orders are used: give more'))
    this.#sentAt.push(performance.now())
  }

  #signed(order: Order): Uint8Array {
    return signCose(encodeOrder(order), orderPurposes[order.kind], this.#keys.ed25519)
  }
}

const everybody = await inSteps(payers + 1, async (index) => {
  const payer = new Payer(await dial(port), index === 0 ? 'bank' : `p${index}`)
  await payer.enter()
  return payer
})
const [bank = fail('no bank'), ...all] = everybody
console.log('mint bank')
await createInterface(process.stdin).question('')
await bank.give(all, 1_000_000n)
for (const [index, payer] of all.entries()) {
  const payee = all[(index + 1) % all.length] ?? fail('nobody to pay')
  if (talk === 1) {
    await payer.request('contact.request', { name: payee.name, id: newId() })
    await payee.request('contact.accept', { name: payer.name })
  }
  payer.prepare(payee, Math.ceil(orders / payers))
}
const program = nativeLoad()
if (program !== undefined) {
  for (const payer of everybody) payer.leave()
  const plan = encodePlan(all.map((payer) => payer.plan))
  console.log(await play(program, [port, serverPid, depth, seconds, storeWarmUpMs], plan))
  process.exit()
}
for (const payer of all) payer.start()
await measure(counts, serverPid, seconds, storeWarmUpMs)
