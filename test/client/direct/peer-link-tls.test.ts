// Direct links over TLS: between two devices on Bun, and between one on Bun and one on Node.

import { describe, expect, test } from 'bun:test'
import { awaitPeer, greetPeer } from '../../../src/client/direct/peer-greeting.ts'
import type { PeerAnswers, PeerDevice, PeerLink, PeerLinkParts } from '../../../src/client/direct/peer-link.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { Flusher, type Listener, listenPeer } from '../../../src/link/index.ts'
import { contractCommands, parseFault } from '../../../src/protocol/contract/index.ts'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { asked, deviceNamed, hello } from '../../support/peer-links.ts'
import { folderOf, PeerProgram } from '../../support/peer-process.ts'
import { someAnswers, someMessage, token } from '../../support/peer-says.ts'
import { dialBob, expecting, makePeers, shownBy } from '../../support/peers.ts'
import { isMissing } from '../../support/python.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { ScriptedServer } from '../scripted-server.ts'

const peers = await makePeers()
const limits = resolveLimits({ handshakeMsMax: 25_000, directHelloMsMax: 25_000, directPingMsMax: 25_000 })
const context = { limits, flusher: new Flusher(limits, systemClock) }

/** Bob, where Alice may dial. */
class ListeningBob implements AsyncDisposable {
  readonly links: Promise<PeerLink>[] = []
  readonly #listener: Listener

  private constructor(listener: Listener, links: Promise<PeerLink>[]) {
    this.#listener = listener
    this.links = links
  }

  static async start(answers: Partial<PeerAnswers> = {}): Promise<ListeningBob> {
    const links: Promise<PeerLink>[] = []
    const alice = deviceNamed('alice', peers)
    const identify = (spki: string): PeerDevice | undefined => (spki === alice.spki ? alice : undefined)
    const admit = async (shown: Uint8Array): Promise<void> => {
      if (!Buffer.from(shown).equals(token)) throw new SealwireError('not_found', 'nobody has offered that')
    }
    const options = { host: '127.0.0.1', port: 0, identity: () => shownBy(peers.bob), verify: expecting(peers, peers.alice) }
    const opened = (link: Parameters<Parameters<typeof listenPeer>[1]['opened']>[0]) => {
      const awaited = awaitPeer(link, { identify, admit }, partsOf(answers))
      awaited.link.catch(() => {}) // The test looks at it.
      links.push(awaited.link)
      return awaited.receiver
    }
    return new ListeningBob(await listenPeer(options, { opened, refused() {} }, context), links)
  }

  get port(): number {
    return this.#listener.port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close()
    for (const link of await Promise.allSettled(this.links)) {
      if (link.status === 'fulfilled') link.value.terminate(new SealwireError('connection_lost', 'the test is over'))
    }
  }
}

describe('a direct link over TLS', () => {
  test('carries what both say at once, and files between it', async () => {
    const heard: string[] = []
    const say = async ({ body }: { readonly body: Uint8Array }) => {
      heard.push(Buffer.from(body).toString())
      return {}
    }
    await using bob = await ListeningBob.start({ 'direct.say': say })
    const link = await greetPeer(await dialBob(peers, bob.port, context), { peer: deviceNamed('bob', peers), token }, partsOf())
    const other = await bob.links[0]
    const texts = Array.from({ length: 100 }, (_, at) => `number ${at}`)
    const chunk = { id: new Uint8Array(16), offset: 0, length: 60_000 }
    const there = texts.map((text) => link.request('direct.say', someMessage(text)))
    const files = [1, 2, 3, 4].map(() => link.request('direct.file', chunk))
    const back = texts.slice(0, 28).map((text) => other?.request('direct.say', someMessage(text)))
    expect((await Promise.all([...there, ...back])).length).toBe(128)
    for (const { data } of await Promise.all(files)) expect(data.length).toBe(60_000)
    expect(heard).toEqual(texts)
    link.close()
    expect([await link.closed, (await other?.closed)?.code]).toEqual([undefined, 'session_ended'])
  })

  test('is refused with a token that nobody has offered, and says why to a device that breaks the rules', async () => {
    await using bob = await ListeningBob.start()
    const wrong = { peer: deviceNamed('bob', peers), token: new Uint8Array(16) }
    expect(await rejectionOf(greetPeer(await dialBob(peers, bob.port, context), wrong, partsOf()))).toBe('not_found')
    const link = await dialBob(peers, bob.port, context)
    const raw = new ScriptedServer(link)
    link.attach(raw)
    raw.raw(hello())
    await raw.next(contractCommands.result)
    raw.raw(asked(1, 'direct.hello', { versions: [1], token }))
    expect(parseFault((await raw.next(contractCommands.fault)).body).code).toBe('unexpected')
    expect([(await (await bob.links[1])?.closed)?.code, await raw.ended()]).toEqual(['unexpected', 'ended'])
  })
})

describe.skipIf(isMissing('SEALWIRE_NODE'))('a device on Bun', () => {
  test('talks with one on Node, whoever of the two has dialled', async () => {
    using folder = folderOf(peers, peers.bob, peers.alice)
    await using node = new PeerProgram('peer-link-program.ts', folder.path, 'listen')
    const heard = Promise.withResolvers<string>()
    const say = async ({ body }: { readonly body: Uint8Array }) => {
      heard.resolve(Buffer.from(body).toString())
      return {}
    }
    const start = { peer: deviceNamed('bob', peers), token }
    const link = await greetPeer(await dialBob(peers, await node.port(), context), start, partsOf({ 'direct.say': say }))
    await link.request('direct.say', someMessage('hello from Bun'))
    expect(await heard.promise).toBe('hello from Node')
    await node.printed('heard hello from Bun.')
    await node.printed('said.')
    link.close()
    await node.printed('closed session_ended.')
    const wrong = { ...start, token: new Uint8Array(16) }
    expect(await rejectionOf(greetPeer(await dialBob(peers, await node.port(), context), wrong, partsOf()))).toBe('not_found')

    await using bob = await ListeningBob.start()
    using asAlice = folderOf(peers, peers.alice, peers.bob)
    await using dialler = new PeerProgram('peer-link-program.ts', asAlice.path, 'dial', String(bob.port))
    await dialler.printed('said.')
    const accepted = await bob.links[0]
    await accepted?.request('direct.say', someMessage('hello to you'))
    await dialler.printed('heard hello to you.')
    accepted?.close()
    expect([await dialler.finished, dialler.output.includes('closed session_ended.')]).toEqual([0, true])
  })
})

function partsOf(answers: Partial<PeerAnswers> = {}): PeerLinkParts {
  return { clock: systemClock, limits, answers: { ...someAnswers, ...answers } }
}
