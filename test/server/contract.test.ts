import { describe, expect, test } from 'bun:test'
import { contractCommands, encodeCbor, encodeHello, encodeRequest, goodbyeBody } from '../../src/protocol/contract/index.ts'
import { encodeFrame, SealwireError } from '../../src/protocol/index.ts'
import { type LogFields, silentLog } from '../../src/server/log.ts'
import type { Person } from '../../src/store/index.ts'
import { messageId } from '../support/device-client.ts'
import { settle } from '../support/manual-clock.ts'
import { password, ServerStage, stageLedger, stageServerId } from '../support/server-stage.ts'

const hello = encodeFrame(contractCommands.hello, encodeHello({ versions: [1] }))
const ping = (id: number): Uint8Array => encodeFrame(contractCommands.request, encodeRequest(id, 'session.ping', {}))

describe('how the contract begins', () => {
  test('Welcome says the version, the time, the limits and who may register', async () => {
    using stage = new ServerStage({}, { registration: 'invite' })
    expect(await stage.dial().hello()).toEqual([
      'welcome',
      {
        version: 1,
        time: stage.clock.now(),
        limits: { bodyBytesMax: 65_535, echoBytesMax: 1_024, messageBodyBytesMax: 60_000 },
        server: stageServerId,
        ledger: { key: stageLedger.publicKey, certificate: Uint8Array.of(1) },
        features: ['registration-invite', 'device-login', 'direct'],
      },
    ])
  })

  test('Welcome promises nothing that the limits of the operator would refuse', async () => {
    using stage = new ServerStage({ frameUnauthenticatedBytesMax: 600, frameBodyBytesMax: 2_000 })
    const peer = stage.dial()
    const [, welcome] = await peer.hello()
    expect(welcome).toMatchObject({ limits: { bodyBytesMax: 2_000, echoBytesMax: 600, messageBodyBytesMax: 1_465 } })
    expect((await peer.ask('session.echo', { data: new Uint8Array(600) })).data).toHaveLength(600)
    await peer.ask('account.register', { name: 'alice', password })
    expect((await peer.ask('session.echo', { data: new Uint8Array(600) })).data).toHaveLength(600)
    const largest = { id: messageId(), body: new Uint8Array(1_465), type: 'x'.repeat(128) }
    expect(await peer.refusal('message.send', { conversation: 1, ...largest })).toBe('not_found')
  })

  test('is answered with classic and without', async () => {
    for (const classic of [true, false]) {
      using stage = new ServerStage({}, { classic })
      expect((await stage.dial().hello())[0]).toBe('welcome')
    }
  })

  test('the highest version that both speak is chosen, and without one the connection ends', async () => {
    using stage = new ServerStage()
    const [newer, other] = [stage.dial(), stage.dial()]
    newer.frame(contractCommands.hello, encodeHello({ versions: [7, 1, 2] }))
    expect((await newer.next())[1]).toMatchObject({ version: 1 })
    other.frame(contractCommands.hello, encodeHello({ versions: [7, 0] }))
    expect(await other.arrived()).toEqual([['fault', null, 'version_unsupported', 'this server speaks version 1 of the contract'], ['end']])
  })
})

