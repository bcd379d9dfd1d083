// The vectors of the contract, and the reading of a body as whoever gets it reads it.

import bad from '../../../vectors/contract/bad.json' with { type: 'json' }
import badConversations from '../../../vectors/contract/conversations-bad.json' with { type: 'json' }
import goodConversations from '../../../vectors/contract/conversations-good.json' with { type: 'json' }
import good from '../../../vectors/contract/good.json' with { type: 'json' }
import badDirect from '../../../vectors/contract/direct-bad.json' with { type: 'json' }
import goodDirect from '../../../vectors/contract/direct-good.json' with { type: 'json' }
import badPayments from '../../../vectors/contract/payments-bad.json' with { type: 'json' }
import goodPayments from '../../../vectors/contract/payments-good.json' with { type: 'json' }
import {
  checkResult,
  type contractCommands,
  decodeCbor,
  isMethod,
  knownMethod,
  parseEvent,
  parseFault,
  parseHello,
  parseParams,
  parseRequest,
  parseResult,
  parseWelcome,
} from '../../../src/protocol/contract/index.ts'
import { codes, FrameDecoder, type Packet } from '../../../src/protocol/index.ts'
import { fromVectorJson, type VectorJson } from '../../../tools/vector-json.ts'

export type Kind = keyof typeof contractCommands

export interface GoodVector {
  readonly name: string
  readonly kind: Kind
  /** What its reader gets. */
  readonly value: unknown
  readonly frame: Uint8Array
  /** Of a result. */
  readonly method: string | undefined
  /** This version never writes it. */
  readonly onlyRead: boolean
}

/** As the files have it; what only some vectors say is missing in the types of those files where none does. */
interface VectorRow {
  readonly name: string
  readonly kind: string
  readonly value: unknown
  readonly frame: string
  readonly method?: string
  readonly onlyRead?: boolean
}

const goodRows: readonly VectorRow[] = [...good, ...goodConversations, ...goodPayments, ...goodDirect]

export const goodVectors: readonly GoodVector[] = goodRows.map((vector) => ({
  name: vector.name,
  kind: vector.kind as Kind,
  value: fromVectorJson(vector.value as VectorJson),
  frame: Buffer.from(vector.frame, 'hex'),
  method: vector.method,
  onlyRead: vector.onlyRead === true,
}))

export const badVectors = [...bad, ...badConversations, ...badPayments, ...badDirect].map((vector) => ({
  ...vector,
  kind: vector.kind as Kind,
  frame: Buffer.from(vector.frame, 'hex'),
}))

/** The only packet of `frame`, whose body is a copy; the frame comes in one piece, or a byte a read. */
export function packetOf(frame: Uint8Array, way: 'whole' | 'byte by byte'): Packet {
  const decoder = new FrameDecoder()
  const chunks = way === 'whole' ? [frame] : Array.from(frame, (byte) => Uint8Array.of(byte))
  const packets: Packet[] = []
  for (const chunk of chunks) {
    decoder.push(chunk)
    for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
      packets.push({ command: packet.command, body: packet.body.slice() })
    }
  }
  const [packet] = packets
  if (packet === undefined || packets.length !== 1) throw new Error(`${packets.length} frames`)
  return packet
}

/** What the reader of a body makes of it, in the form of the vectors. `method` is that of the request a result answers. */
export function readBody(kind: Kind, body: Uint8Array, method = 'session.ping'): unknown {
  return readers[kind](body, method)
}

/** The id that a fault about this request carries: `null` when the envelope cannot be read. */
export function answeredId(body: Uint8Array): number | null {
  try {
    return parseRequest(body).id
  } catch {
    return null
  }
}

const readers: Readonly<Record<Kind, (body: Uint8Array, method: string) => unknown>> = {
  hello: parseHello,
  welcome: parseWelcome,
  request(body) {
    const { id, method, params } = parseRequest(body)
    const known = knownMethod(method)
    return [id, known, parseParams(known, params)]
  },
  result(body, method) {
    const { id, result } = parseResult(body)
    if (!isMethod(method)) throw new Error(`a vector names ${method}`)
    return [id, checkResult(method, result)]
  },
  fault(body) {
    const { id, code, sentence } = parseFault(body)
    return [id, codes[code].wire, sentence]
  },
  event(body) {
    const event = parseEvent(body)
    return event === undefined ? null : [event.event, event.data]
  },
  goodbye: decodeCbor,
}
