import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { accountNames, missing, skipWithout } from '../../support/store-contents.ts'
import { StoreFolder } from '../../support/store-folder.ts'
import { StoreProcess } from '../../support/store-process.ts'

const skip = skipWithout('strace, which makes the disk fail', spawnSync('strace', ['-V']).status === 0)

describe.skipIf(skip)('a disk that fails to synchronize', () => {
  test('once: that group is unknown, the store opens again and everything acknowledged before and after is there', async () => {
    using folder = new StoreFolder()
    await using registrar = new StoreProcess(folder.path, { prefix: 'name-', under: failingSync('30') })
    await registrar.refusals('unknown_outcome')
    await registrar.acknowledgements(registrar.acknowledged.length + 500)
    await registrar.kill()

    expect([...registrar.refused.keys()]).toEqual(['unknown_outcome'])
    expect(registrar.refused.get('unknown_outcome')?.length).toBeLessThanOrEqual(16)
    expect(missing(registrar.acknowledged, accountNames(folder.database))).toEqual([])
  }, 60_000)

  test('for ever: nothing is acknowledged any more, and what was is there', async () => {
    using folder = new StoreFolder()
    await using registrar = new StoreProcess(folder.path, { prefix: 'name-', under: failingSync('30+') })
    await registrar.refusals('unavailable', 100)
    const before = registrar.acknowledged.length
    await registrar.refusals('unavailable', 300)
    await registrar.kill()

    expect(registrar.acknowledged.length).toBe(before)
    expect(registrar.refused.get('unknown_outcome')?.length).toBeGreaterThan(0)
    expect(missing(registrar.acknowledged, accountNames(folder.database))).toEqual([])
  }, 60_000)
})

/** Runs a program whose synchronizations fail: the one with this number, or with `+` every one from there. */
function failingSync(when: string): readonly string[] {
  const inject = `inject=fsync,fdatasync:error=EIO:when=${when}`
  return ['strace', '-f', '-qq', '-e', 'trace=fsync,fdatasync', '-e', inject, '-o', '/dev/null']
}
