// The link compliance for adapters that accept on a port and dial one: both ends of a connection through a relay that can
// break it.

import type { DialledLink, LinkContext, listenTls } from '../../src/link/index.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import type { TestIdentity } from '../support/tls-identity.ts'
import { TestListener } from '../support/tls-pair.ts'
import { linkCompliance, Recorder } from './link.ts'

export interface RelayedLink {
  /** Whose certificate the listener shows. */
  readonly identity: TestIdentity
  readonly listen: typeof listenTls
  /** Connects to 127.0.0.1. */
  dial(port: number, context: LinkContext): Promise<DialledLink>
}

/** Runs the suite twice: for the accepted end and for the dialled one. */
export function relayedLinkCompliance(name: string, { identity, listen, dial }: RelayedLink): void {
  for (const side of ['accepted', 'dialled'] as const) {
    let server: TestListener
    let relay: TcpRelay
    let client: DialledLink
    linkCompliance(`${name} (${side})`, {
      async setup(limits = {}) {
        server = await TestListener.start(identity, { limits, listen })
        relay = await TcpRelay.to(server.port)
        client = await dial(relay.port, server.context)
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
}
