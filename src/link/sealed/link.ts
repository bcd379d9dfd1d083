// A link through the sealed channel, over TCP. What a turn has written is sealed when it is flushed, in records as large as they
// may be, and no more of it than the socket takes: what waits for a slow peer waits in the clear, where it is bounded.
//
// Unlike TLS on these runtimes the channel knows its end from an end that somebody else made: a stream that ends without the
// peer's close record is `truncated`, and one with anything behind that record is `corrupt`.

import type { Socket } from 'node:net'
import { recordOverheadBytes, type SealedChannel } from '../../channel/index.ts'
import type { Clock, Timer } from '../../domain/index.ts'
import type { Limits } from '../../protocol/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import type { LinkEnd, LinkSecurity, RemoteAddress } from '../link.ts'
import { RecordSink } from '../record-sink.ts'
import { TcpLink } from '../tcp-link.ts'

/** Who is at the other end. */
export interface SealedPeer {
  readonly remote: RemoteAddress
  /** By which the peer is known; `undefined` when it is not. */
  readonly peerStaticKey: Uint8Array | undefined
  /** The key that takes the place of the server's, as it has said itself. Default: none. */
  readonly successor?: Uint8Array | undefined
}

/** A link whose handshake is done, dialled or accepted. */
export class SealedLink extends TcpLink {
  readonly security: LinkSecurity
  /** The key that takes the place of the server's; whoever keeps that one keeps this instead. */
  readonly successor: Uint8Array | undefined
  readonly #channel: SealedChannel
  /** What is sealed before the socket is asked again whether it takes more. */
  readonly #pieceBytes: number
  readonly #life: Timer
  readonly #clock: Clock
  readonly #limits: Limits
  /** When a record that has begun must be whole. */
  #deadline: Timer | undefined
  #begunAt = 0
  #isPaused = false
  /** Of the record that has begun: how many were whole before it. */
  #begun = 0
  #isOver = false
  #peerHasEnded = false

  constructor(socket: Socket, channel: SealedChannel, { remote, peerStaticKey, successor }: SealedPeer, context: LinkContext) {
    super(socket, remote, context)
    const { limits, flusher } = context
    this.#channel = channel
    this.#pieceBytes = limits.channelRecordBytesMax - recordOverheadBytes
    this.successor = successor
    this.#clock = flusher.clock
    this.#limits = limits
    this.#life = this.#clock.after(channel.writer.closesAt - this.#clock.monotonic(), () => this.close())
    this.security = {
      protocol: 'noise',
      cipher: `Noise_${channel.pattern}_25519_AESGCM_SHA256`,
      alpn: '',
      peerCertificate: undefined,
      peerStaticKey,
    }
  }

  /** See {@link DialledLink.renewBefore}: by the age that both ends know of. */
  get renewBefore(): number {
    return this.#channel.writer.renewBefore
  }

  /** While nothing is read no record can become whole. */
  override pause(): void {
    super.pause()
    this.#isPaused = true
    this.#watch()
  }

  override resume(): void {
    super.resume()
    this.#isPaused = false
    this.#watch()
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.socket.destroyed) return -1
    let at = start
    while (at < end && !this.socket.writableNeedDrain) {
      const next = Math.min(end, at + this.#pieceBytes)
      if (!this.#seal(bytes, at, next)) return -1
      at = next
    }
    return at - start
  }

  protected arrived(bytes: Uint8Array): void {
    if (!this.#isOver) this.#channel.reader.push(bytes)
  }

  protected read(): void {
    if (this.#isOver) return
    const { reader } = this.#channel
    const opened: Uint8Array[] = []
    const isSound = this.#open(opened)
    const [first, second] = opened
    if (first !== undefined) this.deliver(second === undefined ? first : Buffer.concat(opened))
    if (!isSound) return this.terminate('corrupt')
    this.#watch()
    if (!reader.isClosed || this.#peerHasEnded) return
    this.#peerHasEnded = true
    this.peerEnded()
  }

  protected lastBytes(): Uint8Array {
    const sink = new RecordSink(recordOverheadBytes)
    this.#channel.writer.close(sink)
    return sink.take()
  }

  protected streamEnded(): void {
    if (!this.#peerHasEnded) this.terminate('truncated')
  }

  protected socketClosed(): void {
    this.over(this.#peerHasEnded ? 'ended' : 'reset')
  }

  protected override over(end: LinkEnd): void {
    this.#isOver = true
    super.over(end)
    this.#life.cancel()
    this.#deadline?.cancel()
    this.#channel.destroy()
  }

  /** A record that has begun is whole in time, as frames are, or the link is cut: what there is of it nobody has authenticated. */
  #watch(): void {
    const { partialBytes, count } = this.#channel.reader
    const isWaiting = partialBytes > 0 && !this.#isPaused && !this.#isOver
    if (isWaiting && this.#deadline !== undefined && count === this.#begun) return
    this.#deadline?.cancel()
    this.#deadline = undefined
    if (!isWaiting) return
    this.#begun = count
    this.#begunAt = this.#clock.monotonic()
    this.#deadline = this.#clock.after(this.#limits.frameMsMax, () => this.#late())
  }

  /** Whoever is slow and keeps the pace has some more time. */
  #late(): void {
    const { frameBytesPerSecondMin } = this.#limits
    const leftMs = (this.#channel.reader.partialBytes * 1_000) / frameBytesPerSecondMin - (this.#clock.monotonic() - this.#begunAt)
    if (leftMs <= 0) return this.terminate()
    this.#deadline = this.#clock.after(leftMs, () => this.#late())
  }

  /** False when the life of the channel is at its end before its time, with nothing to be done about it. */
  #seal(bytes: Uint8Array, start: number, end: number): boolean {
    const sink = new RecordSink(end - start + 2 * recordOverheadBytes)
    try {
      this.#channel.writer.write(sink, bytes, start, end)
    } catch {
      this.terminate()
      return false
    }
    this.socket.write(sink.take())
    return true
  }

  /** Appends what can be opened; false when something is not what the peer had sealed. */
  #open(opened: Uint8Array[]): boolean {
    const { reader } = this.#channel
    try {
      for (let bytes = reader.next(); bytes !== undefined; bytes = reader.next()) opened.push(bytes)
      return true
    } catch {
      return false
    }
  }
}
