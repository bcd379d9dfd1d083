// Who the other side of an accepted connection is. Both runtimes complete a handshake whose client certificate they have
// not verified, say so only in `authorized`, and tell those that showed none apart from those that showed a bad one in
// nothing but the certificate itself. So it is decided here, once for both, and before a link has anybody to talk to:
//
//   off        nobody is asked: anonymous
//   optional   none shown: anonymous · verified: known · anything else: cut
//   required   verified: known · anything else: cut (the handshake of who shows none fails already)
//   a peer     what its rule says, once both have agreed on the protocol of direct links · none shown, or anything else: cut
//
// A resumed session would skip all this, so nobody who is asked for a certificate is given a ticket.

import type { X509Certificate } from 'node:crypto'
import { assert, SealwireError } from '../../protocol/index.ts'
import type { HandshakeReason } from './alert.ts'
import { type ClientCertificates, type PeerRule, peerProtocol, type TlsIdentity, type VerifyPeer } from './options.ts'

/** What an accepted socket says of its peer once its handshake is done. */
export interface PeerOfSocket {
  readonly authorized: boolean
  readonly alpnProtocol?: string | false | null
  getPeerX509Certificate(): X509Certificate | undefined
}

/** Somebody who may come in: with a verified certificate in DER, or anonymous. */
export interface WelcomePeer {
  readonly certificate: Uint8Array | undefined
}

/** Somebody who may not, and why. */
export interface UnwelcomePeer {
  readonly reason: HandshakeReason
  /** What his certificate is refused with by a {@link PeerRule}. */
  readonly cause?: SealwireError
}

/** SSL_OP_NO_TICKET: no session can be resumed. */
export const noTickets = 0x4000

/** What a listener's options say of client certificates; the environment and the system's roots have no say. */
export function clientCertificateOptions(mode: ClientCertificates | PeerRule, { deviceAuthorities = '' }: TlsIdentity) {
  if (mode === 'off') return { secureOptions: 0 }
  if (typeof mode === 'object') return { secureOptions: noTickets, requestCert: true, rejectUnauthorized: false }
  assert(deviceAuthorities !== '', 'client certificates are asked for, and there is nobody to sign them')
  return { secureOptions: noTickets, ca: deviceAuthorities, requestCert: true, rejectUnauthorized: mode === 'required' }
}

/** Whether a peer whose handshake is done may come in. Nothing was read from him yet, and nothing written. */
export function welcomeOrNot(socket: PeerOfSocket, mode: ClientCertificates | PeerRule): WelcomePeer | UnwelcomePeer {
  if (typeof mode !== 'object') return welcome(socket, mode) ?? { reason: 'client_certificate' }
  if (socket.alpnProtocol !== peerProtocol) return { reason: 'protocol' }
  try {
    return { certificate: verifiedPeer(socket, mode.verifyPeer) }
  } catch (reason) {
    return { reason: 'client_certificate', cause: SealwireError.from(reason) }
  }
}

/**
 * The certificate (DER) of a socket's other end, which is a device, once `verifyPeer` has found it good.
 * @throws {SealwireError} `untrusted` when there is none that can be read; what `verifyPeer` throws.
 */
export function verifiedPeer(socket: Pick<PeerOfSocket, 'getPeerX509Certificate'>, verifyPeer: VerifyPeer): Uint8Array {
  const shown = certificateOf(socket)
  if (shown === undefined) throw noDevice('shows no certificate')
  if (shown === 'unreadable') throw noDevice('shows a certificate that cannot be read')
  const certificate = new Uint8Array(shown.raw)
  verifyPeer(certificate)
  return certificate
}

function noDevice(what: string): SealwireError {
  return new SealwireError('untrusted', `the other side ${what}`, { hint: 'somebody else may be at that address' })
}

/** Whether a peer whose handshake is done may come in: `undefined` is no. */
export function welcome(socket: PeerOfSocket, mode: ClientCertificates): WelcomePeer | undefined {
  if (mode === 'off') return { certificate: undefined }
  const shown = certificateOf(socket)
  if (shown === undefined) return mode === 'optional' ? { certificate: undefined } : undefined
  return shown !== 'unreadable' && socket.authorized ? { certificate: new Uint8Array(shown.raw) } : undefined
}

function certificateOf(socket: Pick<PeerOfSocket, 'getPeerX509Certificate'>): X509Certificate | 'unreadable' | undefined {
  try {
    return socket.getPeerX509Certificate()
  } catch {
    return 'unreadable'
  }
}
