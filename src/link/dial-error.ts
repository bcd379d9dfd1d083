// Why a dial came to nothing, for whoever dialled: nobody there (`unreachable`), somebody else (`untrusted`), or somebody who
// does not take our own certificate (`certificate_invalid`). docs/tls-errors.md has every sentence of these tables.

import { SealwireError } from '../protocol/index.ts'
import { alertOf, hangsUp, tooOld, weak, type Words } from './tls/alert.ts'

/** What is said of a dial. */
export interface Dialled {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  /** The pin of the authority that alone is trusted in this dial, where it was found by one. */
  readonly pin?: string
}

/** What the system says, and the runtime where it looks like the system. */
export const systemErrors: Readonly<Record<string, Words>> = {
  ECONNREFUSED: unreachable('refused the connection', 'start the server, or check the port'),
  ENOTFOUND: unreachable('is not a known host', 'check the name'),
  EAI_AGAIN: unreachable('could not be looked up', 'check the name and the network'),
  ETIMEDOUT: unreachable('did not answer', 'check address and firewall'),
  EHOSTUNREACH: unreachable('cannot be reached', 'check the network'),
  ENETUNREACH: unreachable('cannot be reached', 'check the network'),
  EADDRNOTAVAIL: unreachable('cannot be reached', 'check the network, and that the address is one to dial'),
  EHOSTDOWN: unreachable('cannot be reached', 'check that the machine is on'),
  EACCES: unreachable('may not be dialled from here', 'check the firewall of this machine'),
  EPERM: unreachable('may not be dialled from here', 'check the firewall of this machine'),
  EMFILE: unreachable('was not dialled: this process has too many open files', 'close some, or raise the limit (ulimit -n)'),
  ECONNRESET: hangsUp(),
  ECONNABORTED: hangsUp(),
  EPIPE: hangsUp(),
}

/** What the TLS library finds by itself. The alerts of the server are in tls/alert.ts. */
export const libraryErrors: Readonly<Record<string, Words>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: notTls(),
  ERR_SSL_HTTP_REQUEST: notTls(),
  ERR_SSL_HTTPS_PROXY_REQUEST: notTls(),
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls(),
  ERR_SSL_RECORD_LAYER_FAILURE: notTls(),
  ERR_SSL_UNSUPPORTED_PROTOCOL: tooOld(),
  ERR_SSL_VERSION_TOO_LOW: tooOld(),
  ERR_SSL_WRONG_SSL_VERSION: tooOld(),
  ERR_SSL_UNKNOWN_CIPHER_RETURNED: weak(),
  ERR_SSL_WRONG_CIPHER_RETURNED: weak(),
  ERR_SSL_NO_SHARED_CIPHER: weak(),
  ERR_SSL_WRONG_CURVE: weak(),
  ERR_SSL_NO_COMMON_SIGNATURE_ALGORITHMS: weak(),
  ERR_SSL_BAD_SIGNATURE: notItsOwn(),
  ERR_SSL_PROVIDER_SIGNATURE_FAILURE: notItsOwn(),
  ERR_SSL_BAD_DECRYPT: garbled(),
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: garbled(),
  ERR_SSL_DIGEST_CHECK_FAILED: garbled(),
  ERR_SSL_DECODE_ERROR: garbled(),
  ERR_SSL_UNEXPECTED_MESSAGE: garbled(),
  ERR_SSL_UNEXPECTED_RECORD: garbled(),
  ERR_SSL_KEY_USAGE_BIT_INCORRECT: wrongUsage(),
}

/** Its own certificate does not do. */
export const unfitCertificates: Readonly<Record<string, Words>> = {
  CERT_HAS_EXPIRED: stranger('has a certificate that has expired', 'renew it on the server'),
  CERT_NOT_YET_VALID: stranger('has a certificate that is not yet valid', 'check the clocks of both machines'),
  ERR_TLS_CERT_ALTNAME_INVALID: stranger('has a certificate for another name', 'dial a name that the certificate has'),
  HOSTNAME_MISMATCH: stranger('has a certificate for another name', 'dial a name that the certificate has'),
  INVALID_PURPOSE: wrongUsage(),
  INVALID_CA: stranger('has a certificate whose issuer is no authority', 'ask the operator for a new certificate'),
  PATH_LENGTH_EXCEEDED: stranger(
    'has a certificate with more authorities above it than they allow',
    'ask the operator for a new certificate',
  ),
  CERT_CHAIN_TOO_LONG: stranger('has a certificate with too many authorities above it', 'ask the operator for a shorter chain'),
  CERT_REVOKED: stranger('has a certificate that was revoked', 'do not trust it: ask the operator'),
  ERROR_IN_CERT_NOT_BEFORE_FIELD: unreadable(),
  ERROR_IN_CERT_NOT_AFTER_FIELD: unreadable(),
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: unreadable(),
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: unreadable(),
  UNSPECIFIED: stranger('has a certificate that asks for something unknown here', 'ask the operator for a simpler one'),
  OUT_OF_MEM: unreachable('has a certificate that could not be checked: the memory is full', 'end other programs, and try again'),
}

