// People who talk and pay all the time, while their server is backed up, dies, and comes back as it was.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../../src/index.ts'
import type { Conversation, Sealwire } from '../../src/client/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const limits = { ...liftedRates, messagesBurstPerAccountMax: 1_000_000 }

/** A command of the operator: what it printed. Throws what it said when it fails. */
export async function operate(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(args)
  if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}: ${stderr}`)
  return stdout
}

/** What a server that is not there, or that has forgotten what was begun, is answered with: once more, from the beginning. */
export function whenGone(reason: unknown): undefined {
  if (!['unreachable', 'unknown_outcome', 'not_found', 'conflict'].includes(SealwireError.from(reason).code)) throw reason
}

/** A server at one port whose data folder changes, and a folder for everything else. */
export class BackupStage implements AsyncDisposable {
  readonly homes = new Homes()
  readonly passphrase: string
  readonly #parent: string
  readonly #port: number
  #server: ServerProcess

  private constructor(server: ServerProcess, parent: string) {
    this.#parent = parent
    this.passphrase = join(parent, 'passphrase')
    writeFileSync(this.passphrase, 'a passphrase of several words\n')
    this.#server = server
    this.#port = server.port
  }

  static async start(): Promise<BackupStage> {
    const parent = mkdtempSync(join(tmpdir(), 'sealwire-backup-'))
    const data = join(parent, 'data')
    return new BackupStage(await ServerProcess.start({ registration: 'invite', limits, data, port: await lastingPort() }), parent)
  }

  get server(): ServerProcess {
    return this.#server
  }

  path(name: string): string {
    return join(this.#parent, name)
  }

  async join(name: string): Promise<Sealwire> {
    return connect(await inviteLink(this.#server), { name, home: this.homes.path(name) })
  }

  /** The server comes back at its port, on another data folder. */
  async startOn(data: string): Promise<void> {
    this.#server = await ServerProcess.start({ registration: 'invite', limits, data, port: this.#port })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.kill()
    await this.#server[Symbol.asyncDispose]()
    this.homes[Symbol.dispose]()
    rmSync(this.#parent, { recursive: true, force: true })
  }
}

/** Somebody in the room: what they said and it was acknowledged, and what reached them, in its order. */
export class Talker implements AsyncDisposable {
  readonly name: string
  readonly acknowledged: string[] = []
  readonly received: string[] = []
  rewound = 0
  #me: Sealwire
  #reading: Promise<void>
  #talking: Promise<void> | undefined
  #position = 0
  readonly #end = new AbortController()

  constructor(name: string, me: Sealwire) {
    this.name = name
    this.#me = me
    this.#reading = this.#read()
  }

  get me(): Sealwire {
    return this.#me
  }

  /** Says something to the room again and again, and now and then sends a file or deletes one. */
  talk(room: number): void {
    this.#talking = this.#talk(room)
  }

  /** Is gone for a while: the program ends. */
  async leave(): Promise<void> {
    this.#end.abort()
    await this.#talking
    await this.#me.close()
    await this.#reading
  }

  /** The program is started again, and knows by itself how far it has read. */
  async come(home: string): Promise<void> {
    this.#me = await connect(home)
    this.#reading = this.#read(this.#position)
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#talking
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort()
    await this.#me.close()
    await this.#reading
  }

  async #read(after?: number): Promise<void> {
    const rewound = (): number => this.rewound++
    for await (const { kind, id, position, done } of this.#me.inbox({ rewound, ...(after === undefined ? {} : { after }) })) {
      if (kind === 'message') this.received.push(id)
      this.#position = position
      done()
    }
  }

  async #talk(number: number): Promise<void> {
    const room = await this.#me.conversation(number)
    for (let count = 1; !this.#end.signal.aborted; count++) {
      const sent = await (count % 20 === 0 ? this.#sendFile(room).catch(whenGone) : room.send(`${this.name} ${count}`))
      if (sent === undefined) continue
      this.acknowledged.push(sent.id)
      // Of what a server that was set back has lost there is nothing to delete.
      if (count % 40 === 0) await room.delete(sent.seq).catch(() => {})
      // Others have their turn: the load is steady, and no flood.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async #sendFile(room: Conversation) {
    const bytes = new Uint8Array(randomBytes(100_000))
    return room.sendFile({
      name: `${this.name}.bin`,
      size: bytes.length,
      read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
    })
  }
}
