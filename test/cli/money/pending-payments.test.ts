import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOver, PendingPayments } from '../../../src/cli/money/pending-payments.ts'
import { Home } from '../../../src/client/home/home.ts'
import { newMessageId } from '../../../src/client/index.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { refused } from '../home-support.ts'

const parent = mkdtempSync(join(tmpdir(), 'sealwire-pending-'))
afterAll(() => rmSync(parent, { recursive: true, force: true }))
let count = 0

function open() {
  const home = new Home(join(parent, String(++count)))
  home.make()
  return { home, pending: new PendingPayments(home, 'alice') }
}

function payment(more: object = {}) {
  return { id: freshId(), name: 'bob', amount: '5.00', unit: 'credits', memo: 'lunch', request: undefined, ...more }
}

function freshId(now = Date.now()): string {
  return newMessageId(now, (bytes) => crypto.getRandomValues(bytes))
}

describe('PendingPayments', () => {
  test('has what was added until it is removed, whoever opens the home', () => {
    const { home, pending } = open()
    const [first, second] = [payment({ id: freshId(1_000) }), payment({ id: freshId(2_000), memo: undefined, request: freshId() })]
    pending.add(second)
    pending.add(first)
    expect(new PendingPayments(home, 'alice').list()).toEqual([first, second])
    expect(new PendingPayments(home, 'carol').list()).toEqual([])
    const [file = ''] = readdirSync(home.path)
    expect(statSync(join(home.path, file)).mode & 0o777).toBe(0o600)
    pending.remove(first.id)
    pending.remove(first.id)
    expect(pending.list()).toEqual([second])
  })

  test('finds what would pay the same, and nothing else', () => {
    const { pending } = open()
    const kept = payment()
    pending.add(kept)
    expect(pending.find({ ...kept, name: 'BOB' })).toEqual(kept)
    for (const more of [{ name: 'carol' }, { amount: '5.01' }, { unit: 'hours' }, { memo: undefined }, { request: freshId() }])
      expect(pending.find({ ...kept, ...more })).toBeUndefined()
  })

  test('takes no more than the limit says', () => {
    const { pending } = open()
    const all = Array.from({ length: limitTable.pendingPaymentsMax.value }, (_, at) => payment({ id: freshId(at + 1) }))
    for (const each of all) pending.add(each)
    expect(refused(() => pending.add(payment())).code).toBe('busy')
    // The same again is no more.
    pending.add(all[0] ?? payment())
  })

  test('refuses a file that is none, and one that others can read', () => {
    const { home, pending } = open()
    const path = home.pathOf(`payment-${freshId()}.json`)
    for (const text of ['{', '{}', '{"version":1,"account":"alice","name":"bob"}']) {
      writeFileSync(path, text, { mode: 0o600 })
      expect(refused(() => pending.list()).code).toBe('config_invalid')
    }
    chmodSync(path, 0o644)
    expect(refused(() => pending.list()).code).toBe('key_unsafe')
  })
})

test('a payment is read up to the bound of its file, and not beyond', () => {
  const { home, pending } = open()
  pending.add(payment())
  const [[file = ''], bytesMax] = [readdirSync(home.path), limitTable.profileBytesMax.value]
  const text = home.read(file, bytesMax) ?? ''
  home.write(file, text.padEnd(bytesMax))
  expect(pending.list()).toHaveLength(1)
  home.write(file, text.padEnd(bytesMax + 1))
  expect(refused(() => pending.list()).code).toBe('config_invalid')
})

test('isOver says when no server takes an order any more', () => {
  const now = 1_000_000_000_000
  expect([isOver(freshId(now), now + 24 * 3_600_000), isOver(freshId(now), now + 25 * 3_600_000 + 1)]).toEqual([false, true])
})
