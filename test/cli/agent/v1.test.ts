import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'bun:test'
import { runAgent } from '../../../src/cli/agent/run.ts'
import { dialV1 } from '../../../src/cli/agent/v1.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { AgentStage, SealedEcho } from './support.ts'

const plan = { count: 5, intervalMs: 0 }
const never = new AbortController().signal

describe('the agent over v1', () => {
  test('has every frame echoed and no key to show', async () => {
    using server = await SealedEcho.start()
    const stage = new AgentStage()
    await runAgent(plan, stage.parts(dialler(server.server)))
    expect(stage.echoes).toHaveLength(5)
    expect(stage.news[0]).toEqual({ event: 'connected', pin: undefined })
    expect([server.connections, server.openLinks]).toEqual([1, 0])
  })

  test('comes back when the server has ended the connection', async () => {
    using server = await SealedEcho.start({ echoesMax: 2 })
    const stage = new AgentStage()
    await runAgent(plan, stage.parts(dialler(server.server)))
    expect(stage.echoes).toHaveLength(5)
    expect(server.connections).toBe(3)
    expect(stage.news.filter(({ event }) => event === 'waiting')).toHaveLength(2)
  })

  test('tells a server that is not there, one that hangs up and one that is silent', async () => {
    using gone = await SealedEcho.start()
    const { server } = gone
    gone[Symbol.dispose]()
    expect(await rejectionOf(dialler(server)(never))).toBe('unreachable')
    await using rude = await peer((socket) => void socket.destroy())
    expect(await rejectionOf(dialler(rude)(never))).toBe('connection_lost')
    await using silent = await peer(() => {})
    expect(await rejectionOf(dialler(silent, { clientDialMsMax: 100 })(never))).toBe('unreachable')
  })

  test('takes nothing that is no answer of v1', async () => {
    await using other = await peer((socket) => void socket.write(Buffer.alloc(69, 2)))
    expect(await rejectionOf(dialler(other)(never))).toBe('channel_broken')
  })

  test('is given up at once, while it dials and while it waits for an echo', async () => {
    await using silent = await peer(() => {})
    const dialling = new AbortController()
    const dialled = rejectionOf(dialler(silent)(dialling.signal))
    dialling.abort()
    expect(await dialled).toBe('connection_lost')
    expect(await rejectionOf(dialler(silent)(AbortSignal.abort()))).toBe('connection_lost')

    using server = await SealedEcho.start({ echoesMax: 1 })
    const talking = new AbortController()
    const agent = await dialler(server.server)(talking.signal)
    expect(await agent.echo(Buffer.from('one'), never)).toEqual(new Uint8Array(Buffer.from('one')))
    talking.abort()
    expect(await rejectionOf(agent.echo(Buffer.from('two'), never))).toBe('connection_lost')
    await agent.close()
  })

  test('does not wait for ever for an echo', async () => {
    using server = await SealedEcho.start({ isSilent: true })
    const agent = await dialler(server.server, { clientRequestMsMax: 100 })(never)
    const { code, sentence } = SealwireError.from(await agent.echo(Buffer.from('one'), never).catch((reason: unknown) => reason))
    expect([code, sentence]).toEqual(['connection_lost', 'nothing came back in time'])
    await agent.close()
  })
})

function dialler(server: { readonly host: string; readonly port: number }, overrides: Readonly<Record<string, number>> = {}) {
  const parts = { clock: systemClock, limits: resolveLimits(overrides) }
  return (signal: AbortSignal) => dialV1(server, parts, signal)
}

/** A server that is no server of ours. */
async function peer(serve: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    host: '127.0.0.1',
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
