// COSE_Sign1 (RFC 9052 §4.2) as Sealwire has it, as far as it is bytes: untagged, EdDSA, algorithm and key id protected, nothing
// unprotected. Who signs and who checks does the rest: src/pki/cose-sign1.ts, and in browsers src/client/web/device.ts.

import { encodeCbor } from './cbor.ts'

/** What a signature is for: the external_aad. One for one purpose is worth nothing for another. */
export const enrolmentPurpose = 'sealwire/enrol/1'
/** The same for device.prove. */
export const loginPurpose = 'sealwire/login/1'
/** The same for what the key of a ledger signs: a root of the ledger, and the statement that something is in it. */
export const checkpointPurpose = 'sealwire/checkpoint/1'
export const receiptPurpose = 'sealwire/receipt/1'

/** `{1: -8, 4: h'` and the length of what follows, 32: EdDSA, and the key id. */
export const coseHeaderStart: Uint8Array = Uint8Array.of(0xa2, 0x01, 0x27, 0x04, 0x58, 0x20)

/** The protected header of what this Ed25519 key signs. */
export function coseHeader(publicKey: Uint8Array): Uint8Array {
  return Uint8Array.of(...coseHeaderStart, ...publicKey)
}

/** Sig_structure (RFC 9052 §4.4): the bytes that are signed. */
export function coseToBeSigned(header: Uint8Array, purpose: string, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', header, new TextEncoder().encode(purpose), payload])
}

/** The message. */
export function coseMessage(header: Uint8Array, payload: Uint8Array, signature: Uint8Array): Uint8Array {
  return encodeCbor([header, {}, payload, signature])
}
