// The alerts with which one side of TLS tells the other why it ends a handshake, and what each of them means here: for a
// client that is told one by its server, and for a server that is told one by a client. docs/tls-errors.md shows this table.

import type { Code } from '../../protocol/index.ts'

/** What a dial says of its server, and what to do next. */
export interface Words {
  readonly code: Extract<Code, 'unreachable' | 'untrusted' | 'certificate_invalid'>
  /** Follows `HOST:PORT`. */
  readonly sentence: string
  readonly hint: string
}

/** Why a handshake failed, in one word for the log of a server. */
export type HandshakeReason = keyof typeof handshakeReasons

export interface AlertRow {
  /** Its number on the wire (RFC 8446 §6 and before). */
  readonly number: number
  /** What a client says whose server sent it. */
  readonly words: Words
  /** What a server logs whose client sent it. */
  readonly reason: HandshakeReason
}

/** Every alert there is, by its name. */
export const alerts: Readonly<Record<string, AlertRow>> = {
  close_notify: row(0, hangsUp(), 'closed'),
  unexpected_message: row(10, damaged(), 'damaged'),
  bad_record_mac: row(20, damaged(), 'damaged'),
  decryption_failed: row(21, damaged(), 'damaged'),
  record_overflow: row(22, damaged(), 'damaged'),
  decompression_failure: row(30, damaged(), 'damaged'),
  handshake_failure: row(
    40,
    unreachable(
      'has no cipher or curve in common with this client, or wants a client certificate',
      'ask the operator which of the two it is; sealwire doctor HOST:PORT tells them apart',
    ),
    'nothing_in_common',
  ),
  no_certificate: row(41, wantsCertificate(), 'distrusted'),
  bad_certificate: row(42, refused('it cannot be read, or its signature is wrong'), 'distrusted'),
  unsupported_certificate: row(43, refused('it is not one for clients'), 'distrusted'),
  certificate_revoked: row(44, refused('it was revoked'), 'distrusted'),
  certificate_expired: row(45, refused('it has expired, or one of the clocks is wrong'), 'distrusted'),
  certificate_unknown: row(46, refused('it is not acceptable there'), 'distrusted'),
  illegal_parameter: row(47, damaged(), 'damaged'),
  unknown_ca: row(48, refused('it was signed by an authority that is not trusted there'), 'distrusted'),
  access_denied: row(49, refused('its owner has no access there'), 'distrusted'),
  decode_error: row(50, damaged(), 'damaged'),
  decrypt_error: row(51, damaged(), 'damaged'),
  export_restriction: row(60, weak(), 'nothing_in_common'),
  protocol_version: row(70, tooOld(), 'version'),
  insufficient_security: row(71, weak(), 'nothing_in_common'),
  internal_error: row(80, unreachable('had an error of its own in the handshake', 'try again, or tell the operator'), 'closed'),
  inappropriate_fallback: row(86, damaged(), 'version'),
  user_cancelled: row(90, hangsUp(), 'closed'),
  no_renegotiation: row(100, damaged(), 'damaged'),
  missing_extension: row(109, damaged(), 'damaged'),
  unsupported_extension: row(110, damaged(), 'damaged'),
  certificate_unobtainable: row(111, refused('it cannot be fetched there'), 'distrusted'),
  unrecognized_name: row(112, unreachable('has no certificate for this name', 'dial the name that the operator says'), 'damaged'),
  bad_certificate_status_response: row(113, damaged(), 'distrusted'),
  bad_certificate_hash_value: row(114, damaged(), 'distrusted'),
  unknown_psk_identity: row(115, damaged(), 'damaged'),
  certificate_required: row(116, wantsCertificate(), 'distrusted'),
  no_application_protocol: row(
    120,
    unreachable('is a TLS server of another protocol', 'check the port: a Sealwire server speaks sealwire/1'),
    'protocol',
  ),
  ech_required: row(121, damaged(), 'damaged'),
}

/** What the words in the log line `handshakes failed` mean: the sentence of the operator's manual. */
export const handshakeReasons = {
  timeout: 'the handshake took longer than handshakeMsMax: a slow network, or somebody who only holds connections open',
  evicted: 'it made room for another connection: there were too many without a login',
  closed: 'the client went away in the middle: it gave up, was stopped, or only looked whether the port is open',
  not_tls: 'what came is no TLS: a browser with http://, a client without TLS, or a scan of the port',
  version: 'the client speaks only TLS 1.1 or older: it has to be updated',
  nothing_in_common: 'the client has no cipher or curve that is safe enough: it has to be updated',
  protocol: 'the client wants another protocol than sealwire/1: it is a client of something else',
  distrusted: 'the client does not trust the certificate: it has another pin or no CA file, dialled another name, or a clock is wrong',
  client_certificate: 'the certificate of the client is missing or not good: expired, revoked, of another authority, or not for clients',
  damaged: 'what came was changed on its way, or the client breaks the rules of TLS',
  web: 'the request is none for a WebSocket that is taken here: somebody only looked at the address, or a page of another origin',
  other: 'something else that the TLS library does not like',
} as const

/**
 * Why the handshake with a client failed, by what the runtime says of it. node:tls has a code for each reason; Bun's sockets
 * have one for all of them, and the name of the library at the end of the message.
 */
