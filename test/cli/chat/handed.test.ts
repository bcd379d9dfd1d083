import { describe, expect, test } from 'bun:test'
import { ChatHanded } from '../../../src/cli/chat/handed.ts'
import type { DirectNews } from '../../../src/cli/chat/direct-news.ts'
import type { HeldOrder } from '../../../src/client/direct/direct.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { DirectDouble } from './direct-double.ts'

describe('ChatHanded', () => {
  test.each([false, true])('tells of money that waits and what becomes of it (json: %p)', async (json) => {
    const { handed, end } = chatting({ json })
    const orders = [
      held('one', 'unsettled'),
      held('one', 'unsettled'),
      held('one', 'settled'),
      // The conversation tells of what was settled at once, and nobody has to know what was refused at once.
      held('two', 'settled'),
      held('three', 'refused'),
      held('four', 'unsettled'),
      held('four', 'refused'),
    ]
    for (const order of orders) handed.hold(order)
    const all = orders.map(({ id, state }) => `${id} ${state} 5.00`)
    expect((await end()).map(shown)).toEqual(
      json ? all : ['one unsettled 5.00', 'one settled 5.00', 'four unsettled 5.00', 'four refused 5.00'],
    )
  })

  test('tells of money without knowing its unit', async () => {
    const { handed, me, end } = chatting()
    me.payments.amountText = async () => {
      throw new SealwireError('unreachable', 'no')
    }
    handed.hold(held('a', 'unsettled'))
    expect(await end()).toMatchObject([{ event: 'held', order: { minor: 5n, amount: undefined } }])
  })

  test('knows as many as there is room for, the newest', async () => {
    const { handed, told, end } = chatting()
    const isTold = async (each: number): Promise<boolean> => {
      const before = told.length
      handed.hold(held(`o${each}`, 'settled'))
      await new Promise(setImmediate)
      return told.length > before
    }
    const max = limitTable.chatDirectMax.value
    for (let each = 0; each <= max; each++) {
      handed.hold(held(`o${each}`, 'unsettled'))
      await new Promise(setImmediate)
    }
    expect([await isTold(1), await isTold(0)]).toEqual([true, false])
    await end()
  })

  test('has nothing to tell where nobody hands anything over', async () => {
    const { me, told } = chatting()
    const chat = new ChatHanded({ me: { ...me, handed: undefined }, clock: systemClock, tell: (news) => void told.push(news) })
    await chat.follow(new AbortController().signal)
    expect(told).toEqual([])
  })
})

function chatting({ json = false }: { readonly json?: boolean } = {}) {
  const handed = new DirectDouble()
  const told: DirectNews[] = []
  const me = { handed, payments: { amountText: async (minor: unknown) => `${String(minor)}.00` } }
  const ended = new AbortController()
  const chat = new ChatHanded({ me, clock: systemClock, json, tell: (news) => void told.push(news) })
  const following = chat.follow(ended.signal)
  /** Everything that was told, when what was pushed before is taken. */
  const end = async (): Promise<readonly DirectNews[]> => {
    await new Promise(setImmediate)
    ended.abort()
    await following
    return told
  }
  return { handed, me, told, end }
}

function shown(news: DirectNews): string | undefined {
  return news.event === 'held' ? `${news.order.id} ${news.order.state} ${news.order.amount ?? ''}` : undefined
}

function held(id: string, state: HeldOrder['state']): HeldOrder {
  return { from: 'alice', id, minor: 5n, unit: 'credits', expiresAt: 1, state }
}
