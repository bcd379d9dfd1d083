// COUNT accounts that are connected over the contract and TLS, have an open inbox, and say nothing. Prints `here` when all of
// them are, and stays until its standard input ends.
//
//   node bin/bun.mjs bench/idle-load.ts PORT COUNT

import { fail } from './load.ts'
import { dial, inSteps, LoadClient } from './load-client.ts'

const [port = 0, count = 0] = process.argv.slice(2).map(Number)
if (!(count > 0)) fail('usage: idle-load.ts PORT COUNT')

class Idle extends LoadClient {
  protected packet(): void {}
}

const run = Math.floor(Date.now() % 0x100_0000).toString(36)
await inSteps(count, async (index) => {
  const client = new Idle(await dial(port), `i${index}x${run}`)
  await client.enter()
  await client.request('inbox.open', {})
})
console.log('here')
process.stdin.resume().once('end', () => process.exit())
