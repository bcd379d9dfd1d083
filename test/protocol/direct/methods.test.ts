import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import {
  checkResultIn,
  contractCommands,
  encodeCbor,
  knownIn,
  type MethodIn,
  methods,
  parseParamsIn,
  parseRequest,
  parseResult,
} from '../../../src/protocol/contract/index.ts'
import { peerMethods, type PeerMethods } from '../../../src/protocol/direct/index.ts'
import { type Code, encodeFrame } from '../../../src/protocol/index.ts'
import { fromVectorJson, type VectorJson } from '../../../tools/vector-json.ts'
import bad from '../../../vectors/direct/bad.json' with { type: 'json' }
import good from '../../../vectors/direct/good.json' with { type: 'json' }
import { refusalOf } from '../../support/refusal.ts'
import { type Kind, packetOf } from '../contract/vectors.ts'

interface Row {
  readonly name: string
  readonly kind: string
  readonly frame: string
  readonly value?: unknown
  readonly method?: string
  readonly onlyRead?: boolean
  readonly error?: string
}
const goodRows: readonly Row[] = good
const badRows: readonly Row[] = bad
const ways = ['whole', 'byte by byte'] as const

/** What the device that gets it makes of it. */
function read({ kind, frame, method = '' }: Row, way: (typeof ways)[number]): unknown {
  const { command, body } = packetOf(Buffer.from(frame, 'hex'), way)
  expect(command).toBe(contractCommands[kind as Kind])
  if (kind === 'request') {
    const request = parseRequest(body)
    const known = knownIn(peerMethods, request.method)
    return [request.id, known, parseParamsIn<PeerMethods, typeof known>(peerMethods, known, request.params)]
  }
  const { id, result } = parseResult(body)
  const known = knownIn(peerMethods, method)
  return [id, checkResultIn<PeerMethods, typeof known>(peerMethods, known, result)]
}

describe('good vectors', () => {
  for (const row of goodRows) {
    test(`reads "${row.name}" whole and byte by byte, and it encodes back`, () => {
      const value = fromVectorJson(row.value as VectorJson)
      for (const way of ways) expect(read(row, way)).toEqual(value)
      const frame = encodeFrame(contractCommands[row.kind as Kind], encodeCbor(value))
      expect(Buffer.from(frame).toString('hex') === row.frame).toBe(row.onlyRead !== true)
    })
  }

  test('show every method both ways', () => {
    const all = new Set<string>(Object.keys(peerMethods))
    const requests = goodRows.filter(({ kind }) => kind === 'request').map(({ value }) => (value as string[])[1] ?? '')
    expect(new Set(requests)).toEqual(all)
    expect(new Set(goodRows.filter(({ kind }) => kind === 'result').map(({ method = '' }) => method))).toEqual(all)
  })
})

describe('bad vectors', () => {
  for (const row of badRows) {
    test(`refuses "${row.name}" with ${row.error}, whole and byte by byte`, () => {
      for (const way of ways) expect(refusalOf(() => read(row, way))).toBe(row.error as Code)
    })
  }

  test('agree with a reader written in Python, as the good ones do', () => {
    const path = (name: string) => new URL(`../../../${name}`, import.meta.url).pathname
    const args = ['-B', path('test/vectors/check_contract.py'), path('vectors/direct')]
    const { stdout, stderr, status, error } = spawnSync('python3', args, { encoding: 'utf8' })
    if (error !== undefined && process.env['CI'] !== 'true') return void console.warn('SKIPPED: python3 is not installed')
    expect([stderr, stdout, status]).toEqual(['', `${good.length} good and ${bad.length} bad vectors of the contract agree\n`, 0])
  })
})

describe('the methods', () => {
  test('are none of the server, and are named and described like those', () => {
    for (const [name, { what }] of Object.entries(peerMethods)) {
      expect(name).toMatch(/^direct\.[a-z]+$/)
      expect(what).toMatch(/^[A-Z].*\.$/)
      expect(Object.hasOwn(methods, name)).toBe(false)
    }
  })

  test('are known by their own names only', () => {
    for (const name of Object.keys(peerMethods)) expect(knownIn(peerMethods, name)).toBe(name as MethodIn<PeerMethods>)
    for (const name of ['__proto__', 'constructor', 'toString', '', 'session.ping']) {
      expect(refusalOf(() => knownIn(peerMethods, name))).toBe('unknown_method')
    }
  })
})
