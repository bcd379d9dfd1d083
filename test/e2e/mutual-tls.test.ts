// Devices and required certificates, with real processes: server, command line, and clients that are not ours.

import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type ConnectionOptions } from 'node:tls'
import { connectNode } from '../../src/client/node.ts'
import { deviceKeysPem, makeCertificateRequest, makeEnrolment, newDeviceKeys, parseInviteLink } from '../../src/pki/index.ts'
import { contractCommands, encodeHello } from '../../src/protocol/contract/index.ts'
import { encodeFrame } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { onUnix } from '../cli/home-support.ts'
import { Homes, inviteLink, runWith, type as say } from '../cli/member-support.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { rejectionOf } from '../support/refusal.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'

const hello = encodeFrame(contractCommands.hello, encodeHello({ versions: [1] }))
const password = 'correct-horse-battery'
/** A second, on a machine that does nothing else. */
const noticeMsMax = process.env['SEALWIRE_LONG'] === '1' ? 1000 : 5000
const requiring = ['--mutual-tls', 'required', '--join-listen', '127.0.0.1:0']

function start(options: ServerProcessOptions): Promise<ServerProcess> {
  return ServerProcess.start({ registration: 'invite', limits: liftedRates, ...options })
}

/** What comes back to somebody who says Hello right behind the handshake. */
async function greeted(server: ServerProcess, options: ConnectionOptions = {}): Promise<number> {
  const ca = readFileSync(server.authority)
  const socket = connect({ host: '127.0.0.1', port: server.port, ca, servername: 'localhost', ...options })
  let bytes = 0
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    socket.destroy()
  })
  socket.write(hello)
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return bytes
}

function profileOf(home: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8')) as Record<string, unknown>
}

test('revoking a device ends the sessions that came with the token of its installation within a second', async () => {
  await using server = await start({ registration: 'open' })
  const place = { host: '127.0.0.1', port: server.port, pin: server.fingerprint }
  const [first, second, third] = await Promise.all([connectNode(place), connectNode(place), connectNode(place)])
  const { token } = await first.request('account.register', { name: 'ann', password })
  const enrolment = makeEnrolment(newDeviceKeys(), first.welcome.server ?? new Uint8Array(16))
  const { device } = await first.request('device.enrol', enrolment)
  await second.request('account.resume', { token })
  await third.request('account.login', { name: 'ann', password })
  const revokedAt = performance.now()
  await third.request('device.revoke', { device })
  expect((await second.closed)?.code).toBe('session_ended')
  expect(performance.now() - revokedAt).toBeLessThan(noticeMsMax)
  await third.request('session.ping', {})
  for (const client of [first, third]) client.close()
}, 60_000)

test('join at the address for devices says where to join', async () => {
  using homes = new Homes()
  await using server = await start({ flags: requiring })
  const flags = ['--pin', server.fingerprint, '--name', 'ann', '--home', homes.path('ann')]
  const told = await runCli(['join', `127.0.0.1:${server.port}`, ...flags])
  expect([told.exitCode, told.stdout]).toEqual([4, ''])
  expect(told.stderr).toContain('to join use the invite link, or the address that the operator calls the one for joining')
}, 60_000)

async function joined(homes: Homes, server: ServerProcess, name: string): Promise<string> {
  const link = await inviteLink(server)
  const { exitCode, stderr } = await runCli(['join', link, '--name', name, '--home', homes.path(name)])
  if (exitCode !== 0) throw new Error(stderr)
  return homes.path(name)
}

