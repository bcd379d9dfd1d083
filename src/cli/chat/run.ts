// A chat from its login to its end: what comes is shown, what is typed is done, one line after the other. It ends with the
// input, /quit or a signal, and then in order. A connection that is lost is made again meanwhile.
//
// In a pipe a line is done when it is stored on the server, and the next one is read then: at the end of the input nothing is
// left to be sent. At a terminal lines are taken as they are typed, and their words wait in the outbox. What is not sent at the
// end is told, and is the exit code; what the outbox has is sent by the next chat.
//
// `chat NAME` in a pipe is about that one person: it ends with an error when they decline, and with the first line that is refused.

import { nameKey } from '../../domain/case-fold.ts'
import type { Placed } from '../../client/direct/direct.ts'
import type { InboxItem, ReadEntry, Sent } from '../../client/index.ts'
import { readPayment } from '../../client/payments/message.ts'
import type { DirectNote } from '../../client/home/direct-ways.ts'
import { type Clock, waitAtMost } from '../../domain/clock.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { type Advice, advised } from '../advice.ts'
import { LineAnswers } from './answers.ts'
import { perform } from './deeds.ts'
import { type ChatFilesParts, saveFile, sendFile } from './files.ts'
import { ChatDirect } from './direct.ts'
import { ChatHanded } from './handed.ts'
import { type ChatCommand, parseChatLine } from './line.ts'
import { type ChatNews, failureNews, type Refusal, refusalOf } from './news.ts'
import { ChatPayments } from './payments.ts'
import { Talk } from './talk.ts'
import type { Talker } from './talker.ts'
import type { ChatView } from './view.ts'
import type { PendingPayments } from '../money/pending-payments.ts'

export interface ChatParts {
  /** Who is closed at the end. */
  readonly me: Talker
  readonly clock: Pick<Clock, 'monotonic' | 'now' | 'after'>
  /** What is typed, without newlines. */
  readonly lines: AsyncIterable<Uint8Array>
  readonly view: ChatView
  /** Payments that have no answer yet. */
  readonly pending: Pick<PendingPayments, 'list' | 'find' | 'add' | 'remove'>
  /** Where is noted with whom one talks directly. Default: nowhere. */
  readonly note?: Pick<DirectNote, 'write'> | undefined
  /** Whether an earlier program of this home has told it. Default: none has. */
  readonly isTold?: (entry: ReadEntry) => boolean
  /** Whether a person at a terminal is typing. */
  readonly terminal: boolean
  /** Whether a program reads what is told. Default: false. */
  readonly json?: boolean
  /** Whether every line is something to say. Default: false. */
  readonly raw?: boolean
  /** Ends it in order. */
  readonly stop: AbortSignal
}

/**
 * Chats, with somebody or in a room if one is named; resolves at the end of the input or when it is to stop.
 * @throws {SealwireError} why there will be no connection any more; `not_contact` and `connection_lost` when something is not
 * sent; where somebody is named what is refused, and `declined`.
 */
export async function runChat(who: string | number | undefined, parts: ChatParts): Promise<void> {
  const chat = new Chat(who, parts)
  try {
    await chat.run()
  } catch (reason) {
    await chat.end()
    throw withAdvice(reason)
  }
  const left = await chat.end()
  if (left !== undefined) throw left
}

class Chat {
  readonly #who: string | number | undefined
  readonly #parts: ChatParts
  readonly #talk: Talk
  readonly #payments: ChatPayments
  readonly #direct: ChatDirect | undefined
  readonly #answers: LineAnswers
  readonly #ended = new AbortController()
  /** The line that is being done. */
  #line: Promise<boolean> | undefined
  /** The item that is being shown: until it is acknowledged it comes again. */
  #item: Promise<void> | undefined
  /** What was to be sent and is not, since the end has begun. */
  #unsent = 0
  /** Why, where the server has said so. */
  #why: SealwireError | undefined
  #declined: SealwireError | undefined

