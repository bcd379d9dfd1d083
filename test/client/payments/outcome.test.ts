// What becomes of an order while connections come and go: a script answers, and the clock is the test's.

import { describe, expect, test } from 'bun:test'
import { decodeOrder, type Params, type PayOrder, type Result } from '../../../src/protocol/contract/index.ts'
import type { Code } from '../../../src/protocol/index.ts'
import { formatAmount } from '../../../src/domain/index.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { DeliveryServer } from '../delivery-server.ts'

describe('an order', () => {
  test.each(['cut', 'unknown_outcome', 'silent'] as const)('is sent as the same bytes until there is an answer: %s', async (trouble) => {
    const { server, me, orders } = bank([...Array.from({ length: 12 }, () => trouble), undefined])
    const paying = me.payments.pay('bob', '1.50')
    await pass(server, paying)
    expect(await paying).toMatchObject({ status: 'posted', amount: '1.50' })
    expect([orders.length, new Set(orders.map((order) => Buffer.from(order).toString('hex'))).size]).toEqual([13, 1])
    await me.close()
  })

  test.each(['insufficient_funds', 'conflict', 'frozen', 'ledger_broken', 'signature_invalid'] as const)(
    'is refused once, and at once: %s',
    async (code) => {
      const { me, orders } = bank([code, undefined])
      expect(await rejectionOf(me.payments.pay('bob', '1'))).toBe(code)
      expect(orders.length).toBe(1)
      await me.close()
    },
  )

  test('is given up after five tries by a server that is busy, and never where an earlier try may have done it', async () => {
    const certain = bank(['busy', 'busy', 'busy', 'busy', 'busy', undefined])
    const refused = rejectionOf(certain.me.payments.pay('bob', '1'))
    await pass(certain.server, refused)
    expect([await refused, certain.orders.length]).toEqual(['busy', 5])
    const doubtful = bank(['cut', 'busy', 'busy', 'busy', 'busy', 'busy', 'busy', undefined])
    const paying = doubtful.me.payments.pay('bob', '1')
    await pass(doubtful.server, paying)
    expect([(await paying).status, doubtful.orders.length]).toEqual(['posted', 8])
    await Promise.all([certain.me.close(), doubtful.me.close()])
  })

  test('is waited for no longer than the program wishes, which is told whether it may have been done', async () => {
    const { server, me, orders } = bank(['silent', undefined])
    const abort = new AbortController()
    const paying = rejectionOf(me.payments.pay('bob', '1', { signal: abort.signal }))
    while (orders.length === 0) await server.settle()
    abort.abort()
    expect(await paying).toBe('unknown_outcome')
    expect(await rejectionOf(me.payments.pay('bob', '1', { signal: abort.signal }))).toBe('unreachable')
    expect(orders.length).toBe(1)
    await me.close()
  })

  test('may have been done when everything is closed before the answer', async () => {
    const { server, me, orders } = bank(Array.from({ length: 1_000 }, () => 'cut'))
    const paying = rejectionOf(me.payments.pay('bob', '1'))
    while (orders.length === 0) await server.settle()
    await me.close()
    await pass(server, paying)
    expect(await paying).toBe('unknown_outcome')
  })

  test('may have been done when the account is banned before the answer', async () => {
    const { me } = bank(['account_banned'])
    expect(await rejectionOf(me.payments.pay('bob', '1'))).toBe('unknown_outcome')
    await me.close()
  })

  test('was not sent where there is no connection in time', async () => {
    const { server, me, orders } = bank([])
    server.refuseDial = 'unreachable'
    const paying = rejectionOf(me.payments.pay('bob', '1'))
    await pass(server, paying)
    expect([await paying, orders.length]).toEqual(['unreachable', 0])
    await me.close()
  })

  test.each([{ amount: '1.51' }, { status: 'pending' }, { id: new Uint8Array(16).fill(9) }, { kind: 'hold' }] as const)(
    'is not done by an answer that says something else: %j',
    async (wrong) => {
      const { me } = bank([undefined], wrong)
      expect(await rejectionOf(me.payments.pay('bob', '1.50'))).toBe('unexpected')
      await me.close()
    },
  )

  test('needs a device', async () => {
    const { server } = bank([])
    const me = server.sealwire()
    expect(await rejectionOf(me.payments.pay('bob', '1'))).toBe('device_required')
    expect((await me.payments.unit()).unit).toBe('credits')
    await me.close()
  })

  test('is for the unit that is the standard one now', async () => {
    const { me, orders, units } = bank([undefined, undefined])
    await me.payments.pay('bob', '1')
    units.push({ unit: 'beans', name: 'Beans', decimals: 0, standard: true })
    Object.assign(units[0] ?? {}, { standard: false })
    expect(await me.payments.pay('bob', '3')).toMatchObject({ unit: 'beans', minor: 3n })
    expect(orders.length).toBe(2)
    await me.close()
  })
})

type Trouble = Code | 'cut' | 'silent' | undefined

/** A server with one trouble for each order, in their order, and somebody who signs with nothing. */
function bank(troubles: readonly Trouble[], wrong: Partial<Result<'payment.order'>> = {}) {
  const units: Result<'payment.units'>['units'] = [{ unit: 'credits', name: 'Credits', decimals: 2, standard: true }]
  const server = new DeliveryServer(
    {},
    {
      'payment.units': () => ({ account: 1, units: [...units] }),
      'payment.find': ({ name }) => ({ account: 2, name }),
      'payment.order': (request) => ({ ...answerTo(request, units), ...wrong }),
    },
  )
  const orders: Uint8Array[] = []
  server.refuse = (method, params) => {
    if (method !== 'payment.order') return undefined
    orders.push((params as Params<'payment.order'>).order)
    return troubles[orders.length - 1]
  }
  return { server, orders, units, me: server.sealwire({ sign: async (payload) => payload }) }
}

function answerTo({ order }: Params<'payment.order'>, units: Result<'payment.units'>['units']): Result<'payment.order'> {
  const { id, unit, amount } = decodeOrder('pay', order) as PayOrder
  const decimals = BigInt(units.find((each) => each.unit === unit)?.decimals ?? 0)
  return {
    id,
    kind: 'pay',
    status: 'posted',
    unit,
    amount: formatAmount(amount, decimals),
    payer: 'alice',
    payee: 'bob',
    posting: 1,
    at: 1,
  }
}

/** Lets time go on until it is over. */
async function pass(server: DeliveryServer, promise: Promise<unknown>): Promise<void> {
  let isOver = false
  const end = (): void => void (isOver = true)
  promise.then(end, end)
  for (let seconds = 0; !isOver && seconds < 3_600; seconds++) {
    await server.clock.move(1_000)
    await server.settle()
  }
}
