// A server from its configuration to its end: the data folder is locked, the identity is loaded or made, the store is
// opened, and then everything lives until it is told to stop.

import { join } from 'node:path'
import type { Clock } from '../../domain/clock.ts'
import { webPath } from '../../link/index.ts'
import { coversHost } from '../../pki/certificate-host.ts'
import { certificateHost, deviceIssuer, openLedgerKey, type SealedPins } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { LedgerKey } from '../../pki/ledger-key.ts'
import type { LedgerSigner } from '../../server/money/ledger-signer.ts'
import type { Log } from '../../server/log.ts'
import { realMachine } from '../../server/machine.ts'
import { Operator, type SealedPlace } from '../../server/operator.ts'
import { backupRoutes } from '../../server/operator/backup.ts'
import { deviceRoutes } from '../../server/operator/devices.ts'
import { ledgerRoutes, type OperatorLedgerParts } from '../../server/operator/ledger.ts'
import { listenForOperator } from '../../server/operator/socket.ts'
import { PasswordHasher } from '../../server/accounts/password-hasher.ts'
import { type Server, startServer } from '../../server/server.ts'
import type { ServerOptions } from '../../server/server-options.ts'
import { lockData } from '../../store/data-lock.ts'
import type { RevokedDevice, Store } from '../../store/index.ts'
// Not by the index, which has the engine too: only the worker needs that, and loading takes longest at the start.
import { openStore } from '../../store/sqlite/sqlite-store.ts'
import { certificateRoutes } from '../cert/routes.ts'
import type { ServeConfig } from './config.ts'
import { checkRestored, noteFingerprint } from '../operator/data-folder.ts'
import { type Endpoint, formatEndpoint } from '../options/endpoint.ts'
import { onHangup } from './hangup.ts'
import { IdentityKeeper } from './identity-keeper.ts'
import type { LiveIdentity } from './live-identity.ts'
import { SealedKeeper } from './sealed-keeper.ts'
import { Monitoring } from './monitoring.ts'
import { rememberSealedPlace, sealedPlaceOf } from '../operator/sealed-place.ts'
import { forgetAddress, inviteAddress, rememberAddress } from '../operator/server-address.ts'

export interface RunParts {
  readonly log: Log
  readonly clock: Clock
  /** Aborted when the server shall end in order. */
  readonly stop: AbortSignal
  /** Writes lines to standard output, the end of the last one too. */
  readonly print: (lines: string) => void
  /** The lines of a QR code, where one can be shown. */
  readonly draw: (link: string) => readonly string[]
}

/**
 * Runs a server until `stop`, and resolves when everything has been closed.
 * @throws {SealwireError} when it cannot start: what `lockData`, `IdentityKeeper.open`, `openStore` and `startServer` throw.
 */
export async function runServer(config: ServeConfig, parts: RunParts): Promise<void> {
  const { log, clock, stop } = parts
  checkRestored(config.data)
  using _lock = lockData(config.data)
  // Again: until now a restore could begin, which nothing else keeps out.
  checkRestored(config.data)
  await using monitoring = await Monitoring.open(config, parts)
  await using keeper = await IdentityKeeper.open(sourceOf(config), { clock, log, limits: config.limits })
  using _hangup = onHangup(() => void keeper.reload('SIGHUP'))
  await using opened = await openStore(config.data, config.limits, { clock, log, watch: monitoring?.watch })
  const store = monitoring?.observe(opened) ?? opened
  const issueDevice = deviceIssuer(config.data, { clock })
  if (config.sealedV1) log.warning('version 1 of the sealed channel is on, which does not stop anybody in the middle')
  using sealedKeeper = SealedKeeper.open(config.data, config.sealed.length > 0, { clock, log, limits: config.limits })
  const sealedKeys = () => sealedKeeper.keys
  const identity = () => keeper.tls
  const files = join(config.data, 'files')
  const ledger = ledgerSigner(openLedgerKey(config.data), keeper)
  const server = await startServer(optionsOf(config), {
    store,
    clock,
    log,
    machine: realMachine,
    identity,
    issueDevice,
    sealedKeys,
    files,
    ledger,
  })
  const sealed = sealedPlaceOf(config, server, sealedKeeper)
  const operator = operatorOf(server, keeper, config, { store, clock, log, sealed, sealedKeeper })
  await using _socket = await listenForOperator(config.data, { routes: operator.routes, limits: config.limits, clock, log })
  announce(server, {
    ...parts,
    identity: keeper.current,
    sealedPins: sealed && sealedKeeper.pins,
    link: await printedInvitation(operator, config, log),
    metrics: monitoring?.endpoint,
  })
  keeper.start()
  sealedKeeper.start()
  monitoring?.serve({ server, store: opened, keeper })
  await aborted(stop)
  monitoring?.stop()
  log.info('server stopping')
  await server.stop()
  log.info('server stopped')
}

