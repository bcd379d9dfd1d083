import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OrderFiles } from '../../../src/client/home/held-order-files.ts'
import { Home } from '../../../src/client/home/home.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { memoCharactersMax, orderBytesMax } from '../../../src/protocol/contract/index.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { rejectionOf } from '../../support/refusal.ts'

const order = (byte: number) => ({ from: 'Ålice', signed: new Uint8Array(300).fill(byte) })
const key = (byte: number) => `${byte}-${byte.toString(16).padStart(32, '0')}`

class Place implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'sealwire-orders-'))

  of(name = 'bob', ordersHeldMax = 1_000): OrderFiles {
    return new OrderFiles(new Home(join(this.path, 'home')), { name, limits: { ordersHeldMax }, clock: systemClock })
  }

  /** The one folder of orders that there is. */
  get folder(): string {
    const all = join(this.path, 'home', 'orders-held')
    return join(all, readdirSync(all)[0] ?? '')
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}

describe('OrderFiles', () => {
  test('keeps orders for the next program of the home, the oldest first, until they are removed', async () => {
    using place = new Place()
    expect(await place.of().load()).toEqual([])
    for (const byte of [3, 1, 2]) {
      await place.of().add(key(byte), { ...order(byte), ...(byte === 2 ? { memo: 'tea' } : {}) })
      utimesSync(join(place.folder, key(byte)), 1_000 + byte, 1_000 + byte)
    }
    expect(await place.of('BOB').load()).toEqual([order(1), { ...order(2), memo: 'tea' }, order(3)])
    await place.of().remove(key(1))
    await place.of().remove(key(1))
    expect(await place.of().load()).toEqual([{ ...order(2), memo: 'tea' }, order(3)])
    expect(await place.of('carol').load()).toEqual([])
  })

  test('shows them to nobody else', async () => {
    using place = new Place()
    await place.of().add(key(1), order(1))
    if (process.platform === 'win32') return
    expect([statSync(place.folder).mode & 0o777, statSync(join(place.folder, key(1))).mode & 0o777]).toEqual([0o700, 0o600])
  })

  test('keeps so many and no more', async () => {
    using place = new Place()
    for (const byte of [1, 2]) await place.of('bob', 2).add(key(byte), order(byte))
    expect(await rejectionOf(place.of('bob', 2).add(key(3), order(3)))).toBe('busy')
    expect((await place.of('bob', 1).load()).length).toBe(1)
  })

  test('reads what is no larger than an order can be', async () => {
    using place = new Place()
    const largest = { from: 'Å'.repeat(32), signed: new Uint8Array(orderBytesMax), memo: '😀'.repeat(memoCharactersMax) }
    await place.of().add(key(1), largest)
    const around = statSync(join(place.folder, key(1))).size - orderBytesMax
    for (const more of [0, 1]) {
      const signed = new Uint8Array(limitTable.orderFileBytesMax.value - around + more)
      await place.of().add(key(2 + more), { ...largest, signed })
      expect(statSync(join(place.folder, key(2 + more))).size).toBe(limitTable.orderFileBytesMax.value + more)
    }
    expect((await place.of().load()).map(({ signed }) => signed.length).toSorted((one, other) => one - other)).toEqual([
      orderBytesMax,
      8_192 - around,
    ])
  })

  test('leaves alone what is no order, and removes what a crash has cut off', async () => {
    using place = new Place()
    await place.of().add(key(1), order(1))
    const others = ['notes.txt', key(7), key(8), key(9)]
    const contents = ['x', 'x', '', 'x'.repeat(9_000)]
    for (const [at, name] of others.entries()) writeFileSync(join(place.folder, name), contents[at] ?? '')
    const [old, fresh] = [`.${key(5)}.0123456789abcdef.tmp`, `.${key(6)}.0123456789abcdef.tmp`]
    for (const name of [old, fresh]) writeFileSync(join(place.folder, name), 'x')
    utimesSync(join(place.folder, old), 1_000, 1_000)
    expect(await place.of().load()).toEqual([order(1)])
    expect(readdirSync(place.folder).toSorted()).toEqual([...others, key(1), fresh].toSorted())
  })

  test('says so where it cannot be kept', async () => {
    using place = new Place()
    const files = place.of()
    await files.add(key(1), order(1))
    const folder = place.folder
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'in the way')
    expect(await rejectionOf(files.add(key(2), order(2)))).toBe('data_unusable')
    expect(await rejectionOf(files.load())).toBe('data_unusable')
  })
})
