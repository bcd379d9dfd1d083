// Between a handshake with a client certificate, or with the key of a device in the sealed channel, and the session: whose device
// it is stands in the store, and until that is known nothing that was sent reaches a session, and nothing is written.
//
//   looking up ──a good device──▶ open, everything goes on to the session
//       └──unknown, revoked, banned, too slow, too much sent──▶ cut without a byte

import type { Clock, Timer } from '../../domain/index.ts'
import type { Link, LinkEnd, LinkReceiver } from '../../link/index.ts'
import { certificateKeyHash } from '../../pki/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { ConnectedDevice, Devices } from '../devices.ts'
import type { Log } from '../log.ts'

/** What the gates of a server work with. */
export interface GatesParts {
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly devices: Pick<Devices, 'admit' | 'admitKey'>
}

/** Begins the session of a device. */
export type Begin = (device: ConnectedDevice) => LinkReceiver

/** A certificate in DER, or a static key of the sealed channel. */
export type DeviceProof = { readonly certificate: Uint8Array } | { readonly staticKey: Uint8Array }

/** What the peer of a link has proved to be a device with; `undefined` for an anonymous one. */
export function deviceProofOf({ security: { peerCertificate, peerStaticKey } }: Pick<Link, 'security'>): DeviceProof | undefined {
  if (peerCertificate !== undefined) return { certificate: peerCertificate }
  return peerStaticKey && { staticKey: peerStaticKey }
}

/** A link with the number of its connection. */
export interface GatedLink {
  readonly link: Link
  readonly connection: number
}

/** The connections whose device is being looked up. */
export class DeviceGates {
  readonly #parts: GatesParts
  readonly #gates = new Set<DeviceGate>()

  constructor(parts: GatesParts) {
    this.#parts = parts
  }

  /** How many wait. */
  get size(): number {
    return this.#gates.size
  }

  /** Takes a link whose peer has proved this, and returns who is told what happens on it. */
  enter({ link, connection }: GatedLink, proof: DeviceProof, begin: Begin): LinkReceiver {
    const gate = new DeviceGate({ link, connection }, begin, this.#parts, () => this.#gates.delete(gate))
    this.#gates.add(gate)
    void gate.lookUp(proof)
    return gate
  }

  /** A device was revoked: its connections come to nothing, whatever the store said of them a moment ago. */
  end(spkiHash: Uint8Array): void {
    for (const gate of this.#gates) {
      // Whose a static key is comes with the answer: until then it may be the one. Who is not comes again.
      if (gate.spkiHash === undefined || Buffer.compare(gate.spkiHash, spkiHash) === 0) gate.cut()
    }
  }

  endAll(): void {
    for (const gate of this.#gates) gate.cut()
  }
}

class DeviceGate implements LinkReceiver {
  spkiHash: Uint8Array | undefined
  readonly #link: Link
  readonly #connection: number
  readonly #begin: Begin
  readonly #parts: GatesParts
  readonly #passed: () => void
  readonly #deadline: Timer
  #receiver: LinkReceiver | undefined
  #held: Uint8Array[] = []
  #heldBytes = 0
  #over = false

  constructor({ link, connection }: GatedLink, begin: Begin, parts: GatesParts, passed: () => void) {
    this.#link = link
    this.#connection = connection
    this.#begin = begin
    this.#parts = parts
    this.#passed = passed
    this.#deadline = parts.clock.after(parts.limits.loginMsMax, () => this.cut())
    link.pause()
  }

  received(bytes: Uint8Array): void {
    if (this.#receiver !== undefined) return this.#receiver.received(bytes)
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes > this.#parts.limits.heldBytesMax) this.cut()
  }

  drained(): void {
    this.#receiver?.drained()
  }

  closed(end: LinkEnd): void {
    this.#leave()
    this.#receiver?.closed(end)
  }

  cut(): void {
    this.#leave()
    this.#link.terminate()
  }

  /** Never rejects. */
  async lookUp(proof: DeviceProof): Promise<void> {
    const device = await this.#device(proof)
    if (this.#over || !this.#link.open) return
    if (device === undefined) return this.cut()
    this.#leave()
    const receiver = this.#begin(device)
    this.#receiver = receiver
    // The session may pause it again while it takes what was held.
    this.#link.resume()
    for (const bytes of this.#held) receiver.received(bytes)
    this.#held = []
  }

  async #device(proof: DeviceProof): Promise<ConnectedDevice | undefined> {
    const { devices } = this.#parts
    const place = { connection: this.#connection, address: this.#link.remote.address }
    try {
      if ('staticKey' in proof) return await devices.admitKey(proof.staticKey, place)
      this.spkiHash = certificateKeyHash(proof.certificate)
      return await devices.admit(this.spkiHash, place)
    } catch (reason) {
      this.#parts.log.warning('device not looked up', { ...place, why: SealwireError.from(reason).code })
      return undefined
    }
  }

  /** Whether it passed or not: it is none of those that wait any more. */
  #leave(): void {
    this.#over = true
    this.#deadline.cancel()
    this.#passed()
  }
}
