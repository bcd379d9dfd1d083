// A device that talks on a direct link and is a program of its own: `node peer-link-program.ts FOLDER listen`, or `dial PORT`, with
// the FOLDER of peer-program.ts. It says something as soon as the link is there, answers what it is asked, and prints what happens.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { awaitPeer, greetPeer } from '../../src/client/direct/peer-greeting.ts'
import type { PeerLink, PeerLinkParts } from '../../src/client/direct/peer-link.ts'
import { keepAlive, systemClock } from '../../src/domain/index.ts'
import { dialPeer, Flusher, listenPeer } from '../../src/link/index.ts'
import { verifyPeer } from '../../src/pki/peer-certificate.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import type { PeerProgramFile } from './peer-program.ts'
import { someAnswers, someMessage, token } from './peer-says.ts'

const [folder = '', mode = '', port = ''] = process.argv.slice(2)
const { identity, authority, expected }: PeerProgramFile = JSON.parse(readFileSync(join(folder, 'peers.json'), 'utf8'))
const checks = { authorities: [new X509Certificate(authority)], devices: new Set(expected) }
const verify = (certificate: Uint8Array): void => void verifyPeer(certificate, { ...checks, now: Date.now() })
const limits = resolveLimits({ handshakeMsMax: 25_000, directHelloMsMax: 25_000, directPingMsMax: 25_000 })
const context = { limits, flusher: new Flusher(limits, systemClock) }
const peer = { name: 'the other', device: 'f'.repeat(32), spki: expected[0] ?? '' }
const parts: PeerLinkParts = {
  clock: systemClock,
  limits,
  answers: {
    ...someAnswers,
    async 'direct.say'({ body }) {
      console.log(`heard ${Buffer.from(body).toString()}.`)
      return {}
    },
  },
}

using _alive = keepAlive()
if (mode === 'listen') {
  const identify = (spki: string) => (spki === peer.spki ? peer : undefined)
  const admit = async (shown: Uint8Array): Promise<void> => {
    if (!Buffer.from(shown).equals(token)) throw new SealwireError('not_found', 'nobody has offered that')
  }
  const opened = (link: Parameters<Parameters<typeof listenPeer>[1]['opened']>[0]) => {
    const awaited = awaitPeer(link, { identify, admit }, parts)
    awaited.link.then(talk, told)
    return awaited.receiver
  }
  const listener = await listenPeer({ host: '127.0.0.1', port: 0, identity: () => identity, verify }, { opened, refused() {} }, context)
  console.log(`listening ${listener.port}.`)
  await new Promise(() => {})
} else {
  const link = await dialPeer({ host: '127.0.0.1', port: Number(port), identity, verify, timeoutMs: 25_000 }, context)
  await greetPeer(link, { peer, token }, parts).then(talk, told)
}

async function talk(link: PeerLink): Promise<void> {
  await link.request('direct.say', someMessage('hello from Node'))
  console.log('said.')
  console.log(`closed ${String((await link.closed)?.code)}.`)
}

function told(reason: unknown): void {
  console.log(`refused ${SealwireError.from(reason).code}.`)
}
