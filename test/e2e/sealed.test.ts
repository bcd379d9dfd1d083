// The sealed channel with real processes: joining, talking with somebody who came over TLS, and everything that a man in the
// middle and clients of version 1 get, which is nothing.

import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connectNode } from '../../src/client/node.ts'
import { KeyPair, keyPin, V1Client } from '../../src/channel/index.ts'
import { formatInviteLink, parseInviteLink } from '../../src/pki/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes, inviteLink, runWith, type } from '../cli/member-support.ts'
import { isMissing, nodeBinary } from '../support/python.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { sealedListen } from '../support/sealed-listener.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { TestListener } from '../support/tls-pair.ts'

setDefaultTimeout(60_000)
const limits = resolveLimits()
const hourMs = 60 * 60 * 1000

const server = await sealedServer()
afterAll(() => server[Symbol.asyncDispose]())
using homes = new Homes()

describe('serve --sealed', () => {
  test('says where it is and by which key it is known, which stays the same', async () => {
    using folder = new StoreFolder()
    const pins: string[] = []
    for (let start = 0; start < 2; start++) {
      await using one = await sealedServer({ data: folder.path })
      expect(one.stdout).toMatch(/^sealwire listening on sealed:\/\/127\.0\.0\.1:\d+$/m)
      pins.push(sealedPin(one))
      await one.stop()
      expect(one.stderr).toMatch(/"event":"server started".*"sealed":"127\.0\.0\.1:\d+"/)
      expect(one.stderr.includes('"file":"sealed.key"')).toBe(start === 0)
    }
    expect(pins).toEqual([pins[0] ?? '', pins[0] ?? ''])
    chmodSync(join(folder.path, 'sealed.key'), 0o644)
    await using refused = ServerProcess.spawn({ data: folder.path, flags: ['--sealed', '127.0.0.1:0'] })
    expect((await refused.exited).code).not.toBe(0)
    expect(refused.stderr).toContain('is open to other users (mode 0644). run: chmod 600')
  })

  test('is not there unless asked for', async () => {
    await using plain = await ServerProcess.start({})
    expect([plain.stdout.includes('sealed'), existsSync(join(plain.data, 'sealed.key'))]).toEqual([false, false])
    const { exitCode, stdout, stderr } = await runCli(['invite', '--sealed', '--data', plain.data])
    expect([exitCode === 0, stdout]).toEqual([false, ''])
    expect(stderr).toContain('this server does not speak the sealed channel: start it with --sealed HOST:PORT')
  })
})

describe('fingerprint --sealed', () => {
  test('is that of the data folder, and what the server shows', async () => {
    const pin = sealedPin(server)
    expect(await runCli(['fingerprint', '--sealed', '--data', server.data])).toEqual({ exitCode: 0, stdout: `${pin}\n`, stderr: '' })
    expect(await runCli(['fingerprint', '--sealed', `127.0.0.1:${sealedPort(server)}`])).toMatchObject({ exitCode: 0, stdout: `${pin}\n` })
    await using plain = await ServerProcess.start({})
    expect(await runCli(['fingerprint', '--sealed', '--data', plain.data])).toMatchObject({ exitCode: 3, stdout: '' })
  })
})

describe('invite --sealed', () => {
  test('prints a link with the address and the key of the sealed channel, also when the server does not run', async () => {
    using folder = new StoreFolder()
    await using one = await sealedServer({ data: folder.path })
    const place = { host: '127.0.0.1', port: sealedPort(one), transport: 'sealed', pin: sealedPin(one) }
    expect(parseInviteLink(await inviteLink(one, '--sealed'))).toMatchObject(place)
    expect(parseInviteLink(await inviteLink(one, '--sealed', '--host', 'chat.example:443'))).toMatchObject({
      ...place,
      host: 'chat.example',
      port: 443,
    })
    expect(parseInviteLink(await inviteLink(one))).toMatchObject({ port: one.port, transport: 'tls', pin: one.fingerprint })
    await one.stop()
    expect(parseInviteLink(await inviteLink(one, '--sealed'))).toMatchObject(place)
  })
})

