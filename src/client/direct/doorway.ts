// Where other devices connect. It is open only while an attempt is under way: a device shows its certificate to whoever
// connects, and a port that is always open can be found.

import type { Link, LinkReceiver, Listener, PeerHandlers, PeerListenOptions } from '../../link/index.ts'
import { peerKeyHash } from '../../pki/peer-certificate.ts'
import { limitTable } from '../../protocol/limits.ts'
import { type Candidate, ownCandidates } from './candidates.ts'
import type { PeerDevice, PeerLink, PeerLinkParts } from './peer-link.ts'
import { awaitPeer } from './peer-greeting.ts'

/** What lets a device in. Either of the two is told, once. */
export interface Admission {
  accepted(link: PeerLink): void
  acceptFailed(): void
}

export interface DoorwayParts extends Pick<PeerListenOptions, 'identity' | 'verify'> {
  /** `listenPeer`. */
  readonly listen: (options: PeerListenOptions, handlers: PeerHandlers) => Promise<Listener>
  /** An address of this machine. Default: all of them. */
  readonly host?: string | undefined
  /** Default: any that is free. */
  readonly port?: number | undefined
  /** Where others reach us besides. */
  readonly announce?: readonly Candidate[] | undefined
  readonly peer: PeerLinkParts
  readonly greetingsMax: number
  identify(spki: string): PeerDevice | undefined
  /** Somebody has said hello with this token. Throws when it is not good. */
  admit(token: Uint8Array, peer: PeerDevice): Promise<Admission>
}

export class Doorway {
  readonly #parts: DoorwayParts
  /** For whom it is open. */
  readonly #users = new Set<object>()
  /** They have connected and are not let in yet, the oldest first: of which account each is. */
  readonly #greetings = new Map<Link, string>()
  #listener: Promise<Listener | undefined> | undefined
  /** The one before is gone, and so is its port. */
  #closed: Promise<void> = Promise.resolve()

  constructor(parts: DoorwayParts) {
    this.#parts = parts
  }

  get isOpen(): boolean {
    return this.#listener !== undefined
  }

  /**
   * Opens it for somebody, who then leaves. Resolves with the addresses to tell; where nobody can listen, with those that were
   * announced, or with none: the other side may still be there to be dialled.
   */
  async open(user: object, seen: string | undefined): Promise<readonly Candidate[]> {
    this.#users.add(user)
    this.#listener ??= this.#closed.then(() => this.#listen())
    const listener = await this.#listener
    const { announce = [] } = this.#parts
    const own = listener === undefined ? [] : ownCandidates({ host: listener.host, port: listener.port, seen })
    return [...announce, ...own].slice(0, limitTable.directCandidatesMax.value)
  }

  leave(user: object): void {
    if (!this.#users.delete(user) || this.#users.size > 0) return
    const listener = this.#listener
    this.#listener = undefined
    if (listener !== undefined) this.#closed = listener.then((each) => each?.close())
  }

  /** Closes it for everybody, and cuts those who are not in yet. */
  async close(): Promise<void> {
    for (const user of this.#users) this.leave(user)
    await this.#closed
    for (const link of this.#greetings.keys()) link.terminate()
  }

  /** Where there is no IPv6, on all addresses of IPv4. */
  async #listen(): Promise<Listener | undefined> {
    const { host, port = 0, listen, identity, verify } = this.#parts
    const handlers = { opened: (link: Link) => this.#opened(link), refused() {} }
    for (const each of host === undefined ? ['::', '0.0.0.0'] : [host]) {
      const listener = await listen({ host: each, port, identity, verify }, handlers).catch(() => undefined)
      if (listener !== undefined) return listener
    }
    return undefined
  }

  #opened(link: Link): LinkReceiver {
    const { peer: parts } = this.#parts
    const visitor = new Visitor(this.#parts)
    const identify = (spki: string): PeerDevice | undefined => this.#parts.identify(spki)
    this.#enter(link)
    const { receiver, link: entering } = awaitPeer(link, { identify, admit: visitor.admit }, parts)
    void entering.then(visitor.entered, visitor.gone).finally(() => this.#greetings.delete(link))
    return receiver
  }

  /** Of too many the oldest one of the account with the most goes: nobody is cut for what another one does. */
  #enter(link: Link): void {
    const { greetingsMax } = this.#parts
    const { peerCertificate } = link.security
    const name = peerCertificate === undefined ? undefined : this.#parts.identify(peerKeyHash(peerCertificate))?.name
    this.#greetings.set(link, name ?? '')
    if (this.#greetings.size <= greetingsMax) return
    const counts = new Map<string, number>()
    for (const each of this.#greetings.values()) counts.set(each, (counts.get(each) ?? 0) + 1)
    const most = Math.max(...counts.values())
    const [oldest] = [...this.#greetings].find(([, each]) => counts.get(each) === most) ?? []
    oldest?.terminate()
  }
}

/** A device at the door: it is let in, unless it is gone before. */
class Visitor {
  readonly #parts: Pick<DoorwayParts, 'admit'>
  #admission: Admission | undefined
  #isGone = false

  constructor(parts: Pick<DoorwayParts, 'admit'>) {
    this.#parts = parts
  }

  readonly admit = async (token: Uint8Array, peer: PeerDevice): Promise<void> => {
    const admission = await this.#parts.admit(token, peer)
    if (this.#isGone) admission.acceptFailed()
    else this.#admission = admission
  }

  readonly entered = (link: PeerLink): void => this.#admission?.accepted(link)

  readonly gone = (): void => {
    this.#isGone = true
    this.#admission?.acceptFailed()
  }
}
