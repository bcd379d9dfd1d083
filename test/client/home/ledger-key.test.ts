import { expect, test } from 'bun:test'
import { knownLedgerKey } from '../../../src/client/home/ledger-key.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { refused, temporaryHome } from '../../cli/home-support.ts'

test('the key of the ledger is read from a file up to its bound, and from none beyond', () => {
  using stage = temporaryHome()
  expect(knownLedgerKey(stage.home)).toBeUndefined()
  const bytesMax = limitTable.ledgerKeyBytesMax.value
  stage.home.write('ledger.pub', 'ab'.repeat(32).padEnd(bytesMax))
  expect(knownLedgerKey(stage.home)).toEqual(new Uint8Array(32).fill(0xab))
  stage.home.write('ledger.pub', 'ab'.repeat(32).padEnd(bytesMax + 1))
  expect(refused(() => knownLedgerKey(stage.home))).toMatchObject({ code: 'config_invalid' })
})
