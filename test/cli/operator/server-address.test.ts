import { describe, expect, test } from 'bun:test'
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inviteAddress, recallAddress, rememberAddress } from '../../../src/cli/operator/server-address.ts'
import { StoreFolder } from '../../support/store-folder.ts'

describe('inviteAddress', () => {
  test.each<[string, readonly string[], string, string]>([
    ['the first --host', ['chat.example', 'other.example'], '0.0.0.0', 'chat.example'],
    ['a --host as certificates have it', ['Chat.Example'], '127.0.0.1', 'chat.example'],
    ['the address listened at', [], '192.0.2.7', '192.0.2.7'],
    ['this machine for every IPv4 address', [], '0.0.0.0', '127.0.0.1'],
    ['this machine for every IPv6 address', [], '::', '::1'],
    ['this machine for what no link can name', [], 'fe80::1%eth0', 'localhost'],
  ])('takes %s', (_, hosts, host, expected) => {
    const listen = [
      { host, port: 0 },
      { host: '192.0.2.8', port: 1 },
    ]
    const endpoints = [
      { host, port: 4711 },
      { host: '192.0.2.8', port: 1 },
    ]
    expect(inviteAddress({ hosts, listen }, endpoints)).toEqual({ host: expected, port: 4711 })
  })
})

describe('rememberAddress', () => {
  test('is recalled, IPv6 too, and the file is its owner’s alone', () => {
    using folder = new StoreFolder()
    for (const address of [
      { host: 'chat.example', port: 443 },
      { host: '::1', port: 5555 },
    ]) {
      rememberAddress(folder.path, address)
      expect(recallAddress(folder.path)).toEqual(address)
    }
    expect(lstatSync(join(folder.path, 'address')).mode & 0o777).toBe(0o600)
  })

  test('writes nothing when nothing has changed', () => {
    using folder = new StoreFolder()
    rememberAddress(folder.path, { host: 'chat.example', port: 443 })
    const before = lstatSync(join(folder.path, 'address')).ino
    rememberAddress(folder.path, { host: 'chat.example', port: 443 })
    expect(lstatSync(join(folder.path, 'address')).ino).toBe(before)
    expect(readFileSync(join(folder.path, 'address'), 'utf8')).toBe('chat.example:443\n')
  })
})

describe('recallAddress', () => {
  test.each(['', 'nonsense', 'chat.example:0', 'chat.example:443\nmore', '\u0000:1'])('knows none from %p', (text) => {
    using folder = new StoreFolder()
    writeFileSync(join(folder.path, 'address'), text)
    expect(recallAddress(folder.path)).toBeUndefined()
  })

  test('knows none where there is no file', () => {
    using folder = new StoreFolder()
    expect(recallAddress(folder.path)).toBeUndefined()
  })
})
