import { describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Home } from '../../../src/client/home/home.ts'
import { readDevice } from '../../../src/client/home/device-files.ts'
import { readProfile } from '../../../src/client/home/profile.ts'
import { deviceKeysPem, makeCertificateRequest, newDeviceKeys } from '../../../src/pki/index.ts'
import { openssl, opensslFound } from '../../pki/openssl.ts'
import { runCli } from '../cli-process.ts'
import { Homes } from '../member-support.ts'
import { LeftFolder } from '../operator-support.ts'

describe('cert issue, list and revoke, while no server runs', () => {
  test('makes a home for an account that need not be there yet', async () => {
    using folder = await LeftFolder.with('alice')
    using homes = new Homes()
    for (const name of ['alice', 'bob']) {
      const args = ['cert', 'issue', name, '--home', homes.path(name), '--server', 'chat.example:5555', '--label', `of ${name}`]
      const { stdout, stderr, exitCode } = await folder.run(args)
      expect([stderr, exitCode]).toEqual(['', 0])
      const id = /^issued ([0-9a-f]{20}) to /.exec(stdout)?.[1]
      const home = new Home(homes.path(name))
      expect(readProfile(home)).toMatchObject({ name, server: { host: 'chat.example', port: 5555 }, pin: folder.fingerprint })
      expect(readProfile(home).token).toBeUndefined()
      const certificate = new X509Certificate(readDevice(home)?.issued?.certificate ?? '')
      expect([certificate.subject, certificate.subjectAltName]).toEqual([`CN=Sealwire device ${id}`, `URI:sealwire:device:${id}`])
      expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
      expect(Math.round((certificate.validToDate.getTime() - Date.now()) / 86_400_000)).toBe(365)
    }
    const again = await folder.run(['cert', 'issue', 'bob', '--home', homes.path('alice')])
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('this home has already joined as alice') })
    const listed = await folder.run(['cert', 'list', '--json'])
    const devices = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { device: string; name: string; label: string })
    expect(devices.map(({ name, label }) => `${name} ${label}`).sort()).toEqual(['alice of alice', 'bob of bob'])
    const device = devices[0]?.device ?? ''
    expect(await folder.run(['cert', 'revoke', device, '--json'])).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await folder.run(['cert', 'list'])).stdout.match(/\n/g)).toHaveLength(1)
    const unknown = { exitCode: 6, stderr: 'sealwire: there is no such device. sealwire cert list shows the ids.\n' }
    expect(await folder.run(['cert', 'revoke', 'ffff'])).toMatchObject(unknown)
  }, 60_000)

  test.skipIf(!opensslFound)(
    'signs a request of openssl, in PEM, and believes nothing of its subject',
    async () => {
      using folder = await LeftFolder.with()
      using homes = new Homes()
      const [key, csr, out] = ['key', 'csr', 'out'].map((name) => homes.path(name)) as [string, string, string]
      writeFileSync(key, deviceKeysPem(newDeviceKeys()).p256)
      openssl('req', '-new', '-key', key, '-sha256', '-subj', '/CN=root', '-addext', 'basicConstraints=CA:TRUE', '-out', csr)
      expect(await folder.run(['cert', 'issue', 'bot', '--csr', csr, '--out', out])).toMatchObject({ exitCode: 0, stderr: '' })
      const certificate = new X509Certificate(readFileSync(out))
      expect([certificate.ca, certificate.subject.includes('root')]).toEqual([false, false])
      expect(openssl('verify', '-purpose', 'sslclient', '-CAfile', `${folder.path}/ca.crt`, out)).toContain('OK')
      expect(() => openssl('verify', '-purpose', 'sslserver', '-CAfile', `${folder.path}/ca.crt`, out)).toThrow(TypeError)
    },
    60_000,
  )

  test('says what it takes, and what is wrong with a request', async () => {
    using folder = await LeftFolder.with()
    using homes = new Homes()
    const csr = homes.path('csr')
    writeFileSync(csr, makeCertificateRequest(newDeviceKeys().p256).fill(0, -4))
    const refusals: readonly [readonly string[], number, string][] = [
      [['cert', 'issue', 'bot'], 2, 'cert issue takes either --home or --csr'],
      [['cert', 'issue', 'bot', '--csr', csr, '--home', homes.path('x')], 2, 'cert issue takes either --home or --csr'],
      [['cert', 'issue', 'bot', '--csr', homes.path('none')], 2, 'cannot be read (ENOENT)'],
      [['cert', 'issue', 'bot', '--csr', csr, '--out', `${folder.path}/ledger.key`], 2, 'is in the data folder of the server'],
      [['cert', 'issue', 'bot', '--csr', csr], 6, 'the certificate request '],
      [['cert', 'issue', 'a b', '--home', homes.path('y')], 6, 'a name cannot hold a space'],
    ]
    for (const [args, exitCode, text] of refusals) {
      expect(await folder.run(args)).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(text) })
    }
    expect(existsSync(`${homes.path('y')}/profile.json`)).toBe(false)
    expect((await runCli(['devices', 'revok'])).stderr).toContain("unknown command 'devices revok'")
  }, 60_000)
})
