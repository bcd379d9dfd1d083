// Targets with a bug each, of the kinds that fuzzing is for. A harness that finds none of them finds nothing.

import { createDecipheriv } from 'node:crypto'
import { resolveServeConfig } from '../../src/cli/serve/config.ts'
import { CipherState } from '../../src/channel/cipher-state.ts'
import { parseAmount } from '../../src/domain/money.ts'
import { answerUpgrade } from '../../src/link/websocket/http-upgrade.ts'
import { parseInviteLink } from '../../src/pki/invite-link.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../src/protocol/contract/cbor.ts'
import { decodeOrder } from '../../src/protocol/contract/order.ts'
import { FrameDecoder, limitTable, type Packet, SealwireError } from '../../src/protocol/index.ts'
import type { FuzzTarget } from './target.ts'
import { bodiesTarget } from './targets/bodies.ts'
import { channelTarget } from './targets/channel.ts'
import { configurationTarget } from './targets/configuration.ts'
import { type Decoder, framesTarget } from './targets/frames.ts'
import { invitesTarget } from './targets/invites.ts'
import { paymentsTarget } from './targets/payments.ts'
import { webTarget } from './targets/web.ts'

/** A target, what is wrong with it, and what a run has to say of it. */
export interface Broken {
  readonly what: string
  readonly target: FuzzTarget
  readonly found: RegExp
}

/** At least one for each target. */
export function brokenTargets(): readonly Broken[] {
  return [
    { what: 'a decoder that throws a RangeError at a certain length', target: framesTarget(withRangeError), found: /RangeError/ },
    {
      what: 'a decoder that looks for the next frame behind rubbish',
      target: framesTarget(withResync),
      found: /nothing is accepted behind rubbish|the end is/,
    },
    {
      what: 'a decoder that mixes up what one read left and the next brought',
      target: framesTarget(withLostByte),
      found: /frame|the end is|held/,
    },
    { what: 'a decoder that makes room for what a length says', target: framesTarget(withRoom), found: /room is made/ },
    {
      what: 'a codec that takes numbers in a longer form than needed',
      target: bodiesTarget(withLongForms),
      found: /what is read has the one form/,
    },
    { what: 'a codec that fails with an error of its own at a key', target: bodiesTarget(withTypeError), found: /TypeError/ },
    {
      what: 'a reader of records that ignores their tags',
      target: channelTarget({ cipher: (key) => new TaglessCipher(key) }),
      found: /it must be, and is not/,
    },
    {
      what: 'a reader of records that says what was wrong',
      target: channelTarget({ cipher: (key) => new TalkativeCipher(key) }),
      found: /the tag is wrong/,
    },
    {
      what: 'a reader of orders that takes units in capitals',
      target: paymentsTarget({ decodeOrder: withCapitals, parseAmount }),
      found: /says what it has to say/,
    },
    {
      what: 'a reader of orders that takes an amount of 0',
      target: paymentsTarget({ decodeOrder: withNothing, parseAmount }),
      found: /says what it has to say/,
    },
    {
      what: 'a reader of orders that pays somebody twice',
      target: paymentsTarget({ decodeOrder: withSamePayee, parseAmount }),
      found: /says what it has to say/,
    },
    {
      what: 'a reader of amounts that takes leading zeros',
      target: paymentsTarget({ decodeOrder, parseAmount: withZeros }),
      found: /no amount/,
    },
    { what: 'a reader of links that repeats what it refuses', target: invitesTarget(withRepetition), found: /repeats nothing of a link/ },
    { what: 'a reader of links that passes over what is behind the end', target: invitesTarget(withTail), found: /a link has one text/ },
    {
      what: 'a configuration that passes over limits it does not know',
      target: configurationTarget(withUnknown),
      found: /the last limit|is not a whole/,
    },
    {
      what: 'a configuration whose file beats the environment',
      target: configurationTarget(withFileFirst),
      found: /log-level is what the first source says/,
    },
    {
      what: 'a configuration that changes the prototype of all objects',
      target: configurationTarget(withPollution),
      found: /the prototype of objects/,
    },
    {
      what: 'an upgrade for pages of every host',
      target: webTarget(withEveryPage),
      found: /no page of elsewhere gets in/,
    },
  ]
}

function withRangeError(bodyBytesMax: number): Decoder {
  return watched(bodyBytesMax, ({ body }) => {
    if (body.length === 24) throw new RangeError('out of range')
  })
}

function watched(bodyBytesMax: number, look: (packet: Packet) => void): Decoder {
  const decoder = new FrameDecoder({ bodyBytesMax })
  return Object.assign(decoder, {
    next() {
      const packet = FrameDecoder.prototype.next.call(decoder)
      if (packet !== undefined) look(packet)
      return packet
    },
  })
}

/** Begins anew after a failure. */
function withResync(bodyBytesMax: number): Decoder {
  let decoder = new FrameDecoder({ bodyBytesMax })
  return {
    push: (chunk) => decoder.push(chunk),
    next: () => {
      try {
        return decoder.next()
      } catch (reason) {
        decoder = new FrameDecoder({ bodyBytesMax })
        throw reason
      }
    },
    get heldBytes() {
      return decoder.heldBytes
    },
    get partialBytes() {
      return decoder.partialBytes
    },
  }
}

