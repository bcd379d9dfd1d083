import { describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCheckpoints } from '../../../src/client/home/checkpoint-list.ts'
import { refuseForked, SeenCheckpoints } from '../../../src/client/home/checkpoints.ts'
import { Home } from '../../../src/client/home/home.ts'
import { HomeSigner } from '../../../src/client/home/order-signer.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { publicPem } from '../../../src/pki/index.ts'
import { orderPurposes } from '../../../src/protocol/contract/index.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { lockData } from '../../../src/store/data-lock.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { PaperLedger } from '../../support/paper-ledger.ts'
import { refusal, rejectionOf } from '../../support/refusal.ts'

const kept = limitTable.checkpointsKeptMax.value

class Place implements Disposable {
  readonly home = new Home(mkdtempSync(join(tmpdir(), 'sealwire-checkpoints-')))
  readonly ledger = new PaperLedger(kept + 20)
  readonly seen: SeenCheckpoints
  readonly file: string

  constructor() {
    const { publicKey } = this.ledger.key
    this.seen = new SeenCheckpoints(this.home, publicKey, systemClock)
    this.file = this.home.pathOf(`checkpoints/${Buffer.from(publicKey.subarray(0, 8)).toString('hex')}`)
    this.home.write('ledger.pub', publicPem(publicKey))
  }

  get sizes(): readonly string[] {
    return this.seen.list().map(({ checkpoint: { size }, isProved }) => `${size}${isProved ? ' proved' : ''}`)
  }

  /** Checkpoints of these sizes. */
  of(...sizes: readonly number[]) {
    return sizes.map((size) => this.ledger.checkpoint(size))
  }

