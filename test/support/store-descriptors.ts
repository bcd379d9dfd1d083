// Opens a store, then takes every descriptor that this process may have, registers accounts without any, and says how many.

import { closeSync, openSync } from 'node:fs'
import { systemClock } from '../../src/domain/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { openStore } from '../../src/store/index.ts'
import { newAccount } from '../compliance/store.ts'

const log = { warning: () => undefined, error: () => undefined }
const store = await openStore(process.argv[2] ?? '', { ...resolveLimits(), diskBytesFreeMin: 0 }, { clock: systemClock, log })
await store.run('account.create', newAccount('first'))
const taken = takeAll()
const names = Array.from({ length: 3000 }, (_, index) => `name-${index}`)
const results = await Promise.allSettled(names.map((name) => store.run('account.create', newAccount(name))))
for (const descriptor of taken) closeSync(descriptor)
await store.close()
console.log(`${taken.length > 0} ${results.filter(({ status }) => status === 'fulfilled').length}`)

function takeAll(): number[] {
  const descriptors: number[] = []
  try {
    for (;;) descriptors.push(openSync('/dev/null', 'r'))
  } catch {
    return descriptors
  }
}
