import { describe, expect, test } from 'bun:test'
import { LogQueue } from '../../../src/cli/log/queue.ts'

const lossLine = (lines: number) => `lost ${lines}\n`

describe('LogQueue', () => {
  test('writes the lines of one moment together, in order', async () => {
    const { queue, batches } = open(1000)
    queue.push('a\n')
    queue.push('b\n')
    await queue.drained()
    queue.push('c\n')
    await queue.drained()
    expect(batches).toEqual(['a\nb\n', 'c\n'])
  })

  test('has one write under way at a time', async () => {
    const gates: (() => void)[] = []
    const batches: string[] = []
    const queue = new LogQueue(
      1000,
      (batch) => {
        batches.push(batch)
        return new Promise((resolve) => gates.push(resolve))
      },
      lossLine,
    )
    queue.push('a\n')
    await Promise.resolve()
    queue.push('b\n')
    await Promise.resolve()
    expect(batches).toEqual(['a\n'])
    gates.shift()?.()
    while (gates.length === 0) await Promise.resolve()
    expect(batches).toEqual(['a\n', 'b\n'])
    gates.shift()?.()
    await queue.drained()
  })

  test('loses lines when it is full, and says how many where they are missing', async () => {
    const { queue, batches } = open(4)
    for (const line of ['a\n', 'b\n', 'c\n', 'd\n']) queue.push(line)
    await queue.drained()
    queue.push('e\n')
    await queue.drained()
    expect(batches.join('')).toBe('a\nb\nlost 2\ne\n')
  })

  test('says what it lost when the next line fits', () => {
    const { queue } = open(6)
    for (const line of ['aaaa\n', 'bbbb\n', 'c\n']) queue.push(line)
    expect(queue.takeAll()).toBe('aaaa\nlost 2\n')
    queue.push('d\n')
    expect(queue.takeAll()).toBe('d\n')
  })

  test('counts bytes, not characters', () => {
    const { queue } = open(6)
    queue.push('€€\n')
    expect(queue.takeAll()).toBe('lost 1\n')
  })

  test('cuts what has gathered into batches of whole lines', async () => {
    const { queue, batches } = open(10_000_000)
    const line = `${'x'.repeat(999)}\n`
    for (let count = 0; count < 100; count++) queue.push(line)
    queue.push(`${'y'.repeat(100_000)}\n`)
    await queue.drained()
    expect(batches.length).toBeGreaterThan(3)
    expect(batches.every((batch) => batch.endsWith('\n'))).toBe(true)
    expect(batches.slice(0, -1).every((batch) => batch.length <= 32 * 1024)).toBe(true)
    expect(batches.at(-1)).toHaveLength(100_001)
  })

  test('hands everything that waits to an end that cannot wait', () => {
    const { queue, batches } = open(1000)
    queue.push('a\n')
    queue.push('b\n')
    expect(queue.takeAll()).toBe('a\nb\n')
    expect(queue.takeAll()).toBe('')
    expect(batches).toEqual([])
  })
})

function open(bytesMax: number) {
  const batches: string[] = []
  const queue = new LogQueue(
    bytesMax,
    async (batch) => {
      batches.push(batch)
    },
    lossLine,
  )
  return { queue, batches }
}
