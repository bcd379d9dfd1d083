// The place of one session in the inbox of its account.
//
//   opening ──begin──▶ catching up ──everything that is known is written──▶ live
//   live ──an entry comes that is not the next, the link does not keep up, it is doubted──▶ catching up
//   any ──the link is over, the inbox is opened again──▶ closed
//
// Live, an entry is written when it comes. Catching up, pages are read from the store and written as fast as the link takes
// them: one page and the link's own output are all that is in memory, however far behind the session is.

import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock } from '../../domain/index.ts'
import { type Checksum, type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { InboxEntry, Store } from '../../store/index.ts'
import type { Speaker } from '../session/dialect.ts'
import { EntryFrame } from './entry-frame.ts'
import type { Counts } from '../metrics/counts.ts'

/** What the place of a session in an inbox works with. */
export interface InboxSessionParts {
  readonly store: Pick<Store, 'run'>
  readonly limits: Pick<Limits, 'inboxPageBytes'>
  readonly checksum: Checksum
  readonly clock: Pick<Clock, 'after'>
  readonly counts: Pick<Counts, 'entriesPushed'>
}

/** The least that an entry counts, so that short ones make no page too long. */
const entryBytesMin = 256
/** Between two tries to read what the store could not read. */
const retryMs = limitTable.inboxRetryMs.value

export class InboxSession {
  readonly accountId: bigint
  readonly device: string
  readonly #speaker: Speaker
  readonly #parts: InboxSessionParts
  /** The last entry that was written. */
  #pushedSeq = 0n
  /** The newest entry that is known. */
  #lastSeq = 0n
  /** There may be entries of which nobody has told. */
  #isDoubted = false
  #state: 'opening' | 'catching up' | 'live' | 'closed' = 'opening'

  constructor(accountId: bigint, device: string, speaker: Speaker, parts: InboxSessionParts) {
    this.accountId = accountId
    this.device = device
    this.#speaker = speaker
    this.#parts = parts
  }

  /** Begins behind `pushedSeq`; what is there up to `lastSeq` follows, after the answer under way is given. */
  begin(pushedSeq: bigint, lastSeq: bigint): void {
    if (this.#state !== 'opening') return
    this.#pushedSeq = pushedSeq
    this.#note(lastSeq)
    this.#catchUp()
  }

  /** True when this entry can be pushed now; otherwise it is read from the store in its time. */
  awaits(seq: bigint): boolean {
    this.#note(seq)
    if (this.#state !== 'live' || seq <= this.#pushedSeq) return false
    if (seq === this.#pushedSeq + 1n && this.#speaker.link.keepsUp) return true
    this.#catchUp()
    return false
  }

  /** Writes an entry that it {@link awaits}. */
  push(seq: bigint, entry: EntryFrame): void {
    this.#pushedSeq = seq
    this.#parts.counts.entriesPushed++
    entry.writeTo(this.#speaker.link, seq, this.#parts.checksum)
  }

  /** Reads up to this entry from the store. */
  fetch(seq: bigint): void {
    this.#note(seq)
    if (this.#state === 'live' && seq > this.#pushedSeq) this.#catchUp()
  }

  /** There may be more in the store than it was told of: it looks, in so many ms. */
  doubt(afterMs: number): void {
    this.#isDoubted = true
    this.#parts.clock.after(afterMs, () => {
      if (this.#isDoubted && this.#state === 'live') this.#catchUp()
    })
  }

  close(): void {
    this.#state = 'closed'
  }

  #note(seq: bigint): void {
    if (seq > this.#lastSeq) this.#lastSeq = seq
  }

  #catchUp(): void {
    this.#state = 'catching up'
    this.#readOn().catch((reason: unknown) => this.#failed(SealwireError.from(reason)))
  }

  async #readOn(): Promise<void> {
    await turnOfTheLoop()
    while (this.#isOpen() && (this.#isDoubted || this.#pushedSeq < this.#lastSeq)) {
      await this.#speaker.caughtUp()
      if (this.#isOpen()) await this.#readPage()
    }
    if (this.#isOpen()) this.#state = 'live'
  }

  /** Its entries are written in the turn in which the store answers: what is stored after them comes after them. */
  async #readPage(): Promise<void> {
    const { store, limits } = this.#parts
    const { entries, lastSeq } = await store.run('inbox.read', {
      accountId: this.accountId,
      after: this.#pushedSeq,
      max: BigInt(Math.ceil(limits.inboxPageBytes / entryBytesMin)),
      bytesMax: BigInt(limits.inboxPageBytes),
    })
    if (!this.#isOpen()) return
    this.#isDoubted = false
    for (const each of entries) this.#write(each)
    this.#note(lastSeq)
    // What is missing at the end has left the inbox since.
    if (entries.length === 0) this.#pushedSeq = lastSeq
  }

  #write({ inboxSeq, entry }: InboxEntry): void {
    this.push(inboxSeq, new EntryFrame(entry))
  }

  #isOpen(): boolean {
    return this.#state !== 'closed' && this.#speaker.link.open
  }

  /** A store that is busy or could not read is asked again. */
  #failed(error: SealwireError): void {
    if (!this.#isOpen()) return
    if (error.fatal) return this.#speaker.fail(error)
    this.#parts.clock.after(retryMs, () => {
      if (this.#isOpen()) this.#catchUp()
    })
  }
}
