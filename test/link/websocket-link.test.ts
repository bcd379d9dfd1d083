import { linkCompliance, Recorder } from '../compliance/link.ts'
import type { WebSocketLink } from '../../src/link/websocket-link.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { TestListener } from '../support/tls-pair.ts'
import { dialWeb, webListen } from '../support/web-listener.ts'

const identity = await testIdentity()

for (const side of ['accepted', 'dialled'] as const) {
  let server: TestListener
  let relay: TcpRelay
  let client: WebSocketLink
  linkCompliance(`WebSocket (${side})`, {
    async setup(overrides) {
      server = await TestListener.start(identity, { limits: overrides ?? {}, listen: webListen() })
      relay = await TcpRelay.to(server.port)
      client = (await dialWeb(relay.port, identity, server.context)).link
      const clientRecorder = new Recorder()
      client.attach(clientRecorder)
      const { link, recorder } = await server.first()
      const breakFar = (): void => relay.reset()
      return side === 'accepted'
        ? { near: link, nearRecorder: recorder, far: client, farRecorder: clientRecorder, breakFar }
        : { near: client, nearRecorder: clientRecorder, far: link, farRecorder: recorder, breakFar }
    },
    async teardown() {
      client.terminate()
      server[Symbol.dispose]()
      relay[Symbol.dispose]()
      await server.until(() => server.tickets === 0)
    },
  })
}
