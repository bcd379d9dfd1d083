import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../src/domain/index.ts'
import { type DialledLink, dialTls, Flusher } from '../../src/link/index.ts'
import { encodeFrame, resolveLimits } from '../../src/protocol/index.ts'
import { silentLog } from '../../src/server/log.ts'
import { realMachine } from '../../src/server/machine.ts'
import { type Server, startServer } from '../../src/server/server.ts'
import type { ServerOptions } from '../../src/server/server-options.ts'
import { openStore, type Store } from '../../src/store/index.ts'
import { Recorder } from '../compliance/link.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { testIdentity } from '../support/tls-identity.ts'

const { identity, roots } = await testIdentity()
const limits = resolveLimits({ passwordHashMemoryKiB: 19_456, passwordHashPasses: 2 })
const folder = mkdtempSync(join(tmpdir(), 'sealwire-server-'))
const store: Store = await openStore(folder, limits, { clock: systemClock, log: silentLog })
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

describe('startServer', () => {
  test('listens where it is told, for frames and for echoes, and says the ports it was given', async () => {
    const server = await start({ listen: [endpoint('127.0.0.1'), endpoint('::1')], echo: [endpoint('127.0.0.1')] })
    try {
      expect([server.endpoints.map(({ host }) => host), server.echoEndpoints.length]).toEqual([['127.0.0.1', '::1'], 1])
      for (const { host, port } of server.endpoints) {
        const { link, recorder } = await dial(host, port)
        link.send(encodeFrame(0x03))
        await recorder.until(() => recorder.bytesTotal > 0)
        expect(recorder.text).toContain('NOLOG')
        link.terminate()
      }
      const { link, recorder } = await dial('127.0.0.1', server.echoEndpoints[0]?.port ?? 0)
      link.send(Buffer.from('any bytes'))
      await recorder.until(() => recorder.bytesTotal === 9)
      expect(recorder.text).toBe('any bytes')
      link.terminate()
    } finally {
      await server.stop()
    }
  })

  test('leaves nothing listening, and nothing under way, when one of its addresses is taken', async () => {
    const first = await start({ listen: [endpoint('127.0.0.1')] })
    const taken = first.endpoints[0]?.port ?? 0
    const free = await start({ listen: [endpoint('127.0.0.1')] })
    const other = free.endpoints[0]?.port ?? 0
    await free.stop()
    const listen = [other, taken].map((port) => ({ host: '127.0.0.1', port }))
    const clock = new ManualClock()
    const reason = await start({ listen }, clock).catch((error: unknown) => error)
    expect([String(reason), clock.timers]).toEqual([expect.stringContaining('[address_unavailable]'), 0])
    const again = await start({ listen: [{ host: '127.0.0.1', port: other }] })
    await Promise.all([first.stop(), again.stop()])
  })

  test('tells its sessions when it stops, and is gone afterwards', async () => {
    const server = await start({ listen: [endpoint('127.0.0.1')] })
    const port = server.endpoints[0]?.port ?? 0
    const { link, recorder } = await dial('127.0.0.1', port)
    link.send(encodeFrame(0x01, Buffer.from('stopped:correct-horse-battery')))
    await recorder.until(() => recorder.text.includes('OK'))
    await server.stop()
    await recorder.until(() => recorder.ends.length > 0)
    expect([recorder.text.includes('STOP'), recorder.ends]).toEqual([true, ['ended']])
    await expect(dial('127.0.0.1', port)).rejects.toThrow('[unreachable]')
  })

  test('cuts what does not end within drainMsMax', async () => {
    const server = await start({ listen: [endpoint('127.0.0.1')], limits: { ...limits, drainMsMax: 200 } })
    const { link, recorder } = await dial('127.0.0.1', server.endpoints[0]?.port ?? 0)
    link.pause() // It never sees the end and so never answers it.
    const before = performance.now()
    await server.stop()
    expect(performance.now() - before).toBeLessThan(5000)
    link.resume()
    await recorder.until(() => recorder.ends.length > 0)
  })
})

function endpoint(host: string): { host: string; port: number } {
  return { host, port: 0 }
}

function start(options: Partial<ServerOptions>, clock: Clock = systemClock): Promise<Server> {
  const complete: ServerOptions = { listen: [], echo: [], registration: 'open', classic: true, limits, ...options }
  return startServer(complete, { store, clock, log: silentLog, machine: realMachine, identity: () => identity })
}

async function dial(host: string, port: number): Promise<{ link: DialledLink; recorder: Recorder }> {
  const link = await dialTls({ host, port, roots, timeoutMs: 5000 }, { limits, flusher: new Flusher(limits, systemClock) })
  const recorder = new Recorder()
  link.attach(recorder)
  return { link, recorder }
}
