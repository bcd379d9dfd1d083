// Somebody at each port of a server, who is there when asked again and again.

import { readFileSync } from 'node:fs'
import { connectNode } from '../../src/client/node.ts'
import { connectWeb } from '../../src/client/web.ts'
import { systemClock } from '../../src/domain/index.ts'
import { dialTls, Flusher } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { until } from './until.ts'

/** A connection; `ask` rejects when it is not answered. */
export interface Visitor {
  ask(): Promise<void>
  close(): void
}

/** A way in. */
export interface Door {
  readonly port: number
  /** Rejects when nobody lets one in. */
  enter(): Promise<Visitor>
}

/** What a server has to be started with to have all of them. */
export const allDoors: readonly string[] = ['--sealed', '--web', '--echo'].flatMap((flag) => [flag, '127.0.0.1:0'])

/** By their names. `enter` logs in where that can be, so that nobody is sent away for not doing it. */
export function doorsOf(server: ServerProcess): Readonly<Record<'contract' | 'sealed' | 'web' | 'echo', Door>> {
  const portAt = (pattern: RegExp): number => Number(pattern.exec(server.stdout)?.[1])
  const [sealed, web, echo] = [
    portAt(/^sealwire listening on sealed:.*:(\d+)$/m),
    portAt(/^web .*:(\d+)\/.*$/m),
    portAt(/^echo listening on tls:.*:(\d+)$/m),
  ]
  const sealedPin = /^sealed fingerprint (\S+)$/m.exec(server.stdout)?.[1] ?? ''
  const host = '127.0.0.1'
  return {
    contract: { port: server.port, enter: () => member(connectNode({ host, port: server.port, pin: server.fingerprint })) },
    sealed: { port: sealed, enter: () => member(connectNode({ host, port: sealed, pin: sealedPin, sealed: {} })) },
    web: { port: web, enter: () => member(connectWeb({ url: `wss://${host}:${web}/sealwire`, open: (...at) => trusting(server, ...at) })) },
    echo: { port: echo, enter: () => echoed(server, echo) },
  }
}

/** Asks again and again to be let in; how often. */
export async function letIn(door: Door, msMax: number): Promise<{ readonly visitor: Visitor; readonly tries: number }> {
  const end = performance.now() + msMax
  for (let tries = 1; ; tries++) {
    try {
      return { visitor: await door.enter(), tries }
    } catch (reason) {
      if (performance.now() > end) throw reason
      await Bun.sleep(againMs)
    }
  }
}

async function member(connected: ReturnType<typeof connectNode>): Promise<Visitor> {
  const client = await connected
  try {
    await client.request('account.register', { name: `visitor.${crypto.randomUUID().slice(0, 8)}` })
  } catch (reason) {
    client.close()
    throw reason
  }
  return { ask: async () => void (await client.request('session.ping', {})), close: () => client.close() }
}

/** Nothing but Bun's takes the certificate that it shall trust. */
function trusting({ authority }: ServerProcess, url: string, protocol: string): WebSocket {
  return new WebSocket(url, { protocols: [protocol], tls: { ca: readFileSync(authority, 'utf8') } })
}

async function echoed({ authority }: ServerProcess, port: number): Promise<Visitor> {
  const limits = resolveLimits()
  const roots = readFileSync(authority, 'utf8')
  const place = { host: '127.0.0.1', port, roots, timeoutMs: limits.clientDialMsMax }
  const link = await dialTls(place, { limits, flusher: new Flusher(limits, systemClock) })
  let [heard, isOver] = ['', false]
  link.attach({ received: (bytes) => void (heard += Buffer.from(bytes).toString()), drained() {}, closed: () => (isOver = true) })
  const visitor: Visitor = {
    async ask() {
      heard = ''
      link.send(Buffer.from('hello'))
      link.flush()
      await until('an echo', answerMsMax, () => heard === 'hello' || isOver)
      if (isOver) throw new Error('the echo has ended')
    },
    close: () => link.terminate(),
  }
  await visitor.ask()
  return visitor
}

const againMs = 100
const answerMsMax = 20_000
