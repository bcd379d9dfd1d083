import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { requestPages } from '../../src/client/payment-pages.ts'
import { formatMessageId } from '../../src/client/message-id.ts'
import type { Params, Result } from '../../src/protocol/contract/index.ts'

type Row = Result<'payment.requests'>['requests'][number]

const pageMax = 4

/** Requests at these moments, newest first, in pages as a server has them. */
function serverOf(moments: readonly number[]) {
  const rows = moments
    .toSorted((one, other) => other - one)
    .map((at, each): Row => {
      const id = new Uint8Array(16).fill(each)
      return { id, from: 'bob', to: 'alice', unit: 'credits', amount: '1.00', paid: '0.00', status: 'open', at }
    })
  let asked = 0
  const ask = async ({ before = Number.MAX_SAFE_INTEGER }: Params<'payment.requests'>): Promise<Result<'payment.requests'>> => {
    if (++asked > 2 * rows.length + 2) throw new Error('it asks for ever')
    const left = rows.filter(({ at }) => at < before)
    return { requests: left.slice(0, pageMax), more: left.length > pageMax }
  }
  return { ids: rows.map(({ id }) => formatMessageId(id)), ask }
}

describe('requestPages', () => {
  test('tells each request once and in order, also where a page ends within one moment', async () => {
    // A page holds all of a moment but one: more of one moment than that no page can tell apart.
    const fewOfEach = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 30 }).map((moments) => {
      const seen = new Map<number, number>()
      return moments.filter((at) => (seen.set(at, (seen.get(at) ?? 0) + 1).get(at) as number) < pageMax)
    })
    await fc.assert(
      fc.asyncProperty(fewOfEach, async (moments) => {
        const { ids, ask } = serverOf(moments)
        const told = await Array.fromAsync(requestPages(ask, {}), ({ id }) => id)
        expect(told).toEqual(ids)
      }),
    )
  })

  test('comes to an end where a whole page is of one moment', async () => {
    const { ids, ask } = serverOf([9, ...Array.from({ length: 10 }, () => 5), 1])
    const told = await Array.fromAsync(requestPages(ask, {}), ({ id }) => id)
    expect([told.length, new Set(told).size, told[0], told.at(-1)]).toEqual([told.length, told.length, ids[0], ids.at(-1)])
  })
})
