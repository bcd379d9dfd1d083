// Who answers at a port where no TLS handshake comes about, and why it does not.

import { alertNumbered, alertOf } from '../../link/tls/alert.ts'
import type { SealwireError } from '../../protocol/errors.ts'
import type { Endpoint } from '../options/endpoint.ts'
import { quote } from '../terminal/escape.ts'
import { type Finding, fault } from './finding.ts'
import { firstReply, type RawOptions, type RawReply } from './raw-hello.ts'

export interface AnswerOptions extends RawOptions {
  /** Whether we show a client certificate. */
  readonly hasCertificate: boolean
}

/** The one fault for what a dial failed with. */
export async function handshakeFault(server: Endpoint, reason: SealwireError, options: AnswerOptions): Promise<Finding> {
  const number = alertOf(codeOf(reason.cause))?.number
  if (number === noApplicationProtocol) return otherProtocol('it is a TLS server of another protocol (alert no_application_protocol)')
  if (number !== undefined && aboutCertificate.has(number)) return certificateFault(number, options)
  const reply = await firstReply(server, 'tls-1.2', options)
  switch (reply.kind) {
    case 'text':
      return textFault(reply.text)
    case 'hello':
      return helloFault(reply, reason, options)
    case 'alert':
      return await alertFault(server, reply.number, reason, options)
    case 'closed':
    case 'silent':
      return await wordlessFault(server, reply.kind, options)
  }
}

/** The fault for a server that ends the connection with, or without, an alert when the handshake was done. */
export async function certificateWish(server: Endpoint, cause: unknown, options: AnswerOptions): Promise<Finding | undefined> {
  const number = alertOf(codeOf(cause))?.number
  if (number !== undefined && aboutCertificate.has(number)) return certificateFault(number, options)
  const reply = await firstReply(server, 'tls-1.2', options)
  return reply.kind === 'hello' && reply.asksForCertificate ? certificateFault(undefined, options) : undefined
}

/** The code that node:tls gave, where there is one. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

/** TLS 1.3 is unknown to the greeting, so a server of TLS 1.2 answers as usual: then the fault is what the dial said. */
function helloFault(reply: RawReply & { kind: 'hello' }, reason: SealwireError, options: AnswerOptions): Finding {
  if (reply.version < tls12) return tooOld(reply.version)
  if (reply.asksForCertificate) return certificateFault(undefined, options)
  const number = alertOf(codeOf(reason.cause))?.number
  // It answers to the greeting, because that has old ciphers too.
  if (number !== undefined && weakness.has(number)) return nothingInCommon(number)
  return fault(
    'tls_failed',
    'the TLS handshake fails',
    `${reason.sentence}${named(codeOf(reason.cause))}`,
    reason.hint ?? 'ask the operator',
  )
}

async function alertFault(server: Endpoint, number: number, reason: SealwireError, options: AnswerOptions): Promise<Finding> {
  if (aboutCertificate.has(number)) return certificateFault(number, options)
  const old = await firstReply(server, 'tls-1.1', options)
  if (old.kind === 'hello' && old.version < tls12) return tooOld(old.version)
  if (weakness.has(number)) return nothingInCommon(number)
  return fault('tls_failed', 'the TLS handshake fails', `${answered(number)}; ${reason.sentence}`, reason.hint ?? 'ask the operator')
}

function nothingInCommon(number: number): Finding {
  const why = `${answered(number)}: it has no cipher or curve that is safe enough`
  return fault('tls_nothing_in_common', 'the server and this client have no cipher in common', why, 'ask the operator to update the server')
}

function answered(number: number): string {
  return `it answers with the alert ${alertNumbered(number)?.name ?? number}`
}

/** Some servers of HTTP say nothing to what is no HTTP. */
async function wordlessFault(server: Endpoint, kind: 'closed' | 'silent', options: AnswerOptions): Promise<Finding> {
  const reply = await firstReply(server, 'http', options)
  if (reply.kind === 'text' && reply.text.startsWith('HTTP/')) return textFault(reply.text)
  if (kind === 'silent') {
    const why = `something accepts connections there and said nothing in ${options.timeoutMs / 1000} s`
    return fault(
      'tls_silent',
      'nobody speaks there',
      why,
      'check the port; if it is right, the server hangs: see its log, and start it again',
    )
  }
  const why =
    'it closes each connection at once: it is no TLS server, it is ending, or it has too many connections, or too many from your address'
  return fault(
    'tls_closed',
    'the server closes the connection before the handshake is done',
    why,
    'wait a minute and try again; then check the port, and the log of the server',
  )
}

/** The fault for what answers with text. */
export function textFault(text: string): Finding {
  const why = `it answers ${quote(text)}`
  if (text.startsWith('SSH-')) return fault('tls_ssh', 'an SSH server answers there, not Sealwire', why, wrongPort)
  if (/^(HTTP\/|<!doctype html|<html)/i.test(text))
    return fault('tls_http', 'a web server without TLS answers there, not Sealwire', why, wrongPort)
  return fault('tls_plain', 'what answers there does not speak TLS', why, wrongPort)
}

function tooOld(version: number): Finding {
  const why = `it speaks only ${versionNames.get(version) ?? `version ${version}`}, which is broken; TLS 1.2 is the least that is safe`
  return fault('tls_too_old', 'the server speaks only a TLS that is too old', why, 'ask the operator to update the server')
}

function certificateFault(number: number | undefined, { hasCertificate }: AnswerOptions): Finding {
  const alert = number === undefined ? undefined : alertNumbered(number)
  const said = alert === undefined ? 'it asks for one in the handshake' : answered(alert.number)
  if (!hasCertificate || number === certificateRequired) {
    const next = 'join with an invite link first, or show a certificate: --home DIR, or --certificate FILE --key FILE'
    return fault('client_certificate_required', 'the server wants a client certificate', `${said}, and got none`, next)
  }
  const why = alert === undefined ? `${said}, and ends the connection` : `${said}: it ${alert.words.sentence}`
  return fault(
    'client_certificate_refused',
    'the server refuses the client certificate',
    why,
    'join again with --login for a new one, or ask the operator whether it was revoked',
  )
}

export function otherProtocol(why: string): Finding {
  return fault('protocol_other', 'a TLS server answers there, but it is not Sealwire', why, wrongPort)
}

function named(code: string): string {
  return code === '' ? '' : ` (${code})`
}

const tls12 = 0x0303
const noApplicationProtocol = 120
const certificateRequired = 116
/** no_certificate to access_denied, but for illegal_parameter; certificate_unobtainable; certificate_required. */
const aboutCertificate: ReadonlySet<number> = new Set([41, 42, 43, 44, 45, 46, 48, 49, 111, certificateRequired])
/** handshake_failure, protocol_version, insufficient_security. */
const weakness: ReadonlySet<number> = new Set([40, 70, 71])
const versionNames: ReadonlyMap<number, string> = new Map([
  [0x0300, 'SSL 3.0'],
  [0x0301, 'TLS 1.0'],
  [0x0302, 'TLS 1.1'],
])
const wrongPort = 'check host and port: sealwire serve prints them as it starts'
