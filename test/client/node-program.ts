// Run by test/client/node.test.ts on Node: connects, reads more events than may wait, lets 500 bodies be echoed, ends in order.

import { connectNode } from '../../src/client/node.ts'

const [port, pin = '', events] = process.argv.slice(2)
const client = await connectNode({ host: '127.0.0.1', port: Number(port), pin, name: 'test on node' })
let told = 0
for await (const { event, data } of client.events()) {
  if (event !== 'presence.changed' || data.name !== `guest ${told}`) throw new TypeError(`event ${told} is ${event}`)
  if (++told === Number(events)) break
}
const bodies = Array.from({ length: 500 }, (_, index) => new Uint8Array(1_000).fill(index))
const echoes = await Promise.all(bodies.map((data) => client.request('session.echo', { data })))
const right = echoes.filter(({ data }, index) => Buffer.compare(data, bodies[index] ?? data) === 0).length
await client.drain()
console.log(JSON.stringify({ told, right, closed: (await client.closed)?.code ?? 'by us' }))
