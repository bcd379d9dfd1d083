// The keys that an operator brings: P-256, P-384, or RSA with 2048 bits or more. Ed25519 and P-521 are good keys that browsers
// and clients of TLS 1.2 do not know.

import { createPrivateKey, type KeyObject } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'

/**
 * A key that an operator has made, wherever it stands in the text.
 * @throws {SealwireError} `key_malformed` when it is none, has a passphrase, or is not one that clients know.
 */
export function parseOwnKey(path: string, text: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    throw malformed(`${path} has a passphrase`, `take it off, because nobody is there to type it: openssl pkey -in ${path} -out NEW`)
  }
  let key: KeyObject
  try {
    key = createPrivateKey(privatePem(text))
  } catch (cause) {
    throw malformed(`${path} cannot be read as a private key`, 'it must be whole, in PEM, and without a passphrase', cause)
  }
  const what = weakness(key)
  if (what === undefined) return key
  throw malformed(
    `${path} is ${what}`,
    'make a new one: P-256 (openssl ecparam -name prime256v1 -genkey), P-384, or RSA with 2048 bits or more',
  )
}

/** A file of a key may have certificates or parameters of its curve beside it, and the first block is what gets read. */
function privatePem(text: string): string {
  return /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----[^-]*-----END ([A-Z]+ )?PRIVATE KEY-----/.exec(text)?.[0] ?? text
}

/** What is wrong with a key, public or private, as the words that follow `is` and `has`; `undefined` for one that clients accept. */
export function weakness({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0
    return bits < 2048 ? `an RSA key of ${bits} bits, which is too weak` : undefined
  }
  if (type !== 'ec') return `a key of the kind ${type}, which many clients do not know`
  const curve = details?.namedCurve ?? 'unknown'
  return curves.has(curve) ? undefined : `a key on the curve ${curve}, which many clients do not know`
}

function malformed(what: string, hint: string, cause?: unknown): SealwireError {
  return new SealwireError('key_malformed', `the key ${what}`, { cause, hint })
}

const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1'])
