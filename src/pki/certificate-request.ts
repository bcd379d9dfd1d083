// The certificate request of a device (PKCS #10, RFC 2986): it says nothing but a P-256 key, and its signature proves that
// whoever made it has that key. What others write into a subject or into attributes is passed over and never believed.

import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'
import { der, DerReader, derTags } from './der.ts'
import { sameBytes } from '../protocol/same-bytes.ts'

/** Bytes of the SubjectPublicKeyInfo of a P-256 key, with the point in full. */
const p256SpkiBytes = 91

/** A request (DER) for a P-256 key, with no subject and no attributes. */
export function makeCertificateRequest(key: KeyObject): Uint8Array {
  const info = der(derTags.sequence, der(derTags.integer, version1), der(derTags.sequence), spkiOf(key), der(derTags.context0))
  const signature = sign('sha256', info, key)
  return der(derTags.sequence, info, ecdsaWithSha256, der(derTags.bitString, noUnusedBits, signature))
}

/**
 * The SubjectPublicKeyInfo (DER, {@link p256SpkiBytes}) of a request, once its signature has been checked with it.
 * @throws {SealwireError} `enrolment_invalid` for what is no request, for another kind of key and for a wrong signature.
 */
export function readCertificateRequest(csr: Uint8Array): Uint8Array {
  try {
    const { info, spki, signature } = parse(csr)
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    if (verify('sha256', info, key, signature)) return new Uint8Array(spki)
  } catch (cause) {
    if (SealwireError.is(cause) && cause.code === 'enrolment_invalid') throw cause
    throw refused('the certificate request cannot be read', cause)
  }
  throw refused('the certificate request is not signed by its own key')
}

/** SubjectPublicKeyInfo of the public half of a key. */
export function spkiOf(key: KeyObject): Uint8Array {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return new Uint8Array(open.export({ type: 'spki', format: 'der' }))
}

interface RequestParts {
  readonly info: Uint8Array
  readonly spki: Uint8Array
  readonly signature: Uint8Array
}

function parse(csr: Uint8Array): RequestParts {
  const outer = only(new DerReader(csr))
  const info = outer.next(derTags.sequence)
  const algorithm = outer.next(derTags.sequence)
  const signature = outer.next(derTags.bitString).content
  outer.end()
  const inner = new DerReader(info.content)
  const version = inner.next(derTags.integer).content
  inner.next(derTags.sequence)
  const spki = inner.next(derTags.sequence).whole
  inner.next(derTags.context0)
  inner.end()
  if (!sameBytes(version, version1) || signature[0] !== 0) throw refused('the certificate request has an unknown form')
  if (!sameBytes(algorithm.whole, ecdsaWithSha256)) throw refused('the certificate request is not signed with ECDSA and SHA-256')
  if (spki.length !== p256SpkiBytes || !sameBytes(spki.subarray(0, p256Prefix.length), p256Prefix)) {
    throw refused('the key of the certificate request is not a P-256 key')
  }
  return { info: info.whole, spki, signature: signature.subarray(1) }
}

/** Inside of the one element that there is. */
function only(reader: DerReader): DerReader {
  const { content } = reader.next(derTags.sequence)
  reader.end()
  return new DerReader(content)
}

function refused(sentence: string, cause?: unknown): SealwireError {
  return new SealwireError('enrolment_invalid', sentence, { cause })
}

const version1 = Uint8Array.of(0)
const noUnusedBits = Uint8Array.of(0)
/** AlgorithmIdentifier of ecdsa-with-SHA256: no parameters (RFC 5758). */
const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
/** id-ecPublicKey, prime256v1, and the first byte of a point in full. */
const p256Prefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')
