// What every adapter that accepts TLS must do with client certificates. The clients here are of this process; those in
// other languages are in test/e2e/client_certificates.py.

import { afterAll, describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { connect, type ConnectionOptions, type SecureVersion, type TLSSocket } from 'node:tls'
import { type ClientCertificates, dialTls, type listenTls } from '../../src/link/index.ts'
import { clientCertificateRows, deviceOf, keyHash, makeAuthority, pemOf } from '../support/client-certificates.ts'
import { Recorder } from './link.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { TestListener, type TestListenerOptions } from '../support/tls-pair.ts'

const server = await testIdentity()
const authority = await makeAuthority('the authority of the devices')
const successor = await makeAuthority('its successor')
const rows = await clientCertificateRows(authority)
const good = rows.find(({ title }) => title === 'good')
const versions = ['TLSv1.2', 'TLSv1.3'] as const
const identity = trusting([authority.certificate, successor.certificate].join(''))
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

export function clientCertificateCompliance(name: string, listen: typeof listenTls): void {
  const start = async (clientCertificates: ClientCertificates, options: TestListenerOptions = {}): Promise<TestListener> => {
    const listener = await TestListener.start(identity, { ...options, listen, clientCertificates })
    open.push(listener)
    return listener
  }

  describe(`${name} and client certificates`, () => {
    for (const mode of ['optional', 'required'] as const) {
      test(`where they are ${mode}, lets in only who should be, by whichever version`, async () => {
        for (const { title, chain, key, leaf, expected } of rows) {
          const isWelcome = expected === 'known' || (expected === 'anonymous' && mode === 'optional')
          for (const version of versions) {
            const listener = await start(mode)
            const answered = await answerTo(listener, { cert: chain, key, ...only(version) })
            const who = listener.accepted.map(({ link }) => nameOf(link.security.peerCertificate))
            const expectedWho = leaf === undefined ? 'anonymous' : keyHash(leaf)
            expect([title, version, answered, who, listener.failures]).toEqual([
              title,
              version,
              ...(isWelcome ? ['hello', [expectedWho], []] : ['', [], ['handshake']]),
            ])
            expect([listener.established, listener.tickets]).toEqual([isWelcome ? 1 : 0, 0])
          }
        }
      })
    }

    test('tells a client of TLS 1.3 that shows none where one is required', async () => {
      const listener = await start('required')
      const link = await dialTls({ host: '127.0.0.1', port: listener.port, roots: server.roots, timeoutMs: 5000 }, listener.context)
      const recorder = new Recorder()
      link.attach(recorder)
      await recorder.until(() => recorder.ends.length > 0)
      expect([link.security.protocol, recorder.ends]).toEqual(['TLSv1.3', ['refused']])
    })

    test('where they are off, asks for none and believes none', async () => {
      const listener = await start('off')
      for (const { chain, key } of rows) expect(await answerTo(listener, { cert: chain, key })).toBe('hello')
      expect(new Set(listener.accepted.map(({ link }) => link.security.peerCertificate))).toEqual(new Set([undefined]))
    })

    test('takes those of every authority that it is told, and of the new ones as soon as it is told', async () => {
      const listener = await start('required')
      const { certificate, key } = await deviceOf(successor)
      const client = { cert: certificate.toString(), key: pemOf(key) }
      expect(await answerTo(listener, client)).toBe('hello')
      listener.identity = trusting(authority.certificate.toString())
      expect(await answerTo(listener, client)).toBe('')
      listener.identity = trusting(successor.certificate.toString())
      expect(await answerTo(listener, client)).toBe('hello')
    })

    test('lets nothing through of a link that is cut when it is opened', async () => {
      const listener = await start('optional', { unwanted: ({ security }) => security.peerCertificate !== undefined })
      for (const version of versions) expect(await answerTo(listener, { ...shown(), ...only(version) })).toBe('')
      expect(listener.accepted.map(({ recorder }) => [recorder.bytesTotal, recorder.ends])).toEqual([
        [0, ['terminated']],
        [0, ['terminated']],
      ])
      expect(await answerTo(listener, {})).toBe('hello')
    })

    test('resumes no session where certificates are asked for', async () => {
      for (const mode of ['off', 'optional', 'required'] as const) {
        const listener = await start(mode)
        for (const version of versions) {
          const sessions: Buffer[] = []
          await answerTo(listener, { ...shown(), ...only(version) }, (socket) => socket.on('session', (session) => sessions.push(session)))
          let resumed = false
          const last = sessions.at(-1)
          const again = last === undefined ? {} : { session: last }
          const answer = await answerTo(listener, { ...shown(), ...only(version), ...again }, (socket) =>
            socket.once('secureConnect', () => (resumed = socket.isSessionReused())),
          )
          expect([mode, version, answer, resumed]).toEqual([mode, version, 'hello', mode === 'off'])
        }
      }
    })

    test('lets the environment have no say', async () => {
      const listener = await start('required')
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      try {
        for (const { chain, key, expected } of rows) {
          expect(await answerTo(listener, { cert: chain, key })).toBe(expected === 'known' ? 'hello' : '')
        }
      } finally {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
      }
    })

    test('trusts nobody where it is told no authority, least of all those of the system', async () => {
      await expect(TestListener.start(server, { listen, clientCertificates: 'optional' })).rejects.toThrow('[internal]')
      const listener = await start('required')
      listener.identity = server
      expect(await answerTo(listener, shown())).toBe('')
      expect([listener.accepted.length, listener.failures, listener.tickets]).toEqual([0, ['handshake'], 0])
      listener.identity = identity
      expect(await answerTo(listener, shown())).toBe('hello')
    })
  })
}

function trusting(deviceAuthorities: string) {
  return { ...server, identity: { ...server.identity, deviceAuthorities } }
}

function shown(): { readonly cert: string; readonly key: string } {
  return { cert: good?.chain ?? '', key: good?.key ?? '' }
}

function only(version: SecureVersion): ConnectionOptions {
  return { minVersion: version, maxVersion: version }
}

function nameOf(certificate: Uint8Array | undefined): string {
  return certificate === undefined ? 'anonymous' : keyHash(new X509Certificate(certificate))
}

/** Says hello as soon as it may; what comes back until the end, once the listener has forgotten it too. */
async function answerTo(listener: TestListener, client: ConnectionOptions, watch: (socket: TLSSocket) => void = () => {}): Promise<string> {
  const before = listener.accepted.length
  const socket = connect({ host: '127.0.0.1', port: listener.port, ca: server.roots, ...client })
  let answer = ''
  socket.on('secureConnect', () => socket.write('hello'))
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString()
    socket.end()
  })
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  watch(socket)
  void listener.until(() => listener.accepted.length > before).then(() => echoFirst(listener, before))
  await closed
  await listener.until(() => listener.tickets === 0)
  return answer
}

function echoFirst({ accepted }: TestListener, at: number): void {
  const { link, recorder } = accepted[at] ?? {}
  if (link === undefined || recorder === undefined) return
  recorder.onBytes = (bytes) => link.send(bytes)
  for (const bytes of recorder.chunks) link.send(bytes)
}
