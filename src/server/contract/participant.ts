// A logged-in session of the contract, as chats see it: what happens becomes an Event in its link's output.

import { contractCommands, encodeEvent, type EventData, type EventName } from '../../protocol/contract/index.ts'
import { frameBodyBytesLimit, type SealwireError, writeFrame } from '../../protocol/index.ts'
import type { SecretHash } from '../../store/index.ts'
import type { AccountIdentity } from '../accounts.ts'
import { type Delivery, freeSeat, type Participant, type Seat } from '../chats.ts'
import type { ServerContext } from '../context.ts'
import type { Speaker } from '../dialect.ts'
import { Pace } from '../pace.ts'
import type { Standing } from '../presence.ts'

export class ContractParticipant implements Participant {
  readonly id: bigint
  readonly name: string
  readonly key: string
  readonly standing: Standing
  /** Of the token that this session can come back with; `undefined` when it comes back with its certificate. */
  readonly tokenHash: SecretHash | undefined
  /** Shared with the account's other sessions. */
  readonly pace: Pace
  seat: Seat = freeSeat
  readonly #speaker: Speaker
  readonly #server: ServerContext

  /** @throws {SealwireError} `busy` when the account has too many sessions. */
  constructor(
    { id, name, key }: AccountIdentity,
    standing: Standing,
    tokenHash: SecretHash | undefined,
    speaker: Speaker,
    server: ServerContext,
  ) {
    this.id = id
    this.name = name
    this.key = key
    this.standing = standing
    this.tokenHash = tokenHash
    this.#speaker = speaker
    this.#server = server
    this.pace = new Pace(server.presence.enter(this), server)
  }

  requested({ name }: Participant): void {
    this.#tell('chat.requested', { name })
  }

  begun({ name }: Participant): void {
    this.#tell('chat.begun', { name })
  }

  declined(): void {
    this.#tell('chat.declined', {})
  }

  left(): void {
    this.#tell('chat.left', {})
  }

  /** Content types are the clients' business: every one is taken. */
  said(body: Uint8Array, type: string): Delivery {
    if (!this.#speaker.link.open || this.seat.name !== 'talking') return 'peer_lost'
    const event = encodeEvent('chat.said', { name: this.seat.peer.name, type, body })
    if (event.length > frameBodyBytesLimit) return 'message_too_large'
    this.#write(event)
    return 'handed_over'
  }

  backlog(): Promise<void> | undefined {
    return this.#speaker.link.keepsUp ? undefined : this.#speaker.caughtUp()
  }

  end(reason: SealwireError): void {
    this.#speaker.fail(reason)
  }

  leave(): void {
    this.#server.presence.leave(this)
    this.#server.chats.leave(this)
  }

  #tell<E extends EventName>(event: E, data: EventData<E>): void {
    this.#write(encodeEvent(event, data))
  }

  #write(event: Uint8Array): void {
    writeFrame(this.#speaker.link, contractCommands.event, event, undefined, this.#server.checksum)
  }
}
