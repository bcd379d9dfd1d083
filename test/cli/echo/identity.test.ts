import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EchoIdentitySource, loadEchoIdentity } from '../../../src/cli/echo/identity.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { loadServerIdentity } from '../../../src/pki/index.ts'
import { lockData } from '../../../src/store/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { rejectionOf } from '../../support/refusal.ts'

const parts = { clock: systemClock }
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-echo-identity-'))
const made = join(scratch, 'made')
beforeAll(async () => void (await loadServerIdentity({ folder: made }, parts)))
afterAll(() => rmSync(scratch, { recursive: true }))

describe('an identity of two files', () => {
  test('is what the files are', async () => {
    const { tls, warnings } = await loadEchoIdentity(files(made), parts)
    expect(tls).toEqual({ certificateChain: text(made, 'server.crt'), key: text(made, 'server.key') })
    expect(warnings).toEqual([])
  })

  test('names the certificate file for clients when that holds a root, and none otherwise', async () => {
    const folder = copy('leaf')
    expect((await loadEchoIdentity(files(folder), parts)).authority).toBe(join(folder, 'server.crt'))
    const [leaf] = text(folder, 'server.crt').split(/(?<=-----END CERTIFICATE-----\n)/)
    writeFileSync(join(folder, 'server.crt'), String(leaf))
    expect((await loadEchoIdentity(files(folder), parts)).authority).toBeUndefined()
  })

  test('warns when others can read the key, but takes it', async () => {
    const folder = copy('open')
    chmodSync(join(folder, 'server.key'), 0o644)
    const { warnings } = await loadEchoIdentity(files(folder), parts)
    expect(warnings).toEqual([expect.stringMatching(/server\.key" is open to other users \(mode 0644\)\. run: chmod 600 /)])
  })

  test('warns when the certificate is too old or too young, but takes it', async () => {
    const day = 24 * 60 * 60 * 1000
    const at = async (now: number) => (await loadEchoIdentity(files(made), { clock: new ManualClock(now) })).warnings
    expect(await at(Date.now() + 91 * day)).toEqual([expect.stringContaining(' expired on ')])
    expect(await at(Date.now() - 91 * day)).toEqual([expect.stringContaining(' is not valid before ')])
  })

  test.each([
    ['a certificate that is not there', (folder) => rmSync(join(folder, 'server.crt')), 'certificate_invalid'],
    ['a certificate that is none', (folder) => writeFileSync(join(folder, 'server.crt'), 'text'), 'certificate_invalid'],
    ['a key that is not there', (folder) => rmSync(join(folder, 'server.key')), 'key_missing'],
    ['a key that is none', (folder) => writeFileSync(join(folder, 'server.key'), 'text'), 'key_malformed'],
    ['the key of another certificate', (folder) => renameSync(join(folder, 'ca.key'), join(folder, 'server.key')), 'certificate_invalid'],
  ] as const satisfies readonly (readonly [string, (folder: string) => void, string])[])('refuses %s', async (name, change, code) => {
    const folder = copy(name.replaceAll(' ', '-'))
    change(folder)
    expect(await rejectionOf(loadEchoIdentity(files(folder), parts))).toBe(code)
  })
})

describe('an identity of a data folder', () => {
  test('is made on first start, the same on the next one, and clients need its CA', async () => {
    const folder = join(scratch, 'first')
    const first = await loadEchoIdentity({ kind: 'data', folder }, parts)
    expect(first.authority).toBe(join(folder, 'ca.crt'))
    expect(await loadEchoIdentity({ kind: 'data', folder }, parts)).toEqual(first)
    expect(first.tls.certificateChain).toBe(text(folder, 'server.crt'))
  })

  test('leaves the folder free for a server that starts later', async () => {
    const folder = join(scratch, 'free')
    await loadEchoIdentity({ kind: 'data', folder }, parts)
    using _lock = lockData(folder)
  })

  test('is shared with a server that runs on the folder, but not made under its hands', async () => {
    const folder = copy('shared')
    using _lock = lockData(folder)
    const shared = await loadEchoIdentity({ kind: 'data', folder }, parts)
    expect(shared.tls.certificateChain).toBe(text(made, 'server.crt'))
    expect(shared.authority).toBe(join(folder, 'ca.crt'))
    rmSync(join(folder, 'server.crt'))
    expect(await rejectionOf(loadEchoIdentity({ kind: 'data', folder }, parts))).toBe('data_locked')
    expect(existsSync(join(folder, 'server.crt'))).toBe(false)
  })

  test('is refused when others can read its key', async () => {
    const folder = copy('unsafe')
    chmodSync(join(folder, 'server.key'), 0o640)
    expect(await rejectionOf(loadEchoIdentity({ kind: 'data', folder }, parts))).toBe('key_unsafe')
  })
})

function copy(name: string): string {
  const folder = join(scratch, name)
  cpSync(made, folder, { recursive: true })
  return folder
}

function files(folder: string): EchoIdentitySource {
  return { kind: 'files', certificate: join(folder, 'server.crt'), key: join(folder, 'server.key'), named: true }
}

function text(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8')
}
