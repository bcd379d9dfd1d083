import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTarPacker, type TarHeader } from 'modern-tar'
import { archiveBytes, encrypt } from '../../../src/cli/backup/archive.ts'
import { unpack, unpackArchive } from '../../../src/cli/backup/unpack.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { rejectionOf } from '../../support/refusal.ts'

const parent = mkdtempSync(join(tmpdir(), 'sealwire-unpack-'))
afterAll(() => rmSync(parent, { recursive: true, force: true }))
const passphrase = 'several words of it'
const content = `files/${'0a'.repeat(16)}`

describe('unpack', () => {
  test('writes what a backup has, with its modes, and knows the SHA-256 of files', async () => {
    const folder = fresh()
    const { manifest, contents } = await plain(usual(), folder)
    expect(manifest).toMatchObject({ format: 1, files: 1, fileBytes: 5, database: 12 })
    expect([...contents.keys()]).toEqual(['0a'.repeat(16)])
    expect(readdirSync(folder).toSorted()).toEqual(['ca.crt', 'ca.key', 'files', 'sealwire.db', 'sealwire.db-wal'])
    const modes = ['ca.crt', 'ca.key', 'sealwire.db', content].map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8))
    expect(modes).toEqual(['644', '600', '600', '600'])
    expect(statSync(join(folder, 'files')).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(folder, content), 'utf8')).toBe('hello')
  })

  const hostile: Readonly<Record<string, (entries: Made[]) => Made[]>> = {
    'a path out of the folder': (entries) => [...entries, entry('../evil', 'x')],
    'an absolute path': (entries) => [...entries, entry('/tmp/evil', 'x')],
    'a file that no server has': (entries) => [...entries, entry('id_rsa', 'x')],
    'a file in a folder that no server has': (entries) => [...entries, entry('logs/x', 'x')],
    'one that was not announced': (entries) => [...entries, entry('server.key', 'x')],
    'a second one of the same name': (entries) => [...entries, entry('ca.key', 'x')],
    'more files than were announced': (entries) => [...entries, entry(`files/${'0b'.repeat(16)}`, '')],
    'a larger database than was announced': (entries) =>
      entries.map((each) => (each.name === 'sealwire.db' ? entry(each.name, 'x'.repeat(99)) : each)),
    'a missing file': (entries) => entries.filter(({ name }) => name !== content),
    'a missing key': (entries) => entries.filter(({ name }) => name !== 'ca.key'),
    'a link': (entries) =>
      entries.map((each) => (each.name === 'ca.key' ? { ...entry('ca.key', ''), type: 'symlink', linkname: '/etc/passwd' } : each)),
    'no manifest in front': (entries) => [...entries.slice(1), ...entries.slice(0, 1)],
    'a manifest that is none': (entries) => [entry('backup.json', '{'), ...entries.slice(1)],
    'a later format': (entries) => [entry('backup.json', '{"format":2}'), ...entries.slice(1)],
    nothing: () => [],
  }
  for (const [what, change] of Object.entries(hostile)) {
    test(`refuses ${what}`, async () => {
      const folder = fresh()
      expect(await rejectionOf(plain(change(usual()), folder))).toBe('backup_invalid')
      expect(readdirSync(folder).filter((name) => !['ca.crt', 'ca.key', 'files', 'sealwire.db', 'sealwire.db-wal'].includes(name))).toEqual(
        [],
      )
    })
  }

  test('refuses another passphrase, a flipped bit, an end that is missing, and what is no age file', async () => {
    const good = await sealed(usual())
    expect(await rejectionOf(unpacked(good, 'other words of it'))).toBe('backup_invalid')
    const flipped = good.slice()
    flipped[good.length - 3_000] = (good[good.length - 3_000] ?? 0) ^ 1
    const beginning = good.slice()
    beginning[3] = 0
    for (const bad of [flipped, beginning, good.subarray(0, -1), good.subarray(0, 10)]) {
      expect(await rejectionOf(unpacked(new Uint8Array(bad)))).toBe('backup_invalid')
    }
  }, 180_000)

  test('stops when it is told to', async () => {
    const stop = new AbortController()
    stop.abort(new SealwireError('stopping', 'it was interrupted'))
    expect(await rejectionOf(plain(usual(), fresh(), stop.signal))).toBe('stopping')
  })
})

interface Made extends Pick<TarHeader, 'name' | 'type' | 'linkname'> {
  readonly bytes: Uint8Array
}

function entry(name: string, text: string): Made {
  return { name, bytes: Buffer.from(text) }
}

function usual(): Made[] {
  const others = [
    entry('ca.key', 'key'),
    entry('ca.crt', 'crt'),
    entry('sealwire.db', 'database'),
    entry('sealwire.db-wal', 'more'),
    entry(content, 'hello'),
  ]
  const counts = { database: 12, accounts: 0, entries: 0, postings: 0, files: 1, fileBytes: 5, small: ['ca.key', 'ca.crt'] }
  const archive = archiveBytes([1_024, ...others.map(({ bytes }) => bytes.length)])
  const manifest = { format: 1, version: '0', at: new Date(0).toISOString(), ...counts, archive }
  return [entry('backup.json', JSON.stringify(manifest).padEnd(1_024)), ...others]
}

function packed(entries: readonly Made[]): ReadableStream<Uint8Array> {
  const { readable, controller } = createTarPacker()
  const pack = async (): Promise<void> => {
    for (const { bytes, ...header } of entries) {
      const writer = controller.add({ ...header, size: header.type === 'symlink' ? 0 : bytes.length }).getWriter()
      if (bytes.length > 0) await writer.write(new Uint8Array(bytes))
      await writer.close()
    }
    controller.finalize()
  }
  pack().catch((reason: unknown) => controller.error(reason))
  return readable
}

async function sealed(entries: readonly Made[]): Promise<Uint8Array> {
  return new Response(await encrypt(packed(entries), passphrase)).bytes()
}

/** Without encryption, which takes a second each time. */
function plain(entries: readonly Made[], folder: string, signal = new AbortController().signal) {
  const source = { bytes: undefined, stream: () => packed(entries) }
  return unpackArchive({ source, folder, signal, progress() {} }, { archive: packed(entries), bytesIn: () => undefined })
}

function unpacked(bytes: Uint8Array, words = passphrase) {
  const source = { bytes: bytes.length, stream: () => new Blob([new Uint8Array(bytes)]).stream() }
  return unpack({ source, passphrase: words, folder: fresh(), signal: new AbortController().signal, progress() {} })
}

function fresh(): string {
  return mkdtempSync(join(parent, 'folder-'))
}
