import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveServeConfig } from '../../../src/cli/serve/config.ts'
import { runServer } from '../../../src/cli/serve/run-server.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { silentLog } from '../../../src/server/log.ts'

const root = mkdtempSync(join(tmpdir(), 'sealwire-run-server-'))
afterAll(() => rmSync(root, { recursive: true }))

describe('runServer', () => {
  test('says where it listens, its fingerprint and an invite link, and is done when it was told to stop', async () => {
    const stop = new AbortController()
    const said = Promise.withResolvers<string>()
    const config = await resolveServeConfig({
      flags: { data: [join(root, 'data')], listen: ['127.0.0.1:0', '[::1]:0'], echo: ['127.0.0.1:0'] },
    })
    const draw = (link: string): readonly string[] => [`code of ${link}`]
    const done = runServer(config, { log: silentLog, clock: systemClock, stop: stop.signal, print: said.resolve, draw })
    const lines = (await Promise.race([said.promise, done]))?.split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^sealwire listening on tls:\/\/127\.0\.0\.1:[1-9]\d*$/),
      expect.stringMatching(/^sealwire listening on tls:\/\/\[::1\]:[1-9]\d*$/),
      expect.stringMatching(/^echo listening on tls:\/\/127\.0\.0\.1:[1-9]\d*$/),
      expect.stringMatching(/^fingerprint SHA256:\S{43}$/),
      expect.stringMatching(/^invite {6}sealwire:\/\/127\.0\.0\.1:[1-9]\d*\/#1\.\S{43}\.\S{22}$/),
      `code of ${lines?.[4]?.slice(12)}`,
    ])
    expect(new URL(lines?.[4]?.slice(12) ?? '').port).toBe(new URL(lines?.[0]?.slice(22) ?? '').port)
    stop.abort()
    await done
  })

  test('lets go of the data folder when it cannot listen', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const config = await resolveServeConfig({ port: String(port), flags: { data: [join(root, 'busy')] } })
    const parts = { log: silentLog, clock: systemClock, stop: AbortSignal.abort(), print() {}, draw: () => [] }
    // The second start says the same as the first, not that the folder is in use.
    for (let start = 0; start < 2; start++) {
      expect(await runServer(config, parts).catch((reason: unknown) => reason)).toMatchObject({ code: 'address_unavailable' })
    }
    other.close()
    await runServer(config, parts)
  })
})
