// Two links inside one process, each the peer of the other. It is shipped because tests of programs that use Sealwire
// need a link without a socket as much as ours do. It has a transport's manners: bytes arrive later, in pieces as they
// were written, and a reader that pauses makes the writer's output wait.

import { BufferedLink, type LinkContext } from './buffered-link.ts'
import type { LinkReceiver, LinkSecurity } from './link.ts'

/** What one side may have written and the other not yet read, in bytes: the role of the kernel's socket buffers. */
const inFlightBytesMax = 64 * 1024

/** Makes a pair; each side is given its receiver with `attach` before anything is written. */
export function linkPair(context: LinkContext): [MemoryLink, MemoryLink] {
  const left = new MemoryLink(context)
  const right = new MemoryLink(context)
  left.join(right)
  right.join(left)
  return [left, right]
}

/** One end of a pair. */
export class MemoryLink extends BufferedLink {
  readonly security: LinkSecurity = { protocol: 'memory', cipher: '', alpn: '', peerCertificate: undefined }
  #peer: MemoryLink | undefined
  #inbox: Uint8Array[] = []
  #inboxBytes = 0
  #inboxEnded = false
  #paused = false
  #waking = false

  constructor(context: LinkContext) {
    super({ address: 'memory', port: 0 }, context)
  }

  /** @internal */
  join(peer: MemoryLink): void {
    this.#peer = peer
  }

  override attach(receiver: LinkReceiver): void {
    super.attach(receiver)
    this.#wake()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#wake()
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    return this.#peer === undefined ? -1 : this.#peer.#take(bytes, start, end)
  }

  protected endTransport(): void {
    const peer = this.#peer
    if (peer === undefined) return
    peer.#inboxEnded = true
    peer.#wake()
  }

  protected cutTransport(): void {
    const peer = this.#peer
    this.#peer = undefined
    if (peer === undefined) return
    peer.#peer = undefined
    setImmediate(() => peer.over('reset'))
  }

  #take(bytes: Uint8Array, start: number, end: number): number {
    const count = Math.min(end - start, inFlightBytesMax - this.#inboxBytes)
    if (count > 0) {
      this.#inbox.push(new Uint8Array(bytes.subarray(start, start + count)))
      this.#inboxBytes += count
      this.#wake()
    }
    return count
  }

  #wake(): void {
    if (this.#waking || this.#paused) return
    this.#waking = true
    setImmediate(() => this.#read())
  }

  #read(): void {
    this.#waking = false
    if (this.#paused) return
    for (let bytes = this.#inbox.shift(); bytes !== undefined; bytes = this.#inbox.shift()) {
      this.#inboxBytes -= bytes.length
      this.deliver(bytes)
      if (this.#paused) break
    }
    this.#peer?.writable()
    if (this.#inbox.length === 0 && this.#inboxEnded) this.#readEnd()
  }

  /** Both directions ended: the link is over on both sides. */
  #readEnd(): void {
    const peer = this.#peer
    if (this.open) this.peerEnded()
    if (peer === undefined || !peer.#inboxEnded) return
    this.over('ended')
    peer.over('ended')
  }
}
