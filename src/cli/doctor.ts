// `sealwire doctor`: says what is wrong between here and a server, or in the folder of one, and what to do about it.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { errorCode } from '../pki/durable-file.ts'
import type { Transport } from '../pki/index.ts'
import { isPin } from '../pki/pin.ts'
import { sealedPins } from '../pki/sealed-key.ts'
import { SealwireError } from '../protocol/errors.ts'
import { resolveLimits } from '../protocol/limits.ts'
import { resolveServeConfig } from './serve/config.ts'
import { checkDataFolder, findDataFolder, folderFingerprint } from './operator/data-folder.ts'
import { writeAll } from './terminal/descriptor.ts'
import { clientCertificateOf, readDevice } from '../client/home/device-files.ts'
import type { Trust } from './doctor/certificates.ts'
import { examineFolder, examineOwnCertificate } from './doctor/examine-folder.ts'
import { examineAddresses, examineDescriptors } from './doctor/examine-machine.ts'
import { examineRunning } from './doctor/examine-running.ts'
import { examineSealed } from './doctor/examine-sealed.ts'
import { examineServer, type ServerExamination } from './doctor/examine-server.ts'
import { type Finding, faultNames, faults, findingLines } from './doctor/finding.ts'
import { type Endpoint, parseEndpoint } from './options/endpoint.ts'
import { findHome } from './member/find-home.ts'
import type { Home } from '../client/home/home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { KnownServers } from '../client/home/known-servers.ts'
import { commandLine, refuse } from './options/origin.ts'
import { findProfile, type Profile } from '../client/home/profile.ts'

/** The flags as they were typed. */
interface DoctorFlags {
  readonly pin?: string
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
  readonly home?: string
  readonly timeout?: string
  readonly data?: string
  readonly listen?: readonly string[]
  readonly config?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('doctor')
    .usage('[OPTIONS] [HOST:PORT | sealed://HOST:PORT]')
    .description('Say what is wrong between here and a server, or on the server itself, and what to do about it.')
    .argument('[HOST:PORT]', 'the server, sealed://HOST:PORT for the sealed channel (default: the one that was joined from the home)')
    .option('--pin <fingerprint>', 'the fingerprint that the server should have (default: as it is known in the home)')
    .option('--ca <file>', 'or the authorities that may have signed its certificate: a PEM file')
    .option('--certificate <file>', 'show this client certificate to the server: a PEM file, with --key (default: that of the home)')
    .option('--key <file>', 'the private key of --certificate')
    .option('--home <dir>', 'where who one is, and which servers are known, is kept (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--timeout <seconds>', 'how long to wait at each step (default: 10)')
    .option('--data <dir>', 'look at the server with this data folder, from within')
    .option(
      '--listen <host:port>',
      'with --data: where the server shall listen; repeatable',
      (text: string, all: readonly string[] | undefined) => [...(all ?? []), text],
    )
    .option('--config <file>', 'with --data: the TOML file of the server')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(examine)
}

async function examine(address: string | undefined, flags: DoctorFlags): Promise<void> {
  const home = findHome(flags.home, process.env)
  const server = address === undefined ? undefined : readServer(address)
  const isServerSide = flags.data !== undefined || flags.listen !== undefined || flags.config !== undefined
  if (server === undefined && !isServerSide) checkHome(home, flags.home)
  const target = server ?? (isServerSide ? undefined : joinedServer(home))
  const inside = isServerSide || target === undefined ? await examineInside(flags) : []
  const outside = target === undefined ? [] : await examineOutside(target, home, flags)
  await tell([...inside, ...outside], flags.json === true)
}

/**
 * What was found, and the end of the command.
 * @throws {SealwireError} with the code of the first fault, when there is one.
 */
async function tell(findings: readonly Finding[], isJson: boolean): Promise<void> {
  const names = faultNames(findings)
  const text = isJson ? jsonLine({ ok: names.length === 0, faults: names, findings }) : `${findings.flatMap(findingLines).join('\n')}\n`
  await writeAll(standardOutput, text)
  const [first] = names
  if (first === undefined) return
  const count = names.length === 1 ? 'is a fault' : `are ${names.length} faults`
  throw new SealwireError(faults[first], `there ${count}: ${names.join(', ')}`, {
    hint: 'what to do about it stands beside it, behind next',
  })
}

