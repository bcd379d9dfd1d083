import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import {
  type CborValue,
  contractCommands,
  encodeCbor,
  encodeFault,
  encodeHello,
  encodeRequest,
  events,
  methods,
  parseFault,
  parseHello,
  parseRequest,
} from '../../../src/protocol/contract/index.ts'
import { type Code, codes, encodeFrame, frameBodyBytesLimit } from '../../../src/protocol/index.ts'
import { refusal, refusalOf } from '../../support/refusal.ts'
import { answeredId, badVectors, goodVectors, packetOf, readBody } from './vectors.ts'

describe('good vectors', () => {
  for (const { name, kind, value, frame, method, onlyRead } of goodVectors) {
    test(`reads "${name}" whole and byte by byte${onlyRead ? '' : ', and it encodes back'}`, () => {
      for (const way of ['whole', 'byte by byte'] as const) {
        const { command, body } = packetOf(frame, way)
        expect(command).toBe(contractCommands[kind])
        expect(readBody(kind, body, method)).toEqual(value)
      }
      if (onlyRead) return
      expect(Buffer.from(encodeFrame(contractCommands[kind], encodeCbor(value as CborValue))).toString('hex')).toBe(
        Buffer.from(frame).toString('hex'),
      )
    })
  }

  test('show every frame, every method both ways, every event and every code that travels', () => {
    const shown = (kind: string) => goodVectors.filter((vector) => vector.kind === kind && !vector.onlyRead)
    const ofValue = (kind: string, at: number) => new Set(shown(kind).map(({ value }) => (value as CborValue[])[at]))
    expect(new Set(goodVectors.map(({ kind }) => kind))).toEqual(new Set(Object.keys(contractCommands)) as Set<never>)
    expect(ofValue('request', 1)).toEqual(new Set(Object.keys(methods)))
    expect(new Set(shown('result').map(({ method }) => method))).toEqual(new Set(Object.keys(methods)))
    expect(ofValue('event', 0)).toEqual(new Set(Object.keys(events)))
    const travelling = (Object.keys(codes) as Code[]).filter((code) => codes[code].wire < 0x40 || code === 'internal')
    expect(ofValue('fault', 1)).toEqual(new Set(travelling.map((code) => codes[code].wire)))
  })
})

describe('bad vectors', () => {
  for (const { name, kind, frame, error, id, method } of badVectors) {
    test(`refuses "${name}" with ${error}, whole and byte by byte`, () => {
      for (const way of ['whole', 'byte by byte'] as const) {
        const { command, body } = packetOf(frame, way)
        expect(command).toBe(contractCommands[kind])
        expect(refusalOf(() => readBody(kind, body, method))).toBe(error as Code)
        if (kind === 'request') expect(answeredId(body)).toBe(id as number | null)
      }
    })
  }

  test('agree with a reader written in Python, as the good ones do', () => {
    const folder = new URL('../../../vectors/contract', import.meta.url).pathname
    const script = new URL('../../vectors/check_contract.py', import.meta.url).pathname
    const { stdout, stderr, status, error } = spawnSync('python3', ['-B', script, folder], { encoding: 'utf8' })
    if (error !== undefined && process.env['CI'] !== 'true') return void console.warn('SKIPPED: python3 is not installed')
    expect(stderr).toBe('')
    expect(stdout).toBe(`${goodVectors.length} good and ${badVectors.length} bad vectors of the contract agree\n`)
    expect(status).toBe(0)
  })
})

test('a refusal names the field and shows nothing of its value', () => {
  const body = encodeRequest(1, 'account.login', { name: 'alice', password: 'a secret'.repeat(200) })
  expect(refusal(() => readBody('request', body))).toEqual(['malformed', 'account.login.password is not what it should be'])
  const odd = encodeCbor([1, 'session.ping', { 'a secret\u001b[2J': 'another' }])
  expect(refusal(() => readBody('request', odd))).toEqual(['malformed', 'session.ping.a?secret??2J is not what it should be'])
})

test('what was read does not change with the buffer that it was read from', () => {
  const buffer = Buffer.from(encodeRequest(1, 'session.echo', { data: Uint8Array.of(1, 2, 3) }))
  const read = readBody('request', buffer)
  buffer.fill(0)
  expect(read).toEqual([1, 'session.echo', { data: Uint8Array.of(1, 2, 3) }])
})

test('optional fields that are undefined are left out', () => {
  expect(encodeHello({ versions: [1], client: undefined })).toEqual(encodeHello({ versions: [1] }))
  expect(parseHello(encodeHello({ versions: [1] }))).toEqual({ versions: [1] })
})

test('a request keeps its parameters unchecked until its method is known', () => {
  expect(parseRequest(encodeCbor([9, 'no.such', [1, { a: null }]]))).toEqual({ id: 9, method: 'no.such', params: [1, { a: null }] })
})

test('a code of the operator cannot be brought in by a server', () => {
  expect(parseFault(encodeFault({ id: null, code: 'usage', sentence: 'x' })).code).toBe('internal')
  expect(parseFault(encodeCbor([null, 0x1_0000, 'x'])).code).toBe('internal')
  expect(parseFault(encodeCbor([1, 0x2f, 'x'])).code).toBe('refused')
  expect(parseFault(encodeCbor([null, 0x0f, 'x'])).code).toBe('internal')
})

test('the largest message fits one frame beside the longest name and type, both ways', () => {
  const largest = goodVectors.filter(({ name }) => /60,000 bytes|largest message/.test(name))
  expect(new Set(largest.map(({ kind }) => kind))).toEqual(new Set(['request', 'result', 'event']))
  for (const { frame } of largest) expect(frame.length).toBeLessThanOrEqual(frameBodyBytesLimit)
})
