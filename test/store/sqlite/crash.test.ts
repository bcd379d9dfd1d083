import { describe, expect, test } from 'bun:test'
import { setTimeout as wait } from 'node:timers/promises'
import { accountNames, isLong, missing } from '../../support/store-contents.ts'
import { StoreFolder } from '../../support/store-folder.ts'
import { StoreProcess } from '../../support/store-process.ts'

const kills = isLong ? 25 : 6

describe('kill -9', () => {
  test(`${kills} kills at random moments lose no acknowledged account`, async () => {
    using folder = new StoreFolder()
    const seed = Number(process.env['SEALWIRE_SEED'] ?? Date.now() % 1_000_000)
    const random = randomFrom(seed)
    const acknowledged: string[] = []
    for (let kill = 0; kill < kills; kill++) {
      await using registrar = new StoreProcess(folder.path, { prefix: `${kill}-` })
      await registrar.acknowledgements(1)
      // The moment of the kill is the only thing here that time decides, and any moment will do.
      await wait(random() * 300)
      await registrar.kill()
      acknowledged.push(...registrar.acknowledged)
      expect(registrar.refused.size).toBe(0)
    }
    const present = accountNames(folder.database)
    console.log(`SEALWIRE_SEED=${seed}: ${kills} kills, ${acknowledged.length} acknowledged, ${present.size} there`)
    expect(missing(acknowledged, present)).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(kills)
  }, 60_000)

  test('a killed store opens again at once and goes on', async () => {
    using folder = new StoreFolder()
    for (const prefix of ['a', 'b']) {
      await using registrar = new StoreProcess(folder.path, { prefix })
      await registrar.acknowledgements(50)
      await (prefix === 'a' ? registrar.kill() : registrar.end())
    }
    expect(accountNames(folder.database).size).toBeGreaterThanOrEqual(100)
  }, 60_000)
})

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
