// A server of the sealed channel in this process: the contract's echo over v2, frames echoed over v1, and an end of each
// connection after as many echoes as a test says.

import { KeyPair, keyPin, type StaticKeys } from '../../../src/channel/index.ts'
import type { AgentNews, AgentParts } from '../../../src/cli/agent/run.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { Flusher, type Link, type LinkReceiver, type Listener, listenSealed } from '../../../src/link/index.ts'
import { type Limits, resolveLimits } from '../../../src/protocol/index.ts'
import { contractCommands, parseParams } from '../../../src/protocol/contract/index.ts'
import { ScriptedServer } from '../../client/scripted-server.ts'

export interface SealedEchoOptions {
  readonly staticKey?: KeyPair
  readonly keys?: () => StaticKeys
  readonly port?: number
  /** Echoes on one connection; the next message is answered by the end of it. Default: any number. */
  readonly echoesMax?: number
  /** Whether v1 frames are taken and never answered. */
  readonly isSilent?: boolean
}

export class SealedEcho implements Disposable {
  readonly pin: string
  readonly #listener: Listener
  readonly #links: Link[]

  private constructor(listener: Listener, pin: string, links: Link[]) {
    this.#listener = listener
    this.pin = pin
    this.#links = links
  }

  static async start({
    staticKey = KeyPair.generate(),
    keys = () => ({ current: staticKey }),
    port = 0,
    echoesMax = Infinity,
    isSilent = false,
  }: SealedEchoOptions = {}): Promise<SealedEcho> {
    const limits = resolveLimits()
    const links: Link[] = []
    const handlers = {
      admit: () => ({ established() {}, release() {} }),
      opened(link: Link) {
        links.push(link)
        const connection = new ScriptedServer(link)
        void echo(connection, echoesMax).catch(() => link.terminate()) // Whoever only asks for the key says nothing.
        return connection
      },
      failed() {},
    }
    const openedV1 = (link: Link): LinkReceiver => {
      links.push(link)
      return v1Receiver(link, echoesMax, isSilent)
    }
    const options = { host: '127.0.0.1', port, keys, serverId: Buffer.from('a server'), openedV1 }
    const listener = await listenSealed(options, handlers, { limits, flusher: new Flusher(limits, systemClock) })
    return new SealedEcho(listener, keyPin(staticKey.publicKey), links)
  }

  get server(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: this.#listener.port }
  }

  /** Connections so far. */
  get connections(): number {
    return this.#links.length
  }

  get openLinks(): number {
    return this.#links.filter(({ open }) => open).length
  }

  [Symbol.dispose](): void {
    this.#listener.close()
    for (const link of this.#links) link.terminate()
  }
}

async function echo(server: ScriptedServer, echoesMax: number): Promise<void> {
  await server.hello()
  server.welcome()
  for (let count = 0; ; count++) {
    await server.until(() => server.frames.length > 0 || server.ends.length > 0)
    if (server.frames[0]?.command === contractCommands.goodbye) return server.goodbye()
    const { id, params } = await server.request()
    if (count >= echoesMax) return server.link.close()
    server.answer(id, 'session.echo', parseParams('session.echo', params))
  }
}

function v1Receiver(link: Link, echoesMax: number, isSilent: boolean): LinkReceiver {
  let count = 0
  return {
    received(bytes) {
      if (count++ >= echoesMax) return link.close()
      if (!isSilent) link.send(bytes)
    },
    drained() {},
    closed() {},
  }
}

/** What an agent is run with: it tells into `news`, and waits for nothing but notes how long it would have. */
export class AgentStage {
  readonly news: AgentNews[] = []
  readonly waits: number[] = []
  readonly stop = new AbortController()
  readonly limits: Limits
  random = 0.5
  /** Called with every piece of news. */
  onNews = (_news: AgentNews): void => {}

  constructor(overrides: Readonly<Record<string, number>> = {}) {
    this.limits = resolveLimits(overrides)
  }

  parts(dial: AgentParts['dial']): AgentParts {
    return {
      dial,
      tell: async (news) => {
        this.news.push(news)
        this.onNews(news)
      },
      clock: systemClock,
      wait: async (ms, signal) => {
        this.waits.push(ms)
        signal.throwIfAborted()
      },
      random: () => this.random,
      limits: this.limits,
      stop: this.stop.signal,
    }
  }

  get events(): readonly string[] {
    return this.news.map(({ event }) => event)
  }

  get echoes(): readonly string[] {
    return this.news.flatMap((news) => (news.event === 'echoed' ? [news.text] : []))
  }
}
