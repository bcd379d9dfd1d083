// The alerts as a real peer sends them: a server that answers every greeting with one, and real clients that break off.

import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { systemClock } from '../../../src/domain/index.ts'
import { dialTls, Flusher } from '../../../src/link/index.ts'
import { wordsOf } from '../../../src/link/dial-error.ts'
import { alertNumbered, alertOf, alerts, handshakeReason } from '../../../src/link/tls/alert.ts'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { authorityExtensions, OpensslFolder } from '../../support/openssl.ts'
import { isMissing, nodeBinary } from '../../support/python.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'

const limits = resolveLimits()
const context = { limits, flusher: new Flusher(limits, systemClock) }

describe('a dial that is answered with an alert', () => {
  test.each(Object.entries(alerts).filter(([name]) => name !== 'close_notify'))('says what %s means', async (_, { number, words }) => {
    using server = await AlertServer.with(number)
    const refused = await dialTls({ host: '127.0.0.1', port: server.port, timeoutMs: 5000 }, context).catch((reason: unknown) => reason)
    if (!SealwireError.is(refused)) throw new TypeError('the dial was not refused')
    expect([refused.code, refused.sentence, refused.hint]).toEqual([words.code, `127.0.0.1:${server.port} ${words.sentence}`, words.hint])
  })

  test('that nobody has defined is told as a failed handshake', async () => {
    using server = await AlertServer.with(119)
    const refused = await dialTls({ host: '127.0.0.1', port: server.port, timeoutMs: 5000 }, context).catch(SealwireError.from)
    expect((refused as SealwireError).sentence).toContain('did not complete the TLS handshake')
  })
})

describe('alertOf', () => {
  test('knows an alert however each runtime spells it', () => {
    // As Bun, Node and BoringSSL without a name for it say.
    const spellings = ['ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERR_SSL_reason(1116)']
    for (const code of spellings) expect(alertOf(code)?.number).toBe(116)
    expect(alertOf('ERR_SSL_TLSV1_UNRECOGNIZED_NAME')?.number).toBe(112)
    expect(alertOf('ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC')?.number).toBe(20)
    for (const code of ['', 'ERR_SSL_DECODE_ERROR', 'ERR_SSL_TLSV1_ALERT_CONSTRUCTOR', 'ECONNRESET']) expect(alertOf(code)).toBeUndefined()
    expect([alertNumbered(48)?.name, alertNumbered(200)]).toEqual(['unknown_ca', undefined])
  })

  test('gives every number once', () => {
    const numbers = Object.values(alerts).map(({ number }) => number)
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})

test('whoever trusts a pin is not asked for a CA file', () => {
  expect(wordsOf('SELF_SIGNED_CERT_IN_CHAIN').hint).toContain('CA file')
  expect(wordsOf('SELF_SIGNED_CERT_IN_CHAIN', 'SHA256:x')).toMatchObject({
    code: 'untrusted',
    sentence: expect.stringContaining('SHA256:x'),
  })
  expect(wordsOf('CERT_HAS_EXPIRED', 'SHA256:x').sentence).toBe('has a certificate that has expired')
})

test('a crowded server is among the reasons for a connection that is closed', () => {
  expect(wordsOf('ECONNRESET').hint).toContain('too many connections')
})

test('handshakeReason knows nothing where nothing is said', () => {
  expect([handshakeReason(undefined), handshakeReason(new Error('x')), handshakeReason('text')]).toEqual(['closed', 'other', 'closed'])
})

const runtimes: [string, string | undefined][] = [
  ['Bun', undefined],
  ...(nodeBinary === '' ? [] : ([['Node', nodeBinary]] as [string, string][])),
]

describe.skipIf(isMissing('python3')).each(runtimes)('the log of a server on %s', (_, runtime) => {
  test('says in a word why a handshake failed', async () => {
    await using server = await ServerProcess.start({ limits: liftedRates, ...(runtime === undefined ? {} : { runtime }) })
    using folder = new OpensslFolder()
    const stranger = folder.make({ subject: 'stranger', extensions: authorityExtensions })
    const device = folder.make({ subject: 'device', issuer: stranger, extensions: ['extendedKeyUsage=clientAuth'] })
    const trusting = `c = ssl.create_default_context(cafile=${JSON.stringify(server.authority)})`
    const old = 'c.minimum_version = ssl.TLSVersion.TLSv1; c.maximum_version = ssl.TLSVersion.TLSv1_1; c.set_ciphers("ALL:@SECLEVEL=0")'
    const expected = new Map<string, number>()
    // Node has mostly let go of the socket when it tells of an alert; then nobody knows whose it was.
    const closed = runtime === undefined ? 'closed' : 'closed|distrusted'
    const broken = runtime === undefined ? 'distrusted' : closed
    for (const [reason, lines] of [
      [broken, ['c = ssl.create_default_context()', wrap]],
      [broken, ['c = ssl.create_default_context()', 'c.maximum_version = ssl.TLSVersion.TLSv1_2', wrap]],
      ['version', [trusting, old, wrap]],
      ['nothing_in_common', [trusting, 'c.maximum_version = ssl.TLSVersion.TLSv1_2; c.set_ciphers("ECDHE-ECDSA-AES128-SHA")', wrap]],
      ['protocol', [trusting, 'c.set_alpn_protocols(["h2"])', wrap]],
      ['client_certificate', [trusting, `c.load_cert_chain("${device.certificate}", "${device.key}")`, wrap, 's.recv(1)']],
      ['not_tls', ['p.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")', 'p.recv(9)']],
      ['not_tls', ['p.sendall(b"MAGC\\x01\\x00\\x05alice")', 'p.recv(9)']],
      [closed, ['p.close()']],
    ] as const) {
      spawnSync('python3', ['-c', [setup(server.port), ...lines].join('\n')])
      expected.set(reason, (expected.get(reason) ?? 0) + 1)
    }
    await grown(() => [...expected].every(([reason, count]) => counted(server.stderr, reason) >= count), server)
    for (const [reason, count] of expected) expect([reason, counted(server.stderr, reason)]).toEqual([reason, count])
  }, 120_000)
})

function setup(port: number): string {
  return `import socket, ssl\np = socket.create_connection(("127.0.0.1", ${port}))`
}

const wrap = 's = c.wrap_socket(p, server_hostname="localhost")'

/** How often the log has counted `reason`, or either of two. */
function counted(log: string, reason: string): number {
  return log
    .split('\n')
    .filter((line) => line.includes('"handshakes failed"'))
    .flatMap((line) => [...line.matchAll(new RegExp(`"(?:${reason})":(\\d+)`, 'g'))])
    .reduce((sum, [, count]) => sum + Number(count), 0)
}

/** The log tells its counts once a second. */
async function grown(isThere: () => boolean, server: ServerProcess): Promise<void> {
  const until = Date.now() + 20_000
  while (!isThere()) {
    if (Date.now() > until) throw new Error(`not all was counted: ${server.stderr}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Answers whatever comes first with an alert, as a server does that ends a handshake. */
class AlertServer implements Disposable {
  readonly #server: ReturnType<typeof createServer>

  private constructor(number: number) {
    this.#server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(Buffer.of(21, 3, 3, 0, 2, 2, number)))
    })
  }

  static async with(number: number): Promise<AlertServer> {
    const made = new AlertServer(number)
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve))
    return made
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  [Symbol.dispose](): void {
    this.#server.close()
  }
}
