// Makes vectors/channel-v2.json and vectors/channel-v1.json from fixed keys. Run once, reviewed, then frozen: a change of these
// files is a change of the wire. The independent check is test/vectors/check_channel.py.

import { writeFileSync } from 'node:fs'
import { KeyPair } from '../src/channel/key-pair.ts'
import type { PatternName } from '../src/channel/patterns.ts'
import { recordTypes } from '../src/channel/record.ts'
import { encodeGreeting } from '../src/channel/server-greeting.ts'
import { type V1Channel, V1Client, V1Server } from '../src/channel/index.ts'
import { resolveLimits } from '../src/protocol/index.ts'
import { badV1 } from './bad-channel-v1-vectors.ts'
import { badV2 } from './bad-channel-vectors.ts'
import { greeting, hex, joined, named, prefixed, record, type Session, session, sessionKeys, text } from './channel-vector-session.ts'
import { toVectorJson } from './vector-json.ts'

const zeros = new Uint8Array(32)

/** What each side sends in every vector: the type of a record and its data. */
const conversation = [
  ['client', 'ping', text('')],
  ['client', 'data', text('hello')],
  ['server', 'data', text('hello, you too')],
  ['client', 'data', Uint8Array.from({ length: 300 }, (_, at) => at & 0xff)],
  ['server', 'pad', new Uint8Array(7)],
  ['client', 'rekey', text('')],
  ['client', 'data', text('under the next key')],
  ['server', 'data', text('still under the first key')],
  ['server', 'rekey', text('')],
  ['server', 'data', text('under the next key')],
  ['server', 'ping', text('')],
  ['client', 'close', text('')],
  ['server', 'close', text('')],
] as const

const good = [zeros, named('binding')].flatMap((binding) =>
  (['XX', 'IK', 'NK'] as const).map((pattern) => {
    const made = session(pattern, { binding })
    const { clientStatic, ...keys } = hexKeys()
    return {
      name: `${pattern}, ${binding === zeros ? 'over TCP' : 'bound to what carries it'}`,
      pattern,
      binding: hex(binding),
      ...(pattern === 'NK' ? keys : { clientStatic, ...keys }),
      greeting: toVectorJson(greeting),
      payload: hex(encodeGreeting(greeting)),
      hello: hex(joined(made.preamble, made.first)),
      answer: hex(prefixed(made.second)),
      third: hex(prefixed(made.third)),
      hash: hex(made.hash),
      records: records(made, pattern),
    }
  }),
)

function hexKeys(): Record<keyof typeof sessionKeys, string> {
  const { clientStatic, clientEphemeral, serverStatic, serverEphemeral } = sessionKeys
  return {
    clientStatic: hex(clientStatic),
    clientEphemeral: hex(clientEphemeral),
    serverStatic: hex(serverStatic),
    serverEphemeral: hex(serverEphemeral),
  }
}

/** With XX the third message has shown that the client is there, and it sends no ping. */
function records(made: Session, pattern: PatternName): readonly object[] {
  return conversation.slice(pattern === 'XX' ? 1 : 0).map(([from, type, data]) => {
    const bytes = record(made[from], recordTypes[type], data)
    if (type === 'rekey') made[from].rekey()
    return { from, type, data: hex(data), record: hex(bytes) }
  })
}

/** A v1 conversation; `request` is what a client of another make would send for the same token. */
function v1(name: string, token: string, request?: string): object {
  const terms = { limits: resolveLimits() }
  const nonces = Array.from({ length: 9 }, (_, at) => named(`v1 nonce ${at}`).subarray(0, 12))
  const keys = { client: named('v1 client'), server: named('v1 server') }
  const tokenBytes = Uint8Array.from(Buffer.from(token, 'hex'))
  const next = (): Uint8Array => nonces.shift() ?? zeros
  const client = new V1Client({ ...terms, nonce: next, token: () => tokenBytes, ephemeral: () => KeyPair.from(keys.client) })
  const server = new V1Server({ ...terms, nonce: next, ephemeral: () => KeyPair.from(keys.server) })
  const hello = client.hello()
  const sent = request === undefined ? hello : Uint8Array.from(Buffer.from(hex(hello.subarray(0, 33)) + request, 'hex'))
  const answered = server.received(new Uint8Array(sent))
  const met = client.received(new Uint8Array(answered.send))
  return {
    name,
    client: hex(keys.client),
    server: hex(keys.server),
    token,
    request: hex(sent),
    response: hex(answered.send),
    key: hex(KeyPair.from(keys.client).agree(KeyPair.from(keys.server).publicKey)),
    frames: v1Frames(met.channel, answered.channel),
  }
}

function v1Frames(client: V1Channel | undefined, server: V1Channel | undefined): readonly object[] {
  const said = [
    ['client', text('hello')],
    ['server', text('hello')],
    ['client', Uint8Array.from({ length: 300 }, (_, at) => at & 0xff)],
    ['client', text('')],
    ['server', text('you too')],
  ] as const
  return said.map(([from, plaintext]) => {
    const sink = { bytes: zeros, reserve: (count: number) => ((sink.bytes = new Uint8Array(count)), 0) }
    const channel = from === 'client' ? client : server
    channel?.write(sink, plaintext)
    return { from, plaintext: hex(plaintext), frame: hex(sink.bytes) }
  })
}

const goodV1 = [
  v1('a token of eight bytes', 'f1e2d3c4b5a69788'),
  v1('a small token in eight bytes', '0000000000000007'),
  v1('a token in one byte', '00000000000000fa', 'fa'),
  v1('a token in two bytes', '000000000000fffe', 'fbfeff'),
  v1('a token in four bytes', '00000000fffefdfc', 'fcfcfdfeff'),
]

const folder = new URL('../vectors/', import.meta.url)
const write = (name: string, content: object): void => writeFileSync(new URL(name, folder), `${JSON.stringify(content, undefined, 2)}\n`)
write('channel-v2.json', { good, bad: badV2() })
write('channel-v1.json', { good: goodV1, bad: badV1() })
