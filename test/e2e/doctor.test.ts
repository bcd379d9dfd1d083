// The doctor against faults that are real: certificates that openssl made and serves, servers of other protocols, a port that
// drops what is sent, a disk that is full. Each is run as a person would, and has to be named, and nothing else with it.

import { afterAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/domain/index.ts'
import { loadServerIdentity, openLedgerKey } from '../../src/pki/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { openInProcessStore } from '../../src/store/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { pinOf } from '../cli/home-support.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { canMount, inNamespace } from '../cli/mount-namespace.ts'
import { authorityExtensions, type CertificateFiles, OpensslFolder, type OpensslRequest, OpensslServer } from '../support/openssl.ts'
import { isMissing, startPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = new OpensslFolder()
const home = mkdtempSync(join(tmpdir(), 'sealwire-doctor-'))
const authority = folder.make({ subject: 'authority', extensions: authorityExtensions })
const stranger = folder.make({ subject: 'stranger', extensions: authorityExtensions })
/** Where nothing comes, which has to be waited for; everybody else may be slow. */
const hasty = ['--timeout', '1.5']
const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
const server = await ServerProcess.start({ limits: liftedRates })
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
  rmSync(home, { recursive: true, force: true })
})

describe('doctor, all being well', () => {
  test('ends with 0 for a server and its fingerprint, and says what it saw', async () => {
    const { exitCode, stdout, stderr } = await runCli(['doctor', address(server.port), '--pin', server.fingerprint, '--home', home])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^ok {7}something answers at .*\nok {7}it speaks TLS, and its .*\nok {7}it has the key that .*\nok {7}it is a Sealwire server.*\n$/,
    )
  })

  test('warns of a server that nobody has vouched for, and shows its fingerprint', async () => {
    const { exitCode, stdout } = await runCli(['doctor', address(server.port), '--home', home])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`warning  it is not verified who answers\n  why    ${address(server.port)} is not known here`)
    expect(stdout).toContain(server.fingerprint)
  })

  test('looks at the folder of a server that runs without disturbing it', async () => {
    expect(await examine(['--data', server.data])).toMatchObject({ exitCode: 0, faults: [] })
    expect(server.isRunning).toBe(true)
    expect(await examine([address(server.port), '--data', server.data])).toMatchObject({ exitCode: 0, faults: [] })
  })
})

describe('doctor at a home', () => {
  test('looks at the server that was joined from it, and shows its device', async () => {
    await using strict = await ServerProcess.start({
      limits: liftedRates,
      flags: ['--mutual-tls', 'required', '--join-listen', '127.0.0.1:0'],
    })
    expect(await examine([address(strict.port), '--pin', strict.fingerprint])).toMatchObject({
      exitCode: 5,
      faults: ['client_certificate_required'],
    })
    using homes = new Homes()
    const own = homes.path('ann')
    const joined = await runCli(['join', await inviteLink(strict), '--name', 'ann', '--home', own])
    expect(joined.stderr).toBe('')
    const { stdout, exitCode } = await runCli(['doctor', '--home', own])
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`something answers at ${address(strict.port)}`)])
    expect(stdout).toContain(`it has the key that it should have, by ${join(own, 'known_servers')}`)
  })
})

