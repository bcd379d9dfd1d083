import { describe, expect, test } from 'bun:test'
import { isIP } from 'node:net'
import { type OwnAddresses, ownCandidates, parseCandidate } from '../../../src/client/direct/candidates.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'

describe('parseCandidate', () => {
  test('takes the address of one machine, in the one form that stands for it', () => {
    for (const [told, host] of [
      ['192.0.2.7', '192.0.2.7'],
      ['10.0.0.255', '10.0.0.255'],
      ['127.0.0.2', '127.0.0.2'],
      ['169.254.3.4', '169.254.3.4'],
      ['223.255.255.255', '223.255.255.255'],
      ['::1', '::1'],
      ['2001:DB8:0:0:0:0:0:7', '2001:db8::7'],
      ['fd00::1', 'fd00::1'],
      ['fec0::1', 'fec0::1'],
      ['::ffff:192.0.2.7', '192.0.2.7'],
      ['::ffff:c000:207', '192.0.2.7'],
      ['0:0:0:0:0:FFFF:C000:0207', '192.0.2.7'],
      ['64:ff9b::192.0.2.7', '64:ff9b::c000:207'],
    ] as const) {
      expect(parseCandidate({ host: told, port: 4000 })).toEqual({ host, port: 4000 })
    }
  })

  test('refuses names, and what is no address of one machine', () => {
    for (const host of [
      '',
      'localhost',
      'example.org',
      '0',
      '127.1',
      '2130706433',
      '0x7f.0.0.1',
      '010.0.0.1',
      '10.0.0.1 ',
      '10.0.0.1:80',
      '[::1]',
      '0.0.0.0',
      '0.1.2.3',
      '224.0.0.1',
      '239.255.255.250',
      '240.0.0.1',
      '255.255.255.255',
      '::',
      '0:0:0:0:0:0:0:0',
      '::0.0.0.0',
      'ff02::1',
      'FF0E::1',
      'fe80::1',
      'febf::1',
      'fe80::1%eth0',
      'fd00::1%eth0',
      '::ffff:0.0.0.0',
      '::ffff:224.0.0.1',
      '::ffff:255.255.255.255',
      '10.0.0.1\n',
      '10.0.0.1\0',
      '/run/socket',
    ]) {
      expect([host, refusal(host, 4000)]).toEqual([host, 'a candidate is the literal address of one machine'])
    }
  })

  test('refuses ports that nobody dials', () => {
    for (const port of [0, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusal('10.0.0.1', port)).toBe('a candidate has a port from 1 to 65535')
    }
    expect([1, 65_535].map((port) => parseCandidate({ host: '10.0.0.1', port }).port)).toEqual([1, 65_535])
  })
})

describe('ownCandidates', () => {
  const lan = { address: '192.0.2.2', internal: false }
  const lan6 = { address: 'fd00::2', internal: false }
  const linkLocal = { address: 'fe80::fc', internal: false }
  const loopback = { address: '127.0.0.1', internal: true }
  const loopback6 = { address: '::1', internal: true }
  const interfaces = { lo: [loopback, loopback6], eth0: [lan, lan6, linkLocal], down: undefined }
  const told = (changes: Partial<OwnAddresses>): readonly string[] =>
    ownCandidates({ host: '::', port: 4000, interfaces, ...changes }).map(({ host }) => host)

  test('are its own addresses, the one that the server sees, and loopback, each once', () => {
    expect(ownCandidates({ host: '::', port: 4000, seen: '203.0.113.9', interfaces })).toEqual(
      ['192.0.2.2', 'fd00::2', '203.0.113.9', '127.0.0.1', '::1'].map((host) => ({ host, port: 4000 })),
    )
    expect(told({ seen: '::ffff:192.0.2.2' })).toEqual(['192.0.2.2', 'fd00::2', '127.0.0.1', '::1'])
  })

  test('leave out what only this machine could dial: a link-local address, a name, a path', () => {
    for (const seen of ['fe80::1%eth0', 'unix', '', '0.0.0.0']) {
      expect(told({ seen })).toEqual(['192.0.2.2', 'fd00::2', '127.0.0.1', '::1'])
    }
  })

  test('are of IPv4 alone for a listener of IPv4, and one address for a listener of one', () => {
    expect(told({ host: '0.0.0.0', seen: '2001:db8::9' })).toEqual(['192.0.2.2', '127.0.0.1'])
    expect(told({ host: '127.0.0.2', seen: '2001:db8::9' })).toEqual(['127.0.0.2'])
    expect(told({ host: '192.0.2.2', seen: '203.0.113.9' })).toEqual(['192.0.2.2', '203.0.113.9'])
    expect(told({ host: 'fd00::2', seen: '2001:db8::9' })).toEqual(['fd00::2', '2001:db8::9'])
  })

  test('are at most eight, of which the seen one and loopback are never left out', () => {
    const bridges = Array.from({ length: 20 }, (_, at) => ({ address: `172.${at + 17}.0.1`, internal: false }))
    const many = told({ seen: '203.0.113.9', interfaces: { ...interfaces, docker0: bridges } })
    expect([many.length, many.slice(0, 2), many.slice(-3)]).toEqual([8, ['192.0.2.2', 'fd00::2'], ['203.0.113.9', '127.0.0.1', '::1']])
    const loopbacks = bridges.map((each) => ({ ...each, internal: true }))
    expect(told({ seen: '203.0.113.9', interfaces: { lo: loopbacks } }).length).toBe(8)
  })

  test('are those of this machine where nothing else is said, and each can be parsed again', () => {
    const all = ownCandidates({ host: '::', port: 4000 })
    expect(all.length).toBeGreaterThan(0)
    for (const each of all) expect([isIP(each.host) > 0, parseCandidate(each)]).toEqual([true, each])
  })
})

function refusal(host: string, port: number): string {
  try {
    return JSON.stringify(parseCandidate({ host, port }))
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    return code === 'malformed' ? sentence : code
  }
}
