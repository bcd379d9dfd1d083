import { expect, test } from 'bun:test'
import { Turn } from '../../../src/cli/chat/turn.ts'

test('Turn does one thing after the other, also behind one that fails', async () => {
  const turn = new Turn()
  const done: number[] = []
  const first = Promise.withResolvers<void>()
  const all = [
    turn.take(async () => {
      await first.promise
      done.push(1)
      throw new TypeError('no')
    }),
    turn.take(async () => done.push(2)),
    turn.take(async () => done.push(3)),
  ] as const
  const failed = all[0].catch((reason: unknown) => String(reason))
  await Promise.resolve()
  expect(done).toEqual([])
  first.resolve()
  await Promise.all([all[1], all[2]])
  expect(await failed).toBe('TypeError: no')
  expect(done).toEqual([1, 2, 3])
})
