// Dialling the sealed channel over TCP. A server that does not have the key that we know of it learns nothing of us: it is
// either judged by its pin before we say who we are (XX), or cannot even answer (IK, NK). Such a server ends the connection
// without a word, so its key is then asked for on a connection that carries nothing else, only to say what has happened.

import { connect, type Socket } from 'node:net'
import { ChannelClient, type ChannelPeer, KeyPair, keyPin, type ServerGreeting, successorIn } from '../../channel/index.ts'
import { assert, SealwireError } from '../../protocol/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import { givenUp, timedOut } from '../dial-error.ts'
import { handshakeError, hungUp, socketError } from './dial-error.ts'
import { SealedLink } from './link.ts'
import type { SealedDialOptions, SealedPlace } from './options.ts'

/**
 * Connects to the server with this key, and to no other. The link's `security.peerStaticKey` is that key.
 * With the pin of the key that is about to take its place, that key is asked for.
 * @throws {SealwireError} `unreachable`; `untrusted` when it has another key: the sentence has both pins where it shows one.
 */
export async function dialSealed(options: SealedDialOptions, context: LinkContext): Promise<SealedLink> {
  const { clock } = context.flusher
  const startedAt = clock.monotonic()
  const shown = new ShownKey(options)
  try {
    return await shakeHands(options, peerOf(options, shown), context)
  } catch (reason) {
    const leftMs = options.timeoutMs - (clock.monotonic() - startedAt)
    // Only a hint, from whoever answers: the next handshake succeeds with the holder of that key alone.
    const { announced } = shown
    if (announced !== undefined && leftMs > 0) return await dialSealed({ ...options, serverKey: announced, timeoutMs: leftMs }, context)
    if (options.serverKey !== undefined && leftMs > 0 && isAboutTheKey(reason)) await shown.ask(leftMs, context)
    throw handshakeError(options, reason, shown.pin)
  }
}

/**
 * The static key that a server shows; whether it is to be trusted is not looked at, and nothing is said of us.
 * @throws {SealwireError} `unreachable`.
 */
export async function readSealedKey(place: SealedPlace, context: LinkContext): Promise<Uint8Array> {
  const options = { ...place, pin: '' }
  const shown = new ShownKey(options)
  try {
    const link = await shakeHands(options, peerOf(options, shown), context)
    link.terminate()
  } catch (reason) {
    if (shown.key === undefined) throw handshakeError(options, reason)
  }
  assert(shown.key !== undefined, 'a handshake that shows no key')
  return shown.key
}

/** What a server showed where it was asked for its key. */
class ShownKey {
  readonly #options: SealedDialOptions
  key: Uint8Array | undefined
  /** The key of the expected pin, where another one is shown that names it as the next. */
  announced: Uint8Array | undefined

  constructor(options: SealedDialOptions) {
    this.#options = options
  }

  get pin(): string | undefined {
    return this.key && keyPin(this.key)
  }

  /** True for the key that is expected. */
  readonly judge = (key: Uint8Array, { next }: ServerGreeting): boolean => {
    this.key = key
    const { pin } = this.#options
    if (keyPin(key) === pin) return true
    if (next !== undefined && keyPin(next.key) === pin) this.announced = new Uint8Array(next.key)
    return false
  }

  async ask(timeoutMs: number, context: LinkContext): Promise<void> {
    try {
      const { serverKey: _, staticKey: __, ...place } = this.#options
      this.key = await readSealedKey({ ...place, timeoutMs }, context)
    } catch {
      // Then there is nothing more to say.
    }
  }
}

function peerOf({ pin, serverKey, staticKey }: SealedDialOptions, shown: ShownKey): ChannelPeer {
  if (serverKey === undefined) return { pattern: 'XX', staticKey: staticKey ?? KeyPair.generate(), trusts: shown.judge }
  if (keyPin(serverKey) !== pin) throw new SealwireError('untrusted', 'the key and the pin of the server do not belong together')
  return staticKey === undefined ? { pattern: 'NK', serverKey } : { pattern: 'IK', serverKey, staticKey }
}

/** The two ways in which a server with another key answers. */
function isAboutTheKey(reason: unknown): boolean {
  const { code, cause } = SealwireError.from(reason)
  return code === 'untrusted' || (code === 'unreachable' && cause !== undefined && SealwireError.from(cause).code === 'connection_lost')
}

async function shakeHands(place: SealedPlace, peer: ChannelPeer, context: LinkContext): Promise<SealedLink> {
  const { signal } = place
  if (signal?.aborted === true) throw givenUp(signal.reason)
  const { limits, flusher } = context
  const client = new ChannelClient({ ...peer, clock: flusher.clock, limits })
  const { promise, resolve, reject } = Promise.withResolvers<SealedLink>()
  const hello = client.hello()
  const socket = connect({ host: place.host, port: place.port, allowHalfOpen: true })
  const received = (bytes: Buffer): void => {
    try {
      const { send, channel } = client.received(bytes)
      if (send.length > 0) socket.write(send)
      if (channel === undefined) return
      socket.off('data', received)
      const { sealed, greeting } = channel
      const successor = sealed.peerKey && successorIn(greeting, sealed.peerKey, limits)
      resolve(new SealedLink(socket, sealed, { remote: remoteOf(socket), peerStaticKey: sealed.peerKey, successor }, context))
    } catch (reason) {
      reject(reason)
    }
  }
  const deadline = flusher.clock.after(place.timeoutMs, () => reject(timedOut(place)))
  const aborted = (): void => reject(givenUp(signal?.reason))
  signal?.addEventListener('abort', aborted, { once: true })
  socket.once('connect', () => socket.setNoDelay(true).write(hello))
  socket.on('data', received)
  socket.on('error', (cause) => reject(socketError(place, cause)))
  for (const event of ['end', 'close'] as const) socket.once(event, () => reject(hungUp(place, client.ended())))
  try {
    return await promise
  } catch (reason) {
    client.destroy()
    socket.destroy()
    throw reason
  } finally {
    deadline.cancel()
    signal?.removeEventListener('abort', aborted)
  }
}

function remoteOf({ remoteAddress = '', remotePort = 0 }: Socket): { readonly address: string; readonly port: number } {
  return { address: remoteAddress, port: remotePort }
}