/** Nobody that we trust has signed it. */
export const foreignCertificates: Readonly<Record<string, Words>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: stranger('has a self-signed certificate', 'give its certificate as the CA file'),
  SELF_SIGNED_CERT_IN_CHAIN: stranger('has a certificate of an authority that is not trusted here', 'give the CA file of that authority'),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer(),
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer(),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer(),
  CERT_UNTRUSTED: unknownIssuer(),
  CERT_REJECTED: unknownIssuer(),
  CERT_SIGNATURE_FAILURE: stranger('has a certificate that its issuer has not signed', middle()),
}

/** The error for what node:tls said. */
export function dialError(dialled: Dialled, cause: NodeJS.ErrnoException): SealwireError {
  return told(dialled, wordsOf(cause.code ?? '', dialled.pin), cause)
}

/** The error for a peer that hung up before the handshake was done. */
export function hungUp(dialled: Dialled): SealwireError {
  return told(dialled, hangsUp())
}

/** The error for a peer that took longer than `timeoutMs`. */
export function timedOut(dialled: Dialled): SealwireError {
  return told(dialled, unreachable(`did not answer within ${dialled.timeoutMs / 1000} s`, 'check address and firewall'))
}

/** The error for a dial whose caller does not want it any more. */
export function givenUp(cause?: unknown): SealwireError {
  return new SealwireError('unreachable', 'the connection was given up', { cause })
}

/** The error for a peer that has not agreed on the application protocol, though its TLS goes on. */
export function anotherProtocol(dialled: Dialled): SealwireError {
  return told(dialled, unreachable('is a TLS server of another protocol', 'check address and port'))
}

/** `host:port`, an IPv6 address in brackets. */
export function placeOf({ host, port }: Pick<Dialled, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** What a code that node:tls gives means. */
export function wordsOf(code: string, pin?: string): Words {
  const foreign = foreignCertificates[code]
  if (foreign !== undefined) return pin === undefined ? foreign : notSignedBy(pin)
  return unfitCertificates[code] ?? libraryErrors[code] ?? systemErrors[code] ?? alertOf(code)?.words ?? noHandshake
}

const noHandshake = unreachable('did not complete the TLS handshake', 'check that it is a TLS 1.2 or 1.3 server')

/** Who trusts a pin has no CA file to give. */
function notSignedBy(pin: string): Words {
  return stranger(`has a certificate that the authority ${pin} has not signed`, middle())
}

function notTls(): Words {
  return unreachable('does not speak TLS', 'check the port: something else answers there')
}

function garbled(): Words {
  return unreachable('sends a handshake that makes no sense', 'something in between may change what is sent: try another network')
}

function notItsOwn(): Words {
  return stranger('could not prove that the certificate is its own', middle())
}

function wrongUsage(): Words {
  return stranger('has a certificate that is not one for servers', 'ask the operator for one with the usage serverAuth')
}

function unreadable(): Words {
  return stranger('has a certificate that cannot be read', 'ask the operator to make a new one')
}

function unknownIssuer(): Words {
  return stranger('has a certificate of an unknown issuer', 'give the CA file of its issuer')
}

function middle(): string {
  return 'somebody may be in the middle: ask the operator'
}

function unreachable(sentence: string, hint: string): Words {
  return { code: 'unreachable', sentence, hint }
}

function stranger(sentence: string, hint: string): Words {
  return { code: 'untrusted', sentence, hint }
}

function told(dialled: Dialled, { code, sentence, hint }: Words, cause?: unknown): SealwireError {
  return new SealwireError(code, `${placeOf(dialled)} ${sentence}`, { cause, hint })
}
