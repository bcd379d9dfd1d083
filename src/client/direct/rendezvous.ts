// What a client needs of its server to meet others: to be told of offers, to make them, and to know whose key is whose.
//
//   away ──online()──▶ asking ──direct.listen answered──▶ here
//    ▲                   ├──busy, no answer──▶ asking again, 2 s later
//    │                   └──a server or a session that has no direct links──▶ away
//    └──offline()── any

import { X509Certificate } from 'node:crypto'
import type { Clock, Timer } from '../../domain/clock.ts'
import { verifyPeer } from '../../pki/peer-certificate.ts'
import type { Method, Params, Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/limits.ts'
import { isPassing } from '../refusals.ts'

/** A device as the server lists it. */
export interface ListedDevice {
  /** Its id. */
  readonly device: string
  /** SHA-256 of the SubjectPublicKeyInfo in its certificate, in hex. */
  readonly spki: string
}

export interface RendezvousParts {
  /** Calls the server, once. */
  readonly call: <M extends Method>(method: M, params: Params<M>) => Promise<Result<M>>
  readonly clock: Clock
  readonly limits: Pick<Limits, 'directRetryMs' | 'directWatchedMax'>
  /** Known beside those that the server names. */
  readonly authorities: () => readonly X509Certificate[]
  /** Offers come from now on. */
  ready(): void
  /** The server tells no more when devices of this account end: it has been asked for so many others. */
  forgotten(key: string): void
}

type State =
  | { readonly name: 'away' }
  | { readonly name: 'asking'; retry?: Timer }
  | { readonly name: 'here'; readonly address: string | undefined }

export class Rendezvous {
  readonly #parts: RendezvousParts
  /** Keys of the accounts whose devices the server watches for this session, those asked for longest ago first. */
  readonly #watched = new Set<string>()
  #state: State = { name: 'away' }
  /** The connection to the server. */
  #session: object | undefined
  /** They outlive the connection that named them, as links do. */
  #authorities: readonly X509Certificate[] = []

  constructor(parts: RendezvousParts) {
    this.#parts = parts
  }

  get isHere(): boolean {
    return this.#state.name === 'here'
  }

  /** Our address, as the server sees it. */
  get address(): string | undefined {
    return this.#state.name === 'here' ? this.#state.address : undefined
  }

  /** There is a connection, or another one. */
  online(): void {
    this.offline()
    const asking = { name: 'asking' } as const
    this.#state = asking
    this.#session = asking
    void this.#listen(asking)
  }

  offline(): void {
    if (this.#state.name === 'asking') this.#state.retry?.cancel()
    this.#state = { name: 'away' }
    this.#session = undefined
    this.#watched.clear()
  }

  /** Whether the server tells this session when devices of that account end. */
  watches(key: string): boolean {
    return this.#watched.has(key)
  }

  /**
   * The devices that an account has now; the server tells from now on when one of them ends.
   * @throws {SealwireError} `not_found` when it is nobody whom we talk with; what ends a call.
   */
  async devices(name: string, key: string): Promise<readonly ListedDevice[]> {
    const session = this.#session
    const { devices } = await this.#parts.call('direct.devices', { name })
    if (session !== undefined && this.#session === session) this.#watch(key)
    return devices.map(({ device, spki }) => ({ device, spki: Buffer.from(spki).toString('hex') }))
  }

  /** How many sessions were told. */
  async offer(offer: Params<'direct.offer'>): Promise<number> {
    const { told } = await this.#parts.call('direct.offer', offer)
    return told
  }

  /** @throws {SealwireError} `untrusted` when this is not the certificate of one of these devices. */
  verify(certificate: Uint8Array, devices: { has(spki: string): boolean }): void {
    const authorities = [...this.#authorities, ...this.#parts.authorities()]
    verifyPeer(certificate, { authorities, devices, now: this.#parts.clock.now() })
  }

  async #listen(asking: State & { name: 'asking' }): Promise<void> {
    try {
      const { address, authorities = [] } = await this.#parts.call('direct.listen', { on: true })
      if (this.#state !== asking) return
      this.#authorities = authorities.flatMap(certificatesOf)
      this.#state = { name: 'here', address }
      this.#parts.ready()
    } catch (reason) {
      if (this.#state !== asking) return
      const { clock, limits } = this.#parts
      if (isPassing(SealwireError.from(reason))) asking.retry = clock.after(limits.directRetryMs, () => void this.#listen(asking))
      else this.#state = { name: 'away' }
    }
  }

  #watch(key: string): void {
    this.#watched.delete(key)
    this.#watched.add(key)
    const [oldest] = this.#watched
    if (this.#watched.size <= this.#parts.limits.directWatchedMax || oldest === undefined) return
    this.#watched.delete(oldest)
    this.#parts.forgotten(oldest)
  }
}

/** One that cannot be read is none. */
function certificatesOf(der: Uint8Array): readonly X509Certificate[] {
  try {
    return [new X509Certificate(der)]
  } catch {
    return []
  }
}
