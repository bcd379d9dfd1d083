// `sealwire invite`: makes an invitation and prints its link, through the server of the data folder or without it.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { certificateHost, parseInviteLink } from '../pki/index.ts'
import { coversHost } from '../pki/certificate-host.ts'
import { SealwireError } from '../protocol/errors.ts'
import { invitationMs, invitationUsesMax } from '../protocol/operator.ts'
import { defaultEndpoint } from './serve/config.ts'
import { findDataFolder, folderCertificate } from './operator/data-folder.ts'
import { writeAll, writeNow } from './terminal/descriptor.ts'
import { parseDuration } from './options/duration.ts'
import { formatEndpoint, parseEndpoint } from './options/endpoint.ts'
import { escapeControls } from './terminal/escape.ts'
import { OperatorClient } from './operator/client.ts'
import { commandLine, refuse } from './options/origin.ts'
import { recallAddress } from './operator/server-address.ts'
import { terminalQr } from './terminal/terminal-qr.ts'

/** The flags as they were typed. */
export interface InviteFlags {
  readonly uses?: string
  readonly expires?: string
  readonly data?: string
  readonly host?: string
  readonly sealed?: boolean
  readonly json?: boolean
  /** False after `--no-qr`. */
  readonly qr?: boolean
}

/** What an invitation shall be. */
export interface InviteRequest {
  readonly uses: number
  readonly expiresMs: number
  /** Absent: the address of the server. Without a port: the server's. */
  readonly host?: string
  readonly port?: number
  /** Absent: over TLS. */
  readonly sealed?: true
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('invite')
    .usage('[OPTIONS]')
    .description('Make an invitation and print its link: whoever has it may join the server.')
    .option('--uses <n>', `how many accounts it is good for, 1 to ${invitationUsesMax} (default: 1)`)
    .option('--expires <duration>', 'how long it lives: 30m, 12h, 7d; at most 365d (default: 7d)')
    .option('--data <dir>', 'data folder of the server (default: ./sealwire-data; SEALWIRE_DATA)')
    .option('--host <name[:port]>', 'address in the link (default: that of the server)')
    .option('--sealed', 'through the sealed channel: a link that begins with sealed://')
    .option('--json', 'print a JSON object')
    .option('--no-qr', 'draw no QR code on a terminal')
    .addHelpText('after', notes)
    .action(invite)
}

/**
 * Checks the flags.
 * @throws {SealwireError} `usage`.
 */
export function readInviteFlags({ uses = '1', expires = '7d', host, sealed = false }: InviteFlags): InviteRequest {
  const address = host === undefined ? {} : readHost(host)
  return {
    uses: readUses(uses),
    expiresMs: parseDuration(expires, commandLine('--expires'), invitationMs),
    ...address,
    ...(sealed ? { sealed } : {}),
  }
}

async function invite(flags: InviteFlags): Promise<void> {
  const request = readInviteFlags(flags)
  const folder = findDataFolder(flags.data, process.env)
  using operator = new OperatorClient(folder, { clock: systemClock })
  const { link, expiresAt } = await operator.call('invitation.create', request)
  if (request.sealed !== true) noteLink(folder, link, request, operator.isOffline)
  const json = `${JSON.stringify({ link, uses: request.uses, expiresAt: new Date(expiresAt).toISOString() })}\n`
  const lines = [...(flags.qr === false ? [] : terminalQr(link)), link, '']
  await writeAll(standardOutput, flags.json === true ? json : lines.join('\n'))
}

/** What the one who sends the link should know. */
function noteLink(folder: string, link: string, request: InviteRequest, isOffline: boolean): void {
  if (isOffline) noteGuess(folder, request)
  noteCertificate(folder, parseInviteLink(link).host)
}

function readUses(text: string): number {
  const uses = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Infinity
  if (uses <= invitationUsesMax) return uses
  throw refuse(commandLine('--uses'), text, `is not a number from 1 to ${invitationUsesMax}`, 'write how many accounts may be made')
}

/** `NAME`, `NAME:PORT`, an IPv6 address in brackets when a port follows. */
function readHost(text: string): Pick<InviteRequest, 'host' | 'port'> {
  const origin = commandLine('--host')
  const hasPort = /^(\[.*\]|[^:]*):[^:]*$/.test(text)
  const endpoint = hasPort ? parseEndpoint(text, origin) : { host: text.replace(/^\[(.*)\]$/, '$1'), port: undefined }
  if (endpoint.port === 0) throw refuse(origin, text, 'has no port that can be dialled', 'write one from 1 to 65535')
  try {
    const host = certificateHost(endpoint.host).value
    return endpoint.port === undefined ? { host } : { host, port: endpoint.port }
  } catch (cause) {
    const { hint } = SealwireError.from(cause)
    throw refuse(origin, text, 'is no name or address that a certificate can have', hint ?? 'write a name')
  }
}

/** No server runs, and none has left its address. */
function noteGuess(folder: string, { host, port }: InviteRequest): void {
  if (port !== undefined || recallAddress(folder) !== undefined) return
  const guess = host === undefined ? `the address ${formatEndpoint(defaultEndpoint)}` : `port ${defaultEndpoint.port}`
  note(`where this server listens is not known, so the link has ${guess}. --host NAME:PORT names another.`)
}

/** Clients check the name that they dial. */
function noteCertificate(folder: string, host: string): void {
  const certificate = folderCertificate(folder)
  if (certificate === undefined || coversHost(certificate, certificateHost(host))) return
  note(`the certificate of this server is not for ${host}. start the server with --host ${host} before the link is used.`)
}

function note(sentence: string): void {
  writeNow(standardError, `sealwire: ${escapeControls(sentence)}\n`)
}

const standardOutput = 1
const standardError = 2

const notes = `
The link is a secret until it is used. It is made by the server that runs in the data folder;
when none does, this command makes it itself, for the next start.

Examples:
  sealwire invite                              one account, for 7 days
  sealwire invite --uses 20 --expires 12h
  sealwire invite --host chat.example:443      a link with another address than the server's own
  sealwire invite --sealed                     for a server that was started with --sealed
  sealwire invite --json | jq -r .link`
