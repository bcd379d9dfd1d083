import { afterAll, describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { connected } from '../../../src/cli/member/connected.ts'
import { Home } from '../../../src/client/home/home.ts'
import { profileWith, readProfile, writeProfile } from '../../../src/client/home/profile.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { CuttingRelay } from '../../support/cutting-relay.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { rejected } from '../home-support.ts'
import { Homes } from '../member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const parts = { clock: systemClock, signal: new AbortController().signal }

describe('connected', () => {
  test('tries again until the server is there', async () => {
    using relay = await CuttingRelay.to(server.port)
    const home = new Home(await homes.join({ port: relay.port, fingerprint: server.fingerprint }, 'alice'))
    relay.target = undefined
    const opening = connected(home, { ...parts, tryMs: 60_000 })
    while (relay.refused === 0) await Bun.sleep(2)
    relay.target = server.port
    await using me = await opening
    expect([me.state, me.name]).toEqual(['online', 'alice'])
  })

  test('says why the last try has failed when there was none in time', async () => {
    using relay = await CuttingRelay.to(server.port)
    const home = new Home(await homes.join({ port: relay.port, fingerprint: server.fingerprint }, 'bea'))
    relay.target = undefined
    const error = await rejected(connected(home, { ...parts, tryMs: 2_000 }))
    expect([error.code, error.hint]).toEqual(['unreachable', expect.stringMatching(/^check that it is a TLS server/)])
  })

  test('says that nothing was answered when no try has come to its end', async () => {
    const home = new Home(await homes.join(server, 'cleo'))
    const mute = createServer()
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = mute.address() as AddressInfo
      writeProfile(home, profileWith(readProfile(home), { server: { host: '127.0.0.1', port } }))
      expect(await rejected(connected(home, { ...parts, tryMs: 300 }))).toMatchObject({
        code: 'unreachable',
        sentence: 'the server did not answer within 0.3 s',
      })
    } finally {
      mute.close()
    }
  })

  test('is given up with its signal', async () => {
    const home = new Home(await homes.join(server, 'dan'))
    expect((await rejected(connected(home, { ...parts, signal: AbortSignal.abort() }))).code).toBe('unreachable')
  })
})
