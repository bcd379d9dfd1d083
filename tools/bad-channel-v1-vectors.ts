// What no end of a v1 connection takes: vectors/channel-v1.json, `bad`. Keys, token and first frames are those of the first good
// vector; the receiver has written its own frames of it before it reads.

import { sealInto } from '../src/channel/aead.ts'
import { KeyPair } from '../src/channel/key-pair.ts'
import { lowOrder } from './bad-channel-vectors.ts'
import { flipped, hex, joined, named, text } from './channel-vector-session.ts'

export interface BadV1Vector {
  readonly name: string
  readonly to: 'client' | 'server'
  readonly stream: string
  readonly delivered: readonly string[]
}

const token = Uint8Array.from(Buffer.from('f1e2d3c4b5a69788', 'hex'))
const client = KeyPair.from(named('v1 client'))
const server = KeyPair.from(named('v1 server'))
const key = client.agree(server.publicKey)
const nothing = new Uint8Array(0)
const hello = text('hello')
const nonce = (at: number): Uint8Array => named(`v1 nonce ${at}`).subarray(0, 12)

const request = joined(Uint8Array.of(1), client.publicKey, Uint8Array.of(0xfd), token.toReversed())

export function badV1(): readonly BadV1Vector[] {
  return [...requests(), ...responses(), ...frames('server'), ...frames('client')]
}

function requests(): readonly BadV1Vector[] {
  const row = (name: string, stream: Uint8Array): BadV1Vector => ({ name, to: 'server', stream: hex(stream), delivered: [] })
  return [
    row('a request of type 0', flipped(request, 0)),
    row('a request of type 2', flipped(request, 0, 3)),
    row('a request of version 2', joined(text('SWv2'), request)),
    row('a token of 16 bytes', flipped(request, 33, 3)),
    row('a token of no form', flipped(request, 33, 2)),
    ...lowOrder().map((point, at) => row(`a key of low order ${at}`, joined(request.subarray(0, 1), point, request.subarray(33)))),
  ]
}

function response(sealedToken: Uint8Array, type = 2): Uint8Array {
  const bytes = new Uint8Array(69)
  bytes[0] = type
  bytes.set(server.publicKey, 1)
  bytes.set(nonce(0), 33)
  sealInto(bytes, 45, { key, nonce: nonce(0), associated: nothing }, sealedToken)
  return bytes
}

function responses(): readonly BadV1Vector[] {
  const row = (name: string, stream: Uint8Array): BadV1Vector => ({ name, to: 'client', stream: hex(stream), delivered: [] })
  const whole = response(token)
  return [
    row('a response of type 1', response(token, 1)),
    ...[1, 20, 33, 44, 45, 52, 53, 68].map((at) => row(`a response, byte ${at} flipped`, flipped(whole, at))),
    row('another token', response(flipped(token, 7))),
    row('the token in the other byte order', response(token.toReversed())),
    row('the request as its response', joined(request, new Uint8Array(69 - 42))),
    ...lowOrder().map((point, at) => row(`a server key of low order ${at}`, joined(whole.subarray(0, 1), point, whole.subarray(33)))),
  ]
}

function frame(plaintext: Uint8Array, by: Uint8Array, length = plaintext.length + 16): Uint8Array {
  const bytes = new Uint8Array(16 + plaintext.length + 16)
  new DataView(bytes.buffer).setUint32(0, length)
  bytes.set(by, 4)
  sealInto(bytes, 16, { key, nonce: by, associated: nothing }, plaintext)
  return bytes
}

/** After the handshake and one good frame. */
function frames(to: 'client' | 'server'): readonly BadV1Vector[] {
  const handshake = to === 'server' ? request : response(token)
  const first = frame(hello, nonce(100))
  const good = frame(hello, nonce(101))
  const row = (name: string, bytes: Uint8Array): BadV1Vector => ({
    name: `to the ${to}: ${name}`,
    to,
    stream: hex(joined(handshake, first, bytes)),
    delivered: [hex(hello)],
  })
  return [
    ...Array.from({ length: good.length }, (_, at) =>
      row(`byte ${at} of a frame flipped`, joined(flipped(good, at), new Uint8Array(at === 2 ? 256 : 0))),
    ),
    ...[1, 15, 65_552, 2 ** 32 - 1].map((length) => row(`a length of ${length}`, frame(hello, nonce(101), length))),
    row('a length of 0 and nothing more', new Uint8Array(4)),
    row('a frame twice', first),
    row('another frame with the same nonce', frame(text('other'), nonce(100))),
    row("the handshake's nonce again", frame(hello, nonce(0))),
    row("the receiver's own frame", frame(hello, nonce(to === 'client' ? 1 : 2))),
    row("another frame with a nonce of the receiver's", frame(text('other'), nonce(to === 'client' ? 1 : 2))),
  ]
}
