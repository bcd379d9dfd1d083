// A server from its configuration to its end: the data folder is locked, the identity is loaded or made, the store is
// opened, and then everything lives until it is told to stop.

import type { Clock } from '../domain/clock.ts'
import type { TlsIdentity } from '../link/index.ts'
import { loadServerIdentity, type ServerIdentity } from '../pki/index.ts'
import type { Log } from '../server/log.ts'
import { realMachine } from '../server/machine.ts'
import { type Server, type ServerOptions, startServer } from '../server/server.ts'
import { lockData, openStore } from '../store/index.ts'
import type { ServeConfig } from './config.ts'
import { formatEndpoint } from './endpoint.ts'

export interface RunParts {
  readonly log: Log
  readonly clock: Clock
  /** Aborted when the server shall end in order. */
  readonly stop: AbortSignal
  /** Writes a line to standard output. */
  readonly print: (line: string) => void
}

/**
 * Runs a server until `stop`, and resolves when everything has been closed.
 * @throws {SealwireError} when it cannot start: what `lockData`, `loadServerIdentity`, `openStore` and `startServer` throw.
 */
export async function runServer(config: ServeConfig, parts: RunParts): Promise<void> {
  const { log, clock, stop } = parts
  using _lock = lockData(config.data)
  const identity = await loadServerIdentity({ folder: config.data, hosts: config.hosts }, { clock })
  for (const file of identity.written) log.info('file written', { file })
  await using store = await openStore(config.data, config.limits, { clock, log })
  const tls = tlsIdentityOf(identity)
  const server = startServer(optionsOf(config), { store, clock, log, machine: realMachine, identity: () => tls })
  announce(server, identity, parts)
  remind(identity, parts)
  const reminder = clock.every(remindEveryMs, () => remind(identity, parts))
  await aborted(stop)
  reminder.cancel()
  log.info('server stopping')
  await server.stop()
  log.info('server stopped')
}

function optionsOf({ listen, echo, registration, classic, limits }: ServeConfig): ServerOptions {
  return { listen, echo: echo === undefined ? [] : [echo], registration, classic, limits }
}

/** The key is exported once: connections are given the same object until there is another identity. */
function tlsIdentityOf(identity: ServerIdentity): TlsIdentity {
  return Object.freeze({ certificateChain: identity.certificateChainPem, key: identity.keyPem })
}

/** The lines that a person reads and a program waits for, then the same for the log. */
function announce(server: Server, identity: ServerIdentity, { log, print }: RunParts): void {
  for (const endpoint of server.endpoints) print(`sealwire listening on tls://${formatEndpoint(endpoint)}`)
  for (const endpoint of server.echoEndpoints) print(`echo listening on tls://${formatEndpoint(endpoint)}`)
  print(`fingerprint ${identity.fingerprint}`)
  log.info('server started', {
    listen: server.endpoints.map(formatEndpoint).join(' '),
    certificateUntil: new Date(identity.notAfter).toISOString(),
  })
}

/** A start renews the certificate when it is time; a server that runs on can only say so. */
function remind({ renewAt, notAfter }: ServerIdentity, { log, clock }: RunParts): void {
  if (clock.now() < renewAt) return
  log.warning('certificate expires, restart to renew it', { until: new Date(notAfter).toISOString() })
}

const remindEveryMs = 12 * 60 * 60 * 1000

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
}
