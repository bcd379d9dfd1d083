import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { holdPages, requestPages } from '../../../src/client/payments/pages.ts'
import { formatMessageId } from '../../../src/client/outbox/message-id.ts'
import type { Params, Result } from '../../../src/protocol/contract/index.ts'

type Row = Result<'payment.requests'>['requests'][number]

const pageMax = 4

/** Requests at these moments, newest first and of one moment by id, in pages as a server has them. */
function serverOf(moments: readonly number[]) {
  const rows = moments
    .toSorted((one, other) => other - one)
    .map((at, each): Row => {
      const id = new Uint8Array(16).fill(each)
      return { id, from: 'bob', to: 'alice', unit: 'credits', amount: '1.00', paid: '0.00', status: 'open', at }
    })
  let asked = 0
  const ask = async ({ before = Number.MAX_SAFE_INTEGER, beforeId }: Params<'payment.requests'>): Promise<Result<'payment.requests'>> => {
    if (++asked > rows.length + 1) throw new Error('it asks for ever')
    const isBehind = ({ at, id }: Row): boolean =>
      at < before || (at === before && beforeId !== undefined && Buffer.compare(id, beforeId) > 0)
    const left = rows.filter(isBehind)
    return { requests: left.slice(0, pageMax), more: left.length > pageMax }
  }
  return { ids: rows.map(({ id }) => formatMessageId(id)), ask }
}

describe('holdPages', () => {
  test('tells each hold once and in order', async () => {
    const id = new Uint8Array(16)
    const rows = Array.from(
      { length: 9 },
      (_, each) => ({ id, kind: 'hold', status: 'pending', unit: 'x', amount: '1', posting: 9 - each, at: 0 }) as const,
    )
    const ask = async ({ before = 10 }: Params<'payment.holds'>): Promise<Result<'payment.holds'>> => {
      const left = rows.filter(({ posting }) => posting < before)
      return { holds: left.slice(0, pageMax), more: left.length > pageMax }
    }
    expect(await Array.fromAsync(holdPages(ask), ({ posting }) => posting)).toEqual(rows.map(({ posting }) => posting))
  })
})

describe('requestPages', () => {
  test('tells each request once and in order, also where a page ends within one moment, however many are of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 }), async (moments) => {
        const { ids, ask } = serverOf(moments)
        const told = await Array.fromAsync(requestPages(ask, {}), ({ id }) => id)
        expect(told).toEqual(ids)
      }),
    )
  })
})
