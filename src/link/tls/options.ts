// What TLS means here, in one place: 1.3 with a floor of 1.2, only AEAD with ECDHE, the server's order, no renegotiation,
// no early data. X25519MLKEM768 is negotiated by the runtime's TLS library whenever the client offers it; there is no
// switch for it. The runtime's own defaults would let CBC and RSA key exchange in, so nothing here is left to them.

/** PEM texts of the server's certificate chain (leaf first) and of its key. */
export interface TlsIdentity {
  readonly certificateChain: string
  readonly key: string
  /** PEM of the authorities that sign client certificates; needed where those are asked for. */
  readonly deviceAuthorities?: string
}

/**
 * What a listener makes of client certificates. `optional`: who shows none is anonymous; one that the device authorities
 * have not signed for this use is cut before a byte is read or written. `required`: nobody else gets past the handshake.
 */
export type ClientCertificates = 'off' | 'optional' | 'required'

/** Where to listen, and as whom. */
export interface TlsListenOptions {
  /** Host name or address to listen on, IPv6 without brackets. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Asked at each accept, so that a renewed certificate serves the next connection. */
  readonly identity: () => TlsIdentity
  /** Default `off`: none is asked for. */
  readonly clientCertificates?: ClientCertificates
  /** What is agreed on with clients that speak ALPN. Default: {@link applicationProtocol}. */
  readonly applicationProtocol?: string
}

/**
 * Says by throwing that the certificate (DER) of the other device does not do. For a link between two devices alone, where it
 * stands in the place of what the runtime checks, on both ends.
 */
export type VerifyPeer = (certificate: Uint8Array) => void

/** What a listener makes of the certificates of other devices, in the place of {@link ClientCertificates}. */
export interface PeerRule {
  readonly verifyPeer: VerifyPeer
}

/** What the adapters take: where to listen, and whether for clients of a server or for another device. */
export interface TlsAcceptOptions extends Omit<TlsListenOptions, 'clientCertificates'> {
  readonly clientCertificates?: ClientCertificates | PeerRule
}

/** The application protocol, offered to clients that speak ALPN; those that do not are welcome too. */
export const applicationProtocol = 'sealwire/1'

/** That of a link between two devices, without which there is none. */
export const peerProtocol = 'sealwire-direct/1'

/** TLS 1.2 suites, best first. Those of 1.3 are all AEAD and always on. */
export const cipherSuites = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** The same for node:tls, where leaving those of 1.3 out would mean not to speak it. */
export const allCipherSuites = `TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:${cipherSuites}`

/** TLS 1.2 for node:tls. */
export const minVersion = 'TLSv1.2'

/**
 * TLS 1.3 for node:tls: the least for whoever shows a certificate. Before it the certificate travels in the clear, and Node
 * sends it before it has verified the server.
 */
export const minVersionWithCertificate = 'TLSv1.3'

/** TLS 1.2 for Bun's sockets, which want a number. */
export const minVersionNumber = 0x0303

/** TLS 1.3 for them. */
export const minVersionNumberOfPeers = 0x0304

/** SSL_OP_CIPHER_SERVER_PREFERENCE. */
export const serverPreference = 0x0040_0000

/** SSL_OP_NO_RENEGOTIATION: TLS 1.2 clients may not ask for a second handshake. Bun's TLS library never allows it. */
export const noRenegotiation = 0x4000_0000

/** ALPN names as they travel: each behind its length. */
export function alpnWireBytes(...names: readonly string[]): Buffer {
  return Buffer.concat(names.flatMap((name) => [Uint8Array.of(name.length), Buffer.from(name, 'latin1')]))
}
