import { describe, expect, test } from 'bun:test'
import { type Endpoint, formatEndpoint, parseEndpoint, parsePort } from '../../../src/cli/options/endpoint.ts'
import { commandLine } from '../../../src/cli/options/origin.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'

const origin = commandLine('--listen')

describe('parseEndpoint', () => {
  test.each<[string, Endpoint]>([
    ['127.0.0.1:5555', { host: '127.0.0.1', port: 5555 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
    ['chat.example:65535', { host: 'chat.example', port: 65_535 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['[fe80::1%eth0]:80', { host: 'fe80::1%eth0', port: 80 }],
    ['0.0.0.0:5555', { host: '0.0.0.0', port: 5555 }],
  ])('reads %s and writes it back', (text, endpoint) => {
    expect(parseEndpoint(text, origin)).toEqual(endpoint)
    expect(formatEndpoint(endpoint)).toBe(text)
  })

  test.each([
    ['localhost', 'has no port'],
    ['', 'has no port'],
    ['localhost:', 'has no port from 0 to 65535'],
    ['localhost:70000', 'has no port from 0 to 65535'],
    ['localhost:65536', 'has no port from 0 to 65535'],
    ['localhost:-1', 'has no port from 0 to 65535'],
    ['localhost:080', 'has no port from 0 to 65535'],
    ['localhost:0x50', 'has no port from 0 to 65535'],
    ['localhost:80 ', 'has no port from 0 to 65535'],
    [':5555', 'names no host'],
    ['*:5555', 'names no host'],
    ['[]:5555', 'names no host'],
    ['::1:5555', 'is an IPv6 address without brackets'],
    ['[127.0.0.1]:5555', 'has an impossible host'],
    ['[localhost]:5555', 'has an impossible host'],
    ['127.0.0.300:5555', 'has an impossible host'],
    ['127.1:5555', 'has an impossible host'],
    ['tls://localhost:5555', 'has an impossible host'],
    ['a b:5555', 'has an impossible host'],
    ['-a:5555', 'has an impossible host'],
  ])('refuses %p, which %s', (text, predicate) => {
    expect(sentenceOf(() => parseEndpoint(text, origin))).toBe(`--listen ${JSON.stringify(text)} ${predicate}`)
  })

  test('blames the origin that it was given', () => {
    const file = { label: 'server.toml:3: listen', code: 'config_invalid' } as const
    expect(sentenceOf(() => parseEndpoint('x', file))).toBe('server.toml:3: listen "x" has no port')
    expect(() => parseEndpoint('x', file)).toThrow(expect.objectContaining({ code: 'config_invalid' }))
  })
})

describe('parsePort', () => {
  test.each(['0', '1', '5555', '65535'])('reads %s', (text) => {
    expect(parsePort(text, commandLine('PORT'))).toBe(Number(text))
  })

  test.each(['70000', '65536', '', '-1', '1e3', '5555x', '٣'])('refuses %p', (text) => {
    expect(sentenceOf(() => parsePort(text, commandLine('PORT')))).toBe(`PORT ${JSON.stringify(text)} is not a port from 0 to 65535`)
  })
})

function sentenceOf(action: () => unknown): string | undefined {
  try {
    action()
  } catch (reason) {
    return SealwireError.from(reason).sentence
  }
  return undefined
}
