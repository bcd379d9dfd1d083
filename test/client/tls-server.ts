// A scripted server of the contract on a real TLS listener: greets everybody, echoes, and does what `script` adds.

import { X509Certificate } from 'node:crypto'
import { systemClock } from '../../src/domain/index.ts'
import { Flusher, type Link, type LinkContext, type Listener, listenTls } from '../../src/link/index.ts'
import { spkiPin } from '../../src/pki/pin.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { contractCommands, parseParams } from '../../src/protocol/contract/index.ts'
import type { TestIdentity } from '../support/tls-identity.ts'
import { ScriptedServer } from './scripted-server.ts'

export class TlsServer implements Disposable {
  readonly pin: string
  readonly port: number
  readonly connections: ScriptedServer[] = []
  readonly #listener: Listener

  private constructor(listener: Listener, { roots }: TestIdentity) {
    this.#listener = listener
    this.port = listener.port
    this.pin = spkiPin(new X509Certificate(roots))
  }

  static async start(identity: TestIdentity, script: (server: ScriptedServer) => Promise<void>): Promise<TlsServer> {
    const limits = resolveLimits()
    const context: LinkContext = { limits, flusher: new Flusher(limits, systemClock) }
    const handlers = {
      admit: () => ({ established() {}, release() {} }),
      opened: (link: Link) => {
        const connection = new ScriptedServer(link)
        server.connections.push(connection)
        void script(connection).catch(() => link.terminate()) // Whoever only shows its certificate says nothing.
        return connection
      },
      failed() {},
    }
    const options = { host: '127.0.0.1', port: 0, identity: () => identity.identity }
    const server = new TlsServer(await listenTls(options, handlers, context), identity)
    return server
  }

  [Symbol.dispose](): void {
    this.#listener.close()
    for (const { link } of this.connections) link.terminate()
  }
}

/** Greets, tells `events` events, and echoes until the goodbye. */
export async function echoScript(server: ScriptedServer, events = 0): Promise<void> {
  await server.hello()
  server.welcome()
  for (let each = 0; each < events; each++) server.event('presence.changed', { name: `guest ${each}`, here: true })
  for (;;) {
    await server.until(() => server.frames.length > 0 || server.ends.length > 0)
    if (server.frames[0]?.command === contractCommands.goodbye) return server.goodbye()
    const { id, params } = await server.request()
    server.answer(id, 'session.echo', parseParams('session.echo', params))
  }
}
