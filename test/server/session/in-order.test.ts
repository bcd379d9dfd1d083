import { describe, expect, test } from 'bun:test'
import { InOrder } from '../../../src/server/session/in-order.ts'

describe('InOrder', () => {
  test('gives answers in the order in which they were asked for, refusals too, whichever is known first', async () => {
    const { inOrder, given, ask } = subject(9)
    const [one, two, three] = [ask(), ask(), ask()]
    const idle = inOrder.idle()
    three.resolve('three')
    two.reject(new Error('two'))
    await Promise.all([three.promise, two.promise.catch(() => undefined)])
    expect(given).toEqual([])
    one.resolve('one')
    await idle
    expect(given).toEqual(['one', 'no two', 'three'])
    expect(inOrder.idle()).toBeUndefined()
    ask().resolve('four')
    await inOrder.idle()
    expect(given.at(-1)).toBe('four')
  })

  test('lets the next request wait only behind the last that may be under way, until one is given', async () => {
    const { inOrder, given, ask } = subject(2)
    const one = ask()
    expect(one.full).toBeUndefined()
    const two = ask()
    expect(two.full).toBeInstanceOf(Promise)
    let isIdle = false
    const idle = inOrder.idle()?.then(() => (isIdle = true))
    one.resolve('one')
    await two.full
    expect(given).toEqual(['one'])
    expect(isIdle).toBe(false)
    two.resolve('two')
    await idle
    expect(given).toEqual(['one', 'two'])
  })

  test('tells what giving an answer threw, and gives the others', async () => {
    const { inOrder, given, failures, ask } = subject(9)
    const [one, two] = [ask(), ask()]
    one.resolve('throw')
    two.resolve('two')
    await inOrder.idle()
    expect(failures.map(String)).toEqual(['Error: thrown'])
    expect(given).toEqual(['two'])
  })
})

function subject(max: number) {
  const [given, failures]: [string[], unknown[]] = [[], []]
  const inOrder = new InOrder<string>(max, (reason) => failures.push(reason))
  const give = (value: string): void => {
    if (value === 'throw') throw new Error('thrown')
    given.push(value)
  }
  const ask = () => {
    const answer = Promise.withResolvers<string>()
    const full = inOrder.add(answer.promise, { give, refuse: (reason) => given.push(`no ${(reason as Error).message}`) })
    return { ...answer, full }
  }
  return { inOrder, given, failures, ask }
}
