// Amounts that are none, at every edge where somebody can write one: commands, the SDK, requests of the contract, the operator's
// commands, and the number inside a signed order. Each is refused with its code and with what is wrong, and nothing is posted.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Home } from '../../src/client/home/home.ts'
import { type Purse, withPurse } from '../../src/cli/money/money.ts'
import { signCose } from '../../src/pki/cose-sign1.ts'
import { encodeCbor, orderPurposes } from '../../src/protocol/contract/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes } from '../cli/member-support.ts'
import { form, isLong } from './form.ts'
import { below, randomOf, seedOf } from './random.ts'
import { deviceClient, enrolDevice, messageId } from '../support/device-client.ts'
import { newId, noMemo } from '../support/payer.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const words = 'decimal text such as 12.50'
/** Of a unit with two places. */
const texts: readonly (readonly [text: string, why: string])[] = [
  ['0', 'must be more than 0'],
  ['0.00', 'must be more than 0'],
  ['-1', 'has no sign'],
  ['-0', 'has no sign'],
  ['+5', 'has no sign'],
  [String(2n ** 53n - 1n), 'is too large'],
  [String(2n ** 53n), 'is too large'],
  [String(2n ** 53n + 1n), 'is too large'],
  [String(2n ** 63n - 1n), 'is too large'],
  [String(2n ** 64n), 'is too large'],
  ['10000000000000.01', 'is too large'],
  ['1e3', 'has no exponent'],
  ['1.5E3', 'has no exponent'],
  ['1.234', 'has at most 2 decimal places'],
  ['5.000', 'has at most 2 decimal places'],
  ['05', 'has no leading zeros'],
  ['00.5', 'has no leading zeros'],
  ...['NaN', 'Infinity', '٥', '५', '５', '𝟝', ' 5', '5 ', '5.', '.5', '0x10', '5,00', '1_000', '5n', ''].map(
    (text) => [text, words] as const,
  ),
]

/** Minor units, which the SDK takes too, and numbers, which it does not. */
const minors: readonly (readonly [minor: bigint | number, why: RegExp])[] = [
  ...[0n, -1n].map((minor) => [minor, /^\[amount_invalid\] .*(more than 0|has no sign|from 1 to 10\^15)/] as const),
  ...[2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n, 10n ** 15n + 1n].map(
    (minor) => [minor, /^\[amount_invalid\] .*(too large|from 1 to 10\^15)/] as const,
  ),
  ...[5, 1e3, 0.5, Number.NaN].map((minor) => [minor, /never a number/] as const),
]

/** Items of CBOR where an amount should be, in hexadecimal digits. */
const items: readonly (readonly [what: string, item: string, code: string, why: string])[] = [
  ...(
    [
      ['0', '00'],
      ['-1', '20'],
      ['10^15 + 1', '1b00038d7ea4c68001'],
      ['2^53 - 1', '1b001fffffffffffff'],
      ['2^53 + 1', '1b0020000000000001'],
      ['2^63 - 1', '1b7fffffffffffffff'],
      ['2^64 - 1', '1bffffffffffffffff'],
      ['-2^64', '3bffffffffffffffff'],
    ] as const
  ).map(([what, item]) => [what, item, 'amount_invalid', 'from 1 to 10^15'] as const),
  ...(
    [
      ['2^64, as a large number', 'c249010000000000000000'],
      ['5 in two bytes', '1805'],
      ['5 in three bytes', '190005'],
      ['5 in nine bytes', '1b0000000000000005'],
    ] as const
  ).map(([what, item]) => [what, item, 'malformed', 'not the CBOR of this protocol'] as const),
  ...(
    [
      ['1e3, as a floating-point number', 'f963d0'],
      ['5, as a floating-point number', 'fb4014000000000000'],
      ['0.5', 'f93800'],
      ['NaN', 'f97e00'],
      ['infinity', 'f97c00'],
    ] as const
  ).map(([what, item]) => [what, item, 'malformed', 'a floating-point number'] as const),
  ...(
    [
      ['5 as text', '6135'],
      ['1e3 as text', '63316533'],
      ['an Arabic 5', '62d9a5'],
      ['5 as bytes', '4105'],
      ['5 in an array', '8105'],
      ['nothing', 'f6'],
      ['true', 'f5'],
    ] as const
  ).map(([what, item]) => [what, item, 'malformed', 'does not say what an order of its kind says'] as const),
]

