// A device that is a program of its own: `node peer-program.ts FOLDER listen`, or `dial PORT`. FOLDER/peers.json says as whom and
// whom it expects. It greets whoever is let in, and prints a line for each thing that happens; as a dialler it ends with its link.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keepAlive, systemClock } from '../../src/domain/index.ts'
import { type ClientCertificate, dialPeer, Flusher, type LinkReceiver, listenPeer } from '../../src/link/index.ts'
import { verifyPeer } from '../../src/pki/peer-certificate.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'

/** What FOLDER/peers.json holds. */
export interface PeerProgramFile {
  readonly identity: ClientCertificate
  /** PEM. */
  readonly authority: string
  /** Hashes of the keys that are expected. */
  readonly expected: readonly string[]
}

if (import.meta.main) {
  const [folder = '', mode = '', port = ''] = process.argv.slice(2)
  const { identity, authority, expected }: PeerProgramFile = JSON.parse(readFileSync(join(folder, 'peers.json'), 'utf8'))
  const checks = { authorities: [new X509Certificate(authority)], devices: new Set(expected) }
  const verify = (certificate: Uint8Array): void => void verifyPeer(certificate, { ...checks, now: Date.now() })
  const limits = resolveLimits({ handshakeMsMax: 25_000 })
  const context = { limits, flusher: new Flusher(limits, systemClock) }
  if (mode === 'listen') {
    const listener = await listenPeer({ host: '127.0.0.1', port: 0, identity: () => identity, verify }, { opened, refused }, context)
    console.log(`listening ${listener.port}.`)
  } else {
    using _alive = keepAlive()
    const ended = Promise.withResolvers<void>()
    const receiver = { ...printing('dialled'), closed: () => ended.resolve() }
    await dialPeer({ host: '127.0.0.1', port: Number(port), identity, verify, timeoutMs: 25_000 }, context)
      .then((link) => link.attach(receiver))
      .catch((reason: unknown) => ended.reject(SealwireError.from(reason)))
    console.log(await ended.promise.then(() => 'ended.', String))
  }
}

function opened(link: Parameters<Parameters<typeof listenPeer>[1]['opened']>[0]): LinkReceiver {
  console.log('opened.')
  link.send(Buffer.from('hello'))
  return printing('accepted')
}

function refused(...[, why, reason, cause]: Parameters<Parameters<typeof listenPeer>[1]['refused']>): void {
  console.log(`refused ${why} ${reason} ${cause?.message}.`)
}

function printing(side: string): LinkReceiver {
  return {
    received: (bytes) => console.log(`${side} heard ${Buffer.from(bytes).toString()}.`),
    drained() {},
    closed: (end) => console.log(`${side} closed ${end}.`),
  }
}