/** Whoever names a home does not mean a data folder. @throws {SealwireError} `usage`. */
function checkHome({ path }: Home, flag: string | undefined): void {
  if (flag === undefined || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
  throw refuse(
    commandLine('--home'),
    flag,
    'is no folder',
    'name the home of somebody who has joined, or a server: HOST:PORT, or --data DIR',
  )
}

async function examineInside(flags: DoctorFlags): Promise<readonly Finding[]> {
  const { data: folder, listen } = flags
  const said = { ...(folder === undefined ? {} : { data: [folder] }), ...(listen === undefined ? {} : { listen }) }
  const config = await resolveServeConfig({ flags: said, file: flags.config, environment: process.env })
  const now = systemClock.now()
  const { findings, isInUse } = examineFolder(config.data, { now, limits: config.limits })
  const addresses = [...config.listen, ...config.sealed, config.joinListen, config.echo].filter((each) => each !== undefined)
  return [
    ...findings,
    ...examineOwnCertificate(config.data, config.certificate, now),
    ...(isInUse ? await examineRunning(config.data) : await examineAddresses(addresses)),
    ...examineDescriptors(config.limits),
  ]
}

async function examineOutside({ transport, ...server }: Target, home: Home, flags: DoctorFlags): Promise<readonly Finding[]> {
  const limits = resolveLimits()
  const timeoutMs = flags.timeout === undefined ? limits.clientDialMsMax : readTimeout(flags.timeout)
  if (transport === 'sealed') {
    const deviceKey = joinedAt(server, home)?.serverKey === undefined ? undefined : readDevice(home)?.keys.x25519
    return await examineSealed(
      { server, trust: readSealedTrust(server, home, flags), deviceKey, timeoutMs },
      { clock: systemClock, limits },
    )
  }
  const clientCertificate = readClientCertificate(flags) ?? deviceCertificate(server, home)
  const examination: ServerExamination = {
    server,
    trust: readTrust(server, home, flags),
    timeoutMs,
    notBefore: writtenAt([ownFile, home.pathOf('known_servers'), home.pathOf('profile.json')]),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  }
  return await examineServer(examination, { clock: systemClock, limits })
}

/** What was said counts first, then what is known; a data folder knows its own server. */
function readTrust(server: Endpoint, home: Home, { pin, ca, data }: DoctorFlags): Trust {
  if (pin !== undefined && ca !== undefined)
    throw new SealwireError('usage', '--pin and --ca both say whom to trust', { hint: 'give one of them' })
  if (pin !== undefined) return { by: 'pin', ...readPin(pin) }
  if (ca !== undefined) return { by: 'roots', roots: readRoots(ca), source: ca }
  if (data !== undefined) {
    const folder = findDataFolder(data, process.env)
    checkDataFolder(folder)
    return { by: 'pin', pin: folderFingerprint(folder), source: folder }
  }
  const known = knownPin(server, home)
  return known === undefined ? { by: 'nothing' } : { by: 'pin', ...known }
}

/** The same for the static key of the sealed channel, which no authority vouches for. */
function readSealedTrust(server: Endpoint, home: Home, { pin, ca, certificate, data }: DoctorFlags): PinOfSource | undefined {
  if (ca !== undefined || certificate !== undefined)
    throw new SealwireError('usage', 'the sealed channel has no certificates', { hint: 'leave --ca and --certificate out, and give --pin' })
  if (pin !== undefined) return readPin(pin)
  if (data === undefined) return knownPin(server, home)
  const folder = findDataFolder(data, process.env)
  const own = sealedPins(folder, systemClock.now())?.current
  return own === undefined ? undefined : { pin: own, source: folder }
}

/** A fingerprint, and who says it. */
interface PinOfSource {
  readonly pin: string
  readonly source: string
}

function readPin(pin: string): PinOfSource {
  if (isPin(pin)) return { pin, source: '--pin' }
  throw refuse(commandLine('--pin'), pin, 'is not a fingerprint', 'write it as the server prints it: SHA256:…')
}

function knownPin(server: Endpoint, home: Home): PinOfSource | undefined {
  const pin = new KnownServers(home).pinOf(server)
  if (pin !== undefined) return { pin, source: home.pathOf('known_servers') }
  const joined = joinedAt(server, home)
  return joined && { pin: joined.pin, source: home.pathOf('profile.json') }
}

function readRoots(path: string): readonly X509Certificate[] {
  const pems = readText(path, '--ca').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  try {
    if (pems.length > 0) return pems.map((pem) => new X509Certificate(pem))
  } catch {
    // Told as if there were none: it is of no more use.
  }
  throw refuse(commandLine('--ca'), path, 'has no certificate that can be read', 'give a PEM file of certificates')
}

function readClientCertificate({ certificate, key }: DoctorFlags): ServerExamination['clientCertificate'] {
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined)
    throw new SealwireError('usage', '--certificate and --key belong together', { hint: 'give both' })
  const shown = { chain: readText(certificate, '--certificate'), key: readText(key, '--key') }
  const privateKey = readable(() => createPrivateKey(shown.key), '--key', key, 'a private key')
  const leaf = readable(() => new X509Certificate(shown.chain), '--certificate', certificate, 'a certificate')
  if (leaf.checkPrivateKey(privateKey)) return shown
  throw refuse(commandLine('--key'), key, `is not the key of ${certificate}`, 'give the two that were made together')
}

