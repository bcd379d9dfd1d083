// Web listeners in the place of TLS ones, for harnesses that know only the latter, and clients of them that can do what a
// browser cannot: stop reading.

import { dialTls, type LinkContext, type listenTls, listenWeb, type WebListenOptions } from '../../src/link/index.ts'
import { WebSocketLink } from '../../src/link/websocket/link.ts'
import { Recorder } from '../compliance/link.ts'
import type { TestIdentity } from './tls-identity.ts'

/** Listens for WebSockets, whatever is said of client certificates. */
export function webListen(options: Partial<WebListenOptions> = {}): typeof listenTls {
  return ({ host, port, identity }, handlers, context) => listenWeb({ host, port, identity, ...options }, handlers, context)
}

/** A client in the form of RFC 6455, masking and all, over a TLS link of ours. */
export async function dialWeb(port: number, { roots }: TestIdentity, context: LinkContext) {
  const below = await dialTls({ host: '127.0.0.1', port, roots, timeoutMs: 5000, applicationProtocol: 'http/1.1' }, context)
  const answer = new Recorder()
  let receiver = answer as Pick<Recorder, 'received' | 'drained' | 'closed'>
  below.attach({
    received: (bytes) => receiver.received(bytes),
    drained: () => receiver.drained(),
    closed: (end) => receiver.closed(end),
  })
  below.send(Buffer.from(upgradeRequest('127.0.0.1')))
  below.flush()
  await answer.until(() => answer.text.includes('\r\n\r\n') || answer.ends.length > 0)
  const [head = '', ...rest] = answer.text.split('\r\n\r\n')
  if (!head.startsWith('HTTP/1.1 101 ') || rest.join('') !== '') throw new Error(`no upgrade: ${answer.text}`)
  const link = new WebSocketLink(below, 'client', context)
  receiver = link.transport
  return { link, below }
}

/** A good request; `more` are further lines. */
export function upgradeRequest(host: string, more: readonly string[] = []): string {
  const lines = [
    'GET /sealwire HTTP/1.1',
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...more,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}
