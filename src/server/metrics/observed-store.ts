// A store as its metrics see it: every request and what became of it, counted here in one place, whoever asks. Used only
// where there are metrics: it costs one more callback for each answer of the store.

import { type Code, SealwireError } from '../../protocol/index.ts'
import type { Input, OperationName, Output, Store, StoreWatch } from '../../store/index.ts'
import { Histogram } from './histogram.ts'
import { Tallies } from './tallies.ts'

/** What the requests of one operation came to. */
interface OperationCounts {
  answered: number
  readonly refused: Tallies<Code>
}

export class StoreCounts implements StoreWatch {
  readonly operations = new Map<OperationName, OperationCounts>()
  underWay = 0
  doubtful = 0
  inboxEntriesExpired = 0
  readonly entries = new Tallies<string>()
  readonly transfers = new Tallies<string>()
  readonly transfersRefused = new Tallies<Code>()
  groups = 0
  readonly groupSeconds = new Histogram(groupSeconds)
  /** Requests refused because `storeQueueMax` waited. */
  overflows = 0
  /** When the last outcome that nobody knows came, on the monotonic clock. */
  doubtfulAt = Number.NEGATIVE_INFINITY

  overflowed(): void {
    this.overflows++
  }

  /** A group was answered. */
  grouped(ms: number): void {
    this.groups++
    this.groupSeconds.observe(ms / 1000)
  }

  of(name: OperationName): OperationCounts {
    const known = this.operations.get(name)
    if (known !== undefined) return known
    const counts = { answered: 0, refused: new Tallies<Code>() }
    this.operations.set(name, counts)
    return counts
  }
}

/** The same store, counted; closing it closes that. */
export function observedStore(store: Store, counts: StoreCounts, monotonic: () => number): Store {
  return {
    run(name, input) {
      const answer = store.run(name, input)
      counts.underWay++
      answer.then(
        (value) => answered(counts, name, input, value),
        (reason: unknown) => refused(counts, name, SealwireError.from(reason).code, monotonic),
      )
      return answer
    },
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

function answered<N extends OperationName>(counts: StoreCounts, name: N, input: Input<N>, value: Output<N>): void {
  counts.underWay--
  counts.of(name).answered++
  const look = looks[name]
  if (look !== undefined) look(counts, value, input)
}

function refused(counts: StoreCounts, name: OperationName, code: Code, monotonic: () => number): void {
  counts.underWay--
  counts.of(name).refused.add(code)
  if (name === 'ledger.order') counts.transfersRefused.add(code)
  if (code !== 'unknown_outcome') return
  counts.doubtful++
  counts.doubtfulAt = monotonic()
}

/** Operations whose answers say more than that they were carried out. */
type Looks = { readonly [N in OperationName]?: (counts: StoreCounts, value: Output<N>, input: Input<N>) => void }

const looks: Looks = {
  'entry.post': (counts, { repeated }, { kind }) => repeated || counts.entries.add(kind),
  'inbox.expire': (counts, { entries }) => void (counts.inboxEntriesExpired += Number(entries)),
  'ledger.order': transferred,
  'ledger.mint': transferred,
  'ledger.burn': transferred,
}

function transferred(counts: StoreCounts, { repeated, transfer }: Output<'ledger.order'>): void {
  if (!repeated) counts.transfers.add(transfer.kind)
}

const groupSeconds = Object.freeze([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1])
