// What the independent script says of receipts: all of them in one process.

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publicPem } from '../../src/pki/index.ts'
import { pythonWith } from './python.ts'
import { StoreFolder } from './store-folder.ts'

/** `good`, or `bad: why`, for each receipt. `key`: the public key of the ledger. */
export async function judgeReceipts(key: Uint8Array, receipts: readonly Uint8Array[]): Promise<readonly string[]> {
  using folder = new StoreFolder()
  const path = join(folder.path, 'ledger.pub')
  writeFileSync(path, publicPem(key))
  const child = spawn(pythonWith('cryptography'), ['-B', script, path, '-'], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(receipts.map((receipt) => `${Buffer.from(receipt).toString('hex')}\n`).join(''))
  let output = ''
  for await (const text of child.stdout.setEncoding('utf8')) output += String(text)
  return output.trimEnd().split('\n')
}

const script = fileURLToPath(new URL('../python/verify_receipt.py', import.meta.url))
