// Who is paid, in a process of its own that may be killed: `held-program.ts HOME PAYER`. It says `ready` when it knows what it needs,
// takes what its standard input hands over (lines of JSON: the signed order in hex, the memo), and says what it answers and what becomes of what it holds.

import { createInterface } from 'node:readline'
import { SealwireError } from '../../src/protocol/index.ts'
import { DirectPayer, soonHeld } from './direct-payer.ts'
import { sayLine } from './say-line.ts'

const [home = '', payer = ''] = process.argv.slice(2)
const me = new DirectPayer(home, { limits: soonHeld })
void tell()
if (payer !== '') {
  await me.online()
  await me.direct.learnt(payer)
}
sayLine('ready')
createInterface({ input: process.stdin })
  .on('line', (line) => void take(line))
  .on('close', () => process.exit(0))

async function tell(): Promise<void> {
  for await (const { from, id, minor, state, reason = '' } of me.direct.held())
    sayLine(['held', from, id, minor, state, reason].join(' ').trim())
}

async function take(line: string): Promise<void> {
  const { order, memo } = JSON.parse(line) as { readonly order: string; readonly memo?: string }
  try {
    const params = { order: new Uint8Array(Buffer.from(order, 'hex')), ...(memo === undefined ? {} : { memo }) }
    const { state } = await me.direct.take(params, { peer: { name: payer } })
    sayLine(`answer ${state}`)
  } catch (reason) {
    sayLine(`refusal ${SealwireError.from(reason).code}`)
  }
}
