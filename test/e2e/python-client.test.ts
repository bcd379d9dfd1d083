// A client in Python that was written from docs/protocol/ alone: the specification suffices. It talks with itself and with the
// client of this repository, while it and the server are killed.

import { describe, expect, test } from 'bun:test'
import type { Sealwire } from '../../src/client/index.ts'
import { connect } from '../../src/index.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { CuttingRelay } from '../support/cutting-relay.ts'
import { isMissing, type PythonProcess, type PythonRun, pythonWith, startPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const limits = { ...liftedRates, messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 }
const isLong = process.env['SEALWIRE_LONG'] === '1'
/** What each says in the room, and how often somebody is killed meanwhile. */
const sayings = isLong ? 2_000 : 120
const kills = isLong ? 40 : 4

describe.skipIf(isMissing('python3-cbor2'))('a client in Python', () => {
  test('has everything that a conversation has', async () => {
    await using stage = await Stage.start()
    await using play = python('conversation.py', stage.folder, await stage.link(), await stage.link())
    const { code, output } = await play.finished
    if (code !== 0) console.error(output)
    expect(output.match(/ held$/gm)).toHaveLength(12)
    expect(code).toBe(0)
    expect(stage.server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  }, 180_000)

  test('talks with one in TypeScript', async () => {
    await using stage = await Stage.start()
    await run('join', stage.folder, 'alice', await stage.link())
    await using tess = await stage.tess()
    await tess.request('alice', 'may I?')
    const conversation = Number(await run('accept', stage.folder, 'alice', 'tess'))
    await using alice = new Talker(stage.folder, 'alice', conversation, 20, 20)
    const [tessHas] = await Promise.all([talk(tess, conversation, 20, 20), alice.finished])
    expect(await alice.log()).toEqual(tessHas)
    expect(await history(tess, conversation)).toEqual(tessHas)
  }, 120_000)

  test(`says and gets everything once, in one order, through ${kills} kills`, async () => {
    await using stage = await Stage.start()
    for (const name of ['alice', 'bob']) await run('join', stage.folder, name, await stage.link())
    await using tess = await stage.tess()
    const { number } = await tess.rooms.create('kitchen', { history: 'all' })
    const secret = Buffer.from((await tess.rooms.link(number)).secret).toString('hex')
    for (const name of ['alice', 'bob']) expect(await run('enter', stage.folder, name, secret)).toBe(`${number}\n`)
    await using alice = new Talker(stage.folder, 'alice', number, sayings, 2 * sayings)
    await using bob = new Talker(stage.folder, 'bob', number, sayings, 2 * sayings)
    const [tessHas] = await Promise.all([talk(tess, number, sayings, 2 * sayings), disturb(stage, alice, bob)])
    expect(await alice.log()).toEqual(tessHas)
    expect(await bob.log()).toEqual(tessHas)
    expect(await history(tess, number)).toEqual(tessHas)
    for (const name of ['alice', 'bob', 'tess']) {
      const own = tessHas.filter(([, author]) => author === name).map(([, , text]) => text)
      expect(own).toEqual(Array.from({ length: sayings }, (_, each) => `${name} ${each}`))
    }
  }, 300_000)
})

/** Kills by turns the server, alice, the server and bob, somewhere between two acknowledgements; then waits until both have all. */
async function disturb(stage: Stage, alice: Talker, bob: Talker): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    const whose = kill % 4 < 2 ? alice : bob
    await whose.hasSaid(Math.floor(((kill + 1) * sayings) / (kills + 2)))
    await (kill % 2 === 0 ? stage.crash() : whose.crash())
  }
  await Promise.all([alice.finished, bob.finished])
}

type Line = readonly [place: number, author: string, text: string]

/** What somebody on this side has of a conversation when they have said `count` messages and got `wanted` of others. */
async function talk(me: Sealwire, conversation: number, count: number, wanted: number): Promise<readonly Line[]> {
  const lines: Line[] = []
  const hear = async (): Promise<void> => {
    let heard = 0
    let lastSeq = 0
    for await (const { kind, seq, from, text = '', conversation: where } of me.inbox()) {
      if (kind !== 'message' || where !== conversation) continue
      expect(seq).toBeGreaterThan(lastSeq)
      lastSeq = seq
      lines.push([seq, from, text])
      if (++heard === wanted) return
    }
  }
  const say = async (): Promise<void> => {
    for (let number = 0; number < count; number++) {
      const text = `${me.name} ${number}`
      lines.push([(await me.send(conversation, text)).seq, me.name, text])
    }
  }
  await Promise.all([hear(), say()])
  return lines.toSorted(([one], [other]) => one - other)
}

/** The same, as the server has it. */
async function history(me: Sealwire, conversation: number): Promise<readonly Line[]> {
  const lines: Line[] = []
  for await (const { kind, seq, from, text = '' } of (await me.conversation(conversation)).history())
    if (kind === 'message') lines.push([seq, from, text])
  return lines.toReversed()
}

/** A server that can be killed and comes back at the same address. */
class Stage implements AsyncDisposable {
  readonly #homes = new Homes()
  readonly #first: ServerProcess
  readonly #relay: CuttingRelay
  server: ServerProcess

  private constructor(server: ServerProcess, relay: CuttingRelay) {
    this.#first = server
    this.server = server
    this.#relay = relay
  }

  static async start(): Promise<Stage> {
    const server = await ServerProcess.start({ registration: 'invite', limits })
    return new Stage(server, await CuttingRelay.to(server.port))
  }

  get folder(): string {
    return this.#homes.parent
  }

  /** An invite link that leads through the relay. */
  async link(): Promise<string> {
    return (await inviteLink(this.server)).replace(`:${this.server.port}/`, `:${this.#relay.port}/`)
  }

  async tess(): Promise<Sealwire> {
    return connect(await this.link(), { name: 'tess', home: this.#homes.path('tess') })
  }

  async crash(): Promise<void> {
    this.#relay.target = undefined
    await this.server.kill()
    this.server = await ServerProcess.start({ registration: 'invite', limits, data: this.#first.data })
    this.#relay.target = this.server.port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#relay[Symbol.dispose]()
    await this.server[Symbol.asyncDispose]()
    await this.#first[Symbol.asyncDispose]()
    this.#homes[Symbol.dispose]()
  }
}

/** talk.py, which is killed and started again with the same words. */
class Talker implements AsyncDisposable {
  readonly #args: readonly string[]
  #process: PythonProcess

  constructor(folder: string, name: string, ...numbers: readonly number[]) {
    this.#args = ['talk', folder, name, ...numbers.map(String)]
    this.#process = python('talk.py', ...this.#args)
  }

  get finished(): Promise<PythonRun> {
    return this.#process.finished
  }

  async hasSaid(number: number): Promise<void> {
    await this.#process.printed(`said ${number}\n`)
  }

  async crash(): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
    this.#process = python('talk.py', ...this.#args)
  }

  /** What it has of the conversation at its end. */
  async log(): Promise<readonly Line[]> {
    const { code, output } = await this.finished
    if (code !== 0) throw new Error(output)
    return (output.match(/^\[.*\]$/gm) ?? []).map((line) => JSON.parse(line) as Line)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }
}

/** Runs talk.py to its end; what it prints. */
async function run(...args: readonly string[]): Promise<string> {
  const { code, output } = await python('talk.py', ...args).finished
  if (code !== 0) throw new Error(output)
  return output
}

const interpreter = pythonWith('cbor2')

function python(script: string, ...args: readonly string[]): PythonProcess {
  return startPython(`../python/${script}`, args, '', interpreter)
}
