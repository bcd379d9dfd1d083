// A mutant of the store's worker: it tells SQLite not to synchronize every commit. A power cut must show the difference, or
// the test of power cuts would prove nothing.

import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { Engine } from '../../src/store/sqlite/engine.ts'
import { serveEngine } from '../../src/store/sqlite/engine-server.ts'
import type { WorkerSetup } from '../../src/store/sqlite/messages.ts'

const { location, limits, presence } = workerData as WorkerSetup
const prototype: { exec: (this: DatabaseSync, sql: string) => void } = DatabaseSync.prototype
const { exec } = prototype

prototype.exec = function (sql) {
  exec.call(this, sql.replace('synchronous = full', 'synchronous = normal'))
}

serveEngine(() => new Engine(location, limits, { presence }))