describe('what ends a connection of the contract', () => {
  const { fault, goodbye, result, request } = contractCommands
  for (const [what, frames] of [
    ['a request before Hello', [ping(1)]],
    ['Goodbye before Hello', [encodeFrame(goodbye, goodbyeBody)]],
    ['a second Hello', [hello, hello]],
    ['a frame that only servers send', [hello, encodeFrame(result, encodeCbor([1, {}]))]],
    ['a frame that only servers send, first', [encodeFrame(fault, encodeCbor([1, 8, 'x']))]],
    ['a classic command', [hello, encodeFrame(0x03, Buffer.from('hello'))]],
    ['an unknown command', [hello, encodeFrame(0x7f)]],
  ] as const) {
    test(`${what} is unexpected`, async () => {
      using stage = new ServerStage()
      const peer = stage.dial()
      peer.raw(Buffer.concat([...frames, ping(9)]))
      const heard = await peer.arrived()
      expect(heard.slice(frames.length - 1)).toEqual([['fault', null, 'unexpected', 'a frame does not belong there'], ['end']])
    })
  }

  for (const [what, body] of [
    ['no CBOR', Buffer.from('GET /')],
    ['something behind the value', Buffer.from([...encodeCbor([1, 'session.ping', {}]), 0])],
    ['no array', encodeCbor({ id: 1 })],
    ['an id below zero', encodeCbor([-1, 'session.ping', {}])],
    ['a method that is no text', encodeCbor([1, 2, {}])],
    ['nothing', new Uint8Array(0)],
  ] as const) {
    test(`a request with ${what} is malformed, and has no id to answer to`, async () => {
      using stage = new ServerStage()
      const peer = await stage.guest()
      peer.frame(request, body)
      const [first, second] = await peer.arrived()
      expect([first?.slice(0, 3), second]).toEqual([['fault', null, 'malformed'], ['end']])
    })
  }

  test('a malformed Hello, a bad checksum and a frame over the limit are told as faults', async () => {
    using stage = new ServerStage()
    const bad = [stage.dial(), await stage.guest(), await stage.guest()]
    bad[0]?.frame(contractCommands.hello, encodeCbor({ versions: 1 }))
    bad[1]?.raw(ping(1).fill(0, 12))
    bad[2]?.frame(request, new Uint8Array(1_078))
    const codes = await Promise.all(bad.map(async (peer) => (await peer.arrived()).map(([kind, , code]) => code ?? kind)))
    expect(codes).toEqual([
      ['malformed', 'end'],
      ['bad_checksum', 'end'],
      ['frame_too_large', 'end'],
    ])
  })

  test('a server that stops says so, after the answer that is under way', async () => {
    using stage = new ServerStage()
    const [idle, waiting] = [await stage.member('alice'), await stage.guest()]
    waiting.send('account.register', { name: 'bob', password })
    await settle()
    for (const session of [...stage.sessions]) session.stop()
    expect(await idle.arrived()).toEqual([['fault', null, 'stopping', 'the server is stopping'], ['end']])
    expect((await waiting.next())[0]).toBe('result')
    expect((await waiting.next())[2]).toBe('stopping')
  })

  for (const [what, bug, cause] of [
    ['thrown by the runtime', new TypeError('the secret cause'), new TypeError('the secret cause')],
    ['found by an assertion', new SealwireError('internal', 'a secret', { cause: 'more secrets' }), 'more secrets'],
  ] as const) {
    test(`a bug ${what} is told as one, under the id of its request, and its cause is in the log only`, async () => {
      const errors: unknown[] = []
      using stage = new ServerStage({}, { log: { ...silentLog, error: (_event, _fields, why) => void errors.push(why) } })
      const alice = await stage.member('alice')
      stage.context.people.blocked = () => Promise.reject(bug)
      const id = alice.send('directory.blocked', {})
      expect(await alice.arrived()).toEqual([['fault', id, 'internal', 'internal error'], ['end']])
      expect(errors).toEqual([cause])
    })
  }

  test('the reason is the last word, also when an answer is ready before it has left', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    alice.link.pause()
    for (let at = 0; at < 200; at++) alice.send('session.echo', { data: new Uint8Array(1_000) })
    const { promise, resolve } = Promise.withResolvers<readonly Person[]>()
    stage.context.people.blocked = () => promise
    alice.send('directory.blocked', {})
    await settle()
    stage.context.endSessions('alice', new SealwireError('session_ended', 'the account was banned'))
    resolve([])
    await settle()
    alice.link.resume()
    await alice.next(([kind]) => kind === 'end')
    const heard = await alice.arrived()
    expect([heard.length, heard.at(-1)?.[2]]).toEqual([201, 'session_ended'])
  })

  test('a peer that does not read its last word is cut all the same, after endedMsMax', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    alice.link.pause()
    for (let at = 0; at < 200; at++) alice.send('session.echo', { data: new Uint8Array(1_000) })
    await settle()
    stage.context.endSessions('alice', new SealwireError('session_ended', 'the account was banned'))
    await stage.clock.move(stage.limits.endedMsMax - 1)
    expect(stage.sessions.size).toBe(1)
    await stage.clock.move(1)
    expect(stage.sessions.size).toBe(0)
  })
})

