import { describe, expect, test } from 'bun:test'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { connect } from '../../src/index.ts'
import { partOf } from '../../src/client/home/disk.ts'
import { type FileReference, newMessageId, type ReadEntry, type Sealwire } from '../../src/client/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { CuttingRelay } from '../support/cutting-relay.ts'
import { isMissing, nodeBinary } from '../support/python.ts'
import { rejectionOf } from '../support/refusal.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const limits = { ...liftedRates, messagesBurstPerAccountMax: 1_000_000 }
/** Faults of the run: `SEALWIRE_FAULTS=200` for the long form. */
const faults = Number(process.env['SEALWIRE_FAULTS'] ?? 14)

/** A server that can be killed and comes back at the same address, with people who have joined it. */
class Stage implements AsyncDisposable {
  readonly homes = new Homes()
  readonly #relay: CuttingRelay
  #server: ServerProcess
  readonly #data: ServerProcess

  private constructor(server: ServerProcess, relay: CuttingRelay) {
    this.#server = server
    this.#data = server
    this.#relay = relay
  }

  static async start(): Promise<Stage> {
    const server = await ServerProcess.start({ registration: 'invite', limits })
    return new Stage(server, await CuttingRelay.to(server.port))
  }

  /** An account of that name whose home has that name; through the relay. */
  async join(name: string): Promise<Sealwire> {
    const link = (await inviteLink(this.#server)).replace(`:${this.#server.port}/`, `:${this.#relay.port}/`)
    return connect(link, { name, home: this.homes.path(name) })
  }

  cut(): void {
    this.#relay.cut()
  }

  async mint(name: string, amount: string): Promise<void> {
    const { exitCode, stderr } = await runCli(['admin', 'mint', name, amount, '--data', this.#data.data])
    expect([exitCode, stderr]).toEqual([0, ''])
  }

  /** Kills the server and starts it again. */
  async crash(): Promise<void> {
    this.#relay.target = undefined
    await this.#server.kill()
    this.#server = await ServerProcess.start({ registration: 'invite', limits, data: this.#data.data })
    this.#relay.target = this.#server.port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#relay[Symbol.dispose]()
    await this.#server[Symbol.asyncDispose]()
    await this.#data[Symbol.asyncDispose]()
    this.homes[Symbol.dispose]()
  }
}

/** A program that is killed and started again: on Bun and, where there is one, on Node by turns. */
class Program implements AsyncDisposable {
  readonly #args: readonly string[]
  #runs = 0
  #child: ChildProcess
  #exited: Promise<number | null>

  constructor(...args: readonly string[]) {
    this.#args = args
    ;[this.#child, this.#exited] = this.#start()
  }

  /** The exit code of the run that there is now. */
  get exited(): Promise<number | null> {
    return this.#exited
  }

  async crash(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
    ;[this.#child, this.#exited] = this.#start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #start(): [ChildProcess, Promise<number | null>] {
    const runtime = runtimes[this.#runs++ % runtimes.length] ?? process.execPath
    const child = spawn(runtime, [program, ...this.#args], { stdio: ['ignore', 'ignore', 'inherit'] })
    return [child, new Promise((resolve) => child.once('exit', resolve))]
  }
}

describe('connect', () => {
  test('joins with a link, is the same account the next time, and talks by its home', async () => {
    await using stage = await Stage.start()
    const alice = await stage.join('alice')
    const bob = await stage.join('bob')
    expect([alice.name, alice.state, bob.name]).toEqual(['alice', 'online', 'bob'])
    await befriend(alice, bob)
    expect(await alice.send('bob', 'hello')).toMatchObject({ conversation: 1, seq: 3 })
    await alice.close()
    const again = await connect(stage.homes.path('alice'))
    await again.send('bob', { body: 'again', replyTo: 3 })
    const texts = []
    for await (const { kind, text } of bob.inbox()) if (kind === 'message' && texts.push(text) === 2) break
    expect(texts).toEqual(['hello', 'again'])
    const conversation = await again.conversation('bob')
    const history = []
    for await (const { seq, text } of conversation.history()) history.push([seq, text])
    expect(history).toEqual([
      [4, 'again'],
      [3, 'hello'],
      [2, undefined],
      [1, 'may I?'],
    ])
    await conversation.react(3, '👍')
    await conversation.edit(4, 'once more')
    expect(await conversation.read(4)).toBe(4)
    const forwards = []
    for await (const { kind, text } of conversation.history({ after: 3 })) forwards.push([kind, text])
    expect(forwards).toEqual([
      ['message', 'once more'],
      ['reaction', undefined],
      ['edit', 'once more'],
    ])
    expect((await conversation.refresh()).lastSeq).toBe(6)
    await Promise.all([again.close(), bob.close()])
  }, 60_000)

  test('sends and saves a file through lost connections, and goes on where an earlier try stopped', async () => {
    await using stage = await Stage.start()
    const [alice, bob] = [await stage.join('alice'), await stage.join('bob')]
    await befriend(alice, bob)
    const content = crypto.getRandomValues(new Uint8Array(65_536))
    const bytes = Buffer.concat(Array.from({ length: 50 }, (_, each) => Buffer.concat([content, Buffer.from([each])])))
    const [source, target] = [stage.homes.path('holiday.bin'), stage.homes.path('saved.bin')]
    writeFileSync(source, bytes)
    const conversation = await alice.conversation('bob')
    const id = newMessageId(Date.now(), (random) => crypto.getRandomValues(random))
    const abort = new AbortController()
    const given = conversation.sendFile(source, { id, signal: abort.signal, progress: (done) => void (done > 1_000_000 && abort.abort()) })
    expect(await rejectionOf(given)).toBe('unknown_outcome')
    const put: number[] = []
    const cutAt = (done: number): void => {
      put.push(done)
      if (put.length % 20 === 5) stage.cut()
    }
    const sent = await conversation.sendFile(source, { id, text: 'look', progress: cutAt })
    expect([sent.id, put.at(-1)]).toEqual([id, bytes.length])
    expect(put[0]).toBeGreaterThan(1_000_000)
    expect((await conversation.sendFile(source, { id, text: 'look' })).seq).toBe(sent.seq)

    const entry = await firstFile(bob)
    expect(entry).toMatchObject({ text: 'look', file: { name: 'holiday.bin', size: bytes.length } })
    const file = entry.file as FileReference
    const stop = new AbortController()
    const saved: number[] = []
    const halves = bob.saveFile(file, target, { signal: stop.signal, progress: (done) => void (done > 1_000_000 && stop.abort()) })
    expect(await rejectionOf(halves)).toBe('unknown_outcome')
    expect(existsSync(target)).toBe(false)
    const cutToo = (done: number): void => void (saved.push(done) % 20 === 5 && stage.cut())
    await bob.saveFile(file, target, { progress: cutToo })
    expect(saved[0]).toBeGreaterThan(1_000_000)
    expect(saved.at(-1)).toBe(bytes.length)
    expect(Buffer.compare(readFileSync(target), bytes)).toBe(0)
    expect(existsSync(partOf(target, file.id))).toBe(false)
    const read = []
    for await (const chunk of bob.readFile(file)) read.push(chunk)
    expect(Buffer.compare(Buffer.concat(read), bytes)).toBe(0)

    // What is wrong of what was left is not taken, and what is somebody else's is not touched.
    writeFileSync(partOf(target, file.id), 'something else')
    writeFileSync(`${target}.part`, 'my own words')
    await bob.saveFile(file, target)
    expect(readFileSync(`${target}.part`, 'utf8')).toBe('my own words')
    expect(Buffer.compare(readFileSync(target), bytes)).toBe(0)
    await Promise.all([alice.close(), bob.close()])
  }, 120_000)

  test(`delivers each message once and in order, whatever crashes: ${faults} faults`, async () => {
    const seed = Number(process.env['SEALWIRE_SEED'] ?? Date.now() % 1_000_000)
    console.log(`seed ${seed}`)
    const random = seeded(seed)
    await using stage = await Stage.start()
    const [alice, bob] = [await stage.join('alice'), await stage.join('bob')]
    await befriend(alice, bob)
    await Promise.all([alice.close(), bob.close()])
    const count = faults * 40
    const [sentBy, readBy] = [stage.homes.path('sent'), stage.homes.path('read')]
    await using receiver = new Program('receive', stage.homes.path('bob'), readBy)
    await using sender = new Program('send', stage.homes.path('alice'), sentBy, 'bob', String(count))
    const acts = [() => stage.crash(), () => stage.cut(), () => stage.cut(), () => receiver.crash(), () => sender.crash()]
    for (let done = 0; done < faults; done++) {
      const from = linesOf(readBy).length
      // Something has to happen between two faults, or none of them would hit anything.
      await until(() => linesOf(readBy).length > from + random() * 20 || linesOf(sentBy).length === count)
      await acts[Math.floor(random() * acts.length)]?.()
    }
    expect(await sender.exited).toBe(0)
    await until(() => linesOf(readBy).length >= count)
    const read = linesOf(readBy).map((line) => line.split(' '))
    const numbers = Array.from({ length: count }, (_, each) => String(each))
    expect(read.map(([, text]) => text)).toEqual(numbers)
    expect(linesOf(sentBy)).toEqual(numbers)
    // The server has it in the same order, and once.
    const me = await connect(stage.homes.path('alice'))
    const stored = []
    for await (const { kind, text } of (await me.conversation('bob')).history({ after: 0 })) if (kind === 'message') stored.push(text)
    expect(stored).toEqual(numbers)
    await me.close()
  }, 600_000)
})

describe('me.payments', () => {
  test(`pays each once, whatever crashes: ${faults} faults`, async () => {
    const seed = Number(process.env['SEALWIRE_SEED'] ?? Date.now() % 1_000_000)
    console.log(`seed ${seed}`)
    const random = seeded(seed)
    await using stage = await Stage.start()
    const [alice, bob] = [await stage.join('alice'), await stage.join('bob')]
    await Promise.all([alice.close(), bob.close()])
    await stage.mint('alice', '1000000')
    const count = faults * 20
    const paidBy = stage.homes.path('paid')
    await using payer = new Program('pay', stage.homes.path('alice'), paidBy, 'bob', String(count))
    const acts = [() => stage.crash(), () => stage.cut(), () => payer.crash()]
    for (let done = 0; done < faults; done++) {
      const from = linesOf(paidBy).length
      await until(() => linesOf(paidBy).length > from + random() * 20 || linesOf(paidBy).length === 2 * count)
      await acts[Math.floor(random() * acts.length)]?.()
    }
    expect(await payer.exited).toBe(0)
    const ids = linesOf(paidBy).filter((line) => line !== 'paid')
    const me = await connect(stage.homes.path('bob'))
    const lines = []
    for await (const { minor, transfer } of me.payments.statement()) lines.unshift([transfer.id, minor])
    expect(lines).toEqual(ids.map((id, at) => [id, BigInt(at + 1)]))
    expect((await me.payments.balance()).minor).toBe(BigInt((count * (count + 1)) / 2))
    await me.close()
  }, 600_000)
})

const runtimes = isMissing('SEALWIRE_NODE') ? [process.execPath] : [process.execPath, nodeBinary]
const program = fileURLToPath(new URL('sdk-program.ts', import.meta.url))

async function befriend(alice: Sealwire, bob: Sealwire): Promise<void> {
  const inbox = bob.inbox()
  await alice.request('bob', 'may I?')
  expect((await inbox.next()).value).toMatchObject({ kind: 'contact', what: 'requested', from: 'alice' })
  await bob.accept('alice')
  await inbox.return?.()
}

async function firstFile(me: Sealwire): Promise<ReadEntry> {
  for await (const item of me.inbox()) if (item.file !== undefined) return item
  throw new Error('there was none')
}

function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}
