import { afterAll, describe, expect, test } from 'bun:test'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type Code, SealwireError } from '../../../src/protocol/index.ts'
import { dialTls, type TlsDialOptions } from '../../../src/link/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { identityOf, makeCertificate } from '../../support/certificates.ts'
import { TcpRelay } from '../../support/tcp-relay.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { TestListener } from '../../support/tls-pair.ts'

const identity = await testIdentity()
const stranger = await testIdentity()
const server = await TestListener.start(identity)
const open: Server[] = []
afterAll(() => {
  server[Symbol.dispose]()
  for (const each of open) each.close()
})

describe('dialTls', () => {
  test('tells when TCP is connected, before it knows whom it talks to', async () => {
    let connected = false
    const dialling = dialTls(to({ roots: stranger.roots }), server.context, () => (connected = true))
    await expect(dialling).rejects.toThrow('[untrusted]')
    expect(connected).toBe(true)
  })

  test('trusts nobody but the roots it was given, and the system when it was given none', async () => {
    expect(await refusal({ roots: stranger.roots })).toBe('untrusted')
    expect(await refusal({})).toBe('untrusted')
  })

  test('checks the name', async () => {
    // 127.0.0.2 reaches the same machine, but is not in the certificate.
    if (process.platform !== 'linux') return void console.warn('SKIPPED: 127.0.0.2 is an address of this machine on Linux only')
    const wide = await TestListener.start(identity, { host: '0.0.0.0' })
    const error = await refused({ host: '127.0.0.2', port: wide.port, roots: identity.roots })
    wide[Symbol.dispose]()
    expect([error.code, error.sentence]).toEqual(['untrusted', `127.0.0.2:${wide.port} has a certificate for another name`])
  })

  test('does not take a common name for a name', async () => {
    const authority = await makeCertificate({ commonName: 'ca', isAuthority: true })
    for (const names of [undefined, []]) {
      const leaf = await makeCertificate({ commonName: 'localhost', ...(names && { names }), signedBy: { ...authority, name: 'ca' } })
      using named = await TestListener.start({ ...identity, identity: identityOf(leaf.key, leaf.certificate) })
      const error = await refused({ host: 'localhost', port: named.port, roots: authority.certificate.toString() })
      expect([error.code, error.sentence]).toEqual(['untrusted', `localhost:${named.port} has a certificate for another name`])
    }
  })

  test('tells of a connection that broke before anybody was told', async () => {
    using relay = await TcpRelay.to(server.port)
    const before = server.accepted.length
    const link = await dialTls(to({ port: relay.port, roots: identity.roots }), server.context)
    await server.until(() => server.accepted.length > before)
    relay.reset()
    await server.accepted[before]?.recorder.until(() => !server.accepted[before]?.link.open)
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    const recorder = new Recorder()
    link.attach(recorder)
    await recorder.until(() => recorder.ends.length > 0)
    expect([link.open, recorder.ends]).toEqual([false, ['reset']])
  })

  test('takes any certificate when verification is dangerously skipped', async () => {
    const link = await dialTls(to({ dangerouslySkipVerification: true }), server.context)
    expect(link.security.protocol).toBe('TLSv1.3')
    link.terminate()
  })

  test('says who refused, who is unknown, who is silent and who is no TLS server', async () => {
    // Not the port of somebody who has gone: it may be given to another process.
    expect((await refused({ port: 1 })).sentence).toBe('127.0.0.1:1 refused the connection')
    expect(await refusal({ host: 'no-such-host.invalid' })).toBe('unreachable')
    const silent = await plainServer(() => {})
    expect((await refused({ port: silent.port, timeoutMs: 200 })).sentence).toBe(`127.0.0.1:${silent.port} did not answer within 0.2 s`)
    const plain = await plainServer((socket) => socket.end('220 mail.example ESMTP\r\n'))
    expect(await refusal({ port: plain.port })).toBe('unreachable')
  })

  test('gives up when its signal says so', async () => {
    const silent = await plainServer(() => {})
    const giveUp = new AbortController()
    const dialling = dialTls(to({ port: silent.port, signal: giveUp.signal }), server.context, () => giveUp.abort())
    await expect(dialling).rejects.toThrow('[unreachable] the connection was given up')
  })
})

function to(options: Partial<TlsDialOptions>): TlsDialOptions {
  return { host: '127.0.0.1', port: server.port, timeoutMs: 5000, ...options }
}

async function refused(options: Partial<TlsDialOptions>): Promise<SealwireError> {
  const reason = await dialTls(to(options), server.context).catch((error: unknown) => error)
  if (!SealwireError.is(reason)) throw new TypeError('the dial succeeded')
  return reason
}

async function refusal(options: Partial<TlsDialOptions>): Promise<Code> {
  return (await refused(options)).code
}

async function plainServer(onSocket: (socket: Socket) => void): Promise<{ port: number }> {
  const plain = createServer((socket) => {
    socket.on('error', () => {})
    onSocket(socket)
  })
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  open.push(plain)
  return { port: (plain.address() as AddressInfo).port }
}
