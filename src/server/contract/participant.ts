// A logged-in session of the contract: what happens becomes an Event in its link's output.

import type { TokenBucket } from '../../domain/index.ts'
import { contractCommands } from '../../protocol/contract/index.ts'
import { type SealwireError, writeFrame } from '../../protocol/index.ts'
import type { SecretHash } from '../../store/index.ts'
import type { AccountIdentity } from '../accounts.ts'
import type { Hearer } from '../messages/audience.ts'
import type { Participant } from '../classic/chats.ts'
import type { ServerContext } from '../context.ts'
import type { Speaker } from '../session/dialect.ts'
import { InboxSession } from '../messages/inbox-session.ts'
import { Pace } from '../session/pace.ts'
import type { Standing } from '../people/presence.ts'

/** What a session logged in with, beside the proof. */
export interface LoginWay {
  readonly tokenHash: SecretHash | undefined
  readonly device: string | undefined
}

export class ContractParticipant implements Participant, Hearer {
  readonly id: bigint
  readonly name: string
  readonly key: string
  readonly standing: Standing
  /** Of the token that this session can come back with; `undefined` when it comes back with its certificate. */
  readonly tokenHash: SecretHash | undefined
  /** Of the device that has logged in; `undefined` when it was the account alone: there is no inbox then. */
  readonly device: string | undefined
  /** Shared with the account's other sessions. */
  readonly pace: Pace
  /** The same for pages of what is stored. */
  readonly readPace: Pace
  /** The same for offers of direct links. */
  readonly offers: TokenBucket
  readonly joinOnly: boolean
  readonly #speaker: Speaker
  readonly #server: ServerContext
  #inbox: InboxSession | undefined

  /** @throws {SealwireError} `busy` when the account has too many sessions. */
  constructor(
    { id, name, key }: AccountIdentity,
    standing: Standing,
    { tokenHash, device }: LoginWay,
    speaker: Speaker,
    server: ServerContext,
  ) {
    this.id = id
    this.name = name
    this.key = key
    this.standing = standing
    this.tokenHash = tokenHash
    this.device = device
    this.joinOnly = speaker.joinOnly
    this.#speaker = speaker
    this.#server = server
    const { messages, reads, offers } = server.presence.enter(this)
    this.pace = new Pace(messages, server)
    this.readPace = new Pace(reads, server)
    this.offers = offers
    if (!this.joinOnly) server.audience.enter(this)
  }

  get keepsUp(): boolean {
    return this.#speaker.link.keepsUp
  }

  hear(event: Uint8Array): void {
    this.#write(event)
  }

  /** The place of this session in the inbox of its account; one that it had is closed. It must be begun. */
  openInbox(device: string): InboxSession {
    this.closeInbox()
    this.#inbox = new InboxSession(this.id, device, this.#speaker, this.#server)
    this.#server.inboxes.enter(this.#inbox)
    return this.#inbox
  }

  closeInbox(): void {
    if (this.#inbox === undefined) return
    this.#inbox.close()
    this.#server.inboxes.leave(this.#inbox)
    this.#inbox = undefined
  }

  end(reason: SealwireError): void {
    this.#speaker.fail(reason)
  }

  leave(): void {
    this.closeInbox()
    this.#server.audience.leave(this)
    this.#server.direct.leave(this)
    this.#server.presence.leave(this)
  }

  #write(event: Uint8Array): void {
    writeFrame(this.#speaker.link, contractCommands.event, event, undefined, this.#server.checksum)
  }
}