describe('serve --mutual-tls required', () => {
  test('lets people join at an address of its own, and then talk; nobody without a certificate gets past the handshake', async () => {
    using homes = new Homes()
    await using server = await start({ flags: requiring })
    const joinPort = Number(/^joining at tls:\/\/.*:(\d+)$/m.exec(server.stdout)?.[1])
    expect(parseInviteLink(server.invite).port).toBe(joinPort)
    expect(joinPort).not.toBe(server.port)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) expect(await greeted(server, { maxVersion })).toBe(0)

    const [alice, bob] = [await joined(homes, server, 'alice'), await joined(homes, server, 'bob')]
    for (const home of [alice, bob]) {
      expect(profileOf(home)).toMatchObject({ server: { host: '127.0.0.1', port: server.port } })
      expect(Object.keys(profileOf(home))).not.toContain('token')
      if (onUnix) expect(statSync(join(home, 'device.json')).mode & 0o777).toBe(0o600)
    }
    await using one = await homes.chat('alice')
    await using other = await homes.chat('bob', 'alice')
    await one.printed(/bob asks to talk/)
    say(one, '/accept', 'hello bob')
    await other.printed(/alice: hello bob/)
    say(other, 'hello alice')
    await one.printed(/bob: hello alice/)
    expect(server.stderr).not.toContain('token')
  }, 60_000)

  test('answers nothing but joining at the address for joining', async () => {
    using homes = new Homes()
    await using server = await start({ flags: requiring, registration: 'open' })
    const { port, pin } = parseInviteLink(server.invite)
    await using client = await connectNode({ host: '127.0.0.1', port, pin })
    expect(client.welcome.features).toContain('join-only')
    await client.request('account.register', { name: 'alice', password })
    for (const method of ['directory.who', 'device.list', 'contact.list'] as const) {
      expect(await rejectionOf(client.request(method, {}))).toBe('joining_only')
    }
    // Whoever is only joining is nobody to talk to, and hears of nobody who asks.
    const bob = await joined(homes, server, 'bob')
    const events = client.events()
    const asked = await runCli(['contacts', 'request', 'alice', '--home', bob])
    expect([asked.exitCode, asked.stderr]).toEqual([0, ''])
    client.close()
    expect(await events.next()).toEqual({ done: true, value: undefined })
    const classic = await runCli(['who', '--home', homes.path('nobody')])
    expect(classic.exitCode).toBe(2)
  }, 60_000)

  test('a home that is made while the server does not run goes to where devices log in', async () => {
    using homes = new Homes()
    const server = await start({ flags: requiring })
    const { data, port } = server
    const joinPort = parseInviteLink(server.invite).port
    await server.stop()
    const issued = await runCli(['cert', 'issue', 'alice', '--home', homes.path('alice'), '--data', data])
    expect([issued.exitCode, issued.stderr]).toEqual([0, ''])
    expect(profileOf(homes.path('alice'))).toMatchObject({ server: { host: '127.0.0.1', port } })
    expect(parseInviteLink((await runCli(['invite', '--data', data])).stdout.trim()).port).toBe(joinPort)
    await server[Symbol.asyncDispose]()
  }, 60_000)

  test('warns of an address for joining at another host, which those who have joined would dial', async () => {
    await using server = await start({ flags: ['--mutual-tls', 'required', '--join-listen', '127.0.0.2:0'] })
    expect(server.stderr).toContain('who joins dials the host of --join-listen for everything')
    await using other = await start({ flags: requiring })
    expect(other.stderr).not.toContain('who joins dials')
  }, 60_000)

  test('takes those whom the operator gives a certificate, with no address for joining', async () => {
    using homes = new Homes()
    await using server = await start({ flags: ['--mutual-tls', 'required'] })
    expect(server.stdout).not.toContain('invite ')
    const issued = await runCli(['cert', 'issue', 'alice', '--home', homes.path('alice'), '--data', server.data, '--json'])
    expect(issued.stderr).toBe('')
    const { device } = JSON.parse(issued.stdout) as { device: string }
    expect(await runCli(['who', '--home', homes.path('alice')])).toMatchObject({ exitCode: 0 })

    // A program of another kind: its key stays where it is.
    const keys = newDeviceKeys()
    writeFileSync(homes.path('bot.csr'), makeCertificateRequest(keys.p256))
    const signed = await runCli(['cert', 'issue', 'bot', '--csr', homes.path('bot.csr'), '--label', 'bot', '--data', server.data])
    expect(signed.stdout).toMatch(/^-----BEGIN CERTIFICATE-----/)
    const clientCertificate = { chain: signed.stdout, key: deviceKeysPem(keys).p256 }
    await using bot = await connectNode({ host: '127.0.0.1', port: server.port, pin: server.fingerprint, clientCertificate })
    expect((await bot.request('device.login', {})).name).toBe('bot')
    expect(await greeted(server, { cert: clientCertificate.chain, key: clientCertificate.key })).toBeGreaterThan(0)

    const listed = await runCli(['cert', 'list', '--data', server.data])
    expect(listed.stdout.split('\n').sort()).toEqual([
      '',
      expect.stringMatching(new RegExp(`^alice  ${device}  since `)),
      expect.stringMatching(/^bot  /),
    ])
    expect(await runCli(['cert', 'revoke', device, '--data', server.data])).toMatchObject({
      exitCode: 0,
      stdout: `revoked ${device} of alice\n`,
    })
    expect((await runCli(['who', '--home', homes.path('alice')])).stderr).toContain(
      'this device was revoked or its certificate has expired',
    )
  }, 60_000)
})

