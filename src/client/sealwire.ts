// Somebody on a server, for as long as the program wishes: whatever is sent arrives, whatever arrives is read once, and lost
// connections are not the program's business. It is given what it needs of its runtime: a way to log in, time, chance, and a
// place for what is not sent yet.

import { type Clock, systemClock, waitAtMost } from '../domain/clock.ts'
import { type Limits, resolveLimits, SealwireError } from '../protocol/index.ts'
import type { EventData, Method, ParsedEvent, Params, Result } from '../protocol/contract/index.ts'
import { Acknowledgements } from './inbox/acknowledgements.ts'
import { type CallOptions, Calls } from './calls.ts'
import { bodyOf, type Content, partsOf } from './content.ts'
import { type Contact, Conversation, type ConversationInfo, type SearchOptions, type SearchPage, searched } from './conversation.ts'
import type { Direct, Handed } from './direct/direct.ts'
import type { DirectCore, DirectPart, HandedCore, HandedPart } from './direct/part.ts'
import { Broadcast } from './feed.ts'
import { type Disk, type FileReference, Files, type TransferOptions } from './files.ts'
import { Inbox, type InboxItem, type InboxOptions, type InboxTap } from './inbox.ts'
import { livePayments } from './payments/live.ts'
import type { Randomness } from './outbox/message-id.ts'
import { Outbox, type SendFailure, type Sent } from './outbox.ts'
import type { OutboxStore } from './outbox/store.ts'
import type { OrderSigner } from './payments/signed.ts'
import { type PaymentChange, readChange } from './payments/results.ts'
import type { Payments } from './payments.ts'
import { Rooms } from './rooms.ts'
import { type Hasher, Sha256 } from './sha256.ts'
import { type LoggedIn, Uplink, type UplinkState } from './uplink.ts'

/** What is told live, and lost where nobody listens: who comes, who types, what others have read. */
export type LiveEvent = Exclude<ParsedEvent, { readonly event: 'inbox.entry' }>

/** What a {@link Sealwire} works with. */
export interface SealwireParts {
  /** Dials the server and logs in; called again for each connection. Its errors decide whether it is tried again. */
  readonly open: (signal: AbortSignal) => Promise<LoggedIn>
  /** Default: that of the machine. */
  readonly clock?: Clock
  /** Keeps what is not stored on the server yet. */
  readonly outbox: OutboxStore
  /** Default: `crypto.getRandomValues`. */
  readonly fill?: Randomness
  /** From 0 to 1. Default: `Math.random`. */
  readonly random?: () => number
  /** The bounds. Default: those of limits.ts. */
  readonly limits?: Limits
  /** SHA-256, where the runtime has a faster one. Default: the portable one. */
  readonly hasher?: () => Hasher
  /** Signs orders with the key of the device. Default: nobody does, and they are refused with `device_required`. */
  readonly sign?: OrderSigner | undefined
  /** Files by their path. Default: there are none. */
  readonly disk?: Disk
  /** Goes on for ever also while no connection was ever let in. Default: ends when the first eight were cut without a word. */
  readonly patient?: boolean
  /** Makes direct links to contacts. Default: there are none. */
  readonly direct?: ((core: DirectCore) => DirectPart) | undefined
  /** What was said directly to other programs, which this one does not get again. Without `direct`. */
  readonly heard?: (InboxTap & AsyncDisposable) | undefined
  /** Brings what was handed over to other programs. Without `direct`, which does so itself. */
  readonly handed?: ((core: HandedCore) => HandedPart) | undefined
  /** Released when this end is closed. */
  readonly held?: Disposable
  /** Tells with its event `online` that the network is back. Default: the browser's window. */
  readonly network?: Pick<EventTarget, 'addEventListener' | 'removeEventListener'> | undefined
}

/** How a message is sent. */
export interface SendOptions extends CallOptions {
  /** A UUID of version 7: sending again under it says nothing twice, also after a restart. Default: a fresh one. */
  readonly id?: string
}