/** The authority may be replaced while the server runs; the key of the ledger never is. */
function ledgerSigner(key: LedgerKey, keeper: IdentityKeeper): LedgerSigner {
  return {
    publicKey: key.publicKey,
    sign: (payload, purpose) => key.sign(payload, purpose),
    certificate: (serverId) => key.certificate(serverId, keeper.current.own.authority.key),
  }
}

function optionsOf({ echo, joinListen, ...others }: ServeConfig): ServerOptions {
  return { ...others, echo: some(echo), joinListen: some(joinListen) }
}

function some<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value]
}

function sourceOf({ data, hosts, certificate }: ServeConfig) {
  return { folder: data, hosts, files: certificate }
}

interface OperatorOwn {
  readonly store: Store
  readonly sealed: SealedPlace | undefined
  readonly sealedKeeper: SealedKeeper
}

/** What the operator can do, with the address under which clients are invited. */
function operatorOf(
  server: Server,
  keeper: IdentityKeeper,
  config: ServeConfig,
  { store, clock, log, sealed, sealedKeeper }: Pick<RunParts, 'clock' | 'log'> & OperatorOwn,
): Operator {
  const { data, registration, limits } = config
  const address = inviteAddress(...joiningAt(config, server))
  if (!coversHost(keeper.current.certificate, certificateHost(address.host))) {
    log.warning('invite links name a host that the certificate does not have, restart with --host', { host: address.host })
  }
  const devices = inviteAddress({ hosts: config.hosts, listen: config.listen }, server.endpoints)
  if (devices.host !== address.host) {
    log.warning('who joins dials the host of --join-listen for everything, restart with --host, or with one host for both', {
      joined: formatEndpoint({ ...address, port: devices.port }),
      listen: formatEndpoint(devices),
    })
  }
  noteForCommands(data, { address, devices, sealed }, keeper, log)
  const endSessions = (key: string, error: SealwireError): void => void server.endSessions(key, error)
  const endBanned = (key: string, error: SealwireError): void => server.endBanned(key, error)
  const options = {
    ...address,
    get fingerprint() {
      return keeper.current.fingerprint
    },
    sealed,
    registration,
    limits,
    serverId: server.devices.serverId,
  }
  const certificates = certificateRoutes({ keeper, sealed: sealedKeeper }, clock)
  const endDevice = (revoked: RevokedDevice, error: SealwireError): void => server.endDevice(revoked, error)
  const routes = deviceRoutes({ devices: server.devices, store, clock, log, limits, endDevice, port: () => server.endpoints[0]?.port })
  const ledger = operatorLedger(server, { store, clock, log, limits })
  return new Operator(options, {
    store,
    clock,
    log,
    hasher: new PasswordHasher(limits),
    endSessions,
    endBanned,
    devices: routes,
    certificates,
    backups: backupRoutes(server.files),
    ...ledger,
  })
}

function operatorLedger(server: Server, parts: Pick<OperatorLedgerParts, 'store' | 'clock' | 'log' | 'limits'>) {
  const { money } = server
  if (money === undefined) return {}
  const { signatures, signer, checkpoints } = money
  const own = { signatures, publicKey: signer.publicKey, serverId: server.devices.serverId, posted: () => checkpoints.posted() }
  return { ledger: ledgerRoutes({ ...parts, ...own }) }
}

