import { expect, test } from 'bun:test'
import { Play } from './ledger-play.ts'

const steps = 20_000

test(`${steps} random operations do what they do on paper, and everything can be computed again`, () => {
  const seed = Number(process.env['SEALWIRE_SEED'] ?? 20_261_121)
  const play = new Play(seed)
  using stage = play.stage
  for (let step = 1; step <= steps; step++) {
    play.step()
    if (step % 500 === 0) play.compare()
  }
  play.compare()
  expect(stage.verify({ max: 500n }).fault).toBeUndefined()
  // The play was a good one: everything that can be refused was, and much was not.
  const codes = [
    'undefined',
    'insufficient_funds',
    'is_self',
    'expired',
    'frozen',
    'limit_exceeded',
    'not_found',
    'not_permitted',
    'gone',
    'amount_invalid',
  ]
  expect(codes.filter((code) => (play.refused.get(code) ?? 0) < 5)).toEqual([])
  expect(play.refused.get('undefined') ?? 0).toBeGreaterThan(steps / 10)
}, 240_000)
