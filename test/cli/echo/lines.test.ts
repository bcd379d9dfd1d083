import { describe, expect, test } from 'bun:test'
import { EchoLines } from '../../../src/cli/echo/lines.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { RecordedOutput } from './support.ts'

describe('EchoLines', () => {
  test('prints as many lines in a second as are allowed, and counts the others', async () => {
    const { clock, output, say } = open()
    for (let line = 1; line <= 25; line++) say(`line ${line}`)
    expect(output.lines).toEqual(['line 1', 'line 2', 'line 3'])
    await clock.move(999)
    expect(output.lines).toHaveLength(3)
    await clock.move(1)
    expect(output.lines.slice(3)).toEqual(['(22 lines left out)'])
    say('line 26')
    expect(output.lines.slice(4)).toEqual(['line 26'])
  })

  test('never prints more than that in any second, and tells what it left out once a second at most', async () => {
    const { clock, output, say } = open()
    const printed: { readonly at: number; readonly told: boolean }[] = []
    let seed = 1
    for (let ms = 0; ms < 20_000; ms += 10) {
      // A line every tenth of a second or so, sometimes several at once.
      seed = (seed * 48_271) % 0x7fff_ffff
      for (let line = seed % 40; line > 36; line--) say(`line at ${ms}`)
      await clock.move(10)
      for (const line of output.lines) printed.push({ at: ms, told: line.startsWith('(') })
      output.text = ''
    }
    for (const told of [true, false]) {
      const times = printed.filter((line) => line.told === told).map(({ at }) => at)
      const atOnce = told ? 1 : 3
      expect(times.length).toBeGreaterThan(15)
      for (const [index, at] of times.entries()) expect((times[index + atOnce] ?? Infinity) - at).toBeGreaterThanOrEqual(990)
    }
  })

  test('prints every line that comes slowly enough', async () => {
    const { clock, output, say } = open()
    for (let line = 0; line < 30; line++) {
      say('line')
      await clock.move(334)
    }
    expect(output.lines).toEqual(Array.from({ length: 30 }, () => 'line'))
  })

  test('loses no count: what is printed and what is told add up', async () => {
    const { clock, output, say, lines } = open()
    for (let line = 0; line < 1000; line++) {
      say('line')
      await clock.move(line % 50)
    }
    lines[Symbol.dispose]()
    const told = output.lines.flatMap((line) => /^\((\d+) lines? left out\)$/.exec(line)?.[1] ?? []).map(Number)
    expect(output.lines.length - told.length + told.reduce((sum, count) => sum + count, 0)).toBe(1000)
  })

  test('tells the rest when it is disposed of, and of one line in the singular', () => {
    const { output, say, lines } = open()
    for (let line = 0; line < 4; line++) say('line')
    lines[Symbol.dispose]()
    expect(output.lines).toEqual(['line', 'line', 'line', '(1 line left out)'])
  })

  test('counts what an output does not take, and tells it when the output does again', async () => {
    const { clock, output, say } = open()
    output.full = true
    say('lost')
    await clock.move(2500)
    say('lost too')
    expect(output.text).toBe('')
    output.full = false
    await clock.move(500)
    expect(output.lines).toEqual(['(2 lines left out)'])
    say('line')
    expect(output.lines.at(-1)).toBe('line')
  })
})

function open() {
  const clock = new ManualClock()
  const output = new RecordedOutput()
  const lines = new EchoLines(output, resolveLimits({ echoLinesPerSecondMax: 3 }), clock)
  const say = (line: string): void => {
    if (lines.admit()) lines.print(line)
  }
  return { clock, output, lines, say }
}
