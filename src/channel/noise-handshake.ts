// One handshake (Noise revision 34, §5.3), without input or output: `write` makes the bytes of the own next message,
// `read` takes the peer's. When the last one is done, `split` gives the keys of the transport. After a failure there is nothing
// left to use: the keys are zeroed and every call fails the same.

import { assert } from '../protocol/errors.ts'
import { channelBroken, FirstFailure } from './broken.ts'
import type { CipherState } from './cipher-state.ts'
import { KeyPair, publicKeyBytes } from './key-pair.ts'
import { type Pattern, type PatternName, patterns, type Token } from './patterns.ts'
import { SymmetricState } from './symmetric-state.ts'

export interface HandshakeOptions {
  readonly pattern: PatternName
  readonly role: 'initiator' | 'responder'
  /** Bytes that both ends must agree on though they do not travel here. */
  readonly prologue: Uint8Array
  /** The own static key; needed where the pattern has one for this role. */
  readonly staticKey?: KeyPair | undefined
  /** The responder's static key, where the initiator knows it. */
  readonly remoteStaticKey?: Uint8Array | undefined
  /** Where a fresh key pair comes from. Default: the system. Fixed only by tests. */
  readonly ephemeral?: (() => KeyPair) | undefined
}

export class NoiseHandshake {
  readonly #pattern: Pattern
  readonly #isInitiator: boolean
  readonly #state: SymmetricState
  readonly #static: KeyPair | undefined
  readonly #makeEphemeral: () => KeyPair
  #ephemeral: KeyPair | undefined
  #remoteStatic: Uint8Array | undefined
  #remoteEphemeral: Uint8Array | undefined
  #step = 0
  #isSplit = false
  readonly #first = new FirstFailure(() => this.destroy())

  constructor(options: HandshakeOptions) {
    this.#pattern = patterns[options.pattern]
    this.#isInitiator = options.role === 'initiator'
    this.#static = options.staticKey
    this.#remoteStatic = options.remoteStaticKey
    this.#makeEphemeral = options.ephemeral ?? (() => KeyPair.generate())
    this.#state = new SymmetricState(`Noise_${options.pattern}_25519_AESGCM_SHA256`)
    this.#state.mixHash(options.prologue)
    if (this.#pattern.responderKnown) this.#state.mixHash(this.#responderStatic())
  }

  /** True when every message has been written or read. */
  get done(): boolean {
    return this.#step === this.#pattern.messages.length
  }

  /** True when the next message is ours to write. */
  get ourTurn(): boolean {
    return !this.done && (this.#step % 2 === 0) === this.#isInitiator
  }

  /** The peer's static key, as soon as it is known. */
  get remoteStaticKey(): Uint8Array | undefined {
    return this.#remoteStatic
  }

  /** The hash that names this handshake, once it is done. */
  get hash(): Uint8Array {
    return this.#state.hash
  }

  /** The bytes of the own next message. @throws {SealwireError} `channel_broken` when the peer's keys are worth nothing. */
  write(payload: Uint8Array): Uint8Array {
    assert(this.ourTurn, 'a handshake message out of turn')
    return this.#first.run(() => {
      const parts = this.#tokens().map((token) => this.#writeToken(token))
      return joined([...parts, this.#state.encryptAndHash(payload)])
    })
  }

  /**
   * Takes the peer's next message and returns its payload.
   * @throws {SealwireError} `channel_broken`, whatever was wrong.
   */
  read(message: Uint8Array): Uint8Array {
    assert(!this.done && !this.ourTurn, 'a handshake message out of turn')
    return this.#first.run(() => {
      let rest = message
      for (const token of this.#tokens()) rest = this.#readToken(token, rest)
      return this.#state.decryptAndHash(rest)
    })
  }

  /** The keys of the transport, once. */
  split(): { readonly outbound: CipherState; readonly inbound: CipherState } {
    assert(this.done && !this.#isSplit, 'a handshake that is not done, or over')
    return this.#first.run(() => {
      this.#isSplit = true
      const [initiators, responders] = this.#state.split()
      return this.#isInitiator ? { outbound: initiators, inbound: responders } : { outbound: responders, inbound: initiators }
    })
  }

  /** Zeroes what is secret; the handshake is over. Best effort: the runtime may have made copies. */
  destroy(): void {
    this.#first.fail()
    this.#state.destroy()
    this.#ephemeral = undefined
  }

  /** The tokens of the message whose turn it is; the next one is up after it. */
  #tokens(): readonly Token[] {
    return this.#pattern.messages[this.#step++] ?? []
  }

  #writeToken(token: Token): Uint8Array {
    if (token === 'e') {
      this.#ephemeral = this.#makeEphemeral()
      this.#state.mixHash(this.#ephemeral.publicKey)
      return this.#ephemeral.publicKey
    }
    if (token === 's') return this.#state.encryptAndHash(present(this.#static, 'a static key').publicKey)
    this.#mix(token)
    return nothing
  }

  /** Returns what follows the token. */
  #readToken(token: Token, rest: Uint8Array): Uint8Array {
    if (token === 'e') {
      this.#remoteEphemeral = taken(rest, publicKeyBytes)
      this.#state.mixHash(this.#remoteEphemeral)
      return rest.subarray(publicKeyBytes)
    }
    if (token === 's') {
      const length = publicKeyBytes + this.#state.sealedOverhead
      this.#remoteStatic = new Uint8Array(this.#state.decryptAndHash(taken(rest, length)))
      return rest.subarray(length)
    }
    this.#mix(token)
    return rest
  }

  /** The first letter is the initiator's key, the second the responder's. */
  #mix(token: 'ee' | 'es' | 'se' | 'ss'): void {
    const [ours, theirs] = this.#isInitiator ? [token[0], token[1]] : [token[1], token[0]]
    const own = present(ours === 'e' ? this.#ephemeral : this.#static, 'an own key')
    const remote = present(theirs === 'e' ? this.#remoteEphemeral : this.#remoteStatic, "the peer's key")
    const secret = own.agree(remote)
    this.#state.mixKey(secret)
    secret.fill(0)
  }

  #responderStatic(): Uint8Array {
    return this.#isInitiator ? present(this.#remoteStatic, "the responder's key") : present(this.#static, 'a static key').publicKey
  }
}

const nothing = new Uint8Array(0)

/** A copy of the first `count` bytes. */
function taken(bytes: Uint8Array, count: number): Uint8Array {
  if (bytes.length < count) throw channelBroken()
  return new Uint8Array(bytes.subarray(0, count))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function present<T>(value: T | undefined, what: string): T {
  assert(value !== undefined, `${what} is missing`)
  return value
}
