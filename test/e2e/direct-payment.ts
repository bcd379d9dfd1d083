// What is known of a payment: what its payer was told, and what its receipt proves.

import { writeFileSync } from 'node:fs'
import { readLedgerPublicKey, verifyReceipt } from '../../src/pki/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { judgeReceipts } from '../support/receipt-judge.ts'
import type { DirectWorld } from './direct-world.ts'

/** A transfer, as a program has it. */
export interface Paid {
  readonly status: string
  readonly minor: string
  readonly posting: number
}

/** What a good receipt proves. */
export interface Proof {
  /** What the independent script says. */
  readonly verdict: string
  readonly posting: number
  readonly amount: string
  readonly id: string
}

/** What the command line and a script that shares no code with it say of a receipt. Hexadecimal digits. */
export async function proofOf(world: DirectWorld, receipt: string): Promise<Proof> {
  const { data } = world.network.server
  const path = world.path('receipt')
  const bytes = Buffer.from(receipt, 'hex')
  writeFileSync(path, bytes)
  const { stdout, stderr } = await runCli(['verify', path, '--data', data, '--json'])
  if (stdout === '') throw new Error(stderr)
  const { good, posting, amount, id } = JSON.parse(stdout) as Proof & { readonly good: boolean }
  if (!good) throw new Error(stdout)
  const [verdict = ''] = await judgeReceipts(ledgerKey(world), [bytes])
  return { verdict, posting, amount, id }
}

/** Number of the server that has signed a receipt. */
export function serverOf(world: DirectWorld, receipt: string): string {
  return Buffer.from(verifyReceipt(Buffer.from(receipt, 'hex'), ledgerKey(world)).server).toString('hex')
}

function ledgerKey(world: DirectWorld): Uint8Array {
  const key = readLedgerPublicKey(world.network.server.data)
  if (key === undefined) throw new Error('the server has no key of its ledger')
  return key
}
