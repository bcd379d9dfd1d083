// Holds the lock of a data folder until it is killed or its standard input ends, and says so; or says why it cannot.

import { SealwireError } from '../../src/protocol/index.ts'
import { lockData } from '../../src/store/index.ts'

try {
  using _lock = lockData(process.argv[2] ?? '')
  process.stdout.write('locked\n')
  for await (const _ of process.stdin);
} catch (reason) {
  process.stdout.write(`${SealwireError.from(reason).code}\n`)
}
