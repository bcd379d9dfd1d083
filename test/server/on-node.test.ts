// The tests of what is native code in this folder, once more, on Node. What they need of bun:test is in test/support/node.

import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isMissing, nodeBinary } from '../support/python.ts'

describe.skipIf(isMissing('SEALWIRE_NODE'))('on Node', () => {
  test('argon2id does what it does on Bun', () => {
    const hooks = new URL('../support/node/hooks.ts', import.meta.url).href
    const file = fileURLToPath(new URL('./accounts/argon2id.test.ts', import.meta.url))
    const { status, stdout } = spawnSync(nodeBinary, ['--test-reporter=tap', '--import', hooks, file], { encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^# pass [1-9]\d*$/m)])
  }, 60_000)
})
