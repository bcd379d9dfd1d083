// The echo server from its certificate to its end. Everything that happens to a connection is in src/server/echo.ts;
// here are the listener, the ticket at the door, and what is said about it.

import { once } from 'node:events'
import { relative } from 'node:path'
import type { Clock } from '../../domain/index.ts'
import { Flusher, type ListenHandlers, listenTls, type Ticket } from '../../link/index.ts'
import { Admission } from '../../server/admission.ts'
import { EchoService } from '../../server/echo.ts'
import { realMachine } from '../../server/machine.ts'
import { type EchoIdentity, loadEchoIdentity } from './identity.ts'
import { EchoLines } from './lines.ts'
import type { TextOutput } from './output.ts'
import { EchoReport } from './report.ts'
import type { EchoServerConfig } from '../echo-server.ts'
import { type Endpoint, formatEndpoint } from '../options/endpoint.ts'

export interface EchoServerParts {
  readonly clock: Clock
  /** Aborted when the server shall end in order. */
  readonly stop: AbortSignal
  readonly output: TextOutput
  readonly errors: TextOutput
}

/**
 * Runs an echo server until `stop`, and resolves when everything has been closed.
 * @throws {SealwireError} what `loadEchoIdentity` throws, and `address_unavailable`.
 */
export async function runEchoServer(config: EchoServerConfig, { clock, stop, output, errors }: EchoServerParts): Promise<void> {
  const { limits } = config
  const identity = await loadEchoIdentity(config.identity, { clock })
  using connections = new EchoLines(output, limits, clock)
  using failures = new EchoLines(errors, limits, clock)
  const report = new EchoReport(connections, failures, limits)
  using service = new EchoService(limits, clock, report)
  const admission = new Admission(limits, clock, realMachine, (why, address) => report.refused(address, why))
  const handlers: ListenHandlers<Ticket> = {
    admit: (address) => admission.admitEcho(address),
    opened(link) {
      const receiver = service.open(link)
      // Its handshake was under way when the server was told to stop.
      if (stop.aborted) link.close()
      return receiver
    },
    failed: (remote, why) => report.failed(remote, why),
  }
  const context = { limits, flusher: new Flusher(limits, clock) }
  const listener = await listenTls({ ...config.listen, identity: () => identity.tls }, handlers, context)
  for (const warning of identity.warnings) errors.write(`sealwire: warning: ${warning}.\n`)
  if (config.identity.kind === 'data' || !config.identity.named) errors.write(clientHint(identity, listener))
  output.write(`SSL Server is running on ${formatEndpoint(listener)}\n`)
  if (!stop.aborted) await once(stop, 'abort')
  output.write('\nSignal received, shutting down server...\n')
  listener.close()
  service.closeAll()
  await emptied(service, limits.drainMsMax, clock)
}

/** Resolves when nobody is connected; who still is after `ms` is cut. */
async function emptied(service: EchoService, ms: number, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const check = clock.every(20, () => {
    if (service.connections === 0) resolve()
  })
  const deadline = clock.after(ms, resolve)
  if (service.connections > 0) await promise
  check.cancel()
  deadline.cancel()
  service[Symbol.dispose]()
  // The last connections are told as closed in a microtask; what paces those lines is disposed of after it.
  await Promise.resolve()
}

/** How to reach this server, for an operator who has not chosen its certificate and so does not know it. */
function clientHint({ authority }: EchoIdentity, { host, port }: Endpoint): string {
  if (authority === undefined) return ''
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  const near = relative('', authority)
  const path = near.startsWith('..') ? authority : near
  return `clients trust this server with ${path}:\n  sealwire echo ${name} ${port} ${path}\n`
}
