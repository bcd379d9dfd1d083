export { BufferedLink, type LinkContext } from './buffered-link.ts'
export { Flusher } from './flusher.ts'
export type {
  HandshakeFailure,
  Link,
  LinkEnd,
  LinkReceiver,
  LinkSecurity,
  Listener,
  ListenHandlers,
  RemoteAddress,
  Ticket,
} from './link.ts'
export { LaterSink } from './later-sink.ts'
export { linkPair, type MemoryLink } from './memory.ts'
export { dialSealed, readSealedKey } from './sealed/dial.ts'
export { listenSealed } from './sealed/listen.ts'
export type { SealedDialOptions, SealedListenOptions, SealedPlace } from './sealed/options.ts'
export { webPath } from './websocket/http-upgrade.ts'
export { dialPeer, listenPeer, type PeerDialOptions, type PeerHandlers, type PeerListenOptions } from './tls/peer-tls.ts'
export { listenTls } from './tls.ts'
export { Traffic } from './traffic.ts'
export { listenWeb, type WebListenOptions } from './websocket/listen.ts'
export { dialWebSocket, type WebSocketDialOptions } from './websocket.ts'
export { type ClientCertificate, dialTls, type TlsDialOptions } from './tls/node-dial.ts'
export type { DialledLink } from './tls/node-link.ts'
export { applicationProtocol, type ClientCertificates, type TlsIdentity, type TlsListenOptions, type VerifyPeer } from './tls/options.ts'
export { authoritiesOf, authorityOf, type ChainOptions, dialPinned, type PinnedDialOptions, readPeerChain } from './tls/pin.ts'