describe('a member through the sealed channel', () => {
  test('joins with a link and talks with one over TLS, with nothing in the clear', async () => {
    using relay = await TcpRelay.to(sealedPort(server))
    const link = await linkTo(relay.port)
    const joined = await runCli(['join', link, '--name', 'ann', '--home', homes.path('ann')])
    expect([joined.exitCode, joined.stdout.split('\n')[0], joined.stderr]).toEqual([
      0,
      `joined sealed://127.0.0.1:${relay.port} as ann`,
      '',
    ])
    await homes.join(server, 'ben')
    await using ben = await homes.chat('ben')
    await using ann = await homes.chat('ann', 'ben')
    await ben.printed(/^ann asks to talk/m)
    type(ben, '/accept')
    await ann.printed(/^you are talking with ben/m)
    type(ann, 'hello from ann')
    await ben.printed(/^ann: hello from ann$/m)
    type(ben, 'hello from ben')
    await ann.printed(/^ben: hello from ben$/m)
    type(ann, '/quit')
    expect(await ann.ended()).toBe(0)
    const seen = Buffer.concat([...relay.fromServer, ...relay.fromClient]).toString('latin1')
    // So few letters are in what is random, now and then: `name: "ann"` in CBOR, and how a hello and a request begin.
    for (const secret of ['hello from', 'dnamecann', 'MAGC\u0010', 'MAGC\u0012', link.slice(-22)]) expect(seen).not.toContain(secret)
    expect(server.stderr).toContain('noise')
  })

  test('is known by its device afterwards, which can be revoked', async () => {
    const link = await linkTo(sealedPort(server))
    const home = homes.path('dora')
    expect(await runCli(['join', link, '--name', 'dora', '--home', home])).toMatchObject({ exitCode: 0, stderr: '' })
    const profile: unknown = JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))
    expect(profile).toMatchObject({ pin: sealedPin(server), serverKey: expect.stringMatching(/^[\w-]{43}$/), name: 'dora' })
    expect(profile).not.toHaveProperty('token')
    expect(readFileSync(join(home, 'known_servers'), 'utf8')).toStartWith(`127.0.0.1:${sealedPort(server)} ${sealedPin(server)} `)
    expect(await runCli(['who', '--home', home])).toMatchObject({ exitCode: 0, stderr: '' })
    await using chat = await homes.chat('dora')
    const [device = ''] =
      /"device":"([^"]+)"/.exec(server.stderr.split('\n').findLast((line) => line.includes('"device"')) ?? '')?.slice(1) ?? []
    expect(await runCli(['cert', 'revoke', device, '--data', server.data])).toMatchObject({ exitCode: 0 })
    expect([await chat.ended(), chat.stderr]).toEqual([6, expect.stringContaining('this device was revoked')])
    const again = await runCli(['who', '--home', home])
    expect([again.exitCode, again.stderr]).toEqual([4, expect.stringContaining('this device was revoked')])
  })

  test('logs in by password inside, from another home', async () => {
    const link = await linkTo(sealedPort(server))
    const password = 'correct-horse-battery'
    const first = await runWith(`${password}\n`, ['join', link, '--name', 'emil', '--home', homes.path('emil'), '--password-stdin'])
    expect(first).toMatchObject({ exitCode: 0, stderr: '' })
    const flags = ['--name', 'emil', '--home', homes.path('emil2'), '--login', '--password-stdin', '--pin', sealedPin(server)]
    expect(await runWith(`${password}\n`, ['join', `sealed://127.0.0.1:${sealedPort(server)}`, ...flags])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`joined sealed://127.0.0.1:${sealedPort(server)} as emil`),
    })
    expect((await runCli(['who', '--home', homes.path('emil2')])).exitCode).toBe(0)
  })

  test('can only join without the key of a device where devices are required, and do everything with it', async () => {
    await using one = await sealedServer({ flags: ['--sealed', '127.0.0.1:0', '--mutual-tls', 'required'] })
    const link = parseInviteLink(await inviteLink(one, '--sealed'))
    await using stranger = await connectNode({ ...link, sealed: {} })
    expect(stranger.welcome.features).toContain('join-only')
    await expect(stranger.request('directory.who', {})).rejects.toThrow('[joining_only]')
    const home = homes.path('req')
    expect(await runCli(['join', formatInviteLink(link), '--name', 'req', '--home', home])).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await runCli(['who', '--home', home])).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test.skipIf(isMissing('SEALWIRE_NODE'))('joins a server that runs on Node, too', async () => {
    await using one = await sealedServer({ runtime: nodeBinary })
    const home = homes.path('nora')
    expect(await runCli(['join', await inviteLink(one, '--sealed'), '--name', 'nora', '--home', home])).toMatchObject({ exitCode: 0 })
    expect((await runCli(['who', '--home', home])).exitCode).toBe(0)
  })
})

