// The classic dialect (classic.md): the seed chat's commands, translated onto the services. Refusals leave the
// connection open; every one is an Error with the word of its code.

import { LaterSink } from '../link/index.ts'
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
import type { AccountIdentity, Origin } from './accounts.ts'
import type { ClassicSession } from './classic/bridge.ts'
import { type Delivery, freeSeat, type Seat, type Talker } from './classic/chats.ts'
import type { ServerContext } from './context.ts'
import type { Dialect, Speaker } from './session/dialect.ts'
import { isOurs, logIn } from './session/log-in.ts'
import { Pace } from './session/pace.ts'
import type { Standing } from './people/presence.ts'

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
  readonly name = 'classic'
  readonly #speaker: Speaker
  readonly #server: ServerContext
  #account: ClassicParticipant | undefined

  constructor(speaker: Speaker, server: ServerContext) {
    this.#speaker = speaker
    this.#server = server
  }

  dispatch(packet: Packet): Promise<void> | undefined {
    const { command, body } = packet
    this.#server.counts.classic(command)
    const account = this.#account
    if (account !== undefined && command === message) return account.speak(body)
    if (command === classicCommands.register || command === classicCommands.login) return this.#logIn(command, body)
    if (account === undefined) return this.#refuse('not_logged_in')
    return account.dispatch(command, body)
  }

  lastWord({ code }: SealwireError): Uint8Array {
    return classicError(code)
  }

  closed(): void {
    this.#account?.leave()
  }

  async #logIn(command: number, body: Uint8Array): Promise<void> {
    if (this.#account !== undefined) return this.#refuse('already_logged_in')
    const credentials = parseCredentials(body)
    if (credentials === undefined) return this.#refuse('malformed')
    const accounts = this.#server.accounts
    const prove = (origin: Origin): Promise<AccountIdentity> =>
      command === classicCommands.register
        ? accounts.register({ ...credentials, ...origin })
        : accounts.login({ ...credentials, ...origin })
    const enter = (account: AccountIdentity, standing: Standing): void => {
      this.#account = new ClassicParticipant(account, standing, this.#speaker, this.#server)
      this.#speaker.link.send(ackFrames.ok)
    }
    try {
      await logIn(this.#speaker, this.#server, { prove, enter })
    } catch (reason) {
      const { code, fatal } = SealwireError.from(reason)
      if (fatal) throw reason
      this.#refuse(code)
    }
  }

  #refuse(code: Code): undefined {
    this.#server.counts.classicRefusals.add(code)
    this.#speaker.link.send(classicError(code))
  }
}

/** A logged-in classic session, as chats see it and as its own commands reach it. */
class ClassicParticipant implements ClassicSession {
  readonly id: bigint
  readonly name: string
  readonly key: string
  readonly standing: Standing
  readonly device = undefined
  readonly connection: number
  seat: Seat = freeSeat
  readonly #speaker: Speaker
  readonly #server: ServerContext
  readonly #pace: Pace
  /** For what the peer of a chat says: whoever said it has an answer, and who hears it asks for nothing. */
  readonly #heard: LaterSink
  /** `peer: `, which goes before everything the peer of the chat says. */
  #prefix: Uint8Array = new Uint8Array(0)

  constructor({ id, name, key }: AccountIdentity, standing: Standing, speaker: Speaker, server: ServerContext) {
    this.id = id
    this.name = name
    this.key = key
    this.standing = standing
    this.connection = speaker.id
    this.#speaker = speaker
    this.#heard = new LaterSink(speaker.link)
    this.#server = server
    this.#pace = new Pace(server.presence.enter(this).messages, server)
    server.bridge.enter(this)
  }

  // Commands of its own client.

  dispatch(command: number, body: Uint8Array): Promise<void> | undefined {
    switch (command) {
      case findPeer:
      case classicCommands.chatRequest:
        return this.#pace.take(this.#speaker.now) ? this.#request(body) : this.#later(() => this.#request(body))
      case ack:
      case classicCommands.chatAccept:
        return this.#answer(true)
      case error:
      case classicCommands.chatDecline:
        return this.#answer(false)
      case classicCommands.exitChat:
        return this.#exit()
      default:
        return this.#refuse('unknown_command')
    }
  }

