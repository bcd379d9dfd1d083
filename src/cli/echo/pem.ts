// Certificates and keys that the command line names. Each refusal says which file it is and what it should hold.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { errorCode } from '../../pki/durable-file.ts'
import { type Code, SealwireError } from '../../protocol/index.ts'
import { quote } from '../terminal/escape.ts'

/**
 * The text of a file.
 * @throws {SealwireError} `code` when it cannot be read; `what` says in the sentence what it should be.
 */
export function readText(path: string, code: Code, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'does not exist' : `cannot be read (${errorCode(cause) ?? 'unknown reason'})`
    throw new SealwireError(code, `the ${what} ${quote(path)} ${reason}`, { cause, hint: 'check the path and who may read it' })
  }
}

/**
 * The certificates in the text of the file `path`, at least one.
 * @throws {SealwireError} `certificate_invalid` when there is none, or one that cannot be read.
 */
export function parseCertificates(path: string, text: string): readonly [X509Certificate, ...X509Certificate[]] {
  const hint = 'it must be PEM: a text with -----BEGIN CERTIFICATE-----'
  try {
    const [first, ...others] = (text.match(certificatePem) ?? []).map((pem) => new X509Certificate(pem))
    if (first !== undefined) return [first, ...others]
  } catch (cause) {
    throw new SealwireError('certificate_invalid', `a certificate in ${quote(path)} cannot be read`, { cause, hint })
  }
  throw new SealwireError('certificate_invalid', `there is no certificate in ${quote(path)}`, { hint })
}

/**
 * The private key in the text of the file `path`.
 * @throws {SealwireError} `key_malformed`
 */
export function parseKey(path: string, text: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch (cause) {
    throw new SealwireError('key_malformed', `the key ${quote(path)} cannot be read as a private key`, {
      cause,
      hint: 'it must be PEM, without a passphrase',
    })
  }
}

const certificatePem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