describe('a key that is not the expected one', () => {
  test('is refused when joining: a wrong link, and a man in the middle', async () => {
    const link = parseInviteLink(await linkTo(sealedPort(server)))
    const wrong = keyPin(KeyPair.generate().publicKey)
    const refused = await runCli(['join', formatInviteLink({ ...link, pin: wrong }), '--name', 'eve', '--home', homes.path('eve')])
    expect([refused.exitCode, refused.stderr]).toEqual([
      5,
      expect.stringContaining(`has another key: expected ${wrong}, seen ${sealedPin(server)}`),
    ])
    using middle = await manInTheMiddle()
    const cheated = await runCli(['join', formatInviteLink({ ...link, port: middle.port }), '--name', 'eve', '--home', homes.path('eve')])
    expect([cheated.exitCode, cheated.stderr]).toEqual([5, expect.stringContaining(`expected ${sealedPin(server)}, seen `)])
    expect([middle.accepted.length, existsSync(join(homes.path('eve'), 'profile.json'))]).toEqual([0, false])
    // The invitation was not used up by any of it.
    expect(await runCli(['join', formatInviteLink(link), '--name', 'eve', '--home', homes.path('eve')])).toMatchObject({ exitCode: 0 })
  })

  test('is a hard stop for who has joined, whoever answers, and once the key is new', async () => {
    using folder = new StoreFolder()
    const home = homes.path('hugo')
    const flags = ['--sealed', `127.0.0.1:${await lastingPort()}`]
    let port = 0
    {
      await using one = await sealedServer({ data: folder.path, flags })
      port = sealedPort(one)
      expect(await runCli(['join', await inviteLink(one, '--sealed'), '--name', 'hugo', '--home', home])).toMatchObject({ exitCode: 0 })
      await one.stop()
    }
    {
      using middle = await manInTheMiddle(port)
      const cheated = await runCli(['who', '--home', home])
      expect([cheated.exitCode, cheated.stderr]).toEqual([5, expect.stringContaining('has another key: expected')])
      expect(middle.accepted.length).toBe(0)
    }
    rmSync(join(folder.path, 'sealed.key'))
    await using renewed = await sealedServer({ data: folder.path, flags })
    expect((await runCli(['who', '--home', home])).exitCode).toBe(5)
    const other = await runCli(['join', await inviteLink(renewed, '--sealed'), '--name', 'ida', '--home', home])
    expect(other.exitCode).not.toBe(0)
  })
})

describe('a program', () => {
  test('is told until when it makes another connection, half an hour before the channel is too old', async () => {
    const client = await connectNode({ host: '127.0.0.1', port: sealedPort(server), pin: sealedPin(server), sealed: {} })
    const now = performance.now()
    expect(client.renewBefore).toBeWithin(now + 23.4 * hourMs, now + 23.5 * hourMs)
    client.close()
    const overTls = await connectNode({ host: '127.0.0.1', port: server.port, pin: server.fingerprint })
    expect(overTls.renewBefore).toBeUndefined()
    overTls.close()
  })
})