  [Symbol.dispose](): void {
    rmSync(this.home.path, { recursive: true, force: true })
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at)

describe('SeenCheckpoints', () => {
  test('keeps each once, the smallest first, for its owner alone, and another object finds them', async () => {
    using place = new Place()
    expect(place.sizes).toEqual([])
    await place.seen.note([])
    expect(existsSync(place.file)).toBe(false)
    await place.seen.note(place.of(7, 3))
    await place.seen.note(place.of(5, 3))
    expect(place.sizes).toEqual(['3', '5', '7'])
    await place.seen.prove(place.of(3, 5), place.seen.list())
    expect(place.sizes).toEqual(['3 proved', '5 proved', '7'])
    expect(statSync(place.file).mode & 0o777).toBe(0o600)
    expect(new SeenCheckpoints(place.home, place.ledger.key.publicKey, systemClock).list()).toEqual(place.seen.list())
    // What is in the file can be handed to somebody else as it is.
    expect(readCheckpoints(readFileSync(place.file), place.ledger.key.publicKey)).toEqual(place.of(3, 5, 7))
  })

  test('does not take for proved what another command has proved of something else', async () => {
    using place = new Place()
    const before = place.seen.list()
    await place.seen.prove(place.of(4, 6), before)
    await place.seen.prove(place.of(5), before)
    expect(place.sizes).toEqual(['4', '5 proved', '6'])
  })

  test('is bounded: first those go that another one stands for', async () => {
    using place = new Place()
    await place.seen.prove(place.of(...range(1, 10)), [])
    await place.seen.note(place.of(...range(11, kept)))
    expect(place.sizes).toHaveLength(kept)
    await place.seen.note(place.of(...range(kept + 1, kept + 9)))
    expect(place.sizes).toEqual(['10 proved', ...range(11, kept + 9).map(String)])
    await place.seen.note(place.of(kept + 10, kept + 11))
    expect(place.sizes).toEqual(['10 proved', ...range(13, kept + 11).map(String)])
    expect(statSync(place.file).size).toBeLessThan(limitTable.checkpointsBytesMax.value)
  })

  test('loses nothing when many write at once', async () => {
    using place = new Place()
    const others = range(1, 8).map(() => new SeenCheckpoints(place.home, place.ledger.key.publicKey, systemClock))
    await Promise.all(others.flatMap((seen, at) => range(0, 3).map((step) => seen.note(place.of(at * 4 + step + 1)))))
    expect(place.sizes).toEqual(range(1, 32).map(String))
    expect(readdirSync(place.home.pathOf('checkpoints')).toSorted()).toEqual([place.file.slice(-16), 'lock'].toSorted())
  })

  test('keeps two that contradict each other as the proof, and from then on nothing is ordered', async () => {
    using place = new Place()
    refuseForked(place.home)
    await place.seen.note(place.of(4, 9))
    const other = new PaperLedger(3, place.ledger.key)
    other.pay(undefined, { amount: 1n })
    expect(await rejectionOf(place.seen.note([other.checkpoint(4)]))).toBe('ledger_forked')
    const evidence = `${place.file}.forked`
    expect(statSync(evidence).mode & 0o777).toBe(0o600)
    const proof = readCheckpoints(readFileSync(evidence), place.ledger.key.publicKey)
    expect(proof).toEqual([...place.of(4), other.checkpoint(4)])
    expect(place.sizes).toEqual(['4', '9'])
    expect(refusal(() => refuseForked(place.home))?.[0]).toBe('ledger_forked')
    expect(await rejectionOf(new HomeSigner(place.home).sign(new Uint8Array(), orderPurposes.pay))).toBe('ledger_forked')
    // The first proof stays.
    expect(await rejectionOf(place.seen.note([place.ledger.checkpoint(3, { at: 1_900_000_000_000n })]))).toBe('ledger_forked')
    expect(await rejectionOf(place.seen.fork('it is another one', place.of(1)))).toBe('ledger_forked')
    expect(readCheckpoints(readFileSync(evidence), place.ledger.key.publicKey)).toEqual(proof)
  })

  test('refuses those of another server, and says so of a damaged file', async () => {
    using place = new Place()
    await place.seen.note(place.of(4))
    const foreign = place.ledger.checkpoint(4, { server: new Uint8Array(16) })
    expect(await rejectionOf(place.seen.note([foreign]))).toBe('receipt_invalid')
    expect(existsSync(`${place.file}.forked`)).toBe(false)
    const text = readFileSync(place.file, 'utf8')
    writeFileSync(place.file, text.replace(/..\n$/, 'AA\n'))
    expect(refusal(() => place.seen.list())?.[0]).toBe('config_invalid')
    expect(await rejectionOf(place.seen.note(place.of(5)))).toBe('config_invalid')
    writeFileSync(place.file, text)
    expect(place.sizes).toEqual(['4'])
  })
})

describe('the file of checkpoints', () => {
  test('is read up to its bound, and not beyond', async () => {
    using place = new Place()
    await place.seen.note(place.of(4))
    const [text, bytesMax] = [readFileSync(place.file, 'utf8'), limitTable.checkpointsBytesMax.value]
    writeFileSync(place.file, text.padEnd(bytesMax, '\n'))
    expect(place.sizes).toEqual(['4'])
    writeFileSync(place.file, text.padEnd(bytesMax + 1, '\n'))
    expect(refusal(() => place.seen.list())?.[0]).toBe('config_invalid')
  })

  test('is waited for no longer than its bound while another command writes', async () => {
    using place = new Place()
    const clock = new ManualClock()
    const seen = new SeenCheckpoints(place.home, place.ledger.key.publicKey, clock)
    const waitMs = limitTable.checkpointsLockMsMax.value
    {
      using _ = lockData(place.home.pathOf('checkpoints'))
      let isOver = false
      const refused = rejectionOf(seen.note(place.of(4)).finally(() => (isOver = true)))
      await clock.move(waitMs - 1)
      expect(isOver).toBe(false)
      await clock.move(20)
      expect([isOver, clock.timers]).toEqual([true, 0])
      expect(await refused).toBe('data_locked')
    }
    await seen.note(place.of(4))
    expect(place.sizes).toEqual(['4'])
  })
})

describe('readCheckpoints', () => {
  const ledger = new PaperLedger(5)
  const { publicKey } = ledger.key

  test('reads a receipt, a checkpoint, and lists with remarks', () => {
    expect(readCheckpoints(ledger.receipt(2, 4), publicKey)).toEqual([ledger.checkpoint(4)])
    expect(readCheckpoints(ledger.checkpoint(4).cose, publicKey)).toEqual([ledger.checkpoint(4)])
    const base64 = Buffer.from(ledger.checkpoint(3).cose).toString('base64')
    expect(readCheckpoints(Buffer.from(`# as bob wrote it\n\n${base64}\r\n  9 never seen ${base64}\n`), publicKey)).toHaveLength(2)
  })

  test('refuses what the key has not signed, and too many', () => {
    const other = new PaperLedger(5)
    const flipped = ledger.receipt(2)
    flipped.set([(flipped.at(-1) ?? 0) ^ 1], flipped.length - 1)
    for (const bad of [
      other.receipt(1),
      other.checkpoint(1).cose,
      flipped,
      Buffer.from('hello\n'),
      new Uint8Array(),
      Uint8Array.of(0x84),
    ]) {
      expect(refusal(() => readCheckpoints(bad, publicKey))?.[0]).toBe('receipt_invalid')
    }
    const line = `${Buffer.from(ledger.checkpoint(3).cose).toString('base64')}\n`
    expect(readCheckpoints(Buffer.from(line.repeat(kept)), publicKey)).toHaveLength(kept)
    expect(refusal(() => readCheckpoints(Buffer.from(line.repeat(kept + 1)), publicKey))?.[0]).toBe('usage')
  })
})