/** Whoever is invited has no certificate yet: where one is required, the address is that for joining. */
function joiningAt({ hosts, listen, joinListen, mutualTls }: ServeConfig, server: Server): Parameters<typeof inviteAddress> {
  if (mutualTls !== 'required' || joinListen === undefined) return [{ hosts, listen }, server.endpoints]
  return [{ hosts, listen: [joinListen] }, server.joinEndpoints]
}

interface Noted {
  readonly address: Endpoint
  /** Where devices log in. */
  readonly devices: Endpoint
  readonly sealed: SealedPlace | undefined
}

/** What a command needs that makes an invitation while no server runs. */
function noteForCommands(data: string, { address, devices, sealed }: Noted, { current }: IdentityKeeper, log: Log): void {
  try {
    rememberAddress(data, address)
    if (formatEndpoint(devices) === formatEndpoint(address)) forgetAddress(data, 'device-address')
    else rememberAddress(data, devices, 'device-address')
    rememberSealedPlace(data, sealed)
    noteFingerprint(data, current.source === 'files' ? current.fingerprint : undefined)
  } catch (reason) {
    log.warning('address not noted for commands of the operator', { why: SealwireError.from(reason).code })
  }
}

/** The link for who starts a server: one account, for a week; it takes the place of the one that the last start printed. */
async function printedInvitation(operator: Operator, config: ServeConfig, log: Log): Promise<string | undefined> {
  const { registration, mutualTls, joinListen } = config
  if (registration === 'closed') return undefined
  if (mutualTls === 'required' && joinListen === undefined) {
    log.warning('nobody can join with a link, restart with --join-listen, or use: sealwire cert issue')
    return undefined
  }
  try {
    return (await operator.invite({ uses: 1, expiresMs: printedExpiresMs, printed: true })).link
  } catch (reason) {
    // A full disk keeps nobody out who has an account.
    log.warning('no invitation was made', { why: SealwireError.from(reason).code })
    return undefined
  }
}

interface Announced extends Pick<RunParts, 'log' | 'print' | 'draw'> {
  readonly identity: LiveIdentity
  readonly sealedPins: SealedPins | undefined
  readonly link: string | undefined
  readonly metrics: Endpoint | undefined
}

/** The lines that a person reads and a program waits for, in one piece, then the same for the log, but for the link. */
function announce(server: Server, { identity, sealedPins, link, metrics, log, print, draw }: Announced): void {
  print(
    [
      ...server.endpoints.map((endpoint) => `sealwire listening on tls://${formatEndpoint(endpoint)}`),
      ...server.joinEndpoints.map((endpoint) => `joining at tls://${formatEndpoint(endpoint)}`),
      ...server.echoEndpoints.map((endpoint) => `echo listening on tls://${formatEndpoint(endpoint)}`),
      ...server.sealedEndpoints.map((endpoint) => `sealwire listening on sealed://${formatEndpoint(endpoint)}`),
      ...server.webEndpoints.map((endpoint) => `web         wss://${formatEndpoint(endpoint)}${webPath}`),
      ...(metrics === undefined ? [] : [`metrics     http://${formatEndpoint(metrics)}/metrics`]),
      `fingerprint ${identity.fingerprint}`,
      ...sealedLines(sealedPins),
      ...(link === undefined ? [] : [`invite      ${link}`, ...draw(link)]),
    ].join('\n'),
  )
  log.info('server started', {
    listen: server.endpoints.map(formatEndpoint).join(' '),
    ...(server.sealedEndpoints.length === 0 ? {} : { sealed: server.sealedEndpoints.map(formatEndpoint).join(' ') }),
    certificateUntil: identity.certificate.validToDate.toISOString(),
  })
}

function sealedLines(pins: SealedPins | undefined): readonly string[] {
  if (pins === undefined) return []
  const { current, next } = pins
  const coming = next && `sealed fingerprint from ${new Date(next.until).toISOString()} on ${next.pin}`
  return [`sealed fingerprint ${current}`, ...(coming === undefined ? [] : [coming])]
}

const printedExpiresMs = 7 * 24 * 60 * 60 * 1000

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
}
