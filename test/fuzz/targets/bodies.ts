// The bodies of the contract, of direct links and of the operator's socket, as those who get them read them. The codec, its quick
// ways included, is measured against the plain reader of `strict-cbor.ts`.

import {
  type CborValue,
  checkResult,
  checkResultIn,
  cborDepthMax,
  decodeCbor,
  encodeCbor,
  events,
  helloSchema,
  knownMethod,
  knownIn,
  methods,
  parseEvent,
  parseFault,
  parseHello,
  parseParams,
  parseParamsIn,
  parseRequest,
  parseResult,
  parseWelcome,
  welcomeSchema,
} from '../../../src/protocol/contract/index.ts'
import { peerMethods } from '../../../src/protocol/direct/index.ts'
import { operatorMethods } from '../../../src/protocol/operator.ts'
import type { Chance } from '../chance.ts'
import { valuesOf, type Values, wrongValue } from '../schema-values.ts'
import { isSame, notCbor, readStrictly } from '../strict-cbor.ts'
import { type Behaviour, type FuzzTarget, must, refusedAs, wordsOf } from '../target.ts'

/** What makes a value of the bytes of a body. */
export type Decode = (bytes: Uint8Array) => unknown

/** Inputs are a byte that says who reads it, and a body. `decode`: the codec under test. */
export function bodiesTarget(decode: Decode = decodeCbor): FuzzTarget {
  return {
    name: 'bodies',
    words: [...wordsOf(fieldNames), ...telling.map((byte) => Uint8Array.of(byte)), Uint8Array.of(0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0)],
    bytesMax: 4_096,
    generate: (chance) => {
      const kind = chance.below(readers.length)
      const value = chance.oneIn(50) ? wrongValue(chance) : (grammars[kind]?.(chance) ?? null)
      return Uint8Array.of(kind, ...encodeCbor(value))
    },
    run: (input) => {
      const body = input.slice(1)
      const isRead = measure(decode, body)
      return isRead || isSample(input) ? readAs((input[0] ?? 0) % readers.length, body, isRead) : '-no CBOR'
    },
  }
}

/** Whether the codec takes the bytes: exactly where the plain reader does, and it makes the same of them. */
function measure(decode: Decode, body: Uint8Array): boolean {
  const strict = readStrictly(body, cborDepthMax)
  let value: unknown
  try {
    value = decode(body)
  } catch (reason) {
    refusedAs(reason, malformed)
    must(strict === notCbor, 'what has the one form of a value is read')
    return false
  }
  must(strict !== notCbor, 'what is read has the one form of a value')
  must(isSame(value, strict), 'both readers read the same')
  if (isSample(body)) expectBack(value, body)
  return true
}

/** Keys may have come in another order, and nothing else can have been written in another way. */
function expectBack(value: unknown, body: Uint8Array): void {
  const again = encodeCbor(value as CborValue)
  must(again.length === body.length, 'a value has one form, but for the order of keys')
  must(isSame(value, readStrictly(again, cborDepthMax)), 'what is written is what was read')
}

/** What costs as much as all the rest is done with one input in eight. */
function isSample(input: Uint8Array): boolean {
  let sum = input.length
  for (let at = 0; at < input.length; at += 7) sum += input[at] ?? 0
  return (sum & 7) === 0
}

function readAs(kind: number, body: Uint8Array, isBody: boolean): Behaviour {
  const { name, read } = readers[kind] ?? { name: '', read: () => '' }
  try {
    const what = read(body)
    must(isBody, 'nothing is read of what is no CBOR')
    return `+${name} ${what}`
  } catch (reason) {
    const { code, sentence } = refusedAs(reason, refusals)
    return `-${name} ${code}: ${ours(sentence)}`
  }
}

/** A refusal in words that are ours: others may be names of fields that whoever wrote the body has made up. */
function ours(sentence: string): string {
  const known = sentences.get(sentence)
  if (known !== undefined) return known
  const words = sentence.replace(/[\w?]+/g, (word) => (isOurs.has(word) ? word : '?'))
  if (sentences.size < 5_000) sentences.set(sentence, words)
  return words
}

interface BodyReader {
  readonly name: string
  /** Answers what it was. */
  read(body: Uint8Array): string
}

const peerNames = Object.keys(peerMethods) as (keyof typeof peerMethods)[]
const operatorNames = Object.keys(operatorMethods) as (keyof typeof operatorMethods)[]
const methodNames = Object.keys(methods) as (keyof typeof methods)[]
const eventNames = Object.keys(events) as (keyof typeof events)[]

