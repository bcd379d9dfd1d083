// The checkpoints of a ledger that a home has seen: what the server has signed, so that it cannot sign another past later without
// being caught. Several commands use a home at once, so each change is made under a lock, to what is in the file then.
//
//   <home>/checkpoints/<key>          those that were seen, at most `checkpointsKeptMax` (checkpoint-list.ts)
//   <home>/checkpoints/<key>.forked   two of which no ledger can have both: for anybody. While it is there no order is signed
//   <home>/checkpoints/lock
//
// <key> is the beginning of the ledger's key in hexadecimal digits.

import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { type Clock, keepAlive } from '../../domain/clock.ts'
import { receiptInvalid, type SignedCheckpoint } from '../../pki/checkpoint.ts'
import { makeFolder, sweepTemporaries } from '../../pki/durable-file.ts'
import { contradictionIn } from '../../pki/history.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import { lockData } from '../../store/data-lock.ts'
import { formatCheckpoints, type ListedCheckpoint, parseCheckpoints } from './checkpoint-list.ts'
import { damaged, type Home } from './home.ts'
import { knownLedgerKey } from './ledger-key.ts'

/** Makes sure that nothing was found against the ledger of this home. @throws {SealwireError} `ledger_forked`. */
export function refuseForked(home: Home): void {
  const key = knownLedgerKey(home)
  if (key !== undefined && existsSync(home.pathOf(evidenceOf(key)))) {
    throw forked(home, key, 'the server has shown two histories of its ledger')
  }
}

/** What a home has seen of one ledger. */
export class SeenCheckpoints {
  readonly key: Uint8Array
  readonly #home: Home
  readonly #clock: Clock

  /** `key`: of the ledger, 32 bytes. */
  constructor(home: Home, key: Uint8Array, clock: Clock) {
    this.#home = home
    this.key = key
    this.#clock = clock
  }

  /** The smallest first. @throws {SealwireError} `config_invalid` when the file is damaged; what the home is refused with. */
  list(): readonly ListedCheckpoint[] {
    const text = this.#home.read(fileOf(this.key), limitTable.checkpointsBytesMax.value) ?? ''
    try {
      return parseCheckpoints(text, this.key)
    } catch (reason) {
      const { code, sentence } = SealwireError.from(reason)
      if (code !== 'receipt_invalid' && code !== 'usage') throw reason
      throw damaged(this.#home.pathOf(fileOf(this.key)), `has a line that is no checkpoint of this ledger: ${sentence}`)
    }
  }

  /**
   * Keeps what was shown, whose signature is good.
   * @throws {SealwireError} `ledger_forked` when it contradicts what was seen, and is kept as the proof of that; `receipt_invalid` when
   * it is of another server; `data_locked`, `storage_full`, `data_unusable`, and as {@link list}.
   */
  async note(shown: readonly SignedCheckpoint[]): Promise<void> {
    if (shown.length > 0) await this.#change((kept) => merged(kept, shown))
  }

  /** Notes that the largest of these is known to extend the others; they were all noted before. @throws {SealwireError} as {@link note}. */
  async prove(checkpoints: readonly SignedCheckpoint[], before: readonly ListedCheckpoint[]): Promise<void> {
    const proved = [...checkpoints, ...before.flatMap(({ checkpoint, isProved }) => (isProved ? [checkpoint] : []))]
    // What another command has proved meanwhile was proved of another one than ours, and waits for the next audit.
    const mark = ({ checkpoint }: ListedCheckpoint) => ({ checkpoint, isProved: proved.some((each) => isSame(each, checkpoint)) })
    await this.#change((kept) => merged(kept, checkpoints).map(mark))
  }

  /**
   * Keeps the proof that the server has shown two histories. `why` is a sentence about it: `it …`.
   * @throws {SealwireError} `ledger_forked`, always; what the home is refused with.
   */
  async fork(why: string, checkpoints: readonly SignedCheckpoint[]): Promise<never> {
    using _lock = await this.#lock()
    throw this.#forked(why, checkpoints)
  }

  async #change(change: (kept: readonly ListedCheckpoint[]) => readonly ListedCheckpoint[]): Promise<void> {
    using _lock = await this.#lock()
    const next = change(this.list())
    const contradiction = contradictionIn(next.map(({ checkpoint }) => checkpoint))
    if (contradiction !== undefined) throw this.#forked(contradiction.why, contradiction.pair)
    this.#home.write(fileOf(this.key), `${remark}${formatCheckpoints(bounded(next))}`)
  }

