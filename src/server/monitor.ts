// HTTP for whoever watches a server: `/metrics`, `/ready`, `/live`, and nothing else. It is for programs of this machine:
// it listens at loopback addresses only, and answers nobody who came here by another name, as a browser does that was led to
// believe that a name of the web is this machine. Admission does not count it; its descriptors come from those that are
// reserved. One connection is one request.
//
//   accept ──monitorConnectionsMax──▶ request ──▶ answer ──▶ closed
//     └────────────────── monitorRequestMsMax ────────────────┘

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, isLoopback } from '../domain/index.ts'
import { listenError } from '../link/listen-error.ts'
import { limitTable, SealwireError } from '../protocol/index.ts'
import type { Log } from './log.ts'
import { expositionType } from './metrics/exposition.ts'
import type { Report } from './metrics/readiness.ts'
import type { Endpoint } from './server-options.ts'

/** What the monitor shows. Neither rejects. */
export interface MonitorPages {
  page(): Promise<string>
  report(): Promise<Report>
}

/** What it works with. */
export interface MonitorParts {
  readonly pages: MonitorPages
  readonly clock: Clock
  readonly log: Log
}

/** An answer that is to be given. */
interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/**
 * Listens at a loopback address.
 * @throws {SealwireError} `config_invalid` for any other address; `address_unavailable` when it is in use or not ours.
 */
export async function listenMonitor(endpoint: Endpoint, parts: MonitorParts): Promise<Monitor> {
  requireLoopback(endpoint)
  const monitor = new Monitor(endpoint, parts)
  await monitor.listen()
  return monitor
}

/** The configuration has the same rule; this is for programs that embed the monitor. */
function requireLoopback({ host }: Endpoint): void {
  if (isLoopback(host)) return
  throw new SealwireError('config_invalid', `metrics are for loopback addresses only, and ${host} is none`, {
    hint: 'use 127.0.0.1 or [::1]',
  })
}

export class Monitor implements AsyncDisposable {
  readonly #endpoint: Endpoint
  readonly #parts: MonitorParts
  readonly #server: Server

  /** @internal Made by `listenMonitor`. */
  constructor(endpoint: Endpoint, parts: MonitorParts) {
    this.#endpoint = endpoint
    this.#parts = parts
    this.#server = createServer(bounds, (request, response) => void this.#serve(request, response))
    this.#server.maxConnections = limitTable.monitorConnectionsMax.value
    this.#server.on('connection', (socket) => this.#bound(socket))
  }

  /** Where it listens. */
  get endpoint(): Endpoint {
    const address = this.#server.address()
    return { host: this.#endpoint.host, port: typeof address === 'object' && address !== null ? address.port : this.#endpoint.port }
  }

  /** @internal */
  async listen(): Promise<void> {
    const { host, port } = this.#endpoint
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', (cause) => reject(listenError(this.#endpoint, cause))).once('listening', resolve)
    this.#server.listen(port, host)
    await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  /** The runtime's own deadlines are for what comes in; this one is also for who takes no answer. */
  #bound(socket: Socket): void {
    const deadline = this.#parts.clock.after(requestMsMax, () => socket.destroy())
    socket.once('close', () => deadline.cancel())
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      give(response, await this.#answer(request), request.method === 'HEAD')
    } catch (reason) {
      this.#parts.log.error('metrics not told', {}, reason)
      response.destroy()
    }
  }

  async #answer({ method = '', url = '', headers }: IncomingMessage): Promise<Answer> {
    if (!isOwnName(headers.host)) return text(421, 'ask for this by a name of this machine: localhost, 127.0.0.1 or [::1]')
    const [path] = url.split('?')
    const page = pages.get(path ?? '')
    if (page === undefined) return text(404, 'there is /metrics, /ready and /live')
    return method === 'GET' || method === 'HEAD' ? page(this.#parts.pages) : text(405, 'this can only be read')
  }
}

/** By its path. */
const pages: ReadonlyMap<string, (shown: MonitorPages) => Promise<Answer>> = new Map([
  ['/metrics', async (shown: MonitorPages): Promise<Answer> => ({ status: 200, type: expositionType, body: await shown.page() })],
  ['/ready', async (shown: MonitorPages): Promise<Answer> => ready(await shown.report())],
  ['/live', async (): Promise<Answer> => text(200, 'alive')],
])

function ready(report: Report): Answer {
  return { status: report.ready ? 200 : 503, type: 'application/json', body: `${JSON.stringify(report)}\n` }
}

function text(status: number, sentence: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${sentence}\n` }
}

function give(response: ServerResponse, { status, type, body }: Answer, isHead: boolean): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    Connection: 'close',
    ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
  })
  response.end(isHead ? undefined : body)
}

/** `Host`, whatever the port: a tunnel may have another one. */
function isOwnName(host: string | undefined): boolean {
  const name = host?.replace(/:\d{1,5}$/, '').toLowerCase() ?? ''
  return name === 'localhost' || name === '[::1]' || isLoopback(name)
}

const requestMsMax = limitTable.monitorRequestMsMax.value
const bounds = {
  maxHeaderSize: limitTable.monitorRequestBytesMax.value,
  headersTimeout: requestMsMax,
  requestTimeout: requestMsMax,
  connectionsCheckingInterval: 500,
  keepAlive: false,
}
