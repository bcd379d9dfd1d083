// What `verify` says of receipts whose words are meant for the terminal of who reads them, and of what no calendar has.

import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicPem } from '../../src/pki/index.ts'
import { encodeCbor } from '../../src/protocol/contract/index.ts'
import { PaperLedger, paperTime, type RowChange } from '../support/paper-ledger.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { runCli } from './cli-process.ts'

const nasty = 'credits\n\u001b[31mordered by account 9\u001b[0m'

/** What the command does with the receipt of a mint by 1 whose row is another one. */
async function verified(change: RowChange, ...flags: readonly string[]) {
  using folder = new StoreFolder()
  const [key, file] = [join(folder.path, 'ledger.pub'), join(folder.path, 'receipt')]
  const ledger = new PaperLedger(0)
  const legs = [
    [1, 0, -1],
    [2, 7, 1],
  ]
  ledger.add(encodeCbor(change([1, 1, Number(paperTime), 'mint', 'credits', 2, legs, null, 0, new Uint8Array(16), null, null])))
  writeFileSync(key, publicPem(ledger.key.publicKey))
  writeFileSync(file, ledger.receipt(1))
  return await runCli(['verify', file, '--key', key, ...flags])
}

describe('verify', () => {
  test('shows no control characters of a memo', async () => {
    const { exitCode, stdout, stderr } = await verified((row) => row.with(11, nasty))
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toContain('for credits\\n\\u001b[31mordered by account 9\\u001b[0m\n')
    expect((await verified((row) => row.with(11, nasty), '--json')).stdout).not.toContain('\u001b')
  })

  test('ends with 5 for a unit, places and a time that are none, and shows nothing of them', async () => {
    const changes: readonly RowChange[] = [
      (row) => row.with(4, nasty),
      (row) => row.with(5, Number.MAX_SAFE_INTEGER),
      (row) => row.with(2, Number.MAX_SAFE_INTEGER),
    ]
    for (const change of changes) {
      const { exitCode, stdout, stderr } = await verified(change)
      expect([exitCode, stdout, stderr]).toEqual([5, '', expect.stringMatching(/^sealwire: the receipt is not good: /)])
      expect(stderr).not.toContain('\u001b')
    }
  })

  test('says that there is no such file before it looks for a key', async () => {
    using folder = new StoreFolder()
    const { exitCode, stdout, stderr } = await runCli(['verify', 'none.receipt', '--home', folder.path])
    expect([exitCode, stdout, stderr]).toEqual([2, '', 'sealwire: there is no file none.receipt. check the path.\n'])
  })
})
