// Chance that can be repeated: everything that a run leaves to chance follows from one number, which it prints.

/** A number from 0 to 1, another one each time. */
export type Random = () => number

/** The seed of this run: that of the variable SEED, else a fresh one. */
export function seedOf(what: string): number {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32)) >>> 0
  console.log(`${what}: SEED=${seed}`)
  return seed
}

/** mulberry32: small, and even enough to choose moments. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from 0 to below `end`. */
export function below(random: Random, end: number): number {
  return Math.floor(random() * end)
}
