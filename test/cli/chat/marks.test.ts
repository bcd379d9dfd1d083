import { expect, test } from 'bun:test'
import { ReadMarks } from '../../../src/cli/chat/marks.ts'

test('ReadMarks tells the last place, one at a time, and lets go of what cannot be told', async () => {
  const told: string[] = []
  let answer = Promise.withResolvers<void>()
  const readable = (name: string) => ({
    read: async (seq: number): Promise<void> => {
      told.push(`${name} ${seq}`)
      await answer.promise
    },
  })
  const [one, other] = [readable('one'), readable('other')]
  const marks = new ReadMarks()
  for (const seq of [1, 2, 4, 3]) marks.add(one, seq)
  marks.add(other, 7)
  expect(told).toEqual(['one 1'])
  const before = answer
  answer = Promise.withResolvers()
  before.reject(new Error('no connection'))
  await Promise.resolve()
  answer.resolve()
  await marks.settled()
  expect(told).toEqual(['one 1', 'one 4', 'other 7'])
})

test('ReadMarks leaves nothing out that is shown in the moment in which an answer comes', async () => {
  for (let after = 0; after < 8; after++) {
    const told: number[] = []
    const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const readable = { read: async (seq: number): Promise<void> => answers[told.push(seq) - 1]?.promise }
    const marks = new ReadMarks()
    marks.add(readable, 1)
    answers[0]?.resolve()
    for (let i = 0; i < after; i++) await Promise.resolve()
    marks.add(readable, 2)
    answers[1]?.resolve()
    await marks.settled()
    expect(told).toEqual([1, 2])
  }
})
