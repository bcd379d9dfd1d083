import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync, type X509Certificate } from 'node:crypto'
import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { type CertificateHost, certificateHosts, coversHost } from '../../src/pki/certificate-host.ts'
import { issueAuthorityCertificate, issueServerCertificate, validityFrom } from '../../src/pki/issue-certificate.ts'
import { refusal, start } from './support.ts'

const own = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
] as const

describe('certificateHosts', () => {
  test('starts with the names of this machine', () => {
    expect(certificateHosts([])).toEqual([...own])
  })

  test('tells names from addresses and makes each canonical, once', () => {
    expect(certificateHosts(['Chat.Example', 'chat.example', '192.0.2.1', '2001:DB8:0::7', '0:0:0:0:0:0:0:1', 'LOCALHOST'])).toEqual([
      ...own,
      { type: 'dns', value: 'chat.example' },
      { type: 'ip', value: '192.0.2.1' },
      { type: 'ip', value: '2001:db8::7' },
    ])
  })

  test('reads the dotted end of an IPv6 address', () => {
    const asked = ['::ffff:192.0.2.1', '1:2:3:4:5:6:192.0.2.1', '0:0::0:0:0.0.0.0']
    const values = certificateHosts(asked).map(({ value }) => value)
    expect(values.slice(own.length)).toEqual(['::ffff:c000:201', '1:2:3:4:5:6:c000:201', '::'])
  })

  test.each(['server', 'a-b.c1', '1st.example', 'xn--bcher-kva.example', `${'a'.repeat(63)}.example`])('accepts the name %s', (name) => {
    expect(certificateHosts([name]).at(-1)).toEqual({ type: 'dns', value: name })
  })

  test.each(['*', '*.example', 'a.*.example', 'a*.example'])('refuses the wildcard %s', async (name) => {
    expect((await refusal('config_invalid', () => certificateHosts([name]))).sentence).toBe(`the host "${name}" is a wildcard`)
  })

  test.each([
    ['nothing', ''],
    ['a space', 'a b'],
    ['a line end', 'a\nb'],
    ['a port', 'chat.example:5555'],
    ['brackets', '[::1]'],
    ['a zone', 'fe80::1%eth0'],
    ['an underscore', 'a_b.example'],
    ['a leading hyphen', '-a.example'],
    ['a trailing hyphen', 'a-.example'],
    ['an empty label', 'a..example'],
    ['a trailing dot', 'chat.example.'],
    ['a long label', `${'a'.repeat(64)}.example`],
    ['more than 253 characters', `${'abc.'.repeat(63)}ab`],
    ['an unfinished address', '192.0.2'],
    ['an address that is too large', '192.0.2.256'],
    ['letters beyond ASCII', 'bücher.example'],
    ['a URL', 'tls://chat.example'],
  ])('refuses a host with %s', async (_what, name) => {
    await refusal('config_invalid', () => certificateHosts([name]))
  })
})

describe('coversHost', () => {
  test('is true for every name in the certificate and for no other', async () => {
    const asked = ['chat.example', '192.0.2.1', '2001:db8::7', '::ffff:192.0.2.9']
    const certificate = await certificateFor(asked)
    for (const host of certificateHosts(asked)) expect([host.value, coversHost(certificate, host)]).toEqual([host.value, true])
    for (const host of certificateHosts(['example', 'a.chat.example', 'hat.example', '192.0.2.2', '2001:db8::8', '192.0.2.9']).slice(
      own.length,
    )) {
      expect([host.value, coversHost(certificate, host)]).toEqual([host.value, false])
    }
  })

  test('does not look at the common name', async () => {
    const certificate = await issueFor(own.slice(1))
    expect(certificate.subject).toBe('CN=common.example')
    expect(coversHost(certificate, { type: 'dns', value: 'common.example' })).toBe(false)
  })

  test('finds any IPv6 address again, however it was written', async () => {
    const address = fc.ipV6().filter(isIPv6)
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 1, maxLength: 20 }), async (addresses) => {
        const certificate = await certificateFor(addresses)
        return certificateHosts(addresses).every((host) => coversHost(certificate, host))
      }),
      { numRuns: 20 },
    )
  })
})

async function certificateFor(hosts: readonly string[]): Promise<X509Certificate> {
  return await issueFor(certificateHosts(hosts))
}

async function issueFor(hosts: readonly CertificateHost[]): Promise<X509Certificate> {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const validity = validityFrom(start, 1)
  const certificate = await issueAuthorityCertificate(key, 'test', validity)
  const request = { ...validity, authority: { certificate, key }, publicKey, commonName: 'common.example', hosts }
  return await issueServerCertificate(request)
}
