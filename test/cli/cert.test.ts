import { describe, expect, test } from 'bun:test'
import { appendFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { parseInviteLink, spkiPin } from '../../src/pki/index.ts'
import { authorityExtensions, OpensslFolder } from '../support/openssl.ts'
import { ServerProcess } from '../support/server-process.ts'
import { opensslFound } from '../pki/openssl.ts'
import { runCli } from './cli-process.ts'
import { Homes } from './member-support.ts'
import { LeftFolder } from './operator-support.ts'

const lines = (fingerprint: string): RegExp =>
  new RegExp(
    [
      '^names       localhost, 127\\.0\\.0\\.1, ::1, chat\\.example',
      "from        the server's own authority \\(CN=Sealwire CA [0-9a-f]{8}\\)",
      'key         P-256',
      'valid       \\d{4}-\\d\\d-\\d\\d to \\d{4}-\\d\\d-\\d\\d, (89|90) days left',
      'renewed     by itself, on \\d{4}-\\d\\d-\\d\\d',
      `fingerprint ${fingerprint.replace(/[+/]/g, '\\$&')}`,
      'authority   until \\d{4}-\\d\\d-\\d\\d, 36\\d\\d days left\n$',
    ].join('\n'),
  )

describe('cert, where no server runs', () => {
  test('shows the certificate, for people and for programs', async () => {
    using folder = await LeftFolder.with()
    const shown = await folder.run(['cert', 'show'])
    expect(shown.exitCode).toBe(0)
    expect(shown.stdout).toMatch(lines(folder.fingerprint))
    const { stdout } = await folder.run(['cert', 'show', '--json'])
    expect(JSON.parse(stdout)).toEqual({
      source: 'authority',
      names: ['localhost', '127.0.0.1', '::1', 'chat.example'],
      issuer: expect.stringMatching(/^CN=Sealwire CA/),
      key: 'P-256',
      fingerprint: folder.fingerprint,
      notBefore: expect.stringMatching(/Z$/),
      notAfter: expect.stringMatching(/Z$/),
      renewsAt: expect.stringMatching(/Z$/),
      authority: { fingerprint: folder.fingerprint, notAfter: expect.stringMatching(/Z$/) },
    })
  })

  test('renews it with the names that it has, and replaces the authority', async () => {
    using folder = await LeftFolder.with()
    const file = (): string => readFileSync(join(folder.path, 'server.crt'), 'utf8')
    const before = file()
    expect((await folder.run(['cert', 'renew'])).stdout).toMatch(lines(folder.fingerprint))
    expect(file()).not.toBe(before)
    const { stdout } = await folder.run(['cert', 'rotate-ca', '--overlap', '12h', '--json'])
    const state = JSON.parse(stdout) as { names: unknown; fingerprint: string; overlap: { fingerprint: string; until: string } }
    expect(state.names).toContain('chat.example')
    expect(state.overlap.fingerprint).toBe(folder.fingerprint)
    expect(Date.parse(state.overlap.until)).toBeWithin(Date.now() + 11.9 * hourMs, Date.now() + 12 * hourMs)
    expect((await folder.run(['fingerprint'])).stdout).toBe(`${state.fingerprint}\n`)
    const again = await folder.run(['cert', 'rotate-ca'])
    expect([again.exitCode, again.stdout]).toEqual([6, ''])
    expect(again.stderr).toStartWith('sealwire: the authority was replaced already, and clients still move over until ')
  })

  test.each([
    [['cert'], 'cert needs a command'],
    [['cert', 'shw'], "unknown command 'cert shw'. did you mean show?"],
    [['cert', 'import', 'chain.pem'], 'import needs a certificate and its key'],
    [['cert', 'rotate-ca', '--overlap', '91d'], 'is not from 1m to 90d'],
  ])('refuses %p', async (args, sentence) => {
    const { exitCode, stderr } = await runCli(args)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(sentence)
  })
})

describe.skipIf(!opensslFound)('a certificate of the operator', () => {
  test('is imported into a server that runs, has its root as the pin, and is removed again', async () => {
    using made = new OpensslFolder()
    using homes = new Homes()
    const { chain, key, pin } = operatorPair(made)
    await using server = await ServerProcess.start()
    const data = ['--data', server.data]
    const imported = await runCli(['cert', 'import', chain, key, ...data])
    expect(imported.exitCode).toBe(0)
    expect(imported.stderr).toMatch(
      /^sealwire: warning: clients that know SHA256:\S+ refuse this server from now on, and need a new link\. /,
    )
    expect(imported.stdout).toContain(`fingerprint ${pin}\n`)
    expect(imported.stdout).toContain('from        imported (CN=Operator CA)\n')
    expect(statSync(join(server.data, 'imported.pem')).mode & 0o777).toBe(0o600)
    const link = (await runCli(['invite', ...data])).stdout.trim()
    expect(parseInviteLink(link).pin).toBe(pin)
    expect(await runCli(['join', link, '--name', 'alice', '--home', homes.path('alice')])).toMatchObject({ exitCode: 0, stderr: '' })
    await server.stop()
    // What the folder says is the same while no server runs.
    expect((await runCli(['fingerprint', ...data])).stdout).toBe(`${pin}\n`)
    expect((await runCli(['cert', 'import', '--remove', ...data])).stdout).toContain("from        the server's own authority")
    expect((await runCli(['fingerprint', ...data])).stdout).toBe(`${server.fingerprint}\n`)
  })

  test('is refused with what is missing, and nothing is changed', async () => {
    using made = new OpensslFolder()
    using folder = await LeftFolder.with()
    const { certificate, key } = made.make({ subject: 'localhost' })
    const { exitCode, stdout, stderr } = await folder.run(['cert', 'import', certificate, key])
    expect([exitCode, stdout]).toEqual([5, ''])
    expect(stderr).toBe(
      `sealwire: the certificate ${certificate} has no subject alternative name: clients look at nothing else, and its common name "localhost" does not count. ` +
        'make it again with one: openssl req -x509 … -addext subjectAltName=DNS:localhost.\n',
    )
    expect((await folder.run(['cert', 'show'])).stdout).toContain("the server's own authority")
  })

  test('is taken from the files of --cert and --key, whose fingerprint the commands know without the server too', async () => {
    using made = new OpensslFolder()
    using homes = new Homes()
    const { chain, key, pin } = operatorPair(made)
    const data = ['--data', homes.path('data')]
    {
      await using server = await ServerProcess.start({ data: homes.path('data'), flags: ['--cert', chain, '--key', key] })
      expect(server.fingerprint).toBe(pin)
      await homes.join(server, 'alice')
      const refused = await runCli(['cert', 'import', chain, key, ...data])
      expect(refused).toMatchObject({ exitCode: 6, stdout: '' })
      expect(refused.stderr).toContain('it was started with --cert')
      await server.stop()
    }
    expect((await runCli(['fingerprint', ...data])).stdout).toBe(`${pin}\n`)
    await using own = await ServerProcess.start({ data: homes.path('data') })
    expect((await runCli(['fingerprint', ...data])).stdout).toBe(`${own.fingerprint}\n`)
  })

  test('does not start a server when only one of the two is named, or they are of no use', async () => {
    using made = new OpensslFolder()
    const { chain, key } = operatorPair(made)
    const other = operatorPair(made)
    await using alone = ServerProcess.spawn({ flags: ['--cert', chain] })
    expect((await alone.exited).code).toBe(2)
    expect(alone.stderr).toContain('--key is missing')
    await using mixed = ServerProcess.spawn({ flags: ['--cert', other.chain, '--key', key] })
    expect((await mixed.exited).code).toBe(5)
    expect(mixed.stderr).toContain('does not belong to the key')
  })
})

function operatorPair(made: OpensslFolder) {
  const root = made.make({ subject: 'Operator CA', extensions: authorityExtensions })
  const leaf = made.make({ subject: 'server', issuer: root, extensions: ['subjectAltName=DNS:localhost,IP:127.0.0.1'] })
  const chain = made.file(`${leaf.name}-${Bun.randomUUIDv7()}.pem`)
  const text = readFileSync(root.certificate, 'utf8')
  made.run('x509', '-in', leaf.certificate, '-out', chain)
  appendFileSync(chain, text)
  return { chain, key: leaf.key, pin: spkiPin(new X509Certificate(text)) }
}

const hourMs = 60 * 60 * 1000
