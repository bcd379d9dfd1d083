import { describe, expect, test } from 'bun:test'
import { tryUntil } from '../../../src/cli/member/passing.ts'
import { type Code, SealwireError } from '../../../src/protocol/index.ts'
import { ManualClock, settle } from '../../support/manual-clock.ts'
import { rejectionOf } from '../../support/refusal.ts'

describe('tryUntil', () => {
  test('answers what the first good attempt does', async () => {
    const { clock, tries, done } = await trial(['connection_lost', 'busy', 'unknown_outcome'])
    await clock.move(200 + 400 + 799)
    expect(tries).toHaveLength(3)
    await clock.move(1)
    expect([await done, tries]).toEqual(['good', [0, 200, 600, 1_400]])
  })

  test('pauses no longer than 2 s, and ends before its time', async () => {
    const { clock, tries, done } = await trial(Array<Code>(9).fill('unreachable'))
    await clock.move(15_000)
    expect(await rejectionOf(done)).toBe('unreachable')
    expect(tries).toEqual([0, 200, 600, 1_400, 3_000, 5_000, 7_000, 9_000])
    expect(clock.timers).toBe(0)
  })

  test.each(['insufficient_funds', 'data_locked', 'internal', 'untrusted', 'session_ended'] as const)(
    'ends at once with %s',
    async (code) => {
      const { tries, done } = await trial([code])
      expect([await rejectionOf(done), tries]).toEqual([code, [0]])
    },
  )

  test('says what to do next', async () => {
    const { done } = await trial(['frozen'])
    expect(await done.catch((reason: unknown) => reason)).toMatchObject({ code: 'frozen', hint: 'ask the operator' })
  })
})

/** Attempts that fail with one code after the other and are good then, within 10 s; `tries` is when each began. */
async function trial(codes: readonly Code[]) {
  const clock = new ManualClock(0)
  const tries: number[] = []
  const advice = { frozen: 'ask the operator' }
  const done = tryUntil({ clock, until: 10_000, advice }, async () => {
    const code = codes[tries.push(clock.monotonic()) - 1]
    if (code !== undefined) throw new SealwireError(code, 'not now')
    return 'good'
  })
  done.catch(() => {})
  await settle()
  return { clock, tries, done }
}
