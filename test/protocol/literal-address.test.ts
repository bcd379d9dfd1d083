import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isIPv4, isIPv6 } from 'node:net'
import { isDialable, isIpv4, ipv6Groups, plainAddress } from '../../src/protocol/literal-address.ts'

describe('isDialable', () => {
  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.254.1.1',
    '192.0.2.1',
    '223.255.255.255',
    '1.0.0.0',
    '::1',
    'fe80::1',
    'fd00::1',
    '2001:DB8::1',
  ])('takes %s', (address) => expect(isDialable(address)).toBe(true))

  test.each(['::ffff:192.0.2.1', '::ffff:c000:201', '64:ff9b::192.0.2.1', 'feff::'])('takes %s', (address) =>
    expect(isDialable(address)).toBe(true),
  )

  test.each([
    ...[
      '',
      ' ',
      'localhost',
      'a.example',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '0x7f.0.0.1',
      '2130706433',
      '256.0.0.1',
      '1.2.3.4 ',
      '1.2.3.4:5',
    ],
    ...['[::1]', '::1%lo', 'fe80::1%1', '1.2.3.4%lo', '::1/128', ':', ':::', '1:2:3:4:5:6:7', '1::2::3', '12345::', '::g', '::1.2.3'],
    ...['0.0.0.0', '0.255.0.1', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '0:0:0:0:0:0:0:0', '::0.0.0.0', 'ff00::', 'ff02::1', 'FFFF::1', '::ffff:0.0.0.0', '::ffff:224.0.0.1', '::ffff:ffff:ffff'],
    ...['1'.repeat(46), '0000:0000:0000:0000:0000:ffff:255.255.255.255'],
  ])('refuses "%s"', (address) => expect(isDialable(address)).toBe(false))
})

describe('plainAddress', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:c000:0201', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::', '::'],
  ])('makes %s to %s', (address, plain) => expect(plainAddress(address)).toBe(plain))

  test.each(['memory', '', 'fe80::1%eth0'])('makes nothing of "%s"', (address) => expect(plainAddress(address)).toBeUndefined())
})

test('agrees with node:net on what an address is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), fc.stringMatching(/^[0-9a-f:.]{0,24}$/)), (text) => {
      expect(isIpv4(text)).toBe(isIPv4(text))
      expect(ipv6Groups(text) !== undefined).toBe(isIPv6(text))
    }),
  )
})
