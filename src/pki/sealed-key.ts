// The static key of a server for the sealed channel: an X25519 key in PKCS #8, in a file of the data folder. It is a key of its
// own, and like the authority's it is the identity: its pin is what clients know the server by. So one that cannot be used is
// never replaced.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { KeyPair, keyPin } from '../channel/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { sweepTemporaries, writeDurably } from './durable-file.ts'
import { readText, refuseUnsafe } from './identity-folder.ts'

/** Its name in the data folder. */
export const sealedKeyFile = 'sealed.key'

/**
 * The key of a data folder, made if there is none. The caller holds the folder's lock.
 * @throws {SealwireError} `key_unsafe` when it is not its owner's alone; `key_malformed` when it is no X25519 key;
 * `storage_full` or `data_unusable`.
 */
export function openSealedKey(folder: string): KeyPair {
  return readSealedKeyFile(folder) ?? makeSealedKey(folder)
}

/**
 * The pin of the key of a data folder, or `undefined` when there is none.
 * @throws {SealwireError} as {@link openSealedKey}.
 */
export function sealedKeyPin(folder: string): string | undefined {
  const key = readSealedKeyFile(folder)
  return key && keyPin(key.publicKey)
}

function readSealedKeyFile(folder: string): KeyPair | undefined {
  const path = join(folder, sealedKeyFile)
  const text = readText(path, (stats) => refuseUnsafe(path, stats))
  return text === undefined ? undefined : parse(path, text)
}

function parse(path: string, text: string): KeyPair {
  try {
    return KeyPair.of(createPrivateKey(text))
  } catch {
    // What the runtime says of it may hold some of it.
    throw new SealwireError('key_malformed', `the key ${path} cannot be read as an X25519 key`, {
      hint: 'restore it from a backup, or move it away for a new one: every client then has to be told the new fingerprint',
    })
  }
}

function makeSealedKey(folder: string): KeyPair {
  sweepTemporaries(folder, [sealedKeyFile])
  const { privateKey } = generateKeyPairSync('x25519')
  writeDurably(join(folder, sealedKeyFile), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600)
  return KeyPair.of(privateKey)
}
