// A store's worker that dies in the middle of a transaction when it is asked to rehash an account. It stands for a crash
// of the runtime, which nobody can order.

import { workerData } from 'node:worker_threads'
import { Engine } from '../../src/store/sqlite/engine.ts'
import { serveEngine } from '../../src/store/sqlite/engine-server.ts'
import type { WorkerSetup } from '../../src/store/sqlite/messages.ts'
import { type Step, steps } from '../../src/store/sqlite/operations.ts'

const { location, limits, presence } = workerData as WorkerSetup

const die: Step<'account.rehash'> = { kind: 'write', run: () => process.exit(3) }

serveEngine(() => new Engine(location, limits, { presence, steps: { ...steps, 'account.rehash': die } }))
