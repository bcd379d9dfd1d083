// What a handshake of the sealed channel costs: `node bin/bun.mjs bench/handshake.ts`. CPU time, the best of several rounds in
// which everybody takes turns, so that other work on the machine weighs on all of them alike. First the cryptography alone, for
// both ends and for the server; then whole connections over loopback, with both ends in this process, beside full TLS
// handshakes with the certificates that a server makes for itself. The goal is 1 ms.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChannelClient, type ChannelPeer, ChannelServer, KeyPair, keyPin, type PatternName } from '../src/channel/index.ts'
import { systemClock as clock } from '../src/domain/index.ts'
import { dialSealed, dialTls, type DialledLink, Flusher, type Link, listenSealed, listenTls } from '../src/link/index.ts'
import { loadServerIdentity } from '../src/pki/index.ts'
import { resolveLimits } from '../src/protocol/index.ts'

const rounds = 9
const bareHandshakes = 300
const connections = 60
const limits = resolveLimits()
const staticKey = KeyPair.generate()
const clientKey = KeyPair.generate()
const serverKey = staticKey.publicKey
const pin = keyPin(serverKey)

const peers: Readonly<Record<PatternName, ChannelPeer>> = {
  XX: { pattern: 'XX', staticKey: clientKey, trusts: (key) => keyPin(key) === pin },
  IK: { pattern: 'IK', staticKey: clientKey, serverKey },
  NK: { pattern: 'NK', serverKey },
}

/** The cryptography alone. */
function bare(): void {
  const best = new Best()
  for (let round = 0; round < rounds; round++) {
    for (const peer of Object.values(peers)) shakeHands(peer, best)
  }
  for (const name of ['XX', 'IK', 'NK'] as const) {
    const [client, server] = [best.microseconds(`${name} client`), best.microseconds(`${name} server`)]
    console.log(`${name}  client ${client} µs  server ${server} µs  both ${client + server} µs`)
  }
}

function shakeHands(peer: ChannelPeer, best: Best): void {
  const pairs = Array.from({ length: bareHandshakes }, () => ({
    client: new ChannelClient({ ...peer, clock, limits }),
    server: new ChannelServer({ staticKey, greeting, clock, limits }),
  }))
  const spent = { client: 0, server: 0 }
  const inTurn = <A, B>(end: 'client' | 'server', each: (pair: (typeof pairs)[number], said: A) => B, said: readonly A[]): B[] => {
    const before = cpuMicroseconds()
    const answers = said.map((what, index) => {
      const pair = pairs[index]
      if (pair === undefined) throw new Error('more messages than ends')
      return each(pair, what)
    })
    spent[end] += cpuMicroseconds() - before
    return answers
  }
  const hellos = inTurn('client', ({ client }) => client.hello(), pairs)
  const seconds = inTurn('server', ({ server }, hello: Uint8Array) => server.received(hello).send, hellos)
  const thirds = inTurn('client', ({ client }, second: Uint8Array) => client.received(second).send, seconds)
  const channels = inTurn('server', ({ server }, third: Uint8Array) => server.received(third).channel, thirds)
  if (channels.some((channel) => channel === undefined)) throw new Error('no channel')
  for (const end of ['client', 'server'] as const) best.note(`${peer.pattern} ${end}`, spent[end] / bareHandshakes)
}

function greeting() {
  return { server: new Uint8Array(16), versions: [2], time: clock.now(), limits: { recordBytesMax: 65_535, ageMsMax: 86_400_000 } }
}

/** Whole connections. */
async function connected(): Promise<void> {
  const context = { limits, flusher: new Flusher(limits, clock) }
  const place = { host: '127.0.0.1', port: 0 }
  const { identity, roots } = await identityOf()
  const sealed = await listenSealed({ ...place, keys: () => ({ current: staticKey }), serverId: new Uint8Array(16) }, handlers, context)
  const tls = await listenTls({ ...place, identity: () => identity }, handlers, context)
  const dial = { host: '127.0.0.1', timeoutMs: 5000 }
  const ways: Readonly<Record<string, () => Promise<DialledLink>>> = {
    'sealed XX': () => dialSealed({ ...dial, port: sealed.port, pin, staticKey: clientKey }, context),
    'sealed IK': () => dialSealed({ ...dial, port: sealed.port, pin, serverKey, staticKey: clientKey }, context),
    'sealed NK': () => dialSealed({ ...dial, port: sealed.port, pin, serverKey }, context),
    'TLS 1.3': () => dialTls({ ...dial, port: tls.port, roots }, context),
  }
  const best = new Best()
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const before = cpuMicroseconds()
      for (let count = 0; count < connections; count++) await exchange(await way())
      best.note(name, (cpuMicroseconds() - before) / connections)
    }
  }
  for (const name of Object.keys(ways))
    console.log(`${name}  connection, handshake, a byte there and back, both ends: ${best.microseconds(name)} µs`)
  sealed.close()
  tls.close()
}

async function exchange(link: DialledLink): Promise<void> {
  const answered = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  link.attach({ received: () => answered.resolve(), drained() {}, closed: () => closed.resolve() })
  link.send(Uint8Array.of(1))
  await answered.promise
  link.close()
  await closed.promise
}

const handlers = {
  admit: () => ({ established() {}, release() {} }),
  opened: (link: Link) => ({ received: (bytes: Uint8Array) => link.send(bytes), drained() {}, closed() {} }),
  failed() {},
}

async function identityOf() {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))
  try {
    const { certificateChainPem, keyPem, authorityPem } = await loadServerIdentity({ folder }, { clock })
    return { identity: { certificateChain: certificateChainPem, key: keyPem }, roots: authorityPem }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** The least that each cost: only interference makes a round dearer. */
class Best {
  readonly #microseconds = new Map<string, number>()

  note(name: string, microseconds: number): void {
    this.#microseconds.set(name, Math.min(this.#microseconds.get(name) ?? Number.POSITIVE_INFINITY, microseconds))
  }

  microseconds(name: string): number {
    return Math.round(this.#microseconds.get(name) ?? Number.NaN)
  }
}

bare()
await connected()
