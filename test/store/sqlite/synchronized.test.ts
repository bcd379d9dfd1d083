// That nothing is answered before it is on the disk, as the kernel sees it: a power cut shows a store that synchronizes less
// only now and then.

import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { StoreFolder } from '../../support/store-folder.ts'
import { StoreProcess } from '../../support/store-process.ts'
import { callsIn, cannotTrace, tracing } from '../../support/traced-calls.ts'

describe.skipIf(cannotTrace())('a store', () => {
  test('has its name on the disk before it answers anything, and what it answers before it does', async () => {
    using folder = new StoreFolder()
    const data = join(folder.path, 'data')
    await using registrar = new StoreProcess(data, { prefix: 'name-', concurrency: 1, under: tracing(folder.path) })
    await registrar.acknowledgements(20)
    await registrar.end()
    const [before = [], ...between] = answers(callsIn(folder.path))
    for (const path of [join(data, 'sealwire.db'), data, folder.path]) expect(before).toContain(`sync ${path}`)
    expect(between.length).toBeGreaterThanOrEqual(19)
    for (const calls of between) expect(calls).toContain(`sync ${join(data, 'sealwire.db-wal')}`)
  }, 60_000)
})

/** What was done before the first answer, and between each two. */
function answers(calls: readonly string[]): readonly (readonly string[])[] {
  const parts: string[][] = [[]]
  for (const call of calls) {
    if (call.startsWith('say ok ')) parts.push([])
    else parts.at(-1)?.push(call)
  }
  return parts.slice(0, -1)
}
