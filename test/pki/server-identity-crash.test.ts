// Cuts the power, so to speak, before every single call to the file system that a start makes, one start after
// another, and looks at what is left. From the cut on every call fails, those that would tidy up included, so the
// folder stays exactly as a dead process leaves it.

import { beforeEach, describe, expect, mock, test } from 'bun:test'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { loadServerIdentity } from '../../src/pki/index.ts'
import { clockAt, entries, start, temporaryFolder } from './support.ts'

const order = ['ca.key', 'ca.crt', 'server.key', 'server.crt']
const real = { ...fs }
let calls: string[] = []
let callsUntilCut = Number.POSITIVE_INFINITY

await mock.module('node:fs', () => ({
  ...real,
  mkdirSync: cut('mkdir', real.mkdirSync),
  openSync: cut((_path, flags) => (flags === 'wx' ? 'create' : 'open'), real.openSync),
  fsyncSync: cut('fsync', real.fsyncSync),
  renameSync: cut('rename', real.renameSync),
  rmSync: cut('rm', real.rmSync),
  readdirSync: cut('readdir', real.readdirSync),
  writeFileSync: cut('write', real.writeFileSync, (descriptor) => real.writeFileSync(descriptor, '-----BEGIN ')),
}))

describe('a first start that is cut short', () => {
  beforeEach(restore)

  test('leaves whole files from the beginning of the row, and the next start makes the rest', async () => {
    const left = new Set<string>()
    const total = await countCalls()
    for (let count = 0; count < total; count++) {
      using root = temporaryFolder()
      const folder = join(root.path, 'data')
      await cutAfter(count, folder)
      const whole = order.filter((name) => real.existsSync(join(folder, name)))
      left.add(whole.join(' '))
      expect(whole).toEqual(order.slice(0, whole.length))
      for (const name of whole) expectWhole(folder, name)
      const before = whole.map((name) => real.readFileSync(join(folder, name), 'utf8'))
      await freshStart(folder)
      expect(entries(folder)).toEqual([...order].sort())
      expect(whole.map((name) => real.readFileSync(join(folder, name), 'utf8'))).toEqual(before)
    }
    expect(left.size).toBe(order.length + 1)
  })

  test('has brought the bytes to the disk before a name points to them, and the name afterwards', async () => {
    await countCalls()
    expect(calls.filter((name) => name === 'rename')).toHaveLength(order.length)
    expect(calls.join(' ').match(/create write fsync rename open fsync/g)).toHaveLength(order.length)
  })
})

describe('a renewal that is cut short', () => {
  beforeEach(restore)

  test('leaves the old certificate or the new one, with the one key that fits both', async () => {
    const outcomes = new Set<string>()
    for (let count = 0; count < 20; count++) {
      using root = temporaryFolder()
      const { fingerprint, keyPem, certificateChainPem } = await freshStart(root.path)
      await cutAfter(count, root.path, ['new.example'])
      const text = real.readFileSync(join(root.path, 'server.crt'), 'utf8')
      expectWhole(root.path, 'server.crt')
      outcomes.add(text === certificateChainPem ? 'old' : 'new')
      const next = await freshStart(root.path, ['new.example'])
      expect({ fingerprint: next.fingerprint, keyPem: next.keyPem }).toEqual({ fingerprint, keyPem })
      expect(new X509Certificate(next.certificateChainPem).checkHost('new.example')).toBe('new.example')
      expect(entries(root.path)).toEqual([...order].sort())
    }
    expect([...outcomes].sort()).toEqual(['new', 'old'])
  })
})

function restore(): void {
  calls = []
  callsUntilCut = Number.POSITIVE_INFINITY
}

async function freshStart(folder: string, hosts: readonly string[] = []) {
  restore()
  return await loadServerIdentity({ folder, hosts }, { clock: clockAt(start) })
}

async function countCalls(): Promise<number> {
  using root = temporaryFolder()
  await freshStart(join(root.path, 'data'))
  return calls.length
}

async function cutAfter(count: number, folder: string, hosts: readonly string[] = []): Promise<void> {
  restore()
  callsUntilCut = count
  await loadServerIdentity({ folder, hosts }, { clock: clockAt(start) }).catch(() => {})
  restore()
}

function expectWhole(folder: string, name: string): void {
  const text = real.readFileSync(join(folder, name), 'utf8')
  if (name.endsWith('.key')) expect(createPrivateKey(text).asymmetricKeyType).toBe('ec')
  else expect(text.match(/-----END CERTIFICATE-----\n/g)).toHaveLength(name === 'ca.crt' ? 1 : 2)
}

/** `action` until the cut; the call that the cut hits does `half` of its work; after it nothing works any more. */
function cut<A extends unknown[], R>(
  name: string | ((...words: A) => string),
  action: (...words: A) => R,
  half?: (...words: A) => unknown,
): (...words: A) => R {
  return (...words) => {
    if (calls.length === callsUntilCut) half?.(...words)
    if (calls.length >= callsUntilCut) callsUntilCut = -1
    if (callsUntilCut === -1) throw new TypeError('the power is off')
    calls.push(typeof name === 'string' ? name : name(...words))
    return action(...words)
  }
}