/** What OpenSSL says of a file that it cannot read may hold some of it. */
function readable<T>(read: () => T, flag: string, path: string, what: string): T {
  try {
    return read()
  } catch {
    throw refuse(commandLine(flag), path, `is not ${what}`, `give ${what} as a PEM file without a passphrase`)
  }
}

/** What the home shows to the server that it has joined, and to nobody else. */
function deviceCertificate(server: Endpoint, home: Home): ServerExamination['clientCertificate'] {
  return joinedAt(server, home) === undefined ? undefined : clientCertificateOf(readDevice(home))
}

function readText(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw refuse(commandLine(flag), path, `cannot be read (${errorCode(cause) ?? 'unknown reason'})`, 'name a file that this user may read')
  }
}

/** A server, and how it is reached. */
interface Target extends Endpoint {
  readonly transport: Transport
}

/** As `serve` prints it, `tls://` or `sealed://` and HOST:PORT, or HOST:PORT alone, which is TLS. */
function readServer(text: string): Target {
  const [, transport = 'tls', address = text] = /^(tls|sealed):\/\/(.*)$/.exec(text) ?? []
  const server = parseEndpoint(address, commandLine('HOST:PORT'))
  if (server.port > 0) return { ...server, transport: transport === 'sealed' ? 'sealed' : 'tls' }
  throw refuse(commandLine('HOST:PORT'), text, 'has the port 0, where nobody can answer', 'give the port that the server printed')
}

function joinedServer(home: Home): Target | undefined {
  const profile = findProfile(home)
  return profile && { ...profile.server, transport: profile.serverKey === undefined ? 'tls' : 'sealed' }
}

/** The profile of the home, when it is one at `server`. */
function joinedAt({ host, port }: Endpoint, home: Home): Profile | undefined {
  const profile = findProfile(home)
  return profile?.server.host === host && profile.server.port === port ? profile : undefined
}

function readTimeout(text: string): number {
  const seconds = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (seconds > 0) return seconds * 1000
  throw refuse(commandLine('--timeout'), text, 'is not a number of seconds over 0', 'write a number such as 10')
}

/** When the latest of these files was written, ms since 1970: no right clock says less. */
function writtenAt(paths: readonly string[]): number {
  return Math.max(0, ...paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0))
}

const ownFile = fileURLToPath(import.meta.url)
const standardOutput = 1

const notes = `
Without HOST:PORT it looks at the server that was joined from the home, else at the server whose
data folder is SEALWIRE_DATA or ./sealwire-data. Nothing is sent to a server but handshakes, and a
greeting when its certificate holds. What it finds is a line each for what, why and what to do
next; a warning is no fault. It ends with the exit code of the first fault.

Examples:
  sealwire doctor                             of the server that was joined
  sealwire doctor chat.example:5555           of any server
  sealwire doctor sealed://chat.example:1337  of any server with the sealed channel
  sealwire doctor --data /srv/sealwire        on the machine of a server
  sealwire doctor mail.example:465 --ca authority.pem`
