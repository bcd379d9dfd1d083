// Devices of one server, and what stands where another device may connect, with everything that a test wants to know of it.

import { readdirSync, readlinkSync } from 'node:fs'
import type { X509Certificate } from 'node:crypto'
import { systemClock } from '../../src/domain/index.ts'
import {
  type ClientCertificate,
  type DialledLink,
  dialPeer,
  Flusher,
  type Link,
  type LinkContext,
  type Listener,
  listenPeer,
  type PeerHandlers,
  type VerifyPeer,
} from '../../src/link/index.ts'
import { verifyPeer } from '../../src/pki/peer-certificate.ts'
import { type Limits, resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import { Recorder } from '../compliance/link.ts'
import type { Signer } from './certificates.ts'
import { deviceOf, keyHash, makeAuthority, type NamedSigner, pemOf } from './client-certificates.ts'

/** A server's authority, and those of its devices that expect each other. */
export interface Peers {
  readonly authority: NamedSigner
  readonly alice: Signer
  readonly bob: Signer
}

export async function makePeers(): Promise<Peers> {
  const authority = await makeAuthority('the authority')
  return { authority, alice: await deviceOf(authority), bob: await deviceOf(authority) }
}

/** What a device shows. */
export function shownBy({ certificate, key }: Pick<Signer, 'certificate' | 'key'>): ClientCertificate {
  return { chain: certificate.toString(), key: pemOf(key) }
}

/** Takes these devices of the authority, and no others. */
export function expecting({ authority }: Peers, ...devices: readonly Pick<Signer, 'certificate'>[]): VerifyPeer {
  const expected = new Set(devices.map(({ certificate }) => keyHash(certificate)))
  return (certificate) => void verifyPeer(certificate, { authorities: [authority.certificate], devices: expected, now: Date.now() })
}

/** Bob, whom Alice may dial. */
export class TestPeer implements Disposable {
  readonly context: LinkContext
  readonly accepted: { readonly link: Link; readonly recorder: Recorder }[] = []
  /** Why somebody did not get in: `why reason: what his certificate was refused with`. */
  readonly refusals: string[] = []
  identity: ClientCertificate
  verify: VerifyPeer
  /** Sent as soon as somebody is in. */
  greeting = ''
  #listener: Listener | undefined
  #wake: (() => void) | undefined

  private constructor(identity: ClientCertificate, verify: VerifyPeer, limits: Partial<Limits>) {
    this.identity = identity
    this.verify = verify
    const resolved = resolveLimits({ handshakeMsMax: patienceMs, ...limits })
    this.context = { limits: resolved, flusher: new Flusher(resolved, systemClock) }
  }

  static async start(
    peers: Peers,
    { limits = {}, host = '127.0.0.1' }: { limits?: Partial<Limits>; host?: string } = {},
  ): Promise<TestPeer> {
    const peer = new TestPeer(shownBy(peers.bob), expecting(peers, peers.alice), limits)
    const options = { host, port: 0, identity: () => peer.identity, verify: (certificate: Uint8Array) => peer.verify(certificate) }
    peer.#listener = await listenPeer(options, peer.#handlers(), peer.context)
    return peer
  }

  get port(): number {
    return this.#listener?.port ?? 0
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  /** How the next one is refused. */
  async refusal(): Promise<string> {
    await this.until(() => this.refusals.length > 0)
    return this.refusals.shift() ?? ''
  }

  [Symbol.dispose](): void {
    this.#listener?.close()
    for (const { link } of this.accepted) link.terminate()
  }

  #handlers(): PeerHandlers {
    return {
      opened: (link) => {
        const recorder = new Recorder()
        this.accepted.push({ link, recorder })
        if (this.greeting !== '') link.send(Buffer.from(this.greeting))
        this.#wake?.()
        return recorder
      },
      refused: (_remote, why, reason, cause) => {
        this.refusals.push([why, ...(reason === undefined ? [] : [reason]), ...(cause === undefined ? [] : [cause.message])].join(' '))
        this.#wake?.()
      },
    }
  }
}

/** Alice dials whoever is at that port, and expects Bob. */
export function dialBob(
  peers: Peers,
  port: number,
  context: LinkContext,
  options: { timeoutMs?: number; signal?: AbortSignal; host?: string } = {},
): Promise<DialledLink> {
  const own = { identity: shownBy(peers.alice), verify: expecting(peers, peers.bob), host: '127.0.0.1', timeoutMs: patienceMs }
  return dialPeer({ ...own, port, ...options }, context)
}

export async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const reason = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  return SealwireError.is(reason) ? reason.message : `none: ${String(reason)}`
}

/** Sockets that this process has open. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter(isSocket).length
}

function isSocket(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:')
  } catch {
    return false // It was that of the folder.
  }
}

/** Waits until this process has no more of them. */
export async function untilSockets(count: number): Promise<void> {
  while (openSockets() > count) await new Promise((resolve) => setTimeout(resolve, 10))
}

export function derOf({ raw }: X509Certificate): Uint8Array {
  return new Uint8Array(raw)
}

/** For what takes a few milliseconds, on a machine that has other things to do. */
const patienceMs = 25_000
