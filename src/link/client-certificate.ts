// Who the other side of an accepted connection is. Both runtimes complete a handshake whose client certificate they have
// not verified, say so only in `authorized`, and tell those that showed none apart from those that showed a bad one in
// nothing but the certificate itself. So it is decided here, once for both, and before a link has anybody to talk to:
//
//   off        nobody is asked: anonymous
//   optional   none shown: anonymous · verified: known · anything else: cut
//   required   verified: known · anything else: cut (the handshake of who shows none fails already)
//
// A resumed session would skip all this, so nobody who is asked for a certificate is given a ticket.

import type { X509Certificate } from 'node:crypto'
import { assert } from '../protocol/index.ts'
import type { ClientCertificates, TlsIdentity } from './tls-options.ts'

/** What an accepted socket says of its peer once its handshake is done. */
export interface PeerOfSocket {
  readonly authorized: boolean
  getPeerX509Certificate(): X509Certificate | undefined
}

/** Somebody who may come in: with a verified certificate in DER, or anonymous. */
export interface WelcomePeer {
  readonly certificate: Uint8Array | undefined
}

/** SSL_OP_NO_TICKET: no session can be resumed. */
const noTickets = 0x4000

/** What a listener's options say of client certificates; the environment and the system's roots have no say. */
export function clientCertificateOptions(mode: ClientCertificates, { deviceAuthorities = '' }: TlsIdentity) {
  if (mode === 'off') return { secureOptions: 0 }
  assert(deviceAuthorities !== '', 'client certificates are asked for, and there is nobody to sign them')
  return { secureOptions: noTickets, ca: deviceAuthorities, requestCert: true, rejectUnauthorized: mode === 'required' }
}

/** Whether a peer whose handshake is done may come in: `undefined` is no. */
export function welcome(socket: PeerOfSocket, mode: ClientCertificates): WelcomePeer | undefined {
  if (mode === 'off') return { certificate: undefined }
  const shown = certificateOf(socket)
  if (shown === undefined) return mode === 'optional' ? { certificate: undefined } : undefined
  return shown !== 'unreadable' && socket.authorized ? { certificate: new Uint8Array(shown.raw) } : undefined
}

function certificateOf(socket: PeerOfSocket): X509Certificate | 'unreadable' | undefined {
  try {
    return socket.getPeerX509Certificate()
  } catch {
    return 'unreadable'
  }
}
