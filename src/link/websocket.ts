// Dialling a WebSocket with what every browser has, Node 24 and Bun too; this file and what it imports need nothing else. Such
// a socket cannot stop reading and tells neither why it failed nor when it takes more: what comes while a link is paused is
// held, up to `heldBytesMax`, and a full one is looked at again every few milliseconds.

import type { Timer } from '../domain/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { BufferedLink, type LinkContext } from './buffered-link.ts'
import type { LinkReceiver, LinkSecurity } from './link.ts'
import { webSocketProtocol } from './websocket/frame.ts'

/** Which server to reach, and how long that may take. */
export interface WebSocketDialOptions {
  /** `wss://HOST:PORT/sealwire`. Who answers there is judged by the browser, or the runtime, alone. */
  readonly url: string
  /** Whole dial, in ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Makes the socket. Default: the standard `WebSocket`. */
  readonly open?: (url: string, protocol: string) => WebSocket
}

/**
 * Resolves with a link that delivers nothing before somebody is attached.
 * @throws {SealwireError} `unreachable` when there is no such server, it is not trusted, or it takes too long.
 * @throws {TypeError} for a `url` that is none of a WebSocket.
 */
export async function dialWebSocket(options: WebSocketDialOptions, context: LinkContext): Promise<WebSocketClientLink> {
  const { timeoutMs, signal, open = (target, protocol) => new WebSocket(target, [protocol]) } = options
  const url = urlOf(options.url)
  if (signal?.aborted === true) throw unreachable(url, 'was given up')
  const socket = open(url.href, webSocketProtocol)
  socket.binaryType = 'arraybuffer'
  const link = new WebSocketClientLink(socket, url, context)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const fail = (why: string): void => reject(unreachable(url, why))
  const abort = (): void => fail('was given up')
  const deadline = context.flusher.clock.after(timeoutMs, () => fail(`did not answer within ${timeoutMs / 1000} s`))
  socket.addEventListener('open', () => resolve())
  socket.addEventListener('close', () => fail('cannot be reached, or is not trusted'))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await promise
    return link
  } catch (reason) {
    link.terminate()
    throw reason
  } finally {
    deadline.cancel()
    signal?.removeEventListener('abort', abort)
  }
}

/** A link over a standard `WebSocket`. */
export class WebSocketClientLink extends BufferedLink {
  readonly security: LinkSecurity = { protocol: 'wss', cipher: '', alpn: '', peerCertificate: undefined }
  readonly #socket: WebSocket
  readonly #context: LinkContext
  /** Until somebody is attached it is. */
  #isPaused = true
  #held: Uint8Array[] = []
  #heldBytes = 0
  #closedWith: CloseEvent | undefined
  #poll: Timer | undefined

  constructor(socket: WebSocket, url: URL, context: LinkContext) {
    super({ address: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) }, context)
    this.#socket = socket
    this.#context = context
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.#received(data))
    socket.addEventListener('close', (event: CloseEvent) => this.#closed(event))
    socket.addEventListener('error', () => {}) // Its close follows, and says as little.
  }

  override attach(receiver: LinkReceiver): void {
    super.attach(receiver)
    queueMicrotask(() => this.resume())
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    while (this.#held.length > 0 && !this.#isPaused) {
      const bytes = this.#held.shift() ?? new Uint8Array(0)
      this.#heldBytes -= bytes.length
      this.deliver(bytes)
    }
    if (this.#held.length === 0 && this.#closedWith !== undefined) this.#end(this.#closedWith)
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    const socket = this.#socket
    if (socket.readyState !== openState) return -1
    const room = this.#context.limits.webInFlightBytesMax - socket.bufferedAmount
    const last = start + Math.max(0, Math.min(end - start, room))
    for (let at = start; at < last; at += messageBytes) socket.send(bytes.slice(at, Math.min(last, at + messageBytes)))
    if (last < end) this.#lookAgain()
    return last - start
  }

  protected endTransport(): void {
    this.#isPaused = false
    this.#socket.close(normalClosure)
  }

  /** A browser cuts nothing: it says that it closes, and nobody listens any more. */
  protected cutTransport(): void {
    const socket: WebSocket & { readonly terminate?: () => void } = this.#socket
    if (socket.terminate === undefined) socket.close()
    else socket.terminate()
  }

  protected override over(...end: Parameters<BufferedLink['over']>): void {
    super.over(...end)
    this.#poll?.cancel()
    this.#held = []
  }

  #received(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.terminate('corrupt')
    const bytes = new Uint8Array(data)
    if (!this.#isPaused) return this.deliver(bytes)
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes > this.#context.limits.heldBytesMax) this.terminate()
  }

  #closed(event: CloseEvent): void {
    this.#closedWith = event
    if (!this.#isPaused || this.#held.length === 0) this.#end(event)
  }

  #end({ code, wasClean }: CloseEvent): void {
    this.over(wasClean && orderly.has(code) ? 'ended' : 'reset')
  }

  /** There is no event for it. */
  #lookAgain(): void {
    this.#poll ??= this.#context.flusher.clock.every(pollMs, () => {
      const { readyState, bufferedAmount } = this.#socket
      if (readyState === openState && bufferedAmount > this.#context.limits.webInFlightBytesMax / 2) return
      this.#poll?.cancel()
      this.#poll = undefined
      this.writable()
    })
  }
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'wss:' && url.username === '' && url.hash === '') return url
  throw new TypeError('url is not wss://HOST:PORT/PATH')
}

function unreachable({ host }: URL, why: string): SealwireError {
  return new SealwireError('unreachable', `${host} ${why}`, { hint: 'open https:// and the same address in the browser: it says why' })
}

const openState = 1
const normalClosure = 1000
/** Normal, going away, and no code at all. */
const orderly: ReadonlySet<number> = new Set([1000, 1001, 1005])
const messageBytes = 64 * 1024
const pollMs = 4