describe('requests', () => {
  test('are answered in order, also behind one that waits, and Goodbye last', async () => {
    using stage = new ServerStage()
    const peer = stage.dial()
    const register = encodeFrame(contractCommands.request, encodeRequest(7, 'account.register', { name: 'alice', password }))
    const goodbye = encodeFrame(contractCommands.goodbye, goodbyeBody)
    peer.raw(Buffer.concat([hello, ping(0), register, ping(0xffff_ffff), ping(0), goodbye, ping(5)]))
    await peer.next(([kind]) => kind === 'end')
    const heard = (await peer.arrived()).map(([kind, id]) => (kind === 'result' ? id : kind))
    expect(heard).toEqual(['welcome', 0, 7, 0xffff_ffff, 0, 'goodbye'])
    expect(stage.sessions.size).toBe(0)
  })

  test('behind Goodbye are not looked at', async () => {
    using stage = new ServerStage()
    const peer = stage.dial()
    const register = encodeFrame(contractCommands.request, encodeRequest(1, 'account.register', { name: 'alice' }))
    peer.raw(Buffer.concat([hello, encodeFrame(contractCommands.goodbye, goodbyeBody), register]))
    expect((await peer.arrived()).map(([kind]) => kind)).toEqual(['welcome', 'goodbye', 'end'])
    expect(stage.store('account.find', { key: 'alice' })).toBeUndefined()
  })

  test('mean the same when they arrive byte by byte', async () => {
    using stage = new ServerStage()
    const peer = stage.dial()
    const register = encodeFrame(contractCommands.request, encodeRequest(1, 'account.register', { name: 'alice' }))
    for (const byte of Buffer.concat([hello, register, ping(2), encodeFrame(contractCommands.goodbye, goodbyeBody)])) {
      peer.raw(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await peer.next(([kind]) => kind === 'end')
    expect((await peer.arrived()).map(([kind]) => kind)).toEqual(['welcome', 'result', 'result', 'goodbye'])
  })

  test('are refused, and the connection lives, for a method that does not exist', async () => {
    using stage = new ServerStage()
    const peer = await stage.guest()
    for (const method of ['session.dance', '__proto__', 'constructor', 'toString', '']) {
      peer.odd(3, method)
      expect(await peer.next()).toEqual(['fault', 3, 'unknown_method', 'there is no such method'])
    }
    expect(await peer.refusal('session.ping', {})).toBeUndefined()
  })

  test('are refused for parameters that their method does not take, naming the field and nothing of its value', async () => {
    using stage = new ServerStage()
    const peer = await stage.guest()
    for (const [method, params, sentence] of [
      ['session.ping', { loud: true }, 'session.ping.loud is not what it should be'],
      ['session.ping', [], 'session.ping is not a map'],
      ['session.echo', { data: 'text' }, 'session.echo.data is not what it should be'],
      ['session.echo', { data: new Uint8Array(1_025) }, 'session.echo.data is not what it should be'],
      ['account.resume', { token: new Uint8Array(31) }, 'account.resume.token is not what it should be'],
      ['account.register', { name: 7 }, 'account.register.name is not what it should be'],
    ] as const) {
      peer.odd(4, method, params)
      expect(await peer.next()).toEqual(['fault', 4, 'malformed', sentence])
    }
  })

  test('that want a login are refused before it whatever they say, those that log in after it', async () => {
    using stage = new ServerStage()
    const peer = await stage.guest()
    peer.odd(1, 'message.send', 'nonsense')
    expect(await peer.next()).toEqual(['fault', 1, 'not_logged_in', 'log in first'])
    for (const method of ['directory.who', 'device.list', 'contact.list', 'directory.blocked'] as const) {
      expect(await peer.refusal(method, {})).toBe('not_logged_in')
    }
    const alice = await stage.member('alice')
    expect(await alice.refusal('account.register', { name: 'bob', password })).toBe('already_logged_in')
    expect(await alice.refusal('account.login', { name: 'alice', password })).toBe('already_logged_in')
    expect(await alice.refusal('account.resume', { token: alice.token })).toBe('already_logged_in')
  })

  test('answer nobody who has hung up meanwhile', async () => {
    using stage = new ServerStage()
    const peer = await stage.guest()
    peer.send('account.register', { name: 'alice', password })
    await settle()
    peer.link.terminate()
    while (stage.sessions.size > 0) await settle()
    const again = await stage.guest()
    while ((await again.refusal('account.login', { name: 'alice', password })) !== undefined) await settle()
    expect(stage.context.presence.sessionsOf('alice')).toHaveLength(1)
  })
})

describe('the pace of requests', () => {
  test('before login is that of the connection: 50 at once, then 20 a second', async () => {
    using stage = new ServerStage({ messageDelayMsMax: 1_000 })
    const peer = await stage.guest()
    for (let id = 1; id <= 100; id++) peer.raw(ping(id))
    expect(await peer.arrived()).toHaveLength(50)
    await stage.clock.move(500)
    expect(await peer.arrived()).toHaveLength(10)
    await stage.clock.move(500)
    const heard = []
    while (heard.length < 40) heard.push(...(await peer.arrived()))
    expect(heard.slice(0, 10).map(([kind]) => kind)).toEqual(Array(10).fill('result'))
    expect(heard.slice(10).map(([kind, , code]) => [kind, code])).toEqual(Array(30).fill(['fault', 'rate_limited']))
  })

  test('after login is that of the account, shared by its sessions of both dialects', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 3, messageDelayMsMax: 0 })
    const alice = await stage.member('alice')
    const classic = stage.connect()
    classic.send(0x02, `alice:${password}`)
    await classic.expect('04 OK')
    classic.send(0x06, 'nobody')
    await classic.expect('05 NOPE')
    expect([await alice.refusal('session.ping', {}), await alice.refusal('session.ping', {})]).toEqual([undefined, undefined])
    expect(await alice.refusal('session.ping', {})).toBe('rate_limited')
    classic.send(0x06, 'nobody')
    await classic.expect('05 BUSY')
    await stage.clock.move(1_000)
    expect(await alice.refusal('session.ping', {})).toBeUndefined()
  })
})

describe('the log', () => {
  test('learns the client of a connection, and no token, password or invitation', async () => {
    const lines: [string, LogFields | undefined][] = []
    const note = (event: string, fields?: LogFields): void => void lines.push([event, fields])
    using stage = new ServerStage({}, { log: { debug: note, info: note, warning: note, error: note } })
    const alice = await stage.member('alice')
    await alice.ask('account.password', { current: password, next: 'another horse battery' })
    expect(lines.map(([event]) => event)).toEqual(['contract begun', 'account registered', 'logged in', 'password changed'])
    expect(lines[0]?.[1]).toEqual({ connection: 1, client: 'test' })
    const text = JSON.stringify(lines, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
    for (const secret of [password, 'another horse', Buffer.from(alice.token).toString('hex')]) expect(text).not.toContain(secret)
  })
})