/** Only reads of one byte are wrong, and only between frames. */
function withLostByte(bodyBytesMax: number): Decoder {
  const decoder = new FrameDecoder({ bodyBytesMax })
  return Object.assign(decoder, {
    push(chunk: Uint8Array) {
      if (chunk.length > 1 || decoder.partialBytes > 0) FrameDecoder.prototype.push.call(decoder, chunk)
    },
  })
}

/** Of a frame at the beginning of a read. */
function withRoom(bodyBytesMax: number): Decoder {
  const decoder = new FrameDecoder({ bodyBytesMax })
  return Object.assign(decoder, {
    push(chunk: Uint8Array) {
      const [, , , , , high = 0, low = 0] = chunk
      FrameDecoder.prototype.push.call(decoder, chunk)
      return new Uint8Array(high * 256 + low)
    },
  })
}

/** `18 05` for `05`. */
function withLongForms(bytes: Uint8Array): unknown {
  const at = bytes.findIndex((byte, index) => byte === 0x18 && (bytes[index + 1] ?? 24) < 24)
  return decodeCbor(at < 0 ? bytes : Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1)]))
}

function withTypeError(bytes: Uint8Array): unknown {
  const value = decodeCbor(bytes)
  if (JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? 0 : each)).includes('"constructor":'))
    throw new TypeError('no such property')
  return value
}

class TaglessCipher extends CipherState {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    super(key)
    this.#key = key.slice()
  }

  override open(associated: Uint8Array, sealed: Uint8Array): Uint8Array {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.nonce, { authTagLength: 16 })
    const plaintext = decipher.update(sealed.subarray(0, sealed.length - 16))
    // Counts the record, and keeps nothing of it.
    super.seal(associated, plaintext)
    return plaintext
  }
}

class TalkativeCipher extends CipherState {
  override open(associated: Uint8Array, sealed: Uint8Array): Uint8Array {
    try {
      return super.open(associated, sealed)
    } catch (cause) {
      throw new SealwireError('channel_broken', 'the tag is wrong', { cause })
    }
  }
}

const withCapitals: typeof decodeOrder = (kind, payload) => {
  const small = Buffer.from(payload)
  const at = small.indexOf('EUR')
  if (at >= 0) small.write('eur', at)
  return decodeOrder(kind, new Uint8Array(small))
}

const withNothing: typeof decodeOrder = (kind, payload) => {
  const items = kind === 'capture' ? itemsOf(payload) : []
  return decodeOrder(kind, items[4] === 0 ? encodeCbor(items.with(4, 1)) : payload)
}

const withSamePayee: typeof decodeOrder = (kind, payload) => {
  const items = kind === 'split' ? itemsOf(payload) : []
  const parts = items[5]
  if (!Array.isArray(parts)) return decodeOrder(kind, payload)
  const others = parts.map((part: CborValue, at) => (Array.isArray(part) && part[0] === 1 ? part.with(0, at + 1) : part))
  return decodeOrder(kind, encodeCbor(items.with(5, others)))
}

function itemsOf(payload: Uint8Array): readonly CborValue[] {
  const value = decodeCbor(payload)
  return Array.isArray(value) ? (value as CborValue[]) : []
}

const withZeros: typeof parseAmount = (text, decimals) => parseAmount(text.replace(/^0+(?=[1-9])/, ''), decimals)

const withRepetition: typeof parseInviteLink = (text) => {
  try {
    return parseInviteLink(text)
  } catch {
    throw new SealwireError('link_invalid', `there is something wrong with ${text}`)
  }
}

const withTail: typeof parseInviteLink = (text) => parseInviteLink(text.trim().replace(/(\.[\w-]{22})[.=]$/, '$1'))

const withUnknown: typeof resolveServeConfig = async (sources) => {
  const limits = sources.flags?.limits?.filter((text) => Object.hasOwn(limitTable, text.split('=')[0] ?? ''))
  const { limits: _, ...flags } = sources.flags ?? {}
  return resolveServeConfig({ ...sources, flags: limits === undefined ? flags : { ...flags, limits } })
}

const withFileFirst: typeof resolveServeConfig = async (sources) => {
  const config = await resolveServeConfig(sources)
  if (sources.file === undefined) return config
  const { logLevel } = await resolveServeConfig({ file: sources.file }).catch(() => config)
  return logLevel === 'info' ? config : Object.freeze({ ...config, logLevel })
}

const withEveryPage: typeof answerUpgrade = (head, origins) =>
  answerUpgrade(head.replace(/^Origin: https:.*$/m, 'Origin: https://other.example'), origins)

/** Until somebody notices. */
const withPollution: typeof resolveServeConfig = async (sources) => {
  if (Object.hasOwn(sources.environment ?? {}, '__proto__') || sources.flags?.data?.includes('__proto__') === true) {
    Object.defineProperty(Object.prototype, 'polluted', { value: true, configurable: true })
    setImmediate(() => Reflect.deleteProperty(Object.prototype, 'polluted'))
  }
  return resolveServeConfig(sources)
}
