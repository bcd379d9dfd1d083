// How a Sealwire of a real server ends, and who may share its home.

import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from '../../src/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { rejectionOf } from '../support/refusal.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const server = await ServerProcess.start({ registration: 'invite', limits: liftedRates, flags: ['--sealed', '127.0.0.1:0'] })
afterAll(() => server[Symbol.asyncDispose]())
using homes = new Homes()

describe('connect', () => {
  test('refuses a link without a name, a used one, a home of somebody else and one of nobody', async () => {
    const link = await inviteLink(server)
    expect(await rejectionOf(connect(homes.path('nobody')))).toBe('config_invalid')
    expect(connect(link, { home: homes.path('ann') })).rejects.toThrow(TypeError)
    const ann = await connect(link, { name: 'ann', home: homes.path('ann') })
    await ann.close()
    expect(await rejectionOf(connect(link, { name: 'ben', home: homes.path('ben') }))).toBe('invitation_used')
    expect(existsSync(homes.path('ben'))).toBe(false)
    expect(await rejectionOf(connect(link, { name: 'ben', home: homes.path('ann') }))).toBe('config_invalid')
    expect(await rejectionOf(connect('sealwire://127.0.0.1:1/#1.x', { name: 'x', home: homes.path('x') }))).toBe('link_invalid')
    const again = await connect(link, { name: 'ANN', home: homes.path('ann') })
    expect(again.name).toBe('ann')
    await again.close()
    expect([again.state, again.reason, await rejectionOf(again.online())]).toEqual(['closed', undefined, 'connection_lost'])
  }, 60_000)

  test('waits for its server until the signal, or not at all', async () => {
    const home = homes.path('cleo')
    await (await connect(await inviteLink(server), { name: 'cleo', home })).close()
    const profile: { server: { port: number } } = await Bun.file(`${home}/profile.json`).json()
    writeFileSync(`${home}/profile.json`, JSON.stringify({ ...profile, server: { ...profile.server, port: 1 } }))
    expect(await rejectionOf(connect(home, { signal: AbortSignal.timeout(300) }))).toBe('unreachable')
    const me = await connect(home, { offline: true })
    const sent = rejectionOf(me.send('ann', 'later'))
    for await (const state of me.states()) if (state === 'offline') break
    expect(me.reason?.code).toBe('unreachable')
    await me.close()
    expect(await sent).toBe('connection_lost')
    writeFileSync(`${home}/profile.json`, JSON.stringify(profile))
    const back = await connect(home)
    // It was kept, and they do not talk with each other.
    expect((await back.failures().next()).value).toMatchObject({ params: { to: 'ann' }, reason: { code: 'not_found' } })
    await back.close()
  }, 60_000)

  test('goes through the sealed channel with its link', async () => {
    const link = await inviteLink(server, '--sealed')
    expect(link).toStartWith('sealed://')
    const dora = await connect(link, { name: 'dora', home: homes.path('dora') })
    expect(await dora.call('session.ping', {})).toEqual({ time: expect.any(Number) })
    await dora.close()
    const again = await connect(homes.path('dora'))
    expect(again.name).toBe('dora')
    await again.close()
  }, 60_000)

  test('several may send from one home at once', async () => {
    const eve = await connect(await inviteLink(server), { name: 'eve', home: homes.path('eve') })
    const finn = await connect(await inviteLink(server), { name: 'finn', home: homes.path('finn') })
    const inbox = finn.inbox()
    await eve.request('finn')
    await inbox.next()
    await finn.accept('eve')
    const beside = await connect(homes.path('eve'))
    const sent = await Promise.all(['a', 'b', 'c'].flatMap((text) => [eve.send('finn', text), beside.send('finn', text)]))
    expect(new Set(sent.map(({ seq }) => seq)).size).toBe(6)
    const texts: string[] = []
    for (let each = 0; each < 6; each++) texts.push((await inbox.next()).value?.text ?? '')
    expect(texts.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
    await Promise.all([eve.close(), beside.close(), finn.close()])
  }, 60_000)
})

describe('a server that lets somebody in no more', () => {
  test('ends it for good when the account is banned', async () => {
    const me = await connect(await inviteLink(server), { name: 'mallory', home: homes.path('mallory') })
    const inbox = rejectionOf(me.inbox().next())
    expect((await runCli(['admin', 'ban', 'mallory', '--data', server.data])).exitCode).toBe(0)
    expect(await inbox).toBe('session_ended')
    expect([me.state, me.reason?.sentence]).toEqual(['closed', 'the operator has banned this account'])
    expect(await rejectionOf(me.send('ann', 'hello'))).toBe('session_ended')
    await me.close()
  }, 60_000)

  test('ends it for good when the device is revoked', async () => {
    const me = await connect(await inviteLink(server), { name: 'nina', home: homes.path('nina') })
    const { devices } = await me.call('device.list', {})
    const inbox = rejectionOf(me.inbox().next())
    await me.call('device.revoke', { device: devices[0]?.device ?? '' }).catch(() => {})
    expect(['session_ended', 'login_refused']).toContain((await inbox) ?? '')
    expect(me.state).toBe('closed')
    await me.close()
  }, 60_000)
})
