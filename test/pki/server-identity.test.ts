import { describe, expect, test } from 'bun:test'
import { spawn, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type Server } from 'node:tls'
import { inspect } from 'node:util'
import { systemClock } from '../../src/domain/clock.ts'
import { loadServerIdentity, spkiPin } from '../../src/pki/index.ts'
import type { ServerIdentity } from '../../src/pki/index.ts'
import { clockAt, dayMs, entries, onUnix, refusal, start, temporaryFolder } from './support.ts'

const files = ['ca.crt', 'ca.key', 'server.crt', 'server.key']
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))
const program = join(import.meta.dir, 'load-identity.ts')

if (!hasIpv6) console.warn('SKIPPED: no IPv6 here, so the certificate is not tried on ::1')

describe('loadServerIdentity', () => {
  test('makes everything on the first start, each file with its mode', async () => {
    using root = temporaryFolder()
    const folder = join(root.path, 'sealwire-data')
    const identity = await load(folder)
    expect(entries(folder)).toEqual(files)
    expect(identity.written).toEqual(['ca.key', 'ca.crt', 'server.key', 'server.crt'])
    expect(identity.certificateChainPem).toBe(readFileSync(join(folder, 'server.crt'), 'utf8'))
    expect(identity.authorityPem).toBe(readFileSync(join(folder, 'ca.crt'), 'utf8'))
    expect(identity.certificateChainPem).toEndWith(identity.authorityPem)
    expect(identity.fingerprint).toBe(spkiPin(new X509Certificate(identity.authorityPem)))
    expect(identity.keyPem).toBe(readFileSync(join(folder, 'server.key'), 'utf8'))
    expect([identity.notAfter, identity.authorityNotAfter]).toEqual([start + 90 * dayMs, start + 3650 * dayMs])
    if (!onUnix) return
    expect(files.map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o644, 0o600, 0o644, 0o600])
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  test('writes nothing on later starts', async () => {
    using root = temporaryFolder()
    const first = await load(root.path)
    const later = await load(root.path, start + 59 * dayMs)
    expect(later.written).toEqual([])
    expect(Object.entries(later)).toEqual(Object.entries(first).map(([name, value]) => [name, name === 'written' ? [] : value]))
    expect(later.keyPem).toBe(first.keyPem)
  })

  test('keeps the fingerprint through renewals and new hosts', async () => {
    using root = temporaryFolder()
    const first = await load(root.path)
    const renewed = await load(root.path, first.renewAt)
    const wider = await load(root.path, first.renewAt, ['chat.example'])
    for (const { fingerprint, written } of [renewed, wider])
      expect({ fingerprint, written }).toEqual({ fingerprint: first.fingerprint, written: ['server.crt'] })
    expect(new Set([first, renewed, wider].map(({ certificateChainPem }) => certificateChainPem)).size).toBe(3)
  })

  test('gives every folder an identity of its own', async () => {
    using one = temporaryFolder()
    using two = temporaryFolder()
    expect((await load(one.path)).fingerprint).not.toBe((await load(two.path)).fingerprint)
  })

  test('takes leftovers of a crash for a first start', async () => {
    using root = temporaryFolder()
    for (const name of files) writeFileSync(join(root.path, `.${name}.0123456789abcdef.tmp`), 'half')
    await load(root.path)
    expect(entries(root.path)).toEqual(files)
  })

  test('touches nothing when a host is impossible', async () => {
    using root = temporaryFolder()
    await refusal('config_invalid', () => load(join(root.path, 'data'), start, ['*.example']))
    expect(existsSync(join(root.path, 'data'))).toBe(false)
  })

  test.each(['ca.key', 'server.key'])('refuses when %s is missing, malformed or open to others', async (name) => {
    using root = temporaryFolder()
    await load(root.path)
    const path = join(root.path, name)
    if (onUnix) {
      chmodSync(path, 0o640)
      expect((await refusal('key_unsafe', () => load(root.path))).sentence).toInclude(path)
      chmodSync(path, 0o600)
    }
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 100))
    expect((await refusal('key_malformed', () => load(root.path))).sentence).toInclude(path)
    rmSync(path)
    expect((await refusal('key_missing', () => load(root.path))).sentence).toInclude(path)
    expect(entries(root.path)).toEqual(files.filter((file) => file !== name))
  })

  test.each(['ca.crt', 'server.crt'])('refuses when %s is malformed, and does as its hint says when it is moved away', async (name) => {
    using root = temporaryFolder()
    const { fingerprint } = await load(root.path)
    const path = join(root.path, name)
    writeFileSync(path, 'hello')
    expect((await refusal('certificate_invalid', () => load(root.path))).hint).toStartWith(`move ${path} away and start again`)
    rmSync(path)
    expect((await load(root.path)).fingerprint).toBe(fingerprint)
  })

  test('says so when the folder cannot be made', async () => {
    using root = temporaryFolder()
    writeFileSync(join(root.path, 'file'), '')
    await refusal('data_unusable', () => load(join(root.path, 'file')))
  })
})

describe('ServerIdentity', () => {
  test('does not show its key when it is printed, copied or logged', async () => {
    using root = temporaryFolder()
    const identity = await load(root.path)
    const secret = identity.keyPem.split('\n')[1] ?? ''
    expect(secret).toHaveLength(64)
    for (const print of [
      inspect(identity, { showHidden: true }),
      Bun.inspect(identity),
      JSON.stringify(identity),
      JSON.stringify(Object.assign({}, identity)),
    ]) {
      expect(print).not.toInclude(secret)
    }
  })
})

