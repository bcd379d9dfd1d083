// Bounds that are part of how it works: the same on every server and in every client, listed with the others and for nobody to
// choose. Who enforces one takes its value from here.

import { type LimitRow, KiB, minute, MiB, second } from './row.ts'

const day = 24 * 60 * minute

export const fixedLimits = {
  // What is said.
  messageDataBytesMax: fixed(4_400, 'bytes', 'server/messages', 'what goes with a body; more is refused (message_too_large)'),
  contactDeclinedMs: fixed(day, 'ms', 'store', 'how long a declined request stands; asking again is refused (busy)'),
  roomInvitedAgainMs: fixed(day, 'ms', 'store', 'between two entries that tell somebody of an invitation to the same room'),
  roomErasedAtOnceMax: fixed(500, 'entries', 'store', 'of a room that the last one leaves, deleted in one step; the rest expires'),
  roomMembersToldMax: fixed(50, 'members', 'server/messages/marks', 'a room in which members hear who types and how far others have read'),
  searchGroupBytesMax: fixed(131_072, 'bytes', 'store', 'bodies put into the index in one go, but for one that is longer'),
  searchRareMax: fixed(2_000, 'messages', 'store', 'finds that a search looks at as a whole'),
  searchWorkMax: fixed(100_000, 'places', 'store', 'looked at newest first, before a search looks at everything once'),
  housekeepingStepMax: fixed(500, 'rows', 'server/housekeeping', 'removed in one step of the store'),
  housekeepingInboxesMax: fixed(50, 'inboxes', 'store', 'looked at for what is too old in one step of the store'),
  fanOutTurnBytesMax: fixed(
    512 * KiB,
    'bytes',
    'server/messages/fan-out',
    'brought to many in one turn of the loop; 512 for each beside its bytes',
  ),
  fanOutFewMax: fixed(8, 'accounts', 'server/messages/inboxes', 'to whom an entry is brought at once, whatever else waits'),
  inboxLooksPerMsMax: fixed(5, 'inboxes/ms', 'server/messages/inboxes', 'looked into when the store could not say what was stored'),
  inboxDoubtMs: fixed(100, 'ms', 'server/messages/doubtful-store', 'until that look, one for all that failed together'),
  inboxRetryMs: fixed(500, 'ms', 'server', 'between two tries to read what the store could not read'),
  // Answers.
  contactsPageMax: fixed(100, 'contacts', 'server/people/contacts', 'contacts in one answer'),
  conversationsPageMax: fixed(100, 'conversations', 'server/contract', 'conversations in one answer, as far as one frame holds them'),
  roomMembersPageMax: fixed(250, 'members', 'server/contract', 'members in one answer: as many of the longest names as one frame holds'),
  paymentsPageMax: fixed(
    40,
    'rows',
    'server/contract',
    'requests to pay, and lines of a statement, in one answer, as far as one frame holds them',
  ),
  exportPageMax: fixed(500, 'postings', 'server/operator/ledger', 'postings in one answer to the operator, within ledgerExportBytes'),
  exportNamesMax: fixed(10_000, 'names', 'server/operator/ledger', 'names remembered for such answers; the oldest are forgotten first'),
  revokedLastWordMs: fixed(200, 'ms', 'server/contract', 'from the answer to who revokes its own device to the end of its session'),
  directCandidatesMax: fixed(8, 'addresses', 'protocol/contract', 'addresses in one offer of a direct link'),
  directWatchedMax: fixed(
    100,
    'accounts',
    'server/direct, client/direct/rendezvous',
    'accounts of whose devices a session is told when they end; the one asked for longest ago is forgotten first',
  ),
  directAuthoritiesMax: fixed(
    8,
    'certificates',
    'server/devices/authorities',
    'authorities of devices that direct.listen names, the newest',
  ),
  // Files.
  fileHashingMax: fixed(2, 'files', 'server/files', 'read back and hashed at once; fileOpenMax wait, more are answered busy'),
  fileGrantMs: fixed(second, 'ms', 'server/files', 'how long an answer of the store is good for further chunks'),
  fileGrantsMax: fixed(1_000, 'grants', 'server/files', 'such answers remembered; the oldest are forgotten first'),
  fileSweepMax: fixed(500, 'files', 'server/files', 'files removed, or looked for in the store, in one step'),
  backupHoldMs: fixed(
    30 * second,
    'ms',
    'server/files/holds',
    'how long the content of deleted files is left to a backup that says nothing',
  ),
  backupsMax: fixed(4, 'backups', 'server/files/holds', 'at once; more are answered busy'),
  fileSyncBytes: fixed(4 * MiB, 'bytes', 'server/files/content', 'of a file, what the disk is told to keep at once'),
  // Money.
  paymentRequestMs: fixed(30 * day, 'ms', 'store', 'life of a request to pay that says nothing else'),
  paymentRequestMsMax: fixed(365 * day, 'ms', 'store', 'life of a request to pay; longer is refused (limit_exceeded)'),
  orderMsMax: fixed(365 * day, 'ms', 'store', 'how long a signed payment may be good; longer is refused (limit_exceeded)'),
  holdMsMax: fixed(30 * day, 'ms', 'store', 'how long money may be on hold; longer is refused (limit_exceeded)'),
  ledgerCareStepMax: fixed(500, 'rows', 'server/money/ledger-care', 'holds and requests that expire in one step of the store'),
  // Clients.
  callTriesMax: fixed(5, 'tries', 'client/calls', 'of a call that may be made twice, over lost connections'),
  inboxTriesMax: fixed(5, 'tries', 'client/inbox', 'to open the inbox on one connection while the rate is used up'),
  outboxInternalTriesMax: fixed(5, 'tries', 'client/outbox', 'of a message that the server answers with internal'),
  fileTriesMax: fixed(8, 'tries', 'client/files', 'of a file without progress'),
  uplinkStrangeTriesMax: fixed(7, 'connections', 'client/uplink', 'that end before the first login; then it is told'),
  outboxProcessesMax: fixed(1_000, 'programs', 'client/home/outbox-file', 'that use the outbox of one home at once'),
  orderFileBytesMax: fixed(8_192, 'bytes', 'client/home/held-order-files', 'file of an order that was handed over'),
  ledgerKeyBytesMax: fixed(4_096, 'bytes', 'client/home/ledger-key', 'file of the ledger key in the home folder'),
  // The monitor.
  monitorConnectionsMax: fixed(32, 'connections', 'server/monitor', 'scrapes and probes at once; more are cut'),
  monitorRequestBytesMax: fixed(8 * KiB, 'bytes', 'server/monitor', 'line and headers of a request; more is answered 431'),
  monitorRequestMsMax: fixed(5 * second, 'ms', 'server/monitor', 'a connection, from accept to its end; a longer one is cut'),
  monitorProbeMsMax: fixed(second, 'ms', 'server/metrics/readiness', 'wait for an answer of the store; a slower one is not ready'),
  monitorDoubtMs: fixed(5 * second, 'ms', 'server/metrics/readiness', 'how long a store whose last word was doubtful is not ready'),
  monitorFreshMs: fixed(100, 'ms', 'server/metrics/readiness', 'how long what was asked of the store is told again'),
  latenessEveryMs: fixed(20, 'ms', 'server/metrics/lateness', 'between two looks at how late the event loop is'),
} as const satisfies Record<string, LimitRow>

function fixed(value: number, unit: string, by: string, what: string): LimitRow {
  return { value, min: value, max: value, unit, by, what }
}