describe('a device', () => {
  test('is what a home becomes that had joined with a token, at its next connection', async () => {
    using homes = new Homes()
    const [data, port] = [homes.path('data'), await lastingPort()]
    await using before = await start({ data, port, flags: ['--mutual-tls', 'off'] })
    const alice = await joined(homes, before, 'alice')
    const { token } = profileOf(alice)
    expect(token).toBeString()
    expect(existsSync(join(alice, 'device.json'))).toBe(false)
    await before.stop()

    await using server = await start({ data, port })
    const main = { host: '127.0.0.1', port, pin: server.fingerprint }
    expect(await runCli(['who', '--home', alice])).toMatchObject({ exitCode: 0, stderr: '' })
    expect(profileOf(alice)['token']).toBeUndefined()
    expect(existsSync(join(alice, 'device.json'))).toBe(true)
    expect(await runCli(['who', '--home', alice])).toMatchObject({ exitCode: 0, stderr: '' })
    await server.said(/"client connected".*"device":"[0-9a-f]{20}"/)
    await using stranger = await connectNode(main)
    const resumed = stranger.request('account.resume', { token: new Uint8Array(Buffer.from(String(token), 'base64url')) })
    expect(await rejectionOf(resumed)).toBe('login_refused')
  }, 60_000)

  test('is cut within a second when it is revoked, banned, or the password is set elsewhere', async () => {
    using homes = new Homes()
    await using server = await start({ registration: 'open' })
    const address = `127.0.0.1:${server.port}`
    const flags = ['--pin', server.fingerprint, '--name', 'alice', '--password-stdin', '--home']
    for (const [home, ...more] of [['one'], ['two', '--login']] as const) {
      expect(await runWith(`${password}\n`, ['join', address, ...flags, homes.path(home), ...more])).toMatchObject({ exitCode: 0 })
    }
    const devices = async (home: string) => {
      const { stdout } = await runCli(['devices', '--json', '--home', homes.path(home)])
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { device: string; here: boolean })
    }
    {
      await using chat = await homes.chat('one')
      await runWith(`${password}\nanother horse battery\n`, ['passwd', '--password-stdin', '--home', homes.path('two')])
      // Its session ends, and its certificate is good: it is back at once.
      await chat.printed(/^connection lost, trying again\nconnected again$/m)
      const other = (await devices('two')).find(({ here }) => !here)?.device ?? ''
      expect(await runCli(['devices', 'revoke', other, '--home', homes.path('two')])).toMatchObject({ exitCode: 0, stderr: '' })
      const before = performance.now()
      expect(await chat.ended()).toBe(6)
      expect(performance.now() - before).toBeLessThan(noticeMsMax)
    }
    expect((await runCli(['who', '--home', homes.path('one')])).exitCode).toBe(4)
    await using chat = await homes.chat('two')
    await runCli(['admin', 'ban', 'alice', '--data', server.data])
    const before = performance.now()
    expect(await chat.ended()).toBe(6)
    expect(performance.now() - before).toBeLessThan(noticeMsMax)
    expect((await runCli(['who', '--home', homes.path('two')])).exitCode).toBe(4)
  }, 120_000)

  test('is known by its key: a certificate with its name and another key is nobody', async () => {
    using homes = new Homes()
    await using server = await start({ registration: 'open' })
    const alice = await homes.join(server, 'alice')
    const { issued } = JSON.parse(readFileSync(join(alice, 'device.json'), 'utf8')) as { issued: { certificate: string } }
    // The certificate of alice without her key cannot even be shown; with a key of one's own it is another device, or none.
    const foreign = deviceKeysPem(newDeviceKeys()).p256
    expect(
      await rejectionOf(
        connectNode({
          host: '127.0.0.1',
          port: server.port,
          pin: server.fingerprint,
          clientCertificate: { chain: issued.certificate, key: foreign },
        }),
      ),
    ).not.toBeUndefined()
    const keys = newDeviceKeys()
    writeFileSync(homes.path('csr'), makeCertificateRequest(keys.p256))
    const { stdout: chain } = await runCli(['cert', 'issue', 'mallory', '--csr', homes.path('csr'), '--data', server.data])
    await using client = await connectNode({
      host: '127.0.0.1',
      port: server.port,
      pin: server.fingerprint,
      clientCertificate: { chain, key: deviceKeysPem(keys).p256 },
    })
    expect((await client.request('device.login', {})).name).toBe('mallory')
  }, 60_000)
})
