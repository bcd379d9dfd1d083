// An audit of a ledger: whether what the server shows now begins with everything that it has shown before, here or to somebody
// else. What was proved once needs no second proof: it is below the newest one of its kind, which is proved again.

import { openCheckpoint, receiptInvalid, type SignedCheckpoint } from '../../pki/checkpoint.ts'
import { checkpointText } from '../../pki/history.ts'
import { createHash } from 'node:crypto'
import { verifyConsistency } from '../../domain/merkle.ts'
import type { Params, Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import type { SeenCheckpoints } from './checkpoints.ts'

type Shown = Result<'payment.checkpoint'>

/** What an audit works with. */
export interface AuditParts {
  readonly seen: Pick<SeenCheckpoints, 'key' | 'list' | 'note' | 'prove' | 'fork'>
  /** Number of the server, of its Welcome. */
  readonly server: Uint8Array
  /** Calls `payment.checkpoint`. */
  readonly ask: (params: Params<'payment.checkpoint'>) => Promise<Shown>
}

/** What an audit has proved. */
export interface AuditOutcome {
  /** What the server shows now. */
  readonly newest: SignedCheckpoint
  /** The newest one extends these; the smallest first. Those that stood for others are among them, the others are not. */
  readonly extended: readonly SignedCheckpoint[]
}

/**
 * Proves that the newest checkpoint extends every one that was seen, and every one that somebody else has shown, and keeps it.
 * @throws {SealwireError} `ledger_forked` when it does not; `receipt_invalid` for what the key has not signed, or of another server;
 * `not_found` where nothing was ever paid; what the server refuses, and the home.
 */
export async function auditLedger(parts: AuditParts, shown: readonly SignedCheckpoint[] = []): Promise<AuditOutcome> {
  const { seen } = parts
  await seen.note(shown)
  // Read before anything is asked: what another command sees meanwhile may be newer than the answers here.
  const before = seen.list()
  const trunk = before.findLast(({ isProved }) => isProved)
  const older = before.filter((each) => !each.isProved || each === trunk).map(({ checkpoint }) => checkpoint)
  for (const each of shown) if (!older.some(({ cose }) => sameBytes(cose, each.cose))) older.push(each)
  const newest = await prove(parts, older)
  await seen.prove([...older, newest], before)
  return { newest, extended: older.sort((one, other) => Number(one.size - other.size)) }
}

/** What extends all of these. A ledger that grows meanwhile is followed. */
async function prove(parts: AuditParts, older: readonly SignedCheckpoint[]): Promise<SignedCheckpoint> {
  const { seen } = parts
  let newest = await newestOf(parts, older)
  await seen.note([newest])
  const waiting = [...older]
  // The array grows while it is walked through.
  for (const [asked, each] of waiting.entries()) {
    if (asked >= limitTable.auditProofsMax.value) throw new SealwireError('unavailable', 'the ledger grows faster than it can be audited')
    const { checkpoint: later, proof } = await shownAfter(parts, each)
    if (!sameBytes(later.cose, newest.cose)) {
      await seen.note([later])
      waiting.push(newest)
      newest = later
    }
    const claim = { from: each.size, fromRoot: each.root, to: later.size, toRoot: later.root, proof }
    if (!verifyConsistency(sha256, claim)) {
      return seen.fork(`its ${checkpointText(later)} do not begin with the ${checkpointText(each)} that it has signed before`, [
        each,
        later,
      ])
    }
  }
  return newest
}

async function newestOf(parts: AuditParts, older: readonly SignedCheckpoint[]): Promise<SignedCheckpoint> {
  const largest = older.reduce<SignedCheckpoint | undefined>(
    (most, each) => (most !== undefined && most.size > each.size ? most : each),
    undefined,
  )
  const newest = await askedOf(parts, {}, largest)
  if (largest !== undefined && newest.checkpoint.size < largest.size) return shorter(parts, largest, newest.checkpoint)
  return newest.checkpoint
}

/** The newest one, and the proof that it extends this one. */
async function shownAfter(parts: AuditParts, older: SignedCheckpoint): Promise<Opened> {
  const shown = await askedOf(parts, { from: Number(older.size) }, older)
  if (shown.checkpoint.size < older.size) return shorter(parts, older, shown.checkpoint)
  return shown
}

interface Opened {
  readonly checkpoint: SignedCheckpoint
  readonly proof: readonly Uint8Array[]
}

/** That nothing was ever paid, or never so much, contradicts what was signed. */
async function askedOf(
  { ask, seen, server }: AuditParts,
  params: Params<'payment.checkpoint'>,
  older: SignedCheckpoint | undefined,
): Promise<Opened> {
  let shown: Shown
  try {
    shown = await ask(params)
  } catch (reason) {
    if (older === undefined || SealwireError.from(reason).code !== 'not_found') throw reason
    return seen.fork(`it has signed ${checkpointText(older)}, and says now that there never were so many`, [older])
  }
  const checkpoint = openShown(shown.checkpoint, seen.key)
  if (!sameBytes(checkpoint.server, server)) throw receiptInvalid('the checkpoint that the server shows is of another server')
  return { checkpoint, proof: shown.proof ?? [] }
}

function openShown(cose: Uint8Array, key: Uint8Array): SignedCheckpoint {
  try {
    return openCheckpoint(cose, key)
  } catch (cause) {
    throw receiptInvalid(`the checkpoint that the server shows is not good: ${SealwireError.from(cause).sentence}`, cause)
  }
}

function shorter({ seen }: AuditParts, older: SignedCheckpoint, newest: SignedCheckpoint): Promise<never> {
  return seen.fork(`it has signed ${checkpointText(older)}, and shows no more than ${checkpointText(newest)} now`, [older, newest])
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}
