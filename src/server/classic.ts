// The classic dialect (classic.md): the seed chat's commands, translated onto the services. Refusals leave the
// connection open; every one is an Error with the word of its code.

import type { TokenBucket } from '../domain/index.ts'
import {
  classicAcks,
  classicCommands,
  classicExitText,
  classicWord,
  type Code,
  encodeFrame,
  frameBodyBytesLimit,
  type Packet,
  SealwireError,
  writeFrame,
} from '../protocol/index.ts'
import { type Delivery, freeSeat, type Participant, type Seat } from './chats.ts'
import type { ServerContext } from './context.ts'
import type { Dialect, Speaker } from './dialect.ts'

const { ack, error, findPeer, message } = classicCommands
const utf8 = new TextEncoder()
const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ackFrames = { ok: ackFrame(classicAcks.ok), chat: ackFrame(classicAcks.chat), bye: ackFrame(classicAcks.bye) }
const exitText = utf8.encode(classicExitText)

/** An Error frame for `code`. */
export function classicError(code: Code): Uint8Array {
  return encodeFrame(error, utf8.encode(classicWord(code)))
}

export class ClassicDialect implements Dialect {
  readonly #speaker: Speaker
  readonly #server: ServerContext
  #account: ClassicParticipant | undefined

  constructor(speaker: Speaker, server: ServerContext) {
    this.#speaker = speaker
    this.#server = server
  }

  dispatch(packet: Packet): Promise<void> | undefined {
    const { command, body } = packet
    const account = this.#account
    if (account !== undefined && command === message) return account.speak(body)
    if (command === classicCommands.register || command === classicCommands.login) return this.#logIn(command, body)
    if (account === undefined) return this.#refuse('not_logged_in')
    return account.dispatch(command, body)
  }

  closed(): void {
    this.#account?.leave()
  }

  async #logIn(command: number, body: Uint8Array): Promise<void> {
    if (this.#account !== undefined) return this.#refuse('already_logged_in')
    const credentials = parseCredentials(body)
    if (credentials === undefined) return this.#refuse('malformed')
    this.#speaker.loginArrived()
    try {
      const { address, signal } = this.#speaker
      const accounts = this.#server.accounts
      const input = { ...credentials, address, signal }
      const account = command === classicCommands.register ? await accounts.register(input) : await accounts.login(input)
      this.#enter(account)
    } catch (reason) {
      this.#loginFailed(SealwireError.from(reason))
    }
  }

  #enter(account: { readonly name: string; readonly key: string }): void {
    if (this.#speaker.signal.aborted) return
    this.#account = new ClassicParticipant(account.name, account.key, this.#speaker, this.#server)
    this.#speaker.authenticated()
    this.#speaker.link.send(ackFrames.ok)
    this.#server.log.info('logged in', { connection: this.#speaker.id, account: account.name })
  }

  #loginFailed(reason: SealwireError): void {
    if (reason.fatal) throw reason
    if (isOurs(reason.code)) this.#server.log.warning('login failed', { connection: this.#speaker.id, code: reason.code })
    this.#speaker.loginRefused()
    this.#refuse(reason.code)
  }

  #refuse(code: Code): undefined {
    this.#speaker.link.send(classicError(code))
  }
}

/** A logged-in classic session, as chats see it and as its own commands reach it. */
class ClassicParticipant implements Participant {
  readonly name: string
  readonly key: string
  seat: Seat = freeSeat
  readonly #speaker: Speaker
  readonly #server: ServerContext
  readonly #rate: TokenBucket
  /** `peer: `, which goes before everything the peer of the chat says. */
  #prefix: Uint8Array = new Uint8Array(0)
  /** Since when this account has been over its rate without a pause; `undefined` while it is not. */
  #overRateSince: number | undefined

  constructor(name: string, key: string, speaker: Speaker, server: ServerContext) {
    this.name = name
    this.key = key
    this.#speaker = speaker
    this.#server = server
    this.#rate = server.presence.enter(this)
  }

  // Commands of its own client.

