// The thread that waits for the disk, so that the event loop never does.

import { workerData } from 'node:worker_threads'
import { Engine } from './engine.ts'
import { serveEngine } from './engine-server.ts'
import type { WorkerSetup } from './messages.ts'

const { location, limits, presence } = workerData as WorkerSetup
serveEngine(() => new Engine(location, limits, { presence }))