const server = await ServerProcess.start({ limits: liftedRates, flags: ['--mutual-tls', 'optional'] })
const homes = new Homes()
const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]
const carol = await enrolDevice(server, 'carol')
const [hold, payment] = [messageId(), messageId()]
let postings = 0

beforeAll(async () => {
  for (const name of ['alice', 'bob', 'carol']) await run('admin', 'mint', name, '100', '--data', server.data)
  await withPurse(new Home(bob), async ({ payments }) => {
    await payments.hold('alice', '5', { id: hold })
    await payments.pay('alice', '5', { id: payment })
  })
  postings = await count()
  expect(postings).toBe(5)
}, 60_000)

afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})

type Edge = readonly [name: string, args: (text: string) => readonly string[]]
const uuid = (id: Uint8Array): string =>
  Buffer.from(id)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
const commands: readonly Edge[] = [
  ['pay', (text) => ['pay', '--yes', '--home', alice, '--', 'bob', text]],
  ['hold', (text) => ['hold', '--home', alice, '--', 'bob', text]],
  ['capture', (text) => ['capture', '--home', alice, '--', 'bob', uuid(hold), text]],
  ['refund', (text) => ['refund', '--home', alice, '--', 'bob', uuid(payment), text]],
  ['split', (text) => ['split', '--yes', '--home', alice, '--', `bob=${text}`, 'carol=1']],
  ['request', (text) => ['request', '--home', alice, '--', 'bob', text]],
  ['admin mint', (text) => ['admin', 'mint', '--data', server.data, '--', 'alice', text]],
  ['admin burn', (text) => ['admin', 'burn', '--data', server.data, '--', 'alice', text]],
]

describe('an amount that is none is refused with the reason', () => {
  test(
    `by ${form('one command each', 'every command')}`,
    async () => {
      const random = randomOf(seedOf('amounts'))
      for (const [text, why] of texts) {
        const chosen = isLong ? commands : [commands[below(random, commands.length)] as Edge]
        await Promise.all(
          chosen.map(async ([name, args]) => {
            const { exitCode, stdout, stderr } = await runCli(args(text))
            expect([name, text, exitCode, stdout]).toEqual([name, text, 6, ''])
            expect(`${name} ${text}: ${stderr}`).toContain(why)
          }),
        )
      }
      expect(await count()).toBe(postings)
    },
    form(120_000, 900_000),
  )

  test('by the SDK', async () => {
    await withPurse(new Home(alice), async (purse) => {
      for (const [name, attempt] of Object.entries(attempts(purse))) {
        for (const [text, why] of texts) {
          const message = await refusal(attempt(text))
          expect([name, text, message]).toEqual([name, text, expect.stringMatching(/^\[amount_invalid\] /)])
          expect(`${name} ${text}: ${message}`).toContain(why)
        }
        for (const [minor, why] of minors)
          expect([name, minor, await refusal(attempt(minor as bigint))]).toEqual([name, minor, expect.stringMatching(why)])
      }
    })
    expect(await count()).toBe(postings)
  }, 60_000)

  test('by a request of the contract', async () => {
    await using client = await deviceClient(server, carol)
    for (const [amount, why] of texts) {
      const message = await refusal(client.request('payment.request', { id: newId(), name: 'bob', amount }))
      expect([amount, message]).toEqual([amount, expect.stringMatching(/^\[amount_invalid\] /)])
      expect(`${amount}: ${message}`).toContain(why)
    }
    expect((await client.request('payment.requests', {})).requests).toEqual([])
  })

  test('inside an order that is signed, whatever is ordered', async () => {
    await using client = await deviceClient(server, carol)
    const { account: self } = await client.request('payment.units', {})
    const { account: other } = await client.request('payment.find', { name: 'bob' })
    const around = payloads(client.welcome.server ?? new Uint8Array(16), self, other)
    const signed = (kind: keyof typeof around, item: Uint8Array): Uint8Array =>
      signCose(around[kind](item), orderPurposes[kind], carol.keys.ed25519)
    for (const kind of ['pay', 'hold', 'capture', 'refund', 'split'] as const) {
      for (const [what, item, code, why] of items) {
        const order = signed(kind, Buffer.from(item, 'hex'))
        const message = await refusal(client.request('payment.order', { kind, order }))
        expect(`${kind} ${what}: ${message}`).toStartWith(`${kind} ${what}: [${code}] `)
        expect(`${kind} ${what}: ${message}`).toContain(why)
      }
    }
    expect(await count()).toBe(postings)
    // The same bytes around a good amount are an order.
    const order = signed('pay', Uint8Array.of(5))
    expect(await client.request('payment.order', { kind: 'pay', order })).toMatchObject({ status: 'posted', amount: '0.05' })
    postings++
    expect(await count()).toBe(postings)
  }, 60_000)
})

