import { afterAll, describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { keyPin } from '../../src/channel/index.ts'
import { isPin, openSealedKeys, pinsOf, readSealedKeys, rotateSealedKey, sealedPins, settleSealedKeys } from '../../src/pki/index.ts'
import { SealwireError } from '../../src/protocol/errors.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })))

const now = Date.UTC(2030, 0, 15, 12)
const dayMs = 24 * 60 * 60 * 1000

describe('openSealedKeys', () => {
  test('makes a key once, in PKCS #8, for its owner alone, and finds it again', () => {
    const folder = newFolder()
    expect(sealedPins(folder, now)).toBeUndefined()
    const { current: made } = openSealedKeys(folder, now)
    expect(readdirSync(folder)).toEqual(['sealed.key'])
    expect(statSync(join(folder, 'sealed.key')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder, 'sealed.key'), 'utf8')).toStartWith('-----BEGIN PRIVATE KEY-----\n')
    expect(openSealedKeys(folder, now).current.publicKey).toEqual(made.publicKey)
    expect(sealedPins(folder, now)).toEqual({ current: keyPin(made.publicKey) })
    expect(isPin(keyPin(made.publicKey))).toBe(true)
  })

  test('refuses one that others may read', () => {
    const folder = newFolder()
    openSealedKeys(folder, now)
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(join(folder, 'sealed.key'), mode)
      expect(refused(() => openSealedKeys(folder, now)).code).toBe('key_unsafe')
      expect(refused(() => sealedPins(folder, now)).hint).toBe(`run: chmod 600 ${join(folder, 'sealed.key')}`)
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
    const error = refused(() => openSealedKeys(folder, now))
    expect([error.code, error.cause]).toEqual(['key_malformed', undefined])
    expect(inspect(error)).not.toContain('PRIVATE KEY')
    expect(readFileSync(join(folder, 'sealed.key'), 'utf8')).toBe(text)
  })

  test('sweeps what a crash has left, and nothing else', () => {
    const folder = newFolder()
    writeFileSync(join(folder, '.sealed.key.0123456789abcdef.tmp'), 'half')
    writeFileSync(join(folder, '.other.key.0123456789abcdef.tmp'), 'half')
    openSealedKeys(folder, now)
    expect(readdirSync(folder).sort()).toEqual(['.other.key.0123456789abcdef.tmp', 'sealed.key'])
  })
})

describe('rotateSealedKey', () => {
  test('makes the next key beside the old, for its owner alone, which takes its place when its time has come', () => {
    const folder = newFolder()
    const { current: old } = openSealedKeys(folder, now)
    const rotated = rotateSealedKey(folder, { overlapMs: 30 * dayMs, now })
    const until = now + 30 * dayMs
    expect(rotated).toMatchObject({ current: { publicKey: old.publicKey }, next: { until } })
    expect(statSync(join(folder, 'sealed-next.key')).mode & 0o777).toBe(0o600)
    expect(sealedPins(folder, until - 1)).toEqual(pinsOf(rotated))
    expect(openSealedKeys(folder, until - 1).current.publicKey).toEqual(old.publicKey)
    const next = rotated.next?.key.publicKey ?? new Uint8Array()
    // Whoever only looks changes nothing.
    expect(readSealedKeys(folder, until)).toMatchObject({ current: { publicKey: next } })
    expect(readdirSync(folder).sort()).toEqual(['sealed-next.key', 'sealed.key'])
    expect(openSealedKeys(folder, until)).toMatchObject({ current: { publicKey: next } })
    expect(readdirSync(folder)).toEqual(['sealed.key'])
    expect(sealedPins(folder, until)).toEqual({ current: keyPin(next) })
  })

  test('is done again where a crash has left both files with the new key', () => {
    const folder = newFolder()
    openSealedKeys(folder, now)
    const { next } = rotateSealedKey(folder, { overlapMs: dayMs, now })
    const left = readFileSync(join(folder, 'sealed-next.key'))
    settleSealedKeys(folder, now + dayMs)
    writeFileSync(join(folder, 'sealed-next.key'), left, { mode: 0o600 })
    expect(openSealedKeys(folder, now + dayMs).current.publicKey).toEqual(next?.key.publicKey ?? new Uint8Array())
    expect(readdirSync(folder)).toEqual(['sealed.key'])
  })

  test('waits for the end of the one before, and for a key to replace', () => {
    const folder = newFolder()
    expect(refused(() => rotateSealedKey(folder, { overlapMs: dayMs, now })).code).toBe('key_missing')
    openSealedKeys(folder, now)
    rotateSealedKey(folder, { overlapMs: dayMs, now })
    expect(refused(() => rotateSealedKey(folder, { overlapMs: dayMs, now: now + dayMs - 1 })).code).toBe('busy')
    expect(rotateSealedKey(folder, { overlapMs: dayMs, now: now + dayMs }).next?.until).toBe(now + 2 * dayMs)
  })

  test('a next key that is open to others, or none, is refused as the first one is; alone it is not enough', () => {
    const folder = newFolder()
    openSealedKeys(folder, now)
    rotateSealedKey(folder, { overlapMs: dayMs, now })
    const path = join(folder, 'sealed-next.key')
    chmodSync(path, 0o640)
    expect(refused(() => openSealedKeys(folder, now)).code).toBe('key_unsafe')
    chmodSync(path, 0o600)
    const good = readFileSync(path, 'utf8')
    for (const text of ['', good.replace(/^until .*\n/, ''), good.replace('until 20', 'until xx'), good.slice(0, 60)]) {
      writeFileSync(path, text)
      expect(refused(() => openSealedKeys(folder, now)).code).toBe('key_malformed')
    }
    writeFileSync(path, good)
    rmSync(join(folder, 'sealed.key'))
    expect(refused(() => openSealedKeys(folder, now)).code).toBe('key_missing')
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
