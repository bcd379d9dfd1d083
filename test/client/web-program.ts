// Run by test/client/web.test.ts on each runtime with the standard WebSocket, which trusts the certificate of the environment: a
// device enrols where it may do nothing else, proves its key, and lets 500 bodies be echoed. Its keys live as long as it does.

import { connectWeb, openWebDevice, type WebKeyStore } from '../../src/client/web.ts'
import { SealwireError } from '../../src/protocol/index.ts'

const [url = '', name = ''] = process.argv.slice(2)
const kept = new Map<string, Awaited<ReturnType<WebKeyStore['keep']>>>()
const store: WebKeyStore = {
  read: async (key) => kept.get(key),
  keep: async (key, keys) => (kept.set(key, keys), keys),
  remove: async (key) => void kept.delete(key),
}
const first = await connectWeb({ url })
await first.request('account.register', { name })
const device = await openWebDevice({ store })
await device.enrol(first, 'a program')
const refusal = await first.request('directory.who', {}).then(
  () => 'taken',
  (reason: unknown) => SealwireError.from(reason).code,
)
await first.drain()

const client = await connectWeb({ url })
const login = await (await openWebDevice({ store })).login(client)
const bodies = Array.from({ length: 500 }, (_, index) => new Uint8Array(1_000).fill(index))
const echoes = await Promise.all(bodies.map((data) => client.request('session.echo', { data })))
const right = echoes.filter(({ data }, index) => Buffer.compare(data, bodies[index] ?? data) === 0).length
const { people } = await client.request('directory.who', {})
await client.drain()
console.log(JSON.stringify({ refusal, name: login.name, isItself: login.device === device.id, right, people: people.length }))
