// The static key of a server for the sealed channel: an X25519 key in PKCS #8, in a file of the data folder. It is a key of its
// own, and like the authority's it is the identity: its pin is what clients know the server by. So one that cannot be used is
// never replaced but by the key beside it, which was made in good time and takes its place when its overlap is over:
//
//   sealed.key ──rotate──▶ sealed.key, sealed-next.key ──`until`──▶ sealed.key, the key that was the next one
//
// The next key has the time in front of it, in one file, so that a crash leaves both or neither.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { KeyPair, keyPin, type StaticKeys } from '../channel/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { removeDurably, sweepTemporaries, writeDurably } from './durable-file.ts'
import { readText, refuseUnsafe } from './identity-folder.ts'

/** Its name in the data folder. */
export const sealedKeyFile = 'sealed.key'
/** The name of the one that takes its place. */
export const nextSealedKeyFile = 'sealed-next.key'

/** The pins of a server in the sealed channel. */
export interface SealedPins {
  readonly current: string
  /** `until`: when it is the current one, ms since 1970. */
  readonly next?: { readonly pin: string; readonly until: number } | undefined
}

/**
 * The keys of a data folder, made if there are none; a next key whose time has come takes its place. The caller holds the folder's
 * lock; `now` in ms since 1970.
 * @throws {SealwireError} `key_unsafe` when a key is not its owner's alone; `key_malformed` when it is no X25519 key;
 * `key_missing` when there is only the next one; `storage_full` or `data_unusable`.
 */
export function openSealedKeys(folder: string, now: number): StaticKeys {
  settleSealedKeys(folder, now)
  return readSealedKeys(folder, now) ?? { current: makeSealedKey(folder) }
}

/**
 * The keys of a data folder as they are at `now`, or `undefined` when there are none. Nothing is changed.
 * @throws {SealwireError} as {@link openSealedKeys}.
 */
export function readSealedKeys(folder: string, now: number): StaticKeys | undefined {
  const next = readNext(folder)
  if (next !== undefined && next.until <= now) return { current: next.key }
  const path = join(folder, sealedKeyFile)
  const text = readKeyText(path)
  if (text !== undefined) return { current: KeyPair.of(parse(path, text)), ...(next === undefined ? {} : { next }) }
  if (next === undefined) return undefined
  throw new SealwireError('key_missing', `${path} is missing, though ${nextSealedKeyFile} is there`, { hint: 'restore it from a backup' })
}

/** Lets the next key take its place, if its time has come. @throws {SealwireError} as {@link openSealedKeys}. */
export function settleSealedKeys(folder: string, now: number): void {
  const next = readNext(folder)
  if (next === undefined || next.until > now) return
  // Whatever ends in between, both files have this key then.
  writeDurably(join(folder, sealedKeyFile), next.pem, 0o600)
  removeDurably(join(folder, nextSealedKeyFile))
}

/**
 * Makes the key that takes the place of the one of a data folder after `overlapMs`. The caller holds the folder's lock.
 * @throws {SealwireError} `key_missing` when there is no key to replace; `busy` while the one before is being replaced; as
 * {@link openSealedKeys}.
 */
export function rotateSealedKey(folder: string, { overlapMs, now }: { readonly overlapMs: number; readonly now: number }): StaticKeys {
  settleSealedKeys(folder, now)
  const keys = readSealedKeys(folder, now)
  if (keys === undefined) {
    throw new SealwireError('key_missing', `${folder} has no key for the sealed channel`, {
      hint: 'start the server with --sealed HOST:PORT',
    })
  }
  if (keys.next !== undefined) throw tooEarly(keys.next.until)
  const secret = newKey()
  const until = now + overlapMs
  write(folder, nextSealedKeyFile, `until ${new Date(until).toISOString()}\n${pemOf(secret)}`)
  return { current: keys.current, next: { key: KeyPair.of(secret), until } }
}

/** The pins of the keys of a data folder, or `undefined` when there are none. @throws {SealwireError} as {@link openSealedKeys}. */
export function sealedPins(folder: string, now: number): SealedPins | undefined {
  const keys = readSealedKeys(folder, now)
  return keys && pinsOf(keys)
}

/** The pins of keys. */
export function pinsOf({ current, next }: StaticKeys): SealedPins {
  const pin = keyPin(current.publicKey)
  return next === undefined ? { current: pin } : { current: pin, next: { pin: keyPin(next.key.publicKey), until: next.until } }
}

/** The refusal of a second rotation. */
export function tooEarly(until: number): SealwireError {
  return new SealwireError('busy', `the sealed key is being replaced already, until ${new Date(until).toISOString()}`, {
    hint: 'wait until then',
  })
}

function readNext(folder: string) {
  const path = join(folder, nextSealedKeyFile)
  const text = readKeyText(path)
  if (text === undefined) return undefined
  const [, time = '', pem = ''] = /^until (\S{20,30})\n([^]*)$/.exec(text) ?? []
  const until = Date.parse(time)
  const key = KeyPair.of(parse(path, pem))
  if (Number.isNaN(until)) throw malformed(path)
  return { key, until, pem }
}

function readKeyText(path: string): string | undefined {
  return readText(path, (stats) => refuseUnsafe(path, stats))
}

function parse(path: string, text: string): KeyObject {
  try {
    const key = createPrivateKey(text)
    if (key.asymmetricKeyType === 'x25519') return key
  } catch {
    // What the runtime says of it may hold some of it.
  }
  throw malformed(path)
}

function malformed(path: string): SealwireError {
  return new SealwireError('key_malformed', `the key ${path} cannot be read as an X25519 key`, {
    hint: 'restore it from a backup, or move it away for a new one: every client then has to be told the new fingerprint',
  })
}

function makeSealedKey(folder: string): KeyPair {
  const secret = newKey()
  write(folder, sealedKeyFile, pemOf(secret))
  return KeyPair.of(secret)
}

function write(folder: string, name: string, text: string): void {
  sweepTemporaries(folder, [sealedKeyFile, nextSealedKeyFile])
  writeDurably(join(folder, name), text, 0o600)
}

function newKey(): KeyObject {
  return generateKeyPairSync('x25519').privateKey
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