/** Somebody on a server. Made by `connect`. */
export class Sealwire implements AsyncDisposable {
  /** Rooms: made, joined, changed. */
  readonly rooms: Rooms
  /** Money: paid, asked for, looked at. */
  readonly payments: Payments
  /** Direct links to contacts; undefined where they were not asked for. */
  readonly direct: Direct | undefined
  readonly #direct: DirectPart | undefined
  readonly #clock: Clock
  readonly #held: Disposable | undefined
  readonly #heard: SealwireParts['heard']
  /** Payments that contacts have handed over; undefined in browsers, where nobody can. */
  readonly handed: Handed | undefined
  readonly #handed: HandedPart | undefined
  readonly #limits: Limits
  readonly #uplink: Uplink
  readonly #calls: Calls
  readonly #outbox: Outbox
  readonly #files: Files
  readonly #network: SealwireParts['network']
  readonly #wake = (): void => this.wake()
  readonly #acknowledgements = new Acknowledgements()
  readonly #states: Broadcast<UplinkState>
  readonly #events: Broadcast<LiveEvent>
  readonly #changes: Broadcast<PaymentChange>
  #inbox: Inbox | undefined
  #name: string | undefined
  #reason: SealwireError | undefined
  #closing: Promise<void> | undefined

  /** Begins to connect. */
  constructor(parts: SealwireParts) {
    const {
      clock = systemClock,
      open,
      limits = resolveLimits(),
      random = Math.random,
      fill = (bytes) => crypto.getRandomValues(bytes),
    } = parts
    this.#clock = clock
    this.#held = parts.held
    this.#heard = parts.heard
    this.#limits = limits
    this.#states = new Broadcast(limits.clientLiveEventsMax)
    this.#events = new Broadcast(limits.clientLiveEventsMax)
    this.#changes = new Broadcast(limits.clientLiveEventsMax)
    this.#uplink = new Uplink(
      { open, clock, limits, random, patient: parts.patient ?? false },
      {
        online: (session) => this.#online(session),
        event: (event) => this.#event(event),
        changed: (state, reason) => this.#changed(state, reason),
      },
    )
    this.#calls = new Calls(this.#uplink, { clock, limits, fill })
    const [session, inbox] = [() => this.#uplink.session, () => this.#inbox]
    this.#direct = parts.direct?.({ ...{ calls: this.#calls, clock, limits, fill, random }, session, inbox })
    this.direct = this.#direct
    this.#handed = parts.handed?.({ calls: this.#calls, clock, session })
    this.handed = this.#direct ?? this.#handed
    this.#outbox = new Outbox({
      uplink: this.#uplink,
      calls: this.#calls,
      store: parts.outbox,
      limits,
      clock: this.#clock,
      tap: this.#direct?.talk,
    })
    const hasher = parts.hasher ?? (() => new Sha256())
    this.#files = new Files({ calls: this.#calls, limits, hasher, disk: parts.disk, direct: this.#direct?.files })
    this.#network = 'network' in parts ? parts.network : windowOf(globalThis)
    this.#network?.addEventListener('online', this.#wake)
    this.rooms = new Rooms(this.#calls, (room) => this.conversation(room))
    this.payments = livePayments({ calls: this.#calls, sign: parts.sign, hasher, changes: this.#changes, direct: this.#direct?.orders })
  }

  /** The own name, as it is kept; empty before the first connection. */
  get name(): string {
    return this.#name ?? ''
  }

  /** Whether there is a connection. `closed` is for good. */
  get state(): UplinkState {
    return this.#uplink.state
  }

  /** Why there is no connection: the last error; undefined while there is one, and when it was closed here. */
  get reason(): SealwireError | undefined {
    return this.#reason
  }

  /** The state now, and each one that follows. Ends when this is closed; throws the reason when that was not our wish. */
  states({ signal }: CallOptions = {}): AsyncIterableIterator<UplinkState> {
    return this.#states.read(signal, [this.state])
  }

  /** Resolves as soon as there is a connection. @throws {SealwireError} why there will be none; `unreachable` when the signal aborts. */
  async online({ signal }: CallOptions = {}): Promise<void> {
    await this.#uplink.ready(signal)
  }

  /** Connects at once where it waits, and looks whether the connection is alive where there is one: call it when the network is back. */
  wake(): void {
    this.#uplink.wake()
    this.#direct?.wake()
  }

  /**
   * What arrives for this installation, in order and once. An item is acknowledged when the next one is asked for, or with
   * `item.done()`; what is not acknowledged comes again to the next run. A program that keeps `item.position` together with
   * its own effects passes it as `after` and misses and repeats nothing, whatever crashes. One at a time.
   * @throws {TypeError} while another one is open. The iterator throws the reason for which this was closed.
   */
  inbox(options: InboxOptions = {}): AsyncIterableIterator<InboxItem> {
    if (this.#inbox !== undefined) throw new TypeError('inbox() was called while another iterator of it is open')
    const left = () => {
      if (this.#inbox === inbox) this.#inbox = undefined
    }
    const tap = this.#direct?.talk ?? this.#heard
    const inbox = new Inbox(options, this.#limits, this.#acknowledgements, left, (tries) => this.#calls.pause(tries), tap)
    if (options.signal?.aborted === true) return inbox
    this.#inbox = inbox
    if (this.#uplink.session !== undefined) inbox.join(this.#uplink.session)
    if (this.state === 'closed') inbox.end(this.#reason)
    return inbox
  }

  /**
   * Says something to an account, by its name, or in a conversation, by its number. Resolves when it is stored on the server:
   * from then on it reaches every device of everybody who is meant. Until then it is in the outbox, and is sent again, under the
   * same id, whatever becomes of connections and of this program; in the order in which it was said to the same `to`.
   * @throws {SealwireError} `message_too_large`, `malformed`, `busy` when the outbox is full; `storage_full` or `data_unusable` when it cannot
   * be kept; `unreachable` when the signal aborts before it is sent and `unknown_outcome` when later: both leave nothing behind;
   * `connection_lost` when this is closed meanwhile: it stays in the outbox; `unreachable` when this was closed before: it was not taken; and what the server refuses, such as `not_contact`.
   * @throws {TypeError} for an id that is none.
   */
  async send(to: string | number, content: Content, { id: given, signal }: SendOptions = {}): Promise<Sent> {
    const id = given ?? this.#calls.newId()
    const { replyTo, mentions, file, ...body } = partsOf(content)
    if (typeof to === 'string') this.direct?.reach(to)
    const message = {
      ...(typeof to === 'number' ? { conversation: to } : { to }),
      id: this.#calls.idBytes(id),
      ...bodyOf(body),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(mentions === undefined ? {} : { mentions: [...mentions] }),
      ...(file === undefined ? {} : { file }),
    }
    return this.#outbox.send(id.toLowerCase(), message, { signal, isFresh: given === undefined })
  }

  /** Messages of an earlier run that the server has refused for good. Until somebody reads this they stay in the outbox. */
  failures({ signal }: CallOptions = {}): AsyncIterableIterator<SendFailure> {
    return this.#outbox.failures(signal)
  }

  /** One conversation: by its number, or the direct one with somebody. @throws {SealwireError} `not_found`. */
  async conversation(which: string | number, options: CallOptions = {}): Promise<Conversation> {
    const info = await this.#calls.again(
      'conversation.find',
      typeof which === 'number' ? { conversation: which } : { name: which },
      options,
    )
    if (info.kind === 'direct' && info.state === 'accepted' && info.name !== undefined) this.direct?.reach(info.name)
    return new Conversation(info, {
      calls: this.#calls,
      files: this.#files,
      send: (...what) => this.send(...what),
      changed: (sent) => this.#direct?.talk.sent(sent),
      ids: this.#direct?.talk,
    })
  }

  /** All conversations, by number. */
  async *conversations(options: CallOptions = {}): AsyncGenerator<ConversationInfo, void, undefined> {
    for (let after: number | undefined; ; ) {
      const page = await this.#calls.again('conversation.list', after === undefined ? {} : { after }, options)
      yield* page.conversations
      after = page.conversations.at(-1)?.conversation
      if (!page.more || after === undefined) return
    }
  }

  /** Contacts and open requests, by name. */
  async *contacts(options: CallOptions = {}): AsyncGenerator<Contact, void, undefined> {
    for (let after: string | undefined; ; ) {
      const page = await this.#calls.again('contact.list', after === undefined ? {} : { after }, options)
      yield* page.contacts
      after = page.contacts.at(-1)?.name
      if (!page.more || after === undefined) return
    }
  }

  /** Asks somebody to talk, with a text of at most 1,000 bytes. @throws {SealwireError} `not_found`, `is_self`, `busy`, `declined`. */
  async request(name: string, text?: string, { id, signal }: SendOptions = {}): Promise<Result<'contact.request'>> {
    const words = text === undefined ? {} : { text: new TextEncoder().encode(text) }
    return this.#calls.again('contact.request', { name, id: this.#calls.idBytes(id), ...words }, { signal })
  }

  /** Accepts what somebody asked: both are contacts from now on. Doing it twice changes nothing. @throws {SealwireError} `no_request`. */
  async accept(name: string, options: CallOptions = {}): Promise<Result<'contact.accept'>> {
    try {
      return await this.#calls.again('contact.accept', { name }, options)
    } catch (reason) {
      if (SealwireError.from(reason).code !== 'no_request') throw reason
      const { conversation, state } = await this.#calls.again('conversation.find', { name }, options)
      if (state !== 'accepted') throw reason
      return { conversation }
    }
  }

  /** Declines what somebody asked. @throws {SealwireError} `no_request`. */
  async decline(name: string, options: CallOptions = {}): Promise<void> {
    await this.#calls.once('contact.decline', { name }, options)
  }

  /** Ends that somebody is a contact, or takes back what was asked; they are told. Doing it twice changes nothing. @throws {SealwireError} `not_contact`. */
  async removeContact(name: string, options: CallOptions = {}): Promise<void> {
    await this.#calls.again('contact.remove', { name }, options)
  }

  /** Messages with all these words, newest first, in everything that this account may see. */
  async search(text: string, options: SearchOptions = {}): Promise<SearchPage> {
    return searched(this.#calls, { text }, { ...options, ids: this.#direct?.talk })
  }

  /**
   * Saves the file of an entry under a path; an earlier try that was cut off goes on. Its SHA-256 was checked when it resolves.
   * @throws {SealwireError} `not_found`, `gone`; `file_invalid` when it is not what was announced; `data_unusable`, `storage_full`;
   * `usage` when something has come to be under the path meanwhile, which is left as it is.
   * @throws {TypeError} where there are no paths.
   */
  async saveFile(file: FileReference, path: string, options: TransferOptions = {}): Promise<void> {
    await this.#files.save(file, path, options)
  }

  /** The bytes of the file of an entry, in order; throws `file_invalid` behind them when they are not what was announced. */
  readFile(file: FileReference, options: TransferOptions = {}): AsyncIterableIterator<Uint8Array> {
    return this.#files.read(file, options)
  }

  /** What is told live from now on. Who does not listen, or lags more than 1,000 behind, misses some. */
  events({ signal }: CallOptions = {}): AsyncIterableIterator<LiveEvent> {
    return this.#events.read(signal)
  }

  /**
   * Calls any method of the contract, once. It waits for a connection, at most 30 s.
   * @throws {SealwireError} the server's refusal; `unreachable`; `connection_lost` or `unknown_outcome` when it may or may not have been done.
   */
  async call<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}): Promise<Result<M>> {
    return this.#calls.once(method, params, options)
  }

  /**
   * Ends in order: while there is a connection it waits, at most 5 s, for what is to be sent, acknowledged and answered, then says
   * Goodbye and lets go of the home. What could not be sent stays in the outbox. Never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    this.#inbox?.stop()
    const { clientCloseMsMax } = this.#limits
    const until = this.#clock.monotonic() + clientCloseMsMax
    if (this.state === 'online' || this.state === 'connecting')
      await waitAtMost(this.#clock, clientCloseMsMax, Promise.all([this.#outbox.idle(), this.#acknowledgements.settle()]))
    await this.#uplink.close(undefined, { answersMsMax: Math.max(0, until - this.#clock.monotonic()) })
    await this.#release(this.#reason)
  }

  #online(session: LoggedIn): void {
    this.#name = session.name
    this.#acknowledgements.online(session)
    this.#inbox?.open(session)
    this.#direct?.online(session)
    this.#handed?.online()
  }

  #event(parsed: ParsedEvent): void {
    if (parsed.event === 'inbox.entry') return this.#came(parsed.data)
    this.#direct?.event(parsed)
    this.#events.push(parsed)
    const change = parsed.event === 'payment.changed' ? readChange(parsed.data) : undefined
    if (change !== undefined) this.#changes.push(change)
  }

  /** What is deleted, on whatever device, is nobody's to give any more. */
  #came(data: EventData<'inbox.entry'>): void {
    if (data.entry.kind === 'delete') this.#files.withdraw(data.entry.conversation)
    this.#inbox?.push(data)
  }

  #changed(state: UplinkState, reason: SealwireError | undefined): void {
    this.#reason = reason
    this.#states.push(state)
    if (state === 'offline') this.#direct?.offline()
    if (state === 'closed' && reason !== undefined) void this.#release(reason)
  }

  async #release(reason: SealwireError | undefined): Promise<void> {
    this.#network?.removeEventListener('online', this.#wake)
    this.#inbox?.end(reason)
    this.#states.end(reason)
    this.#events.end(reason)
    this.#changes.end(reason)
    await this.#direct?.close(reason)
    this.#handed?.close(reason)
    await this.#heard?.[Symbol.asyncDispose]()
    this.#held?.[Symbol.dispose]()
    await this.#outbox.end(reason)
  }
}

/** Where there is a window, it tells of the network; there is none in a process. */
function windowOf(scope: object): SealwireParts['network'] {
  return 'addEventListener' in scope && scope instanceof EventTarget ? scope : undefined
}
