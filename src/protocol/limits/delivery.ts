// Bounds of what is said: chats, conversations, inboxes, files.

import { type LimitRow, KiB, lifted, MiB, minute, row, second } from './row.ts'

export const deliveryLimits = {
  // Chats.
  messagesPerSecondPerAccountMax: row(20, 1, lifted, 'messages/s', 'server/session', 'messages of an account; over it reading pauses'),
  messagesBurstPerAccountMax: row(1_000, 1, lifted, 'messages', 'server/session', 'messages of an account at once'),
  messageDelayMsMax: row(
    10 * second,
    0,
    10 * minute,
    'ms',
    'server/session',
    'how long a message waits for its rate before it is refused (rate_limited)',
  ),
  chatRequestMsMax: row(minute, second, 60 * minute, 'ms', 'server/chats', 'how long a chat request stays open'),
  sessionsPerAccountMax: row(32, 1, lifted, 'sessions', 'server/presence', 'sessions of one account at once'),
  // Conversations and inboxes.
  inboxEntriesMax: row(
    100_000,
    10,
    10_000_000,
    'entries',
    'store',
    'entries that no device of an account has stored; more are refused (quota_exceeded)',
  ),
  inboxBytesMax: row(256 * MiB, 64 * KiB, 1_048_576 * MiB, 'bytes', 'store', 'the same in bytes of bodies'),
  inboxEntriesPerSenderMax: row(10_000, 1, 10_000_000, 'entries', 'store', 'the same in one direct conversation'),
  inboxTtlMs: row(
    30 * 24 * 60 * minute,
    minute,
    3_650 * 24 * 60 * minute,
    'ms',
    'server/inboxes',
    'how long an entry waits for a device; history has it still',
  ),
  inboxPageBytes: row(128 * KiB, 64 * KiB, 16 * MiB, 'bytes', 'server/inboxes', 'what is read for a device at once while it catches up'),
  peersRememberedMax: row(
    10_000,
    1,
    1_000_000,
    'rows',
    'server/names',
    'names, and direct conversations, of which the accounts are remembered; the oldest are forgotten first',
  ),
  contactRequestsMax: row(100, 1, 10_000, 'requests', 'store', 'requests of an account that nobody has answered; more are refused (busy)'),
  roomsPerAccountMax: row(100, 1, 100_000, 'rooms', 'store', 'rooms that an account owns; more are refused (busy)'),
  roomMembersMax: row(5_000, 2, 100_000, 'members', 'store', 'members of a room, invited ones too; more are refused (room_full)'),
  historyEntriesMax: row(200, 1, 200, 'entries', 'server/messages', 'entries of one page, as far as one frame holds them'),
  searchGroupMax: row(100, 1, 10_000, 'messages', 'server/indexer', 'messages put into the index in one go'),
  retentionSweepMs: row(minute, second, 60 * minute, 'ms', 'server/housekeeping', 'between two looks for what is older than it is kept'),
  typingPerSecondMax: row(2, 1, lifted, 'events/s', 'server/presence', 'typing of an account that is passed on'),
  deviceLinkMs: row(10 * minute, second, 24 * 60 * minute, 'ms', 'server/devices', 'how long a link for another device is good'),
  // Files.
  fileBytesPerAccountMax: row(
    20_000 * MiB,
    MiB,
    1_048_576 * MiB,
    'bytes',
    'store',
    'files of an account; more are refused (quota_exceeded)',
  ),
  filesPerAccountMax: row(10_000, 1, 1_000_000, 'files', 'store', 'the same in number'),
  fileOpenMax: row(128, 1, 10_000, 'files', 'server/files', 'files open at once; those unused longest are closed'),
  fileBufferBytes: row(
    256 * KiB,
    64 * KiB,
    16 * MiB,
    'bytes',
    'server/files',
    'of a file that is uploaded, what the disk does not have yet; then the next chunk waits',
  ),
  messagesUnderWayMax: row(16, 1, 64, 'messages', 'server/contract', 'messages of a session that wait for a commit together'),
  requestsApartMax: row(8, 1, 64, 'requests', 'server/contract', 'file requests of a session that others need not wait for'),
  fileUnsentMs: row(
    24 * 60 * minute,
    minute,
    365 * 24 * 60 * minute,
    'ms',
    'server/files',
    'how long a file that no message was sent with is kept',
  ),
} as const satisfies Record<string, LimitRow>
