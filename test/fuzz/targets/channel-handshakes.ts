// The ends of handshakes, each with the bytes that its peer sends it when nobody is in between. Keys are fixed: the same bytes lead to
// the same channel again and again, and no other bytes to any.

import {
  ChannelClient,
  ChannelServer,
  type ChannelStep,
  KeyPair,
  type ServerGreeting,
  V1Client,
  V1Server,
} from '../../../src/channel/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { joined } from '../mutator.ts'

/** One end of a handshake. */
export interface HandshakeEnd {
  readonly name: string
  /** What its peer sends when nobody is in between. */
  readonly stream: Uint8Array
  /** What brings a channel: one of these, and nothing else. `undefined`: a server of version 1 takes any key and any token. */
  readonly takes: readonly Uint8Array[] | undefined
  /** A new end; it says whether there is a channel. */
  begin(): (bytes: Uint8Array) => boolean
}

const patterns = ['XX', 'IK', 'NK'] as const
type PatternName = (typeof patterns)[number]

/** The six ends of version 2 and the two of version 1. `agreed` is called whenever one agrees on a key. */
export function handshakeEnds(agreed: () => void): readonly HandshakeEnd[] {
  const keys = keysOf(agreed)
  return [...serverEnds(keys), ...patterns.map((pattern) => clientEnd(pattern, keys)), ...v1Ends(keys)]
}

/** A server speaks all patterns. */
function serverEnds(keys: Keys): readonly HandshakeEnd[] {
  const takes = patterns.map((pattern) => {
    const { hello, third } = exchange(pattern, keys)
    return joined(hello, third)
  })
  return takes.map((stream, at) => ({ name: `server of ${patterns[at] ?? ''}`, stream, takes, begin: () => reading(newServer(keys)) }))
}

function clientEnd(pattern: PatternName, keys: Keys): HandshakeEnd {
  const begin = () => {
    const client = newClient(pattern, keys)
    client.hello()
    return reading(client)
  }
  const { answer } = exchange(pattern, keys)
  return { name: `client of ${pattern}`, stream: answer, takes: [answer], begin }
}

function v1Ends({ clientEphemeral, serverEphemeral }: Keys): readonly HandshakeEnd[] {
  const token = () => Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const client = () => new V1Client({ limits, ephemeral: () => clientEphemeral, token })
  const server = () => new V1Server({ limits, ephemeral: () => serverEphemeral, nonce: () => new Uint8Array(12).fill(1) })
  const hello = client().hello()
  const { send } = server().received(hello.slice())
  return [
    { name: 'client of v1', stream: send, takes: [send], begin: () => reading(client()) },
    { name: 'server of v1', stream: hello, takes: undefined, begin: () => reading(server()) },
  ]
}

function reading(end: { received(bytes: Uint8Array): ChannelStep<unknown> }): (bytes: Uint8Array) => boolean {
  return (bytes) => end.received(bytes).channel !== undefined
}

/** What travels in a handshake that nobody disturbs; `third` is the third message of XX, else the first record. */
function exchange(
  pattern: PatternName,
  keys: Keys,
): { readonly hello: Uint8Array; readonly answer: Uint8Array; readonly third: Uint8Array } {
  const [client, server] = [newClient(pattern, keys), newServer(keys)]
  const hello = client.hello()
  const answer = server.received(hello.slice()).send
  return { hello, answer, third: client.received(answer.slice()).send }
}

function newClient(pattern: PatternName, { clientStatic, clientEphemeral, serverStatic }: Keys): ChannelClient {
  const common = { clock, limits, ephemeral: () => clientEphemeral }
  const serverKey = serverStatic.publicKey
  if (pattern === 'NK') return new ChannelClient({ pattern, serverKey, ...common })
  if (pattern === 'IK') return new ChannelClient({ pattern, serverKey, staticKey: clientStatic, ...common })
  const trusts = (key: Uint8Array) => Buffer.compare(key, serverKey) === 0
  return new ChannelClient({ pattern, staticKey: clientStatic, trusts, ...common })
}

function newServer({ serverStatic, serverEphemeral }: Keys): ChannelServer {
  return new ChannelServer({ staticKey: serverStatic, greeting: () => greeting, clock, limits, ephemeral: () => serverEphemeral })
}

type Keys = Readonly<Record<'clientStatic' | 'clientEphemeral' | 'serverStatic' | 'serverEphemeral', KeyPair>>

function keysOf(agreed: () => void): Keys {
  const telling = (byte: number): KeyPair => {
    const key = KeyPair.from(new Uint8Array(32).fill(byte))
    const agree = key.agree.bind(key)
    return Object.assign(key, {
      agree: (publicKey: Uint8Array) => {
        agreed()
        return agree(publicKey)
      },
    })
  }
  return { clientStatic: telling(1), clientEphemeral: telling(2), serverStatic: telling(3), serverEphemeral: telling(4) }
}

const clock = new ManualClock()
const limits = resolveLimits()
const greeting: ServerGreeting = {
  server: new TextEncoder().encode('a server'),
  versions: [2],
  time: 1_800_000_000_000,
  limits: { recordBytesMax: 65_535, ageMsMax: 86_400_000 },
}
