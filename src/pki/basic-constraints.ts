// The one field of a certificate that clients check and the runtimes do not tell: how many authorities may come below this one.
//
//   Extension ::= SEQUENCE { 2.5.29.19, critical BOOLEAN DEFAULT FALSE, OCTET STRING of
//                 SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLen INTEGER OPTIONAL } }

import type { X509Certificate } from 'node:crypto'
import { DerReader, derTags } from './der.ts'

/** `undefined` when the certificate says nothing of it. */
export function pathLength({ raw }: Pick<X509Certificate, 'raw'>): number | undefined {
  for (let at = raw.indexOf(identifier); at >= 0; at = raw.indexOf(identifier, at + 1)) {
    const length = readLength(raw.subarray(at + identifier.length))
    if (length !== undefined) return length
  }
  return undefined
}

/** Of what stands behind the identifier; `undefined` also where these bytes were something else. */
function readLength(bytes: Uint8Array): number | undefined {
  try {
    const extension = new DerReader(bytes)
    if (bytes[0] === boolean) extension.next(boolean)
    const { content } = new DerReader(extension.next(octetString).content).next(derTags.sequence)
    const fields = new DerReader(content)
    if (content[0] === boolean) fields.next(boolean)
    const number = Buffer.from(fields.next(derTags.integer).content)
    return number.length <= numberBytesMax ? number.readUIntBE(0, number.length) : Infinity
  } catch {
    return undefined
  }
}

/** 2.5.29.19, with its tag and length. */
const identifier = Buffer.from('0603551d13', 'hex')
const boolean = 0x01
const octetString = 0x04
const numberBytesMax = 6