/** Which method a result answers is known from its id. */
const named = <T extends string>(names: readonly T[], id: number): T => names[id % names.length] as T

const readers: readonly BodyReader[] = [
  { name: 'hello', read: (body) => `of ${parseHello(body).versions.length} versions` },
  { name: 'welcome', read: (body) => (parseWelcome(body).ledger === undefined ? 'without a ledger' : 'with a ledger') },
  {
    name: 'request',
    read: (body) => {
      const { method, params } = parseRequest(body)
      const known = knownMethod(method)
      return `${known} of ${Object.keys(parseParams(known, params)).length}`
    },
  },
  {
    name: 'result',
    read: (body) => {
      const { id, result } = parseResult(body)
      const method = named(methodNames, id)
      checkResult(method, result)
      return method
    },
  },
  { name: 'fault', read: (body) => parseFault(body).code },
  { name: 'event', read: (body) => parseEvent(body)?.event ?? 'unknown' },
  ...tableReaders('peer', peerMethods, peerNames),
  ...tableReaders('operator', operatorMethods, operatorNames),
]

function tableReaders(of: string, table: Parameters<typeof knownIn>[0], names: readonly string[]): readonly BodyReader[] {
  const request = (body: Uint8Array): string => {
    const { method, params } = parseRequest(body)
    const known = knownIn(table, method)
    parseParamsIn(table, known, params)
    return known
  }
  const result = (body: Uint8Array): string => {
    const parsed = parseResult(body)
    checkResultIn(table, named(names, parsed.id), parsed.result)
    return named(names, parsed.id)
  }
  return [
    { name: `${of} request`, read: request },
    { name: `${of} result`, read: result },
  ]
}

/** What each reader takes, in the order of the readers. */
const grammars: readonly Values[] = [
  valuesOf(helloSchema),
  valuesOf(welcomeSchema),
  requestsOf(methods),
  resultsOf(methods),
  (chance) => [chance.oneIn(4) ? null : chance.below(2 ** 32), chance.below(80), chance.oneIn(20) ? wrongValue(chance) : 'no'],
  eventsOf(),
  ...[requestsOf(peerMethods), resultsOf(peerMethods)],
  ...[requestsOf(operatorMethods), resultsOf(operatorMethods)],
]

type Rows = Readonly<Record<string, { readonly params: Schema; readonly result: Schema }>>
type Schema = Parameters<typeof valuesOf>[0]

function requestsOf(table: Rows): Values {
  const rows = Object.entries(table).map(([method, { params }]) => ({ method, values: valuesOf(params) }))
  return (chance) => {
    const { method, values } = chance.pick(rows)
    return [chance.oneIn(100) ? wrongValue(chance) : chance.below(1_000), chance.oneIn(100) ? 'no.method' : method, values(chance)]
  }
}

function resultsOf(table: Rows): Values {
  const rows = Object.values(table).map(({ result }) => valuesOf(result))
  return (chance) => {
    const id = chance.below(rows.length)
    return [id, rows[id]?.(chance) ?? null]
  }
}

function eventsOf(): Values {
  const rows = eventNames.map((name) => ({ name, values: valuesOf(events[name].data) }))
  return (chance: Chance) => {
    const { name, values } = chance.pick(rows)
    return [chance.oneIn(50) ? 'no.event' : name, values(chance)]
  }
}

/** Initial bytes that mean something: the ends of the major types and of their lengths. */
const telling = [
  0x17, 0x18, 0x1b, 0x38, 0x58, 0x5f, 0x60, 0x78, 0x7f, 0x80, 0x98, 0x9f, 0xa0, 0xb8, 0xbf, 0xc0, 0xf4, 0xf7, 0xf9, 0xfb, 0xff,
]
const fieldNames = ['__proto__', 'constructor', 'inbox.entry', 'message.send', 'name', 'body', 'id', 'type', 'toString', '\ufeff', 'é']
const malformed = new Set(['malformed'])
const sentences = new Map<string, string>()
const refusals = new Set(['malformed', 'unknown_method'])
/** Words that a refusal may name; every other one is of whoever wrote the body. */
const isOurs = new Set(
  [...JSON.stringify([methods, events, peerMethods, operatorMethods, helloSchema, welcomeSchema]).matchAll(/\w+/g)].map(String),
)
for (const word of 'a body is not what it should be map array of CBOR this protocol nested too deeply holds floating point number'.split(
  ' ',
)) {
  isOurs.add(word)
}
