// Recomputing the ledger from its first posting to its last, in small steps between which everybody else is served. The store
// computes; the signatures are checked here. What does not agree is written down in the store, which refuses every order
// from then on, also after a restart, until a later proof finds nothing.

import { openCheckpoint } from '../../pki/checkpoint.ts'
import { decodeOrder, orderKinds, orderPurposes, orderSigner } from '../../protocol/contract/index.ts'
import { checkpointPurpose } from '../../protocol/contract/cose.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { LedgerFault, SignatureToCheck, Store, VerifyPlace } from '../../store/index.ts'
import { readSigned, type Signatures } from './signatures.ts'
import type { Clock } from '../../domain/index.ts'

/** What a proof works with. */
export interface LedgerProofParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly limits: Pick<Limits, 'ledgerVerifyRows'>
  readonly signatures: Pick<Signatures, 'verify'>
  readonly serverId: Uint8Array
  /** Of the ledger; `undefined` where there never was one: then there can be no checkpoint. */
  readonly publicKey: Uint8Array | undefined
}

/** How a proof is made. */
export interface ProofOptions {
  /** Also the structures of the database, and the signature of every order. Default: true; at a start they are left out. */
  readonly deep?: boolean
  /** Told after each step how many rows were looked at. */
  readonly progress?: (rows: number) => void
  /** Resolves when the next step may begin. Default: at once. */
  readonly rest?: () => Promise<void>
  readonly signal?: AbortSignal
}

/** What came of it. */
export interface ProofOutcome {
  readonly rows: number
  /** The first row that is not what it must be. */
  readonly fault: LedgerFault | undefined
}

/**
 * Recomputes everything. After a fault the store refuses orders; without one it takes them again.
 * @throws {SealwireError} `connection_lost` when the signal ends it; those of the store.
 */
export async function proveLedger(parts: LedgerProofParts, { deep = true, ...options }: ProofOptions = {}): Promise<ProofOutcome> {
  const { store, clock } = parts
  const outcome = await recompute(parts, { deep, ...options })
  if (outcome.fault !== undefined) await store.run('ledger.condemn', { ...outcome.fault, at: BigInt(clock.now()) })
  else if (deep) await store.run('ledger.absolve', {})
  return outcome
}

async function recompute(parts: LedgerProofParts, { deep = true, progress, rest, signal }: ProofOptions): Promise<ProofOutcome> {
  const { store, limits } = parts
  const max = BigInt(limits.ledgerVerifyRows)
  let rows = 0
  let place: VerifyPlace | undefined
  do {
    signal?.throwIfAborted()
    const step = await store.run('ledger.verify', { place, max, ...(place === undefined && deep ? { deep } : {}) })
    rows += Number(step.rows)
    const fault = step.fault ?? (await firstFault(step.signatures, parts, deep))
    if (fault !== undefined) return { rows, fault }
    progress?.(rows)
    place = step.next
    if (place !== undefined) await rest?.()
  } while (place !== undefined)
  return { rows, fault: undefined }
}

/** One after the other, so that no order waits behind a whole step of them. */
async function firstFault(all: readonly SignatureToCheck[], parts: LedgerProofParts, deep: boolean): Promise<LedgerFault | undefined> {
  for (const one of all) {
    if (!deep && one.purpose !== checkpointPurpose) continue
    const what = await whatIsWrong(one, parts)
    if (what !== undefined) return { row: one.row, what }
  }
  return undefined
}

async function whatIsWrong(one: SignatureToCheck, parts: LedgerProofParts): Promise<string | undefined> {
  try {
    return one.checkpoint === undefined ? await wrongOrder(one, parts) : wrongCheckpoint(one, one.checkpoint, parts)
  } catch (reason) {
    const error = SealwireError.from(reason)
    if (faults.has(error.code)) return error.sentence
    throw error
  }
}

async function wrongOrder(
  { cose, purpose, signerId }: SignatureToCheck,
  { signatures, serverId }: LedgerProofParts,
): Promise<string | undefined> {
  const kind = orderKinds.find((each) => orderPurposes[each] === purpose)
  if (kind === undefined) return 'an order of no known kind'
  const signed = readSigned(cose)
  const order = decodeOrder(kind, signed.payload)
  if (Buffer.compare(order.server, serverId) !== 0) return 'the order is for another server'
  if (orderSigner(order) !== signerId) return 'the order is of another account'
  await signatures.verify(signed, purpose)
  return undefined
}

function wrongCheckpoint(
  { cose }: SignatureToCheck,
  said: NonNullable<SignatureToCheck['checkpoint']>,
  { serverId, publicKey }: LedgerProofParts,
): string | undefined {
  if (publicKey === undefined) return 'there is a checkpoint, but no key of the ledger'
  const { server, size, root, at } = openCheckpoint(cose, publicKey)
  const isSame = Buffer.compare(server, serverId) === 0 && size === said.size && at === said.at && Buffer.compare(root, said.root) === 0
  return isSame ? undefined : 'the checkpoint says something else than was signed'
}

const faults: ReadonlySet<string> = new Set(['signature_invalid', 'receipt_invalid', 'malformed', 'amount_invalid'])
