// What the echo server tells about its connections, in the words of the first seed: three lines on standard output, and
// on standard error what came to nothing before it was a connection. Strangers decide how often, so both are paced.

import type { HandshakeFailure, Link, RemoteAddress } from '../../link/index.ts'
import type { Limits } from '../../protocol/index.ts'
import { type Refusal, refusalLimits } from '../../server/admission.ts'
import type { EchoObserver } from '../../server/echo.ts'
import type { EchoLines } from './lines.ts'
import { payloadText } from './payload.ts'
import { formatEndpoint } from '../options/endpoint.ts'

export class EchoReport implements EchoObserver {
  readonly #connections: EchoLines
  readonly #failures: EchoLines
  readonly #payloadBytesMax: number

  constructor(connections: EchoLines, failures: EchoLines, { echoLineBytesMax }: Limits) {
    this.#connections = connections
    this.#failures = failures
    this.#payloadBytesMax = echoLineBytesMax
  }

  opened(link: Link): void {
    if (this.#connections.admit()) this.#connections.print(`Accepted SSL connection from ${placeOf(link.remote)}`)
  }

  received(_link: Link, bytes: Uint8Array): void {
    if (this.#connections.admit()) this.#connections.print(`Received: ${payloadText(bytes, this.#payloadBytesMax)}`)
  }

  closed(): void {
    if (this.#connections.admit()) this.#connections.print('Client disconnected.')
  }

  /** A connection never became one. */
  failed(remote: RemoteAddress, why: HandshakeFailure): void {
    if (this.#failures.admit()) this.#failures.print(`Handshake error: ${placeOf(remote)} ${failures[why]}`)
  }

  /** A connection was dropped before its handshake. */
  refused(address: string, why: Refusal): void {
    if (this.#failures.admit()) this.#failures.print(`Connection refused: ${address}, because of ${refusalLimits[why]}`)
  }
}

function placeOf({ address, port }: RemoteAddress): string {
  return formatEndpoint({ host: address, port })
}

const failures = {
  handshake: 'gave up: it does not trust the certificate, or does not speak TLS',
  timeout: 'took too long',
  evicted: 'made room for another',
} as const
