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
export { linkPair, type MemoryLink } from './memory.ts'
export { listenTls, type TlsListenOptions } from './tls-bun.ts'
export { type DialledLink, dialTls, type TlsDialOptions } from './tls-node.ts'
export { applicationProtocol, type TlsIdentity } from './tls-options.ts'
