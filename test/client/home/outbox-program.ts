// Puts two messages into the outbox of a home, says so, and stays.

import { Home } from '../../../src/client/home/home.ts'
import { FileOutbox } from '../../../src/client/home/outbox-file.ts'

const outbox = new FileOutbox(new Home(process.argv[2] ?? ''), { name: 'alice' })
await outbox.load()
for (const id of ['one', 'two']) await outbox.add({ id, params: new Uint8Array(10) })
console.log('ready')
setInterval(() => {}, 1_000)
