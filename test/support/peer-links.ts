// Direct links over memory links, with a clock that the test moves, and the other device as the test writes it.

import { awaitPeer, greetPeer } from '../../src/client/direct/peer-greeting.ts'
import type { PeerAnswers, PeerDevice, PeerLink, PeerLinkParts } from '../../src/client/direct/peer-link.ts'
import { Flusher, linkPair, type MemoryLink } from '../../src/link/index.ts'
import { contractCommands, encodeFault, encodeRequestIn, encodeResultIn } from '../../src/protocol/contract/index.ts'
import { type PeerMethod, peerMethods, type PeerMethods, type PeerParams, type PeerResult } from '../../src/protocol/direct/index.ts'
import { type Code, encodeFrame, type Limits, resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import { ScriptedServer } from '../client/scripted-server.ts'
import { keyHash } from './client-certificates.ts'
import { ManualClock } from './manual-clock.ts'
import { someAnswers, token } from './peer-says.ts'
import { derOf, type Peers } from './peers.ts'

/** A device as the others know it. */
export function deviceNamed(name: keyof Omit<Peers, 'authority'>, peers: Peers): PeerDevice {
  return { name, device: name.repeat(32).slice(0, 32), spki: keyHash(peers[name].certificate) }
}

/** A request of the contract's frames, for another table. */
export function asked<M extends PeerMethod>(id: number, method: M, params: PeerParams<M>): Uint8Array {
  return encodeFrame(contractCommands.request, encodeRequestIn<PeerMethods, M>(peerMethods, id, method, params))
}

export function answered<M extends PeerMethod>(id: number, method: M, result: PeerResult<M>): Uint8Array {
  return encodeFrame(contractCommands.result, encodeResultIn<PeerMethods, M>(peerMethods, id, method, result))
}

export function faulted(id: number | null, code: Code): Uint8Array {
  return encodeFrame(contractCommands.fault, encodeFault({ id, code, sentence: 'as the test says' }))
}

export const hello = (id = 0): Uint8Array => asked(id, 'direct.hello', { versions: [1], token })

/** Alice and Bob, or one of them and whatever the test says in the place of the other. */
export class PeerStage {
  readonly clock = new ManualClock()
  readonly limits: Limits
  readonly peers: Peers
  /** Alice has dialled. */
  readonly near: MemoryLink
  readonly far: MemoryLink
  /** Of Bob's side: what a token is refused with. */
  refuses: Code | undefined
  /** What Bob was shown. */
  readonly tokens: Uint8Array[] = []

  constructor(peers: Peers, overrides: Partial<Limits> = {}) {
    this.peers = peers
    this.limits = resolveLimits(overrides)
    const [near, far] = linkPair({ limits: this.limits, flusher: new Flusher(this.limits, this.clock) })
    this.near = withCertificate(near, peers.bob)
    this.far = withCertificate(far, peers.alice)
  }

  parts(answers: Partial<PeerAnswers> = {}): PeerLinkParts {
    return { clock: this.clock, limits: this.limits, answers: { ...someAnswers, ...answers } }
  }

  /** Alice's side. */
  greet(answers: Partial<PeerAnswers> = {}, more: { signal?: AbortSignal; peer?: PeerDevice } = {}): Promise<PeerLink> {
    return greetPeer(this.near, { peer: deviceNamed('bob', this.peers), token, ...more }, this.parts(answers))
  }

  /** Bob's side. */
  await(answers: Partial<PeerAnswers> = {}, admit?: () => Promise<void>): Promise<PeerLink> {
    const alice = deviceNamed('alice', this.peers)
    const { receiver, link } = awaitPeer(
      this.far,
      {
        identify: (spki) => (spki === alice.spki ? alice : undefined),
        admit: async (shown) => {
          this.tokens.push(shown)
          if (this.refuses !== undefined) throw new SealwireError(this.refuses, 'not with this token')
          await admit?.()
        },
      },
      this.parts(answers),
    )
    this.far.attach(receiver)
    return link
  }

  async both(ofAlice: Partial<PeerAnswers> = {}, ofBob: Partial<PeerAnswers> = {}): Promise<{ alice: PeerLink; bob: PeerLink }> {
    const [alice, bob] = await Promise.all([this.greet(ofAlice), this.await(ofBob)])
    return { alice, bob }
  }

  /** Bob, and what says in Alice's place what the test writes. */
  rawAlice(): ScriptedServer {
    return attached(this.near)
  }

  rawBob(): ScriptedServer {
    return attached(this.far)
  }

  /** Bob's link, which a raw Alice has begun by the rules. */
  async accepted(answers: Partial<PeerAnswers> = {}): Promise<{ link: PeerLink; raw: ScriptedServer }> {
    const raw = this.rawAlice()
    const link = this.await(answers)
    raw.raw(hello())
    await raw.next(contractCommands.result)
    return { link: await link, raw }
  }
}

function attached(link: MemoryLink): ScriptedServer {
  const raw = new ScriptedServer(link)
  link.attach(raw)
  return raw
}

/** As if TLS had verified it. */
function withCertificate(link: MemoryLink, { certificate }: Peers['alice']): MemoryLink {
  Object.defineProperty(link, 'security', { value: { ...link.security, peerCertificate: derOf(certificate) } })
  return link
}
