import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { addressGroup } from '../../src/domain/index.ts'

describe('addressGroup', () => {
  test('takes an IPv4 address for itself', () => {
    for (const address of ['127.0.0.1', '192.0.2.255', '0.0.0.0', '255.255.255.255']) expect(addressGroup(address)).toBe(address)
  })

  test('takes an IPv6 address for its /64, however it is written', () => {
    for (const address of [
      '2001:db8:0:1::1',
      '2001:DB8:0:1:ffff:ffff:ffff:ffff',
      '2001:0db8:0000:0001:0:0:0:1',
      '2001:db8:0:1::192.0.2.1',
    ]) {
      expect(addressGroup(address)).toBe('2001:db8:0:1::/64')
    }
    expect(addressGroup('2001:db8:0:2::1')).toBe('2001:db8:0:2::/64')
    expect(addressGroup('::1')).toBe('0:0:0:0::/64')
    expect(addressGroup('::')).toBe('0:0:0:0::/64')
    expect(addressGroup('1::')).toBe('1:0:0:0::/64')
    expect(addressGroup('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
  })

  test('takes IPv4 inside IPv6 for IPv4', () => {
    for (const address of ['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1', '0:0:0:0:0:ffff:c000:0201']) {
      expect(addressGroup(address)).toBe('192.0.2.1')
    }
  })

  test('puts all that is no address in one group', () => {
    const texts = [
      '',
      'localhost',
      '1.2.3',
      '1.2.3.4.',
      '01.2.3.4',
      '256.1.1.1',
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
    ]
    texts.push('12345::', 'g::', '1:2:3:4:5:6:7::8:9', '1.2.3.4::', '::1.2.3', '[::1]', `${'0'.repeat(1000)}::`, '1::2:3:4:5:6:7:8')
    for (const text of texts) expect([text, addressGroup(text)]).toEqual([text, 'unknown'])
  })

  test('gives one group to all addresses that share their first 64 bits', () => {
    const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(half, half, ([first = 0, ...network], host) => {
        const groups = [first | 0x2000, ...network].map((group) => group.toString(16))
        const address = [...groups, ...host.map((group) => group.toString(16).padStart(4, '0'))].join(':')
        expect(addressGroup(address)).toBe(`${groups.join(':')}::/64`)
      }),
    )
  })
})
