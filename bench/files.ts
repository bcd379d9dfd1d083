// A file of MEGABYTES beside conversation: it is uploaded and downloaded over TLS by one account, while on the same connection
// and on another one, in a process of its own, somebody says something 20 times a second (message.send, durable) and pings 20
// times a second. Prints the throughput, and how long message.send and session.ping took; first beside nothing, to compare.
//
//   node bin/bun.mjs bench/files.ts PORT FINGERPRINT MEGABYTES [WINDOW]
//
// The server on 127.0.0.1 needs the limits of a load test: `npm start -- PORT --registration open --config bench/server.toml`.

import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, connectNode } from '../src/client/node.ts'
import { fileChunkBytesMax } from '../src/protocol/contract/index.ts'

const [port = '', pin = '', megabytes = '', window = '4'] = process.argv.slice(2)
if (port === '' || pin === '' || megabytes === '') fail('usage: files.ts PORT FINGERPRINT MEGABYTES [WINDOW]')

/** How long there is no transfer, to compare with. */
const aloneMs = 3_000

if (megabytes === 'talk') await talkAlone()
else await transfer(Number(megabytes) * 1_000_000)

async function transfer(size: number): Promise<void> {
  const bytes = randomBytes(size)
  const { client, conversation } = await arrive()
  const id = randomBytes(16)
  const sha256 = createHash('sha256').update(bytes).digest()
  const other = spawn(process.execPath, [import.meta.filename, port, pin, 'talk'], { stdio: ['pipe', 'inherit', 'inherit'] })
  await beside('nothing', client, conversation, 0, () => sleep(aloneMs))
  await beside('upload', client, conversation, size, async () => {
    await client.request('file.begin', { id, conversation, name: 'bench', size, sha256 })
    await windowed(size, async (at) => {
      await client.request('file.put', { id, offset: at, data: bytes.subarray(at, at + fileChunkBytesMax) })
    })
    await client.request('file.end', { id })
  })
  const got = Buffer.alloc(size)
  await beside('download', client, conversation, size, () =>
    windowed(size, async (at) => {
      got.set((await client.request('file.get', { id, offset: at, length: fileChunkBytesMax })).data, at)
    }),
  )
  if (!got.equals(bytes)) fail('what came back is something else')
  other.stdin.end()
  await once(other, 'exit')
  client.close()
}

/** Talks until standard input ends. */
async function talkAlone(): Promise<void> {
  const { client, conversation } = await arrive()
  const stop = new AbortController()
  process.stdin.resume().once('end', () => stop.abort())
  report('on another connection', await talk(client, conversation, stop.signal))
  client.close()
}

async function beside(what: string, client: Client, conversation: number, size: number, action: () => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const talking = talk(client, conversation, stop.signal)
  const before = performance.now()
  await action()
  const seconds = (performance.now() - before) / 1_000
  stop.abort()
  console.log(`${what}: ${size / 1e6} MB in ${seconds.toFixed(2)} s, ${(size / 1e6 / seconds).toFixed(0)} MB/s`)
  report('on the same connection', await talking)
}

interface Waits {
  readonly pings: number[]
  readonly messages: number[]
}

async function talk(client: Client, conversation: number, signal: AbortSignal): Promise<Waits> {
  const waits: Waits = { pings: [], messages: [] }
  const measured = async (into: number[], action: () => Promise<unknown>): Promise<void> => {
    const before = performance.now()
    await action()
    into.push(performance.now() - before)
  }
  const open: Promise<void>[] = []
  while (!signal.aborted) {
    open.push(measured(waits.pings, () => client.request('session.ping', {})))
    open.push(
      measured(waits.messages, () => client.request('message.send', { conversation, id: randomBytes(16), body: Buffer.from('hello') })),
    )
    await sleep(50)
  }
  await Promise.all(open)
  return waits
}

function report(where: string, waits: Waits): void {
  for (const what of ['pings', 'messages'] as const) {
    const all = waits[what].toSorted((one, other) => one - other)
    const at = (share: number): string => (all[Math.ceil(all.length * share) - 1] ?? 0).toFixed(1)
    console.log(`  ${what} ${where}: ${all.length}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`)
  }
}

async function windowed(size: number, act: (at: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next; at < size; at = next) {
      next = at + fileChunkBytesMax
      await act(at)
    }
  }
  await Promise.all(Array.from({ length: Number(window) }, work))
}

/** A fresh account with a room of its own. */
async function arrive(): Promise<{ readonly client: Client; readonly conversation: number }> {
  const client = await connectNode({ host: '127.0.0.1', port: Number(port), pin, name: 'bench' })
  await client.request('account.register', { name: `u${randomBytes(8).toString('hex')}` })
  const { conversation } = await client.request('room.create', { id: randomBytes(16), title: 'Bench' })
  return { client, conversation }
}

function fail(why: string): never {
  console.error(why)
  process.exit(1)
}
