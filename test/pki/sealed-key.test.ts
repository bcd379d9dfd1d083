import { afterAll, describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { keyPin } from '../../src/channel/index.ts'
import { isPin, openSealedKey, sealedKeyPin } from '../../src/pki/index.ts'
import { SealwireError } from '../../src/protocol/errors.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

describe('openSealedKey', () => {
  test('makes a key once, in PKCS #8, for its owner alone, and finds it again', () => {
    const folder = newFolder()
    expect(sealedKeyPin(folder)).toBeUndefined()
    const made = openSealedKey(folder)
    expect(readdirSync(folder)).toEqual(['sealed.key'])
    expect(statSync(join(folder, 'sealed.key')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder, 'sealed.key'), 'utf8')).toStartWith('-----BEGIN PRIVATE KEY-----\n')
    expect(openSealedKey(folder).publicKey).toEqual(made.publicKey)
    expect(sealedKeyPin(folder)).toBe(keyPin(made.publicKey))
    expect(isPin(keyPin(made.publicKey))).toBe(true)
  })

  test('refuses one that others may read', () => {
    const folder = newFolder()
    openSealedKey(folder)
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(join(folder, 'sealed.key'), mode)
      expect(refused(() => openSealedKey(folder)).code).toBe('key_unsafe')
      expect(refused(() => sealedKeyPin(folder)).hint).toBe(`run: chmod 600 ${join(folder, 'sealed.key')}`)
    }
  })

  const { privateKey } = generateKeyPairSync('ed25519')
  const wrong = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  test.each([
    ['a key of another kind', wrong],
    ['half a key', wrong.slice(0, 60)],
    ['nothing', ''],
  ])('refuses %s, keeps it, and repeats none of it', (_, text) => {
    const folder = newFolder()
    writeFileSync(join(folder, 'sealed.key'), text, { mode: 0o600 })
    const error = refused(() => openSealedKey(folder))
    expect([error.code, error.cause]).toEqual(['key_malformed', undefined])
    expect(inspect(error)).not.toContain('PRIVATE KEY')
    expect(readFileSync(join(folder, 'sealed.key'), 'utf8')).toBe(text)
  })

  test('sweeps what a crash has left, and nothing else', () => {
    const folder = newFolder()
    writeFileSync(join(folder, '.sealed.key.0123456789abcdef.tmp'), 'half')
    writeFileSync(join(folder, '.other.key.0123456789abcdef.tmp'), 'half')
    openSealedKey(folder)
    expect(readdirSync(folder).sort()).toEqual(['.other.key.0123456789abcdef.tmp', 'sealed.key'])
  })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-sealed-key-'))
  folders.push(folder)
  return folder
}

function refused(action: () => unknown): SealwireError {
  try {
    action()
  } catch (reason) {
    return SealwireError.from(reason)
  }
  throw new Error('it was not refused')
}
