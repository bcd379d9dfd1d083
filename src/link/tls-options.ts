// What TLS means here, in one place: 1.3 with a floor of 1.2, only AEAD with ECDHE, the server's order, no renegotiation,
// no early data. X25519MLKEM768 is negotiated by the runtime's TLS library whenever the client offers it; there is no
// switch for it. The runtime's own defaults would let CBC and RSA key exchange in, so nothing here is left to them.

/** PEM texts of the server's certificate chain (leaf first) and of its key. */
export interface TlsIdentity {
  readonly certificateChain: string
  readonly key: string
}

/** The application protocol, offered to clients that speak ALPN; those that do not are welcome too. */
export const applicationProtocol = 'sealwire/1'

/** TLS 1.2 suites, best first. Those of 1.3 are all AEAD and always on. */
export const cipherSuites = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** TLS 1.2 as the runtime wants it: a number, not a name. */
export const minVersionNumber = 0x0303

/** SSL_OP_CIPHER_SERVER_PREFERENCE. */
export const serverPreference = 0x0040_0000

/** ALPN names as they travel: each behind its length. */
export function alpnWireBytes(...names: readonly string[]): Buffer {
  return Buffer.concat(names.flatMap((name) => [Uint8Array.of(name.length), Buffer.from(name, 'latin1')]))
}