export function handshakeReason(error: unknown): HandshakeReason {
  if (!(error instanceof Error)) return 'closed'
  const code = 'code' in error ? String(error.code) : ''
  const name = code === 'EPROTO' ? error.message.slice(error.message.lastIndexOf(':') + 1) : code.replace(/^ERR_SSL_/, '')
  return alertOf(name)?.reason ?? libraryReasons.get(name) ?? 'other'
}

/** The alert in a code of node:tls such as `ERR_SSL_TLSV1_ALERT_UNKNOWN_CA`, if it is one; each runtime has its spelling. */
export function alertOf(code: string): AlertRow | undefined {
  const number = /^(?:ERR_SSL_)?reason\((\d+)\)$/.exec(code)?.[1]
  if (number !== undefined) return Object.values(alerts).find((each) => each.number === Number(number) - firstAlert)
  const name = /^(?:ERR_SSL_)?(?:SSLV3|TLSV13|TLSV1)_(?:ALERT_)?(\w+)$/.exec(code)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(alerts, name) ? alerts[name] : undefined
}

/** The alert with this number on the wire; `undefined` for one that nobody has defined. */
export function alertNumbered(number: number): (AlertRow & { readonly name: string }) | undefined {
  const found = Object.entries(alerts).find(([, each]) => each.number === number)
  return found === undefined ? undefined : { name: found[0], ...found[1] }
}

/** What is said of a peer that ends the connection before the handshake is done. */
export function hangsUp(): Words {
  return unreachable(
    'closed the connection during the handshake',
    'check that it is a TLS server; a Sealwire server also does so when it has too many connections, or too many from your address: wait a little',
  )
}

/** What is said of a peer that speaks only what is not safe any more. */
export function tooOld(): Words {
  return unreachable('speaks neither TLS 1.2 nor TLS 1.3', 'it is too old to be safe: ask the operator to update it')
}

/** What is said of a peer that says that our bytes make no sense. */
function damaged(): Words {
  return unreachable(
    'does not understand the handshake of this client',
    'something in between may change what is sent: try another network',
  )
}

export function weak(): Words {
  return unreachable('has no cipher or curve in common with this client', 'one of the two is too old: update it')
}

function refused(why: string): Words {
  const hint = 'join again with --login for a new certificate, or ask the operator whether this device was revoked'
  return { code: 'certificate_invalid', sentence: `refused the client certificate: ${why}`, hint }
}

function wantsCertificate(): Words {
  const hint = 'join with an invite link first: it leads to the address where a device gets one'
  return { code: 'certificate_invalid', sentence: 'wants a client certificate, and got none', hint }
}

function unreachable(sentence: string, hint: string): Words {
  return { code: 'unreachable', sentence, hint }
}

function row(number: number, words: Words, reason: HandshakeReason): AlertRow {
  return { number, words, reason }
}

/** BoringSSL numbers an alert that it has no name for so. */
const firstAlert = 1000

/** What the library of a server finds by itself, without its prefix. */
export const libraryReasons: ReadonlyMap<string, HandshakeReason> = new Map([
  ['ECONNRESET', 'closed'],
  ['ECONNABORTED', 'closed'],
  ['EPIPE', 'closed'],
  ['ETIMEDOUT', 'closed'],
  ['HTTP_REQUEST', 'not_tls'],
  ['HTTPS_PROXY_REQUEST', 'not_tls'],
  ['WRONG_VERSION_NUMBER', 'not_tls'],
  ['PACKET_LENGTH_TOO_LONG', 'not_tls'],
  ['UNSUPPORTED_PROTOCOL', 'version'],
  ['VERSION_TOO_LOW', 'version'],
  ['INAPPROPRIATE_FALLBACK', 'version'],
  ['NO_SHARED_CIPHER', 'nothing_in_common'],
  ['NO_SHARED_GROUP', 'nothing_in_common'],
  ['NO_SUITABLE_KEY_SHARE', 'nothing_in_common'],
  ['WRONG_CURVE', 'nothing_in_common'],
  ['NO_COMMON_SIGNATURE_ALGORITHMS', 'nothing_in_common'],
  ['NO_SUITABLE_SIGNATURE_ALGORITHM', 'nothing_in_common'],
  ['NO_APPLICATION_PROTOCOL', 'protocol'],
  // A client of TLS 1.3 that does not like what it sees says so in the clear, which BoringSSL cannot read any more then.
  ['BAD_PACKET_LENGTH', 'distrusted'],
  ['PEER_DID_NOT_RETURN_A_CERTIFICATE', 'client_certificate'],
  ['CERTIFICATE_VERIFY_FAILED', 'client_certificate'],
  ['BAD_SIGNATURE', 'client_certificate'],
  ['PROVIDER_SIGNATURE_FAILURE', 'client_certificate'],
  ['BAD_DECRYPT', 'damaged'],
  ['BAD_RECORD_TYPE', 'damaged'],
  ['DECODE_ERROR', 'damaged'],
  ['DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'damaged'],
  ['DIGEST_CHECK_FAILED', 'damaged'],
  ['UNEXPECTED_MESSAGE', 'damaged'],
  ['UNEXPECTED_RECORD', 'damaged'],
])
