// What connects the devices of order-world.ts: with the server, and with each other. Each way keeps its order; what was on it when it breaks
// is lost, and the other end notices later.

import type { TalkLink } from '../../../src/client/direct/hearing.ts'
import type { Entry, Params } from '../../../src/protocol/contract/index.ts'
import type { PeerParams, PeerResult } from '../../../src/protocol/direct/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import type { Device, Process } from './order-world.ts'

export const conversation = 7
export const peers = { alice: 'bob', bob: 'alice' } as const

/** What is on its way, in its order. */
export class Channel {
  readonly #steps: (() => void)[] = []

  add(step: () => void): void {
    this.#steps.push(step)
  }

  get isEmpty(): boolean {
    return this.#steps.length === 0
  }

  step(): void {
    this.#steps.shift()?.()
  }

  clear(): void {
    this.#steps.length = 0
  }
}

export const nothing = new Channel()

export function lost(): SealwireError {
  return new SealwireError('connection_lost', 'as chance has it')
}

/** Answers that somebody waits for, until the connection is gone. */
export class Asked {
  readonly #waiting = new Set<(reason: SealwireError) => void>()

  ask<T>(send: (answer: (work: Promise<T>) => void) => void): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.add(reject)
    send((work) => void work.then(resolve, reject).finally(() => this.#waiting.delete(reject)))
    return promise
  }

  end(): void {
    for (const reject of this.#waiting) reject(lost())
  }
}

/** One connection of a device with the server. */
export class Session {
  readonly up = new Channel()
  readonly down = new Channel()
  readonly asked = new Asked()
  readonly device: Device
  pushed: number | undefined
  isOpen = true

  constructor(device: Device) {
    this.device = device
  }

  request(method: string, params: unknown): Promise<unknown> {
    if (!this.isOpen) return Promise.reject(lost())
    return this.asked.ask((answer) => {
      this.up.add(() => {
        const result = settled(() => this.device.world.server.answer(this, method, params))
        this.down.add(() => answer(result()))
        this.device.world.server.push(this)
      })
    })
  }

  cut(): void {
    this.isOpen = false
    this.up.clear()
    this.down.clear()
    this.asked.end()
  }
}

/** The answer as it is now, to be given later. */
function settled(work: () => unknown): () => Promise<unknown> {
  try {
    const value = work()
    return () => Promise.resolve(value)
  } catch (reason) {
    return () => Promise.reject(SealwireError.from(reason))
  }
}

export class Server {
  readonly log: Entry[] = []
  /** The inbox of both: everybody has two devices, so it has everything. */
  readonly acked = new Map<string, number>()
  readonly sessions = new Set<Session>()

  answer(session: Session, method: string, params: unknown): unknown {
    const { name, person } = session.device
    const acked = this.acked.get(name) ?? 0
    if (method === 'message.send') return this.#store(session.device, params as Params<'message.send'>)
    if (method === 'inbox.ack') return this.#acknowledge(name, (params as Params<'inbox.ack'>).seq)
    if (method === 'inbox.open') {
      const { after = 0 } = params as Params<'inbox.open'>
      this.#acknowledge(name, after)
      session.pushed = Math.max(acked, after)
      return { lastSeq: this.log.length, ackedSeq: Math.max(acked, after) }
    }
    return {
      conversation,
      kind: 'direct',
      state: 'accepted',
      name: peers[person],
      members: 2,
      lastSeq: this.log.length,
      firstSeq: 1,
      readSeq: 0,
    }
  }

  /** Brings what was not brought yet. */
  push(session: Session): void {
    if (session.pushed === undefined) return
    for (const entry of this.log.slice(session.pushed))
      session.down.add(() => session.device.process?.inbox?.push({ seq: entry.seq, entry }))
    session.pushed = this.log.length
  }

  #acknowledge(name: string, seq: number): object {
    this.acked.set(name, Math.max(this.acked.get(name) ?? 0, seq))
    return {}
  }

  #store({ name, person }: Device, { id, body }: Params<'message.send'>): unknown {
    const known = this.log.find((entry) => Buffer.compare(entry.id, id) === 0)
    if (known !== undefined) return { conversation, seq: known.seq, at: known.at }
    const seq = this.log.length + 1
    this.log.push({ conversation, seq, kind: 'message', id, from: person, device: name, at: seq, body })
    for (const session of this.sessions) this.push(session)
    return { conversation, seq, at: seq }
  }
}

/** One end of a link. */
export class LinkEnd implements TalkLink {
  readonly peer: TalkLink['peer']
  readonly channel = new Channel()
  readonly asked = new Asked()
  readonly process: Process
  readonly #closed = Promise.withResolvers<SealwireError | undefined>()
  readonly closed = this.#closed.promise
  other: LinkEnd | undefined
  open = true

  constructor(process: Process, peer: Device) {
    this.process = process
    this.peer = { name: peer.person, device: peer.name, spki: '' }
  }

  request(_: 'direct.say', params: PeerParams<'direct.say'>): Promise<PeerResult<'direct.say'>> {
    const { other, process } = this
    if (!this.open || other === undefined) return Promise.reject(lost())
    return this.asked.ask((answer) => {
      this.channel.add(() => {
        const heard = other.process.talk.hear(structuredClone(params), other)
        void heard.then(
          () => {
            process.world.kept.add(`${other.process.device.name} ${Buffer.from(params.id).toString('hex')}`)
            other.channel.add(() => answer(heard))
          },
          (reason: unknown) => {
            process.world.refused(SealwireError.from(reason).code)
            other.channel.add(() => answer(heard))
          },
        )
      })
    })
  }

  /** What was written is lost; the other end notices later. */
  end(): void {
    if (!this.open) return
    this.open = false
    this.channel.clear()
    this.other?.channel.clear()
    this.asked.end()
    this.#closed.resolve(lost())
  }
}
