// Bounds of the ledger. Amounts are no numbers: their bounds are in src/domain/money.ts and in the operator's hands.

import { KiB, type LimitRow, lifted, minute, row, second } from './row.ts'

export const ledgerLimits = {
  unitsMax: row(100, 1, 10_000, 'units', 'store', 'units of a server; more are refused (busy)'),
  paymentRequestsMax: row(1_000, 1, 1_000_000, 'requests', 'store', 'open requests to pay of an account; more are refused (busy)'),
  paymentRequestsStrangerMax: row(
    10,
    1,
    1_000_000,
    'requests',
    'store',
    'open requests to pay of an account to one who has not agreed to talk; more are refused (busy)',
  ),
  paymentRequestMemoryMs: row(
    90 * 24 * 60 * minute,
    minute,
    3_650 * 24 * 60 * minute,
    'ms',
    'store',
    'how long a request to pay is kept after it ended unpaid',
  ),
  checkpointPostingsMax: row(1_000, 1, lifted, 'postings', 'server/money/checkpoints', 'postings without a checkpoint; then one is signed'),
  checkpointMs: row(minute, second, 24 * 60 * minute, 'ms', 'server/money/checkpoints', 'how long a posting is without a checkpoint'),
  checkpointOnDemandMs: row(second, 0, minute, 'ms', 'server/money/checkpoints', 'between two checkpoints that receipts need'),
  checkpointLookMs: row(second, 100, minute, 'ms', 'server/money/checkpoints', 'between two looks at whether a checkpoint is due'),
  signaturesAtOnceMax: row(64, 1, 10_000, 'signatures', 'server/money/signatures', 'signatures of orders checked at once'),
  signaturesWaitingMax: row(
    4_096,
    1,
    lifted,
    'signatures',
    'server/money/signatures',
    'signatures of orders that wait; more are answered busy',
  ),
  ledgerExportBytes: row(32 * KiB, KiB, 48 * KiB, 'bytes', 'server/operator/ledger', 'rows of the ledger in one answer'),
  ledgerVerifyRows: row(500, 1, 100_000, 'rows', 'server/money/ledger-proof', 'rows of the ledger verified in one go of the store'),
  checkpointsKeptMax: row(
    100,
    100,
    100,
    'checkpoints',
    'client/home/checkpoints',
    'checkpoints that a home keeps, and that are shown to one audit',
  ),
  checkpointsBytesMax: row(128 * KiB, 128 * KiB, 128 * KiB, 'bytes', 'client/home/checkpoints', 'file of checkpoints'),
  checkpointsLockMsMax: row(
    10 * second,
    10 * second,
    10 * second,
    'ms',
    'client/home/checkpoints',
    'how long a command waits for another of its home',
  ),
  auditProofsMax: row(300, 300, 300, 'proofs', 'client/home/audit', 'proofs that one audit asks for'),
} as const satisfies Record<string, LimitRow>