describe('version 1', () => {
  test('is closed without a byte unless it was asked for', async () => {
    expect(await sayV1(sealedPort(server))).toBe('')
  })

  test('echoes frames where it was asked for, says so in the log, and version 2 is there all the same', async () => {
    await using one = await sealedServer({ flags: ['--sealed', '127.0.0.1:0', '--sealed-v1'] })
    expect(one.stderr).toContain('version 1 of the sealed channel is on')
    const port = sealedPort(one)
    expect(await echoV1(port, ['hello', 'world'])).toEqual(['hello', 'world'])
    expect(await runCli(['join', await inviteLink(one, '--sealed'), '--name', 'ann', '--home', homes.path('v1')])).toMatchObject({
      exitCode: 0,
    })
    await one.stop()
    expect(one.stderr).toContain('sealed v1 connections')
  })

  test.each([
    [['--sealed', '0.0.0.0:0', '--sealed-v1'], '0.0.0.0:0 is not one of this machine alone'],
    [['--sealed', '127.0.0.1:0', '--sealed', '[::]:0', '--sealed-v1'], '[::]:0 is not one of this machine alone'],
    [['--sealed', 'localhost:0', '--sealed-v1'], 'localhost:0 is not one of this machine alone'],
    [['--sealed-v1'], 'there is no address for it'],
  ])('is refused by serve %p', async (flags, why) => {
    await using one = ServerProcess.spawn({ flags })
    expect((await one.exited).code).toBe(2)
    expect(one.stderr).toContain(`version 1 of the sealed channel is for loopback addresses only, and ${why}`)
  })
})

function sealedServer({ flags = ['--sealed', '127.0.0.1:0'], ...options }: ServerProcessOptions = {}): Promise<ServerProcess> {
  return ServerProcess.start({ registration: 'open', limits: liftedRates, ...options, flags: [...flags, '--log-format', 'json'] })
}

function sealedPort({ stdout }: ServerProcess): number {
  return Number(/^sealwire listening on sealed:\/\/.*:(\d+)$/m.exec(stdout)?.[1])
}

function sealedPin({ stdout }: ServerProcess): string {
  return /^sealed fingerprint (\S+)$/m.exec(stdout)?.[1] ?? ''
}

/** A fresh link that leads to another port. */
async function linkTo(port: number): Promise<string> {
  return formatInviteLink({ ...parseInviteLink(await inviteLink(server, '--sealed')), port })
}

/** Somebody with a key of their own. */
async function manInTheMiddle(port = 0): Promise<TestListener> {
  const listen = sealedListen()
  return TestListener.start(await testIdentity(), { listen: (options, ...others) => listen({ ...options, port }, ...others) })
}

/** What comes back on a hello of version 1 before the connection is over, in hexadecimal. */
async function sayV1(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(new V1Client({ limits }).hello()))
  const received: Buffer[] = []
  socket.on('data', (bytes: Buffer) => received.push(bytes))
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(received).toString('hex')
}

async function echoV1(port: number, texts: readonly string[]): Promise<readonly string[]> {
  const client = new V1Client({ limits })
  const socket = connect(port, '127.0.0.1', () => socket.write(client.hello()))
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  const { channel } = client.received(answer)
  const sink = { bytes: new Uint8Array(1024), length: 0, reserve: (count: number) => (sink.length += count) - count }
  for (const text of texts) channel?.write(sink, Buffer.from(text))
  socket.write(sink.bytes.subarray(0, sink.length))
  const echoed: string[] = []
  for await (const bytes of socket) {
    channel?.push(bytes)
    for (let plain = channel?.next(); plain !== undefined; plain = channel?.next()) echoed.push(Buffer.from(plain).toString())
    if (echoed.length === texts.length) break
  }
  socket.destroy()
  return echoed
}
