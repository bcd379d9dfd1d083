// Which threads of a loaded server use the CPU, and what it costs to hand messages from one thread to another: what further threads
// or processes could take over, and what that would cost (decision 0025).
//
// The last half of each load is counted: a server that has just begun also compiles itself.
//
//   node bin/bun.mjs bench/threads.ts [SECONDS [KIND…]]        default: 10 relay handshakes durable transfers

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { threadSeconds } from './cpu.ts'
import { fail } from './load.ts'
import { end, freePort, listening, type Running, serveSealwire } from './servers.ts'
import { runScript, sampleOf } from './suite/generator.ts'
import { loadPayments } from './suite/payment.ts'

const [secondsSaid = '10', ...chosen] = process.argv.slice(2)
const seconds = Number(secondsSaid)
const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))
const sampleEveryMs = 200
const frameBytes = 75
const warmUpTurns = 5_000
const measuredTurns = 20_000

interface Kind {
  readonly what: string
  readonly flags?: (port: number) => readonly string[]
  /** Resolves with how much was done per second of CPU. */
  readonly load: (server: Running, data: string, echoPort: number) => Promise<number>
}

const kinds: readonly Kind[] = [
  {
    what: 'relay, 32 pairs, depth 1',
    flags: () => ['--classic'],
    load: async ({ port, process: { pid } }) =>
      (await runScript('relay-load.ts', [port, pid, 'magc', 32, 64, 1, seconds], 'delivered')).rate,
  },
  {
    what: 'relay, 32 pairs, depth 16',
    flags: () => ['--classic'],
    load: async ({ port, process: { pid } }) =>
      (await runScript('relay-load.ts', [port, pid, 'magc', 32, 64, 16, seconds], 'delivered')).rate,
  },
  {
    what: 'handshakes, 32 at once',
    flags: (port) => ['--echo', `127.0.0.1:${port}`],
    load: async ({ process: { pid } }, _data, echoPort) =>
      (await runScript('echo-load.ts', [echoPort, pid, 'handshake', 32, 1, 1, seconds], 'accepted')).rate,
  },
  {
    what: 'durable messages, 64 senders, depth 4',
    load: async ({ port, process: { pid } }) => (await runScript('durable-load.ts', [port, pid, 64, 4, seconds], 'accepted')).rate,
  },
  {
    what: 'transfers, 64 payers, depth 4',
    load: async (server, data) => sampleOf(await loadPayments(server, data, { payers: 64, depth: 4, seconds }), 'accepted').rate,
  },
]

try {
  const wanted = kinds.filter(({ what }) => chosen.length === 0 || chosen.some((kind) => what.startsWith(kind)))
  for (const [index, kind] of wanted.entries()) console.log(await shares(kind, join(folder, `data${index}`)))
  for (const size of [1, 16, 64]) console.log(await handOver(size))
} finally {
  rmSync(folder, { recursive: true })
}

/** CPU of each thread while everybody talks, as a share of all. */
async function shares({ what, flags = () => [], load }: Kind, data: string): Promise<string> {
  const echoPort = await freePort()
  const server = await serveSealwire(data, ...flags(echoPort))
  if (flags(echoPort).includes('--echo')) await listening(echoPort)
  const pid = server.process.pid ?? fail('no server')
  const samples = [{ at: performance.now(), threads: threadSeconds(pid) }]
  const sampling = setInterval(() => samples.push({ at: performance.now(), threads: threadSeconds(pid) }), sampleEveryMs)
  try {
    const rate = await load(server, data, echoPort)
    clearInterval(sampling)
    const last = samples.at(-2)
    const first = samples.findLast(({ at }) => at <= (last?.at ?? 0) - seconds * 500)
    if (first === undefined || last === undefined) fail('too short')
    const used = new Map<string, number>()
    for (const [thread, cpu] of last.threads) {
      const name = thread.endsWith(` ${pid}`) ? 'event loop' : thread.replace(/[ 0-9]+$/, '')
      used.set(name, (used.get(name) ?? 0) + cpu - (first.threads.get(thread) ?? 0))
    }
    const all = [...used.values()].reduce((sum, each) => sum + each, 0)
    const parts = [...used].toSorted(([, one], [, other]) => other - one).filter(([, cpu]) => cpu / all >= 0.005)
    const told = parts.map(([name, cpu]) => `${name} ${((100 * cpu) / all).toFixed(0)} %`).join(', ')
    return `${what}: ${(1e6 / rate).toFixed(1)} µs of CPU each, ${(all / ((last.at - first.at) / 1000)).toFixed(2)} CPUs: ${told}`
  } finally {
    clearInterval(sampling)
    await end(server.process)
  }
}

/** CPU of both threads for one message of 75 bytes that goes to the other one and is answered, when so many go together. */
async function handOver(together: number): Promise<string> {
  const [byMessage, byMemory] = [await posted(together), await shared(together)]
  return `${together} together, there and back: postMessage ${byMessage.toFixed(2)} µs, shared memory ${byMemory.toFixed(2)} µs of CPU a message`
}

async function posted(together: number): Promise<number> {
  const worker = new Worker(
    `import { parentPort } from 'node:worker_threads'; parentPort.on('message', (all) => parentPort.postMessage(all))`,
    { eval: true },
  )
  const batch = new Uint8Array(frameBytes * together)
  const post = (): Promise<void> =>
    new Promise((resolve) => {
      worker.once('message', () => resolve())
      worker.postMessage(batch)
    })
  const cost = await microsecondsEach(post, together)
  await worker.terminate()
  return cost
}

/** Both ends wake each other as a thread with an event loop can: the other one may block, this one may not. */
async function shared(together: number): Promise<number> {
  const memory = new SharedArrayBuffer(8 + frameBytes * together)
  const worker = new Worker(
    `import { workerData } from 'node:worker_threads'; const turns = new Int32Array(workerData, 0, 2); const bytes = new Uint8Array(workerData, 8)
    for (let turn = 0; ; turn++) { Atomics.wait(turns, 0, turn); bytes.slice(); Atomics.add(turns, 1, 1); Atomics.notify(turns, 1) }`,
    { eval: true, workerData: memory },
  )
  const turns = new Int32Array(memory, 0, 2)
  const bytes = new Uint8Array(memory, 8)
  const batch = new Uint8Array(frameBytes * together)
  let turn = 0
  const hand = async (): Promise<void> => {
    bytes.set(batch)
    const waiting = Atomics.waitAsync(turns, 1, turn++)
    Atomics.add(turns, 0, 1)
    Atomics.notify(turns, 0)
    if (waiting.async) await waiting.value
  }
  const cost = await microsecondsEach(hand, together)
  await worker.terminate()
  return cost
}

async function microsecondsEach(act: () => Promise<void>, together: number): Promise<number> {
  for (let count = 0; count < warmUpTurns; count++) await act()
  const before = process.cpuUsage()
  for (let count = 0; count < measuredTurns; count++) await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / measuredTurns / together
}