  /** The hot path: one message of a chat, from decoded frame to the peer's output, without a promise. */
  speak(text: Uint8Array): Promise<void> | undefined {
    return this.#pace.take(this.#speaker.now) ? this.#say(text) : this.#later(() => this.#say(text))
  }

  leave(): void {
    this.#server.presence.leave(this)
    this.#server.chats.leave(this)
    this.#server.bridge.leave(this)
  }

  // What chats tell it.

  requested(from: Talker): void {
    this.#write(findPeer, utf8.encode(from.name))
  }

  begun(peer: Talker): void {
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
    writeFrame(this.#heard, message, text, this.#prefix, this.#server.checksum)
    return 'handed_over'
  }

  backlog(): Promise<void> | undefined {
    return this.#speaker.link.keepsUp ? undefined : this.#speaker.caughtUp()
  }

  end(reason: SealwireError): void {
    this.#speaker.fail(reason)
  }

  #say(text: Uint8Array): Promise<void> | undefined {
    if (isExit(text)) return this.#exit()
    const delivery = this.#server.chats.say(this, text)
    if (delivery !== 'handed_over') return this.#elsewhere(delivery)
    this.#speaker.link.send(ackFrames.ok)
    return this.seat.name === 'talking' ? this.seat.peer.backlog() : undefined
  }

  /** What was said is being stored, or could not be handed over. */
  #elsewhere(delivery: Exclude<ReturnType<Talker['said']>, 'handed_over'> | undefined): Promise<void> | undefined {
    if (delivery instanceof Promise) return this.#whenSettled(delivery, ackFrames.ok)
    return this.#refuse(delivery ?? 'not_in_chat')
  }

  #request(body: Uint8Array): Promise<void> | undefined {
    const { chats, bridge } = this.#server
    const key = this.#keyOf(body)
    if (key === undefined) return this.#refuse('not_found')
    try {
      const ringing = chats.request(this, key)
      return ringing === 'rings' ? undefined : this.#whenSettled(bridge.call(this, key, ringing))
    } catch (reason) {
      return this.#refuse(SealwireError.from(reason).code)
    }
  }

  /** `undefined` for what can be nobody's name. */
  #keyOf(name: Uint8Array): string | undefined {
    try {
      return this.#server.accounts.keyOf(strictText.decode(name))
    } catch {
      return undefined
    }
  }

  /** With nothing to answer it does nothing: an own request is not one's own to accept. */
  #answer(accept: boolean): Promise<void> | undefined {
    const { chats, bridge } = this.#server
    const pending = bridge.answer(this, accept)
    if (pending !== undefined) return this.#whenSettled(pending)
    if (accept) chats.accept(this)
    else chats.decline(this)
    return undefined
  }

  #exit(): undefined {
    this.#server.chats.leave(this)
    this.#speaker.link.send(ackFrames.bye)
  }

  /** Answers what others had to decide. @throws {SealwireError} what ends the session. */
  async #whenSettled(pending: Promise<void>, answer?: Uint8Array): Promise<void> {
    const { id: connection, signal, link } = this.#speaker
    try {
      await pending
      if (answer !== undefined && !signal.aborted) link.send(answer)
    } catch (reason) {
      const { code, fatal } = SealwireError.from(reason)
      if (fatal) throw reason
      if (isOurs(code)) this.#server.log.warning('request failed', { connection, code })
      if (!signal.aborted) this.#refuse(code)
    }
  }

  /** Carries out what was over the rate as soon as that allows it; refuses it when it takes too long. */
  async #later(action: () => Promise<void> | undefined): Promise<void> {
    const { signal } = this.#speaker
    if (await this.#pace.wait(signal)) return action()
    return signal.aborted ? undefined : this.#refuse('rate_limited')
  }

  #refuse(code: Code): undefined {
    this.#server.counts.classicRefusals.add(code)
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

function isExit(text: Uint8Array): boolean {
  return text.length === exitText.length && text.every((byte, at) => byte === exitText[at])
}

function ackFrame(word: string): Uint8Array {
  return encodeFrame(ack, utf8.encode(word))
}