  dispatch(command: number, body: Uint8Array): Promise<void> | undefined {
    const { chats } = this.#server
    switch (command) {
      case findPeer:
      case classicCommands.chatRequest:
        return this.#withinRate() ? this.#request(body) : this.#later(() => this.#request(body))
      case ack:
      case classicCommands.chatAccept:
        chats.accept(this) // With nothing to answer it does nothing: an own request is not one's own to accept.
        return undefined
      case error:
      case classicCommands.chatDecline:
        chats.decline(this)
        return undefined
      case classicCommands.exitChat:
        return this.#exit()
      default:
        return this.#refuse('unknown_command')
    }
  }

  /** The hot path: one message of a chat, from decoded frame to the peer's output, without a promise. */
  speak(text: Uint8Array): Promise<void> | undefined {
    return this.#withinRate() ? this.#say(text) : this.#later(() => this.#say(text))
  }

  leave(): void {
    this.#server.presence.leave(this)
    this.#server.chats.leave(this)
  }

  // What chats tell it.

  requested(from: Participant): void {
    this.#write(findPeer, utf8.encode(from.name))
  }

  begun(peer: Participant): void {
    this.#prefix = utf8.encode(`${peer.name}: `)
    this.#speaker.link.send(ackFrames.chat)
  }

  declined(): void {
    this.#refuse('declined')
  }

  left(): void {
    this.#refuse('peer_left')
  }

  said(text: Uint8Array): Delivery {
    const { link } = this.#speaker
    if (!link.open) return 'peer_lost'
    if (this.#prefix.length + text.length > frameBodyBytesLimit) return 'message_too_large'
    writeFrame(link, message, text, this.#prefix, this.#server.checksum)
    return 'handed_over'
  }

  backlog(): Promise<void> | undefined {
    return this.#speaker.link.keepsUp ? undefined : this.#speaker.caughtUp()
  }

  #say(text: Uint8Array): Promise<void> | undefined {
    if (isExit(text)) return this.#exit()
    const delivery = this.#server.chats.say(this, text)
    if (delivery !== 'handed_over') return this.#refuse(delivery ?? 'not_in_chat')
    this.#speaker.link.send(ackFrames.ok)
    return this.seat.name === 'talking' ? this.seat.peer.backlog() : undefined
  }

  #request(body: Uint8Array): undefined {
    try {
      this.#server.chats.request(this, this.#server.accounts.keyOf(strictText.decode(body)))
    } catch (reason) {
      const { code } = SealwireError.from(reason)
      this.#refuse(code === 'internal' || code === 'name_invalid' ? 'not_found' : code)
    }
  }

  #exit(): undefined {
    this.#server.chats.leave(this)
    this.#speaker.link.send(ackFrames.bye)
  }

  #withinRate(): boolean {
    if (!this.#rate.take(this.#server.clock.monotonic())) return false
    this.#overRateSince = undefined
    return true
  }

  /** Runs `action` as soon as the account's rate allows; after `messageDelayMsMax` over the rate it is refused instead. */
  async #later(action: () => Promise<void> | undefined): Promise<void> {
    const { clock, limits } = this.#server
    this.#overRateSince ??= clock.monotonic()
    do {
      if (clock.monotonic() - this.#overRateSince >= limits.messageDelayMsMax) return this.#refuse('rate_limited')
      await this.#pause(this.#rate.waitMs(clock.monotonic()))
      if (this.#speaker.signal.aborted) return
    } while (!this.#rate.take(clock.monotonic()))
    await action()
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.clock.after(ms, resolve)
    return promise
  }

  #refuse(code: Code): undefined {
    this.#speaker.link.send(classicError(code))
  }

  #write(command: number, body: Uint8Array): void {
    writeFrame(this.#speaker.link, command, body, undefined, this.#server.checksum)
  }
}

/** `user:password`; the password may hold colons. `undefined` when there is no colon or it is not UTF-8. */
function parseCredentials(body: Uint8Array): { readonly name: string; readonly password: string } | undefined {
  try {
    const text = strictText.decode(body)
    const colon = text.indexOf(':')
    return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
  } catch {
    return undefined
  }
}

/** The store could not do it: no fault of the client's, and something for the operator to look at. */
function isOurs(code: Code): boolean {
  return code === 'storage_full' || code === 'unavailable' || code === 'unknown_outcome'
}

function isExit(text: Uint8Array): boolean {
  return text.length === exitText.length && text.every((byte, at) => byte === exitText[at])
}

function ackFrame(word: string): Uint8Array {
  return encodeFrame(ack, utf8.encode(word))
}