  constructor(who: string | number | undefined, parts: ChatParts) {
    this.#who = who
    this.#parts = parts
    this.#answers = new LineAnswers((news) => parts.view.tell(news))
    this.#talk = new Talk({ ...parts, tell: (news) => this.#tell(news), drained: () => this.#taken() })
    const ask = parts.terminal && parts.view.ask !== undefined ? (question: string) => this.#ask(question) : undefined
    this.#payments = new ChatPayments({ ...parts, tell: (news) => this.#tell(news), ask })
    this.#direct = this.#directOf(parts)
    if (parts.view.onTyping !== undefined) parts.view.onTyping = () => this.#talk.typing()
  }

  async run(): Promise<void> {
    const { stop } = this.#parts
    const handed = new ChatHanded({ ...this.#parts, tell: (news) => this.#tell(news) })
    const { signal } = this.#ended
    const asides = [this.#notice(), this.#failures(), this.#settle(), this.#direct?.follow(signal), handed.follow(signal)]
    for (const aside of asides) aside?.catch(() => {}) // They end with the others.
    const parts = [this.#watch(), this.#begin(), aborted(stop)]
    for (const part of parts) part.catch(() => {})
    await Promise.race(parts)
  }

  /** Sends what can be sent, and ends the connection. Answers what is not sent. */
  async end(): Promise<SealwireError | undefined> {
    const { me, view } = this.#parts
    this.#ended.abort()
    const { focus } = this.#talk
    const held = this.#talk.drop()
    if (me.state === 'online') await this.#settled()
    await me.close()
    await this.#line?.catch(() => {})
    const isPaid = await this.#payments.idle()
    await view.drained()
    if (!isPaid) return new SealwireError('unknown_outcome', 'a payment has no answer yet', { hint: 'the next sealwire chat looks it up' })
    if (held > 0 && focus.name === 'asking') {
      return new SealwireError('not_contact', `${lines(held)} not sent: ${focus.peer} has not accepted yet`, {
        hint: 'say it again when they have',
      })
    }
    if (this.#unsent === 0) return undefined
    const why = this.#why === undefined ? '' : `: ${this.#why.sentence}`
    return new SealwireError('connection_lost', `${lines(this.#unsent)} not sent yet${why}`, {
      hint: 'the next sealwire chat of this home sends what is left',
    })
  }

  async #taken(): Promise<boolean> {
    const { view } = this.#parts
    await view.drained()
    return !view.closed
  }

  #directOf({ me, note, json = false }: ChatParts): ChatDirect | undefined {
    if (me.direct === undefined) return undefined
    const isAbout = (name: string): boolean => this.#talk.isAbout(name)
    const placed = (place: Placed): void => void this.#talk.placed(place)
    return new ChatDirect({ direct: me.direct, me, note, json, isAbout, placed, tell: (news) => this.#tell(news) })
  }

  /** Waits for what is being paid, shown, and was read, but not for ever: what has no answer is kept, or shown again. */
  #settled(): Promise<void> {
    const read = Promise.resolve(this.#item)
      .catch(() => {})
      .then(() => this.#talk.settled())
    const all = Promise.all([read, this.#payments.idle()])
    return waitAtMost(this.#parts.clock, limitTable.clientCloseMsMax.value, all)
  }

  async #begin(): Promise<void> {
    if (this.#who === undefined) await this.#talk.tellAskers()
    else await this.#talk.with(this.#who)
    // A person may type meanwhile.
    if (!this.#parts.terminal) await this.#talk.caughtUp()
    await Promise.race([this.#hear(), this.#type()])
  }

  async #hear(): Promise<void> {
    const { me, view } = this.#parts
    const lost = (): void => view.tell({ event: 'lost' })
    const rewound = (): void => {
      void this.#talk.setBack()
      view.tell({ event: 'set-back' })
    }
    for await (const item of me.inbox({ signal: this.#ended.signal, lost, rewound })) {
      this.#item = this.#show(item)
      await this.#item
      if (view.closed) return
      this.#paidWith(item).catch(() => {}) // The next chat looks it up.
      if (this.#declined !== undefined) throw this.#declined
    }
    // Whoever has ended it says so.
    await aborted(this.#parts.stop)
  }

  async #show(item: InboxItem): Promise<void> {
    const { view } = this.#parts
    await this.#talk.hear(item)
    await view.drained()
    if (!view.closed) item.done()
  }

  /** What was in doubt is settled when the conversation says so. */
  async #paidWith(item: ReadEntry): Promise<void> {
    const payment = readPayment(item)
    if (this.#parts.terminal && payment?.from === this.#parts.me.name) await this.#payments.settleOne(payment.id)
  }

  async #notice(): Promise<void> {
    if (!this.#parts.terminal) return
    for await (const event of this.#parts.me.events({ signal: this.#ended.signal })) this.#talk.notice(event)
  }

  async #failures(): Promise<void> {
    for await (const failure of this.#parts.me.failures({ signal: this.#ended.signal })) this.#parts.view.tell(failureNews(failure))
  }

  /** What an earlier chat could not find out, as soon as there is somebody to tell. */
  async #settle(): Promise<void> {
    if (this.#parts.terminal) await this.#payments.settle()
  }

  async #ask(question: string): Promise<boolean> {
    const answer = await this.#parts.view.ask?.(question, this.#ended.signal)
    return answer !== undefined && /^y(es)?$/i.test(answer.trim())
  }

  async #watch(): Promise<void> {
    const { me, view } = this.#parts
    let isOnline = true
    for await (const state of me.states({ signal: this.#ended.signal })) {
      if (state === 'offline' && isOnline) view.tell({ event: 'disconnected' })
      if (state === 'online' && !isOnline) {
        view.tell({ event: 'connected' })
        this.#talk.again().catch(() => {}) // The next connection looks again.
      }
      isOnline = state === 'online' || (isOnline && state === 'connecting')
    }
    await aborted(this.#parts.stop)
  }

  async #type(): Promise<void> {
    const { lines: typed, view } = this.#parts
    for await (const line of typed) {
      if (this.#ended.signal.aborted) return
      this.#line = this.#do(line)
      if (await this.#line) return
      await view.drained()
      if (view.closed) return
    }
  }

  /** Whether that was all. @throws {SealwireError} a refusal that is the end. */
  async #do(line: Uint8Array): Promise<boolean> {
    this.#answers.begin()
    try {
      const command = this.#parse(line)
      if (command.name === 'say') await this.#say(command.body)
      else if (command.name === 'file') sendFile(command.path, this.#files)
      else if (command.name === 'save') await saveFile(command.path, this.#files)
      else if (command.name !== 'quit') await this.#perform(command)
      this.#answers.done()
      return command.name === 'quit'
    } catch (reason) {
      const error = withAdvice(reason)
      this.#answers.refused(error, this.#isTheEnd(error) && this.#parts.json !== true)
      if (this.#isTheEnd(error)) throw error
      return false
    }
  }

  #parse(line: Uint8Array): ChatCommand {
    const { raw = false, terminal } = this.#parts
    if (raw) return { name: 'say', body: line }
    try {
      return parseChatLine(line)
    } catch (reason) {
      throw terminal || this.#who === undefined ? reason : meantAsText(SealwireError.from(reason))
    }
  }

  async #say(body: Uint8Array): Promise<void> {
    const sent = this.#talk.say(body)
    sent.catch((reason: unknown) => {
      if (!this.#ended.signal.aborted) return
      this.#unsent++
      const { cause } = SealwireError.from(reason)
      this.#why ??= SealwireError.is(cause) ? cause : undefined
    })
    if (!this.#parts.terminal) return this.#answers.done(await sent)
    this.#follow(sent, new TextDecoder().decode(body))
  }

  /** Nobody waits for what is typed at a terminal; a refusal is told when it comes. */
  #follow(sent: Promise<Sent | undefined>, text: string): void {
    sent.catch((reason: unknown) => {
      if (!this.#ended.signal.aborted) this.#tell({ event: 'unsent', text, ...refusalOf(withAdvice(reason)) })
    })
  }

  get #files(): ChatFilesParts {
    const { me, terminal, view } = this.#parts
    const refusal = (reason: unknown): Refusal => refusalOf(withAdvice(reason))
    return { me, terminal, talk: this.#talk, tell: (news) => view.tell(news), refusal, signal: this.#ended.signal }
  }

  async #perform(command: Exclude<ChatCommand, { name: 'say' | 'file' | 'save' | 'quit' }>): Promise<void> {
    const { me, terminal } = this.#parts
    // A person would type on meanwhile, and what they type should be kept at once.
    if (terminal && me.state !== 'online' && !isLocal(command) && !this.#isDirectly(command))
      throw new SealwireError('unreachable', 'there is no connection now')
    await perform(command, { me, talk: this.#talk, tell: (news) => this.#tell(news), payments: this.#payments, direct: this.#direct })
    if (!terminal) await this.#talk.caughtUp()
  }

  /** What the error says at the end is not told as news too, except to programs. */
  #tell(news: ChatNews): void {
    const { json = false, terminal, view } = this.#parts
    if (
      news.event === 'declined' &&
      !terminal &&
      typeof this.#who === 'string' &&
      nameKey(news.name) === nameKey(this.#who) &&
      this.#talk.isAbout(news.name)
    ) {
      this.#declined = withAdvice(new SealwireError('declined', `${news.name} declined to talk`))
      if (!json) return
    }
    view.tell(news)
    if (news.event === 'begun' && news.peer !== undefined) this.#direct?.begun(news.peer)
    if (news.event === 'blocked') this.#direct?.leave(news.name)
    if (news.event === 'begun' && terminal && news.peer !== undefined) this.#tellWhetherHere(news.peer).catch(() => {}) // It is not known then.
  }

  async #tellWhetherHere(name: string): Promise<void> {
    const { people } = await this.#parts.me.call('directory.who', {})
    if (people.some((person) => person.name === name) && this.#talk.isAbout(name)) this.#parts.view.tell({ event: 'here', name })
  }

  /** Money goes over a direct link too. */
  #isDirectly(command: ChatCommand): boolean {
    if (command.name !== 'pay' || command.sum === undefined) return false
    const name = command.who ?? this.#talk.peer
    return name !== undefined && this.#parts.me.direct?.way(name).way === 'direct'
  }

  /** Of a line that is too long the input has handed out the beginning, and then it ends. */
  #isTheEnd({ code }: SealwireError): boolean {
    const { me, terminal } = this.#parts
    return me.state === 'closed' || (!terminal && (this.#who !== undefined || code === 'message_too_large'))
  }
}

/** Whoever pipes a text in has rarely thought of commands. */
function meantAsText(error: SealwireError): SealwireError {
  return new SealwireError(error.code, error.sentence, {
    cause: error,
    hint: 'to say a line that begins with /, write // or give --raw',
  })
}

function isLocal({ name }: ChatCommand): boolean {
  return name === 'exit' || name === 'status' || name === 'help' || name === 'unsend'
}

function lines(count: number): string {
  return count === 1 ? 'a line is' : `${count} lines are`
}

function withAdvice(reason: unknown): SealwireError {
  return advised(reason, inChat)
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

const inChat: Advice = {
  not_found: 'check the name',
  no_request: '/contacts lists who asks',
  not_contact: '/talk NAME asks them',
  busy: 'try again tomorrow; /remove NAME makes room among contacts, and a day later among those who were asked',
  quota_exceeded: 'they have to read what waits for them first; where too much is kept of yours, delete some of it',
  unreachable: 'try again when there is one',
}