/** What the SDK is asked for with an amount. */
function attempts({ payments }: Purse): Readonly<Record<string, (amount: string | bigint) => Promise<unknown>>> {
  return {
    pay: (amount) => payments.pay('bob', amount),
    hold: (amount) => payments.hold('bob', amount),
    capture: (amount) => payments.capture('bob', hold, amount),
    refund: (amount) => payments.refund('bob', payment, amount),
    split: (amount) =>
      payments.split([
        { name: 'bob', amount },
        { name: 'carol', amount: '1' },
      ]),
    request: (amount) => payments.request('bob', amount),
  }
}

/** Payloads of orders around the item that stands for the amount. */
function payloads(id: Uint8Array, self: number, other: number) {
  const expiresAt = Date.now() + 600_000
  const around = (...parts: readonly (Uint8Array | number | string)[]): Uint8Array => {
    const encoded = parts.map((part) => (part instanceof Item ? part.bytes : encodeCbor(part)))
    return Uint8Array.of(0x80 + parts.length, ...encoded.flatMap((bytes) => [...bytes]))
  }
  return {
    pay: (amount: Uint8Array) => around(id, self, other, 'credits', new Item(amount), newId(), expiresAt, noMemo),
    hold: (amount: Uint8Array) => around(id, self, other, 'credits', new Item(amount), newId(), expiresAt, noMemo),
    capture: (amount: Uint8Array) => around(id, self, other, hold, new Item(amount), newId()),
    refund: (amount: Uint8Array) => around(id, self, other, payment, new Item(amount), newId(), noMemo),
    split: (amount: Uint8Array) => {
      const part = (account: number): Item => new Item(around(account, new Item(amount), noMemo))
      return around(id, self, 'credits', newId(), expiresAt, new Item(around(part(other), part(other + 1))))
    },
  }
}

/** Bytes that are CBOR already, or should be. */
class Item extends Uint8Array {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    super(0)
    this.bytes = bytes
  }
}

/** What an attempt is refused with: `[code] sentence`. */
async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'it was done'
  } catch (reason) {
    return reason instanceof TypeError ? reason.message : SealwireError.from(reason).message
  }
}

async function run(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(args)
  expect([exitCode, stderr]).toEqual([0, ''])
  return stdout
}

/** Postings in the ledger. */
async function count(): Promise<number> {
  return (await run('ledger', 'export', '--data', server.data)).trimEnd().split('\n').length
}
