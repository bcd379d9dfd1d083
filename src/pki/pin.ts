import { createHash, type X509Certificate } from 'node:crypto'

/**
 * What stands for a key wherever people or links name it: `SHA256:` and the base64, without padding, of the SHA-256
 * over the certificate's SubjectPublicKeyInfo (DER). A certificate made again for the same key has the same pin.
 */
export function spkiPin(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(spki).digest('base64').replace(/=+$/, '')}`
}

/** Whether `text` has the form of a pin: 43 characters of base64 whose last one holds no bits of its own. */
export function isPin(text: string): boolean {
  return /^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/.test(text)
}