  /** The first proof that was found stays. */
  #forked(why: string, checkpoints: readonly SignedCheckpoint[]): SealwireError {
    const file = evidenceOf(this.key)
    if (!existsSync(this.#home.pathOf(file))) {
      const list = formatCheckpoints(checkpoints.map((checkpoint) => ({ checkpoint, isProved: false })))
      const server = Buffer.from(checkpoints[0]?.server ?? []).toString('hex')
      this.#home.write(file, `${remark}# Server ${server}: ${why}.\n# Found at ${new Date(this.#clock.now()).toISOString()}.\n${list}`)
    }
    return forked(this.#home, this.key, `the server has shown two histories of its ledger: ${why}`)
  }

  async #lock(): Promise<Disposable> {
    using _alive = keepAlive()
    const until = this.#clock.monotonic() + limitTable.checkpointsLockMsMax.value
    const path = this.#home.pathOf(folder)
    this.#home.make()
    makeFolder(path)
    for (;;) {
      try {
        const lock = lockData(path)
        sweepTemporaries(path, [basename(fileOf(this.key)), basename(evidenceOf(this.key))])
        return lock
      } catch (cause) {
        const { code } = SealwireError.from(cause)
        if (code !== 'data_locked') throw cause
        if (this.#clock.monotonic() >= until)
          throw new SealwireError(code, `another command writes in ${path}`, { cause, hint: 'try again' })
      }
      await new Promise<void>((resolve) => void this.#clock.after(pollMs, resolve))
    }
  }
}

/** One of each, the smallest first. @throws {SealwireError} `receipt_invalid` for those of different servers. */
function merged(kept: readonly ListedCheckpoint[], shown: readonly SignedCheckpoint[]): readonly ListedCheckpoint[] {
  const all = [...kept]
  for (const checkpoint of shown) {
    const server = all[0]?.checkpoint.server ?? checkpoint.server
    if (!sameBytes(server, checkpoint.server)) throw receiptInvalid('the checkpoint is of another server')
    if (!all.some((each) => isSame(each.checkpoint, checkpoint))) all.push({ checkpoint, isProved: false })
  }
  return all.sort((one, other) => Number(one.checkpoint.size - other.checkpoint.size))
}

/** When there are too many, those go that the newest proved one stands for, the smallest first, and then the smallest of the others. */
function bounded(list: readonly ListedCheckpoint[]): readonly ListedCheckpoint[] {
  const newest = list.findLast(({ isProved }) => isProved)
  const rank = (each: ListedCheckpoint): number => (each === newest ? 0 : each.isProved ? 2 : 1)
  const kept = new Set([...list.toReversed()].sort((one, other) => rank(one) - rank(other)).slice(0, limitTable.checkpointsKeptMax.value))
  return list.filter((each) => kept.has(each))
}

function isSame(one: SignedCheckpoint, other: SignedCheckpoint): boolean {
  return sameBytes(one.cose, other.cose)
}

function forked(home: Home, key: Uint8Array, sentence: string): SealwireError {
  const hint = `what it has signed is in ${home.pathOf(evidenceOf(key))}: ask the operator, and show it to whoever deals with this server; no order is signed in this home until you move ${home.pathOf(folder)} away`
  return new SealwireError('ledger_forked', sentence, { hint })
}

function fileOf(key: Uint8Array): string {
  return `${folder}/${Buffer.from(key.subarray(0, fileKeyBytes)).toString('hex')}`
}

function evidenceOf(key: Uint8Array): string {
  return `${fileOf(key)}.forked`
}

const folder = 'checkpoints'
const fileKeyBytes = 8
const pollMs = 20
const remark = '# Checkpoints of a ledger: postings, time, what is known, and what the server has signed (docs/protocol/receipts.md).\n'