describe('doctor names what is between here and a server:', () => {
  test('a name that nobody knows', async () => {
    // What a machine without a name server says of the same name.
    const { exitCode, faults } = await examine(['no-such-host.invalid:5555'])
    expect([exitCode, ['name_unknown', 'lookup_failed']]).toEqual([4, expect.arrayContaining(faults)])
    expect(faults).toHaveLength(1)
  })

  test('a port that refuses', async () => {
    expect(await examine([address(1)])).toMatchObject({ exitCode: 4, faults: ['connection_refused'] })
  })

  test.skipIf(isMissing('python3', '/proc'))('an address that drops what is sent', async () => {
    expect(await examinePort('black-hole', hasty)).toMatchObject({ exitCode: 4, faults: ['timed_out'] })
  })

  test.skipIf(isMissing('python3')).each<[string, string, string, (readonly string[])?]>([
    ['a web server', 'http', 'tls_http'],
    ['a web server that answers only to the web', 'shy-http', 'tls_http'],
    ['an SSH server', 'ssh', 'tls_ssh'],
    ['a mail server', 'mail', 'tls_plain'],
    ['somebody who says nothing', 'silent', 'tls_silent', hasty],
    ['somebody who closes every connection', 'closing', 'tls_closed'],
  ])('%s', async (_, kind, name, args = []) => {
    expect(await examinePort(kind, args)).toMatchObject({ exitCode: 4, faults: [name] })
  })

  test.each<[string, readonly string[], string, string, (readonly string[])?]>([
    ['TLS 1.0', ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'], 'tls_too_old', 'TLS 1.0'],
    ['TLS 1.1', ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], 'tls_too_old', 'TLS 1.1'],
    ['ciphers that are not safe', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA'], 'tls_nothing_in_common', 'handshake_failure'],
    ['another protocol over TLS', ['-alpn', 'h2'], 'protocol_other', 'no_application_protocol'],
    ['a web server over TLS', ['-www'], 'protocol_other', 'a greeting', hasty],
  ])('%s', async (_, flags, name, word, args = []) => {
    const told = await examineOpenssl(leaf(), flags, args)
    expect([told.exitCode, told.faults]).toEqual([4, [name]])
    expect(told.stdout).toContain(word)
  })
})

describe('doctor names what is wrong with a certificate:', () => {
  test.each<[string, Partial<OpensslRequest>, string, RegExp]>([
    ['it has expired', { from: -72, until: -48 }, 'certificate_expired', /2 days ago; the clock of this machine says/],
    ['it is not valid yet', { from: 5, until: 48 }, 'certificate_not_yet_valid', /in 5 hours; the clock of this machine says/],
    ['it has another name', { extensions: ['subjectAltName=DNS:chat.example'] }, 'certificate_wrong_name', /it has DNS:chat\.example/],
    ['it has only a common name', { subject: 'localhost', extensions: [] }, 'certificate_without_names', /common name localhost/],
    [
      'it is for clients',
      { extensions: [names, 'extendedKeyUsage=clientAuth'] },
      'certificate_wrong_usage',
      /clientAuth, and not serverAuth/,
    ],
    ['it asks for what nobody knows', { extensions: [names, '1.2.3.4=critical,ASN1:NULL'] }, 'certificate_not_accepted', /UNSPECIFIED/],
  ])('%s', async (_, request, name, why) => {
    const told = await examineOpenssl(leaf(request))
    expect([told.exitCode, told.faults]).toEqual([5, [name]])
    expect(told.stdout).toMatch(why)
  })

  test('it is not valid yet, because this clock is behind', async () => {
    // Known servers that were written in what is the future for a clock that is behind.
    const behind = mkdtempSync(join(home, 'behind-'))
    writeFileSync(join(behind, 'known_servers'), '', { mode: 0o600 })
    spawnSync('touch', ['-d', '3 days', join(behind, 'known_servers')])
    const told = await examineOpenssl(leaf({ from: 24, until: 96 }), [], ['--home', behind])
    expect(told.faults).toEqual(['certificate_not_yet_valid'])
    expect(told.stdout).toContain('this clock is behind')
  })

  test('it signed itself, as an authority too, which is how openssl makes them', async () => {
    for (const extensions of [[names], [names, 'basicConstraints=critical,CA:TRUE']]) {
      expect(await examineOpenssl(folder.make({ subject: 'localhost', extensions }))).toMatchObject({
        exitCode: 5,
        faults: ['certificate_self_signed'],
      })
    }
  })

  test('the one that is to be shown is not that of the key', () => {
    const args = ['127.0.0.1:1', '--certificate', authority.certificate, '--key', stranger.key]
    return expect(examine(args)).rejects.toThrow('is not the key of')
  })

  test('its issuer is unknown', async () => {
    const told = await examineOpenssl(leaf({ issuer: stranger }), ['-cert_chain', stranger.certificate])
    expect([told.exitCode, told.faults]).toEqual([5, ['certificate_unknown_issuer']])
    expect(told.stdout).toContain('the authority stranger')
  })

  test('its chain is incomplete', async () => {
    const middle = folder.make({ subject: 'middle', issuer: authority, extensions: authorityExtensions })
    const told = await examineOpenssl(leaf({ issuer: middle }))
    expect([told.exitCode, told.faults]).toEqual([5, ['certificate_chain_incomplete']])
    expect(told.stdout).toContain('does not send the certificate of middle')
    expect((await examineOpenssl(leaf({ issuer: middle }), ['-cert_chain', middle.certificate], hasty)).faults).toEqual(['protocol_other'])
  })

  test('it has several faults at once', async () => {
    const told = await examineOpenssl(leaf({ from: -72, until: -48, extensions: ['subjectAltName=DNS:chat.example'] }))
    expect(told.faults).toEqual(['certificate_expired', 'certificate_wrong_name'])
  })

  test('the server has another key than it should', async () => {
    const told = await examine([address(server.port), '--pin', pinOf('A')])
    expect([told.exitCode, told.faults]).toEqual([5, ['pin_mismatch']])
    expect(told.stdout).toContain(`expected ${pinOf('A')} (--pin), seen ${server.fingerprint}`)
  })
})

describe('doctor names what a server makes of a client:', () => {
  const wanting = ['-Verify', '1', '-verify_return_error', '-CAfile', authority.certificate]

  test.each([
    ['TLS 1.3', []],
    ['TLS 1.2', ['-tls1_2']],
  ])('a certificate is required (%s)', async (_, version) => {
    const told = await examineOpenssl(leaf(), [...wanting, ...version])
    expect([told.exitCode, told.faults]).toEqual([5, ['client_certificate_required']])
  })

  test.each<[string, Partial<OpensslRequest>, string]>([
    ['of another authority', { issuer: stranger }, 'unknown_ca'],
    ['expired', { from: -72, until: -48 }, 'certificate_expired'],
    ['for servers', { extensions: ['extendedKeyUsage=serverAuth'] }, 'unsupported_certificate'],
  ])('the certificate is refused: %s', async (_, request, alert) => {
    const shown = folder.make({ subject: 'client', issuer: authority, extensions: ['extendedKeyUsage=clientAuth'], ...request })
    const told = await examineOpenssl(leaf(), wanting, ['--certificate', shown.certificate, '--key', shown.key])
    expect([told.exitCode, told.faults]).toEqual([5, ['client_certificate_refused']])
    expect(told.stdout).toContain(alert)
  })
})

describe('doctor names what is wrong on the server itself:', () => {
  test('there is no data folder', async () => {
    expect(await examineData(join(home, 'nothing'))).toMatchObject({ exitCode: 3, faults: ['folder_missing'] })
  })

  test.skipIf(isMissing('/proc'))('a key that others can read, and a folder that they can write in', async () => {
    const data = await dataFolder()
    chmodSync(join(data, 'server.key'), 0o644)
    expect(await examineData(data)).toMatchObject({ exitCode: 3, faults: ['key_unsafe'] })
    chmodSync(data, 0o777)
    expect(await examineData(data)).toMatchObject({ exitCode: 3, faults: ['folder_open'] })
  })

  test('a key that is missing, and one that is none', async () => {
    const data = await dataFolder()
    writeFileSync(join(data, 'server.key'), 'half a k', { mode: 0o600 })
    expect(await examineData(data)).toMatchObject({ exitCode: 3, faults: ['key_malformed'] })
    rmSync(join(data, 'ca.key'))
    expect(await examineData(data)).toMatchObject({ exitCode: 3, faults: ['key_missing', 'key_malformed'] })
  })

  test('keys of the ledger that are missing or none, and a database that is gone', async () => {
    const data = await dataFolder()
    const [key, database] = [join(data, 'ledger.key'), join(data, 'sealwire.db')]
    openInProcessStore(data, resolveLimits()).close()
    openLedgerKey(data)
    expect(await examineData(data)).toMatchObject({ exitCode: 0, faults: [] })
    writeFileSync(key, 'half a k')
    expect(await examineData(data)).toMatchObject({ exitCode: 3, faults: ['key_malformed'] })
    rmSync(key)
    writeFileSync(database, '')
    expect(await examineData(data)).toMatchObject({ exitCode: 3, faults: ['key_missing', 'database_missing'] })
    // The authority's key is one of many: what else is there says that a server was here.
    rmSync(join(data, 'ca.key'))
    const { stderr } = await runCli(['admin', 'list', '--data', data])
    expect(stderr).toStartWith(`sealwire: the database ${database} is gone. `)
  })

  test('a certificate and a key that do not belong together', async () => {
    const [data, other] = [await dataFolder(), await dataFolder()]
    copyFileSync(join(other, 'server.key'), join(data, 'server.key'))
    expect(await examineData(data)).toMatchObject({ exitCode: 5, faults: ['certificate_of_another_key'] })
  })

  test('a certificate of another authority', async () => {
    const [data, other] = [await dataFolder(), await dataFolder()]
    for (const name of ['server.key', 'server.crt']) copyFileSync(join(other, name), join(data, name))
    expect(await examineData(data)).toMatchObject({ exitCode: 5, faults: ['certificate_of_another_authority'] })
  })

  test('a certificate that has expired', async () => {
    expect(await examineData(await dataFolder(-100))).toMatchObject({ exitCode: 5, faults: ['own_certificate_expired'] })
  })

  test('a clock that is behind', async () => {
    const told = await examineData(await dataFolder(10))
    expect([told.exitCode, told.faults]).toEqual([5, ['clock_behind', 'clock_behind']])
    expect(told.stdout).toContain('set it right')
  })

  test("the operator's own certificate, when it is not sound", async () => {
    const data = await dataFolder()
    const { certificate } = leaf()
    const { key } = leaf()
    chmodSync(key, 0o600)
    const config = join(data, 'server.toml')
    writeFileSync(config, `data = '${data}'\nlisten = ['127.0.0.1:0']\ncert = '${certificate}'\nkey = '${key}'\n`)
    const told = await examine(['--config', config])
    expect([told.exitCode, told.faults]).toEqual([5, ['foreign_certificate_unsound']])
    expect(told.stdout).toContain('does not belong to the key')
  })

  test('a certificate that the running server was given and cannot use', async () => {
    const { certificate, key } = leaf()
    chmodSync(key, 0o600)
    writeFileSync(certificate, readFileSync(certificate, 'utf8') + readFileSync(authority.certificate, 'utf8'))
    const limits = { ...liftedRates, certificateWatchMs: 50 }
    await using given = await ServerProcess.start({ flags: ['--cert', certificate, '--key', key], limits })
    expect(await examine(['--data', given.data])).toMatchObject({ exitCode: 0, faults: [] })
    writeFileSync(certificate, 'no certificate')
    while (!given.stderr.includes('certificate not reloaded')) await wait(20)
    const told = await examine(['--data', given.data])
    expect([told.exitCode, told.faults]).toEqual([5, ['foreign_certificate_unsound']])
    expect(told.stdout).toContain('the server does not use the certificate that it was given last')
  })

  test('a port that is in use, and an address that is not of this machine', async () => {
    const data = await dataFolder()
    const taken = await examine(['--data', data, '--listen', address(server.port)])
    expect([taken.exitCode, taken.faults]).toEqual([4, ['port_in_use']])
    const foreign = await examine(['--data', data, '--listen', '192.0.2.1:5555'])
    expect([foreign.exitCode, foreign.faults]).toEqual([4, ['address_unavailable']])
  })

  test.skipIf(isMissing('/proc'))('a limit of open files that is too low', async () => {
    const data = await dataFolder()
    const told = shell(`ulimit -n 300; exec ${program} doctor --data ${data} --listen 127.0.0.1:0 --json`)
    expect([told.exitCode, told.faults]).toEqual([2, ['descriptors_few']])
    expect(told.stdout).toContain('it takes 44 connections')
  })

  test.skipIf(!canMount)('a disk that is full', async () => {
    const data = await dataFolder()
    const disk = mkdtempSync(join(home, 'disk-'))
    const fill = `mount -t tmpfs -o size=64k,mode=700 none ${disk} && cp -p ${data}/* ${disk}/ && { cat /dev/zero >${disk}/ballast || :; }`
    const { status, stdout } = inNamespace('sh', '-c', `${fill}; exec ${program} doctor --data ${disk} --listen 127.0.0.1:0 --json`)
    expect([status, faultsOf(stdout)]).toEqual([3, ['disk_full']])
  })
})

interface Told {
  readonly exitCode: number | NodeJS.Signals | null
  readonly stdout: string
  readonly faults: readonly string[]
}

async function examine(args: readonly string[]): Promise<Told> {
  const own = args.includes('--home') ? [] : ['--home', home]
  const patience = args.includes('--timeout') ? [] : ['--timeout', '10']
  const { exitCode, stdout, stderr } = await runCli(['doctor', '--json', ...patience, ...own, ...args])
  if (stdout === '') throw new Error(stderr)
  return { exitCode, stdout, faults: faultsOf(stdout) }
}

/** In a folder where no server runs, with a port that is free. */
async function examineData(data: string): Promise<Told> {
  return await examine(['--data', data, '--listen', '127.0.0.1:0'])
}

/** What answers at a port of doctor_ports.py. */
async function examinePort(kind: string, args: readonly string[] = []): Promise<Told> {
  await using python = startPython('doctor_ports.py', [kind])
  await python.printed('ready')
  return await examine([address(Number(/port (\d+)/.exec(python.output)?.[1])), ...args])
}

/** `openssl s_server` with this certificate, of which the client knows the authority. */
async function examineOpenssl(files: CertificateFiles, flags: readonly string[] = [], args: readonly string[] = []): Promise<Told> {
  await using other = await OpensslServer.start(files, ...flags)
  return await examine([`localhost:${other.port}`, '--ca', authority.certificate, ...args])
}

function leaf(request: Partial<OpensslRequest> = {}): CertificateFiles {
  return folder.make({ subject: 'server', issuer: authority, extensions: [names, 'extendedKeyUsage=serverAuth'], ...request })
}

/** A data folder of a server that was started so many days from now, and runs no more. */
async function dataFolder(days = 0): Promise<string> {
  const data = mkdtempSync(join(home, 'data-'))
  const clock = { ...systemClock, now: () => systemClock.now() + days * 24 * 60 * 60 * 1000 }
  await loadServerIdentity({ folder: data }, { clock })
  return data
}

function shell(command: string): Told {
  const { status, stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: home } })
  return { exitCode: status, stdout, faults: faultsOf(stdout) }
}

function faultsOf(stdout: string): readonly string[] {
  return (JSON.parse(stdout) as { faults: string[] }).faults
}

function address(port: number): string {
  return `127.0.0.1:${port}`
}

const program = `${process.execPath} ${main}`