describe('a TLS server with this identity', () => {
  test('is accepted under each of its names by a client whose only root is ca.crt', async () => {
    await using server = await listen(['chat.example'])
    const byName = { host: '127.0.0.1', ca: server.identity.authorityPem }
    for (const servername of ['localhost', 'chat.example']) expect(await dial(server.port, { ...byName, servername })).toBe('authorized')
    expect(await dial(server.port, byName)).toBe('authorized')
  })

  test.skipIf(!hasIpv6)('is accepted as ::1', async () => {
    await using server = await listen([], '::1')
    expect(await dial(server.port, { host: '::1', ca: server.identity.authorityPem })).toBe('authorized')
  })

  test('is refused under another name, and by a client with another root or none', async () => {
    await using server = await listen([])
    using root = temporaryFolder()
    const other = await loadServerIdentity({ folder: root.path }, { clock: systemClock })
    const good = { host: '127.0.0.1', servername: 'localhost', ca: server.identity.authorityPem }
    expect(await dial(server.port, { ...good, servername: 'chat.example' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await dial(server.port, { ...good, ca: other.authorityPem })).toMatch(
      /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_SIGNATURE_FAILURE)$/,
    )
    expect(await dial(server.port, { host: '127.0.0.1', servername: 'localhost' })).toBe('SELF_SIGNED_CERT_IN_CHAIN')
    expect(await dial(server.port, good)).toBe('authorized')
  })

  test('is still accepted after a renewal by a client that was given ca.crt before', async () => {
    await using server = await listen([])
    const renewed = await loadServerIdentity({ folder: server.folder, hosts: ['new.example'] }, { clock: systemClock })
    expect(renewed.written).toEqual(['server.crt'])
    server.tls.setSecureContext({ cert: renewed.certificateChainPem, key: renewed.keyPem })
    expect(await dial(server.port, { host: '127.0.0.1', servername: 'new.example', ca: server.identity.authorityPem })).toBe('authorized')
  })
})

describe('a process of its own', () => {
  test('does not load the certificate library when there is nothing to make, and is quick', () => {
    using root = temporaryFolder()
    expect(run(root.path)).toMatchObject({ libraryLoaded: true, written: ['ca.key', 'ca.crt', 'server.key', 'server.crt'] })
    const starts = Array.from({ length: 5 }, () => run(root.path))
    for (const { libraryLoaded, written } of starts) expect({ libraryLoaded, written }).toEqual({ libraryLoaded: false, written: [] })
    // The best of several: the machine may be busy with other things.
    expect(Math.min(...starts.map(({ tookMs }) => tookMs))).toBeLessThan(30)
  })

  test('killed during its first start leaves a folder that the next one finishes', async () => {
    for (let attempt = 0; attempt < files.length; attempt++) {
      using root = temporaryFolder()
      const folder = join(root.path, 'data')
      const child = spawn(process.execPath, [program, folder], { stdio: 'ignore' })
      const exited = once(child, 'exit')
      const watched = join(folder, ['ca.key', 'ca.crt', 'server.key', 'server.crt'][attempt] ?? '')
      while (!existsSync(watched) && child.exitCode === null) await new Promise(setImmediate)
      child.kill('SIGKILL')
      await exited
      const left = existsSync(join(folder, 'ca.key')) ? readFileSync(join(folder, 'ca.key'), 'utf8') : undefined
      await load(folder, Date.now())
      expect(entries(folder)).toEqual(files)
      if (left !== undefined) expect(readFileSync(join(folder, 'ca.key'), 'utf8')).toBe(left)
    }
  })
})

async function load(folder: string, now = start, hosts: readonly string[] = []): Promise<ServerIdentity> {
  return await loadServerIdentity({ folder, hosts }, { clock: clockAt(now) })
}

interface Started {
  readonly written: readonly string[]
  readonly tookMs: number
  readonly libraryLoaded: boolean
}

function run(folder: string): Started {
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, folder], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as Started
}

interface Listening extends AsyncDisposable {
  readonly tls: Server
  readonly port: number
  readonly folder: string
  readonly identity: ServerIdentity
}

/** A TLS server of node:tls with a fresh identity, valid today. */
async function listen(hosts: readonly string[], host = '127.0.0.1'): Promise<Listening> {
  const root = temporaryFolder()
  const identity = await loadServerIdentity({ folder: root.path, hosts }, { clock: systemClock })
  const tls = createServer({ cert: identity.certificateChainPem, key: identity.keyPem }, (socket) => socket.end())
  tls.on('tlsClientError', () => {})
  tls.listen(0, host)
  await once(tls, 'listening')
  const address = tls.address()
  if (address === null || typeof address === 'string') throw new TypeError('expected a port')
  return {
    tls,
    port: address.port,
    folder: root.path,
    identity,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => tls.close(resolve))
      root[Symbol.dispose]()
    },
  }
}

interface Dial {
  readonly host: string
  readonly servername?: string
  readonly ca?: string
}

/** `authorized`, or the code of the error with which the client turned away. */
async function dial(port: number, options: Dial): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect({ ...options, port, rejectUnauthorized: true }, () => {
      resolve(socket.authorized ? 'authorized' : 'connected without trust')
      socket.destroy()
    })
    socket.on('error', (reason) => resolve('code' in reason ? String(reason.code) : reason.message))
  })
}
