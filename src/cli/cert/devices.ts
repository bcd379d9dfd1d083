// `sealwire cert issue|list|revoke`: what an operator does with the certificates of devices, through the server of the data
// folder or without it. cert.ts puts them together with those of the server's own certificate.

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { makeEnrolment } from '../../pki/index.ts'
import { csrBytesMax } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { OperatorResult } from '../../protocol/operator.ts'
import { errorCode, writeDurably } from '../../pki/durable-file.ts'
import { certificatePem, newDevice, writeDevice } from '../../client/home/device-files.ts'
import { deviceJson, deviceLine } from '../operator/device-line.ts'
import { type Endpoint, formatEndpoint, parseEndpoint } from '../options/endpoint.ts'
import { escapeControls } from '../terminal/escape.ts'
import { Home } from '../../client/home/home.ts'
import { jsonLine } from '../terminal/json-line.ts'
import { findDataFolder } from '../operator/data-folder.ts'
import { checkTarget } from '../operator/own-files.ts'
import { named, type OperatorFlags, part, print, withOperator } from '../operator/command.ts'
import { readPath } from '../options/option-value.ts'
import { commandLine } from '../options/origin.ts'
import { Profile, reserveProfile } from '../../client/home/profile.ts'

interface IssueFlags extends OperatorFlags {
  readonly home?: string
  readonly csr?: string
  readonly out?: string
  readonly label?: string
  readonly server?: string
}

/** `cert issue`. */
export function issueCommand(): Command {
  return named('issue', 'make a device of an account, and the account if there is none')
    .option('--home <dir>', 'make keys too, and a home folder with all that its owner needs')
    .option('--csr <file>', 'sign this certificate request (PKCS #10, P-256): the keys stay where they are')
    .option('--out <file>', 'with --csr: where to write the certificate (default: standard output)')
    .option('--label <text>', 'what the device is called in lists')
    .option('--server <host:port>', 'with --home: the address of the server (default: its own)')
    .action(issue)
}

/** `cert list`. */
export function listCommand(): Command {
  return part('list', 'list the devices of all accounts').action(list)
}

/** `cert revoke`. */
export function revokeCommand(): Command {
  return part('revoke', 'make the certificate of a device worthless for good; its sessions end')
    .argument('<ID>', 'of the device, as the list shows it')
    .action(revoke)
}

async function issue(name: string, flags: IssueFlags): Promise<void> {
  const { home, csr } = flags
  if (home !== undefined && csr === undefined) return issueHome(name, home, flags)
  if (csr !== undefined && home === undefined) return issueCertificate(name, csr, flags)
  throw new SealwireError('usage', 'cert issue takes either --home or --csr', {
    hint: '--home DIR makes keys, --csr FILE signs a request whose keys are elsewhere',
  })
}

/** For a program of another kind, whose key was made where it is used. */
async function issueCertificate(name: string, path: string, flags: IssueFlags): Promise<void> {
  const csr = readRequest(path)
  const out = flags.out === undefined ? undefined : readPath(flags.out, commandLine('--out'))
  if (out !== undefined) checkTarget(out, findDataFolder(flags.data, process.env))
  await withOperator(flags, async (operator) => {
    const issued = await operator.call('device.issue', { name, csr, label: flags.label })
    const pem = `${certificatePem(issued.certificate)}${certificatePem(issued.authority)}`
    if (out !== undefined) writeDurably(out, pem, 0o644)
    const said = flags.json === true ? jsonLine({ name: issued.name, device: issued.device, certificate: pem }) : undefined
    await print(said ?? (out === undefined ? pem : `issued ${issued.device} to ${escapeControls(issued.name)}\n`))
  })
}

/** A home as `join` would have made it, to be handed to its owner. */
async function issueHome(name: string, path: string, flags: IssueFlags): Promise<void> {
  const home = new Home(readPath(path, commandLine('--home')))
  using reservation = reserveProfile(home)
  await withOperator(flags, async (operator) => {
    const status = await operator.call('server.status', {})
    if (status.server === undefined) throw new SealwireError('unavailable', 'the server knows no devices', { hint: 'start it again' })
    const { keys } = newDevice()
    const enrolment = makeEnrolment(keys, status.server)
    const issued = await operator.call('device.issue', { name, ...enrolment, label: flags.label })
    const server = flags.server === undefined ? { host: status.host, port: issued.port ?? status.port } : readServer(flags.server)
    writeDevice(home, { keys, issued: { certificate: certificatePem(issued.certificate), authority: certificatePem(issued.authority) } })
    reservation.write(new Profile({ server, pin: status.fingerprint, name: issued.name, token: undefined }))
    const { device } = issued
    const json = jsonLine({ name: issued.name, device, server: formatEndpoint(server), pin: status.fingerprint, home: home.path })
    await print(flags.json === true ? json : `issued ${device} to ${escapeControls(issued.name)} in ${escapeControls(home.path)}\n`)
  })
}

async function list(flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    let after: string | undefined
    do {
      const { devices, next } = await operator.call('device.list', { after })
      await print(devices.map((device) => (flags.json === true ? jsonLine(deviceJson(device)) : listedLine(device))).join(''))
      after = next
    } while (after !== undefined)
  })
}

async function revoke(id: string, flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const { device, name } = await operator.call('device.revoke', { device: id }).catch(withList)
    await print(flags.json === true ? jsonLine({ device, name, revoked: true }) : `revoked ${device} of ${escapeControls(name)}\n`)
  })
}

/** The general hint for what is not there is about names. */
function withList(reason: unknown): never {
  const { code, sentence } = SealwireError.from(reason)
  throw code === 'not_found' ? new SealwireError(code, sentence, { cause: reason, hint: 'sealwire cert list shows the ids' }) : reason
}

function listedLine(device: OperatorResult<'device.list'>['devices'][number]): string {
  return `${escapeControls(device.name)}  ${deviceLine(device)}`
}

/** PEM or DER. */
function readRequest(path: string): Uint8Array {
  const bytes = readFile(path)
  const base64 = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([^-]*)-----END/.exec(bytes.toString('latin1'))?.[1]
  const csr = base64 === undefined ? bytes : Buffer.from(base64, 'base64')
  if (csr.length <= csrBytesMax) return new Uint8Array(csr)
  throw new SealwireError('usage', `the certificate request ${JSON.stringify(path)} is too large`, { hint: `at most ${csrBytesMax} bytes` })
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(readPath(path, commandLine('--csr')))
  } catch (cause) {
    if (SealwireError.is(cause)) throw cause
    throw new SealwireError(
      'usage',
      `the certificate request ${JSON.stringify(path)} cannot be read (${errorCode(cause) ?? 'unknown reason'})`,
      {
        cause,
        hint: 'check the path',
      },
    )
  }
}

function readServer(text: string): Endpoint {
  return parseEndpoint(text, commandLine('--server'))
}
