// An application of one device, as a program that trusts the SDK would be: it notes what it is going to say before it says it and
// what was acknowledged after, and it notes what arrives, with its place in the inbox, before it asks for more. Killed anywhere
// and started again, it goes on from its notes.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from '../../src/client/node-sdk.ts'
import { MemoryOutbox, Sealwire, type LoggedIn } from '../../src/client/index.ts'
import { Home } from '../../src/client/home/home.ts'
import { openMember } from '../../src/client/home/member.ts'
import { newMessageId } from '../../src/client/outbox/message-id.ts'
import { systemClock } from '../../src/domain/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { Journal } from './journal.ts'

/** What an application is told. */
export interface ApplicationSettings {
  /** Where it has joined. */
  readonly home: string
  /** Where `sends.json` is, and where its journals are. */
  readonly folder: string
  /** Brings each line about what arrived to the disk; what waits to be sent is in the outbox of the home, else in memory. */
  readonly isDurable: boolean
  /** Between the beginnings of two sends; default: as fast as they are acknowledged. */
  readonly paceMs?: number
  /** Whether it asks for the history of its conversations in the end. */
  readonly readsHistory: boolean
}

/** Something to be said: to an account by name, or in a conversation by number. */
export interface Send {
  readonly to: string | number
  readonly text: string
}

type SentLine =
  | (Send & { readonly intend: string; readonly at: number })
  | { readonly ack: string; readonly conversation: number; readonly seq: number }
  | { readonly refuse: string; readonly code: string }

interface InboxLine {
  readonly position: number
  readonly conversation: number
  readonly seq: number
  readonly kind: string
  readonly id: string
  readonly from: string
  readonly text: string | undefined
  readonly at: number
}

/** Begins the texts that say that nothing more comes. */
export const mark = 'mark '

export class Application {
  readonly #settings: ApplicationSettings
  readonly #sent: Journal<SentLine>
  readonly #inbox: Journal<InboxLine | { readonly lost: number }>
  readonly #marks = new Set<string>()
  readonly #connected = Promise.withResolvers<Sealwire>()
  acked = 0
  refused = 0
  /** Messages that have arrived. */
  arrived = 0

  constructor(settings: ApplicationSettings) {
    const { folder, isDurable } = settings
    this.#settings = settings
    this.#sent = new Journal(join(folder, 'sent.jsonl'), { isDurable: false })
    this.#inbox = new Journal(join(folder, 'inbox.jsonl'), { isDurable })
    for (const line of this.#sent.lines) if ('ack' in line) this.acked++
    for (const line of this.#inbox.lines) if ('position' in line) this.#note(line)
  }

  /** Marks that have arrived, or were said here. */
  get marks(): number {
    return this.#marks.size
  }

  /** Connects, and stores what arrives, until `finish`. Rejects when that breaks off. */
  async run(): Promise<void> {
    const me = await this.#connect()
    this.#connected.resolve(me)
    const last = this.#inbox.lines.findLast((line) => 'position' in line)
    const after = last === undefined ? {} : { after: last.position }
    for await (const item of me.inbox({ ...after, lost: (position) => this.#inbox.add({ lost: position }) })) {
      const { position, conversation, seq, kind, id, from, text } = item
      const line: InboxLine = { position, conversation, seq, kind, id, from, text, at: now() }
      this.#inbox.add(line)
      this.#note(line)
    }
  }

  /** Says what it has not said yet; resolves when everything was answered. */
  async speak(): Promise<void> {
    const sends: readonly Send[] = JSON.parse(readFileSync(join(this.#settings.folder, 'sends.json'), 'utf8'))
    const intended = this.#sent.lines.flatMap((line) => ('intend' in line ? [line] : []))
    const answered = new Set(this.#sent.lines.map((line) => ('ack' in line ? line.ack : 'refuse' in line ? line.refuse : '')))
    for (const { text } of intended) if (text.startsWith(mark)) this.#marks.add(text)
    const me = await this.#connected.promise
    const underWay = new Set<Promise<void>>()
    const say = async (id: string, send: Send): Promise<void> => {
      const answer = this.#say(me, id, send).finally(() => underWay.delete(answer))
      underWay.add(answer)
      if (underWay.size >= underWayMax) await Promise.race(underWay)
    }
    for (const { intend, ...send } of intended) if (!answered.has(intend)) await say(intend, send)
    const planned = intended.filter(({ text }) => !text.startsWith(mark)).length
    const begun = performance.now()
    for (const [index, send] of sends.slice(planned).entries()) {
      const { paceMs } = this.#settings
      if (paceMs !== undefined) await wait(Math.max(0, begun + index * paceMs - performance.now()))
      await say(this.#intend(send), send)
    }
    await Promise.all(underWay)
  }

  /** Says that everything was said, in a room. Once, however often it is asked. */
  async sayMark(text: string, to: number): Promise<void> {
    if (this.#marks.has(text)) return
    this.#marks.add(text)
    await this.#say(await this.#connected.promise, this.#intend({ to, text }), { to, text })
  }

  /** Notes what the server has of every conversation, and ends. */
  async finish(): Promise<void> {
    const me = await this.#connected.promise
    if (this.#settings.readsHistory) await this.#readHistory(me)
    await me.close()
  }

  async #connect(): Promise<Sealwire> {
    const { home: path, isDurable } = this.#settings
    if (isDurable) return connect(path, { offline: true })
    const home = new Home(path)
    const open = async (signal: AbortSignal): Promise<LoggedIn> => {
      const { client, device, profile } = await openMember(home, { clock: systemClock, signal, warn: () => {} })
      return { client, device, name: profile.name }
    }
    return new Sealwire({ open, clock: systemClock, outbox: new MemoryOutbox() })
  }

  #intend(send: Send): string {
    const id = newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))
    this.#sent.add({ intend: id, to: send.to, text: send.text, at: now() })
    return id
  }

  async #say(me: Sealwire, id: string, { to, text }: Send): Promise<void> {
    try {
      const { conversation, seq } = await me.send(to, text, { id })
      this.#sent.add({ ack: id, conversation, seq })
      this.acked++
    } catch (reason) {
      this.#sent.add({ refuse: id, code: SealwireError.from(reason).code })
      this.refused++
    }
  }

  #note({ kind, text = '' }: InboxLine): void {
    if (kind !== 'message') return
    this.arrived++
    if (text.startsWith(mark)) this.#marks.add(text)
  }

  async #readHistory(me: Sealwire): Promise<void> {
    using history = new Journal<object>(join(this.#settings.folder, 'history.jsonl'), { isDurable: false })
    for await (const { conversation: number } of me.conversations()) {
      const conversation = await me.conversation(number)
      for await (const { seq, kind, id, from, text } of conversation.history({ after: 0 })) {
        history.add({ conversation: number, seq, kind, id, from, text })
      }
    }
  }
}

const underWayMax = 16

/** Milliseconds since 1970, finer than whole ones. */
function now(): number {
  return performance.timeOrigin + performance.now()
}
