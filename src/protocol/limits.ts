// The only home of numbers. Every queue, buffer, table and wait of Sealwire is bounded by a row of this table;
// docs/LIMITS.md shows the same rows and a test keeps the two equal. `serve --limit NAME=VALUE` changes a row within
// its own floor and ceiling.

import { SealwireError } from './errors.ts'
import { clientLimits } from './limits/client.ts'
import { deliveryLimits } from './limits/delivery.ts'
import { directLimits } from './limits/direct.ts'
import { fixedLimits } from './limits/fixed.ts'
import { ledgerLimits } from './limits/ledger.ts'
import { type LimitRow, KiB, lifted, MiB, minute, row, second } from './limits/row.ts'

export type { LimitRow } from './limits/row.ts'

/** Every bound there is. */
export const limitTable = {
  // Frames (framing.md).
  frameBodyBytesMax: row(65_535, 1_024, 65_535, 'bytes', 'protocol/frame-decoder', 'body of one frame after login'),
  frameUnauthenticatedBytesMax: row(1_024, 512, 4_096, 'bytes', 'protocol/frame-decoder', 'one whole frame before login'),
  contractEnvelopeBytesMax: row(64, 64, 64, 'bytes', 'server/session', 'how much longer a frame of the contract may be before login'),
  frameMsMax: row(10 * second, second, minute, 'ms', 'server/session', 'a started frame, unless it brings frameBytesPerSecondMin'),
  frameBytesPerSecondMin: row(1_024, 1, MiB, 'bytes/s', 'server/session', 'pace of a frame that takes longer than frameMsMax'),
  silentMsMax: row(
    150 * second,
    second,
    60 * minute,
    'ms',
    'server/session',
    'silence of a client that has pinged; a browser in the background pings once a minute',
  ),
  heldBytesMax: row(MiB, 64 * KiB, 16 * MiB, 'bytes', 'server/session', 'bytes read but not yet dispatched, per session'),
  // Connections.
  acceptQueueMax: row(4_096, 16, 65_535, 'connections', 'link', 'connections that wait to be accepted on Node (Bun: 512)'),
  handshakeMsMax: row(5 * second, 100, minute, 'ms', 'link', 'handshake, from accept'),
  loginMsMax: row(
    10 * second,
    100,
    10 * minute,
    'ms',
    'server/session',
    'from the end of the handshake to a complete login or registration',
  ),
  joinMsMax: row(minute, 100, 10 * minute, 'ms', 'server/session', 'a connection to the join listener, from the end of the handshake'),
  connectionsMax: row(
    100_000,
    1,
    lifted,
    'connections',
    'server/admission',
    'all connections; at most descriptor limit − descriptorsReserved',
  ),
  descriptorsReserved: row(256, 32, 65_536, 'descriptors', 'server/admission', 'descriptors never used for connections'),
  connectionsUnauthenticatedMax: row(
    500,
    1,
    lifted,
    'connections',
    'server/admission',
    'connections without a login; random early drop from 60 %',
  ),
  connectionsUnauthenticatedPerAddressMax: row(20, 1, lifted, 'connections', 'server/admission', 'the same, per IPv4 address or IPv6 /64'),
  connectionsPerSecondPerAddressMax: row(
    10,
    1,
    lifted,
    'connections/s',
    'server/admission',
    'new connections, per IPv4 address or IPv6 /64',
  ),
  connectionsBurstPerAddressMax: row(
    30,
    1,
    lifted,
    'connections',
    'server/admission',
    'new connections at once, per IPv4 address or IPv6 /64',
  ),
  addressesTrackedMax: row(
    100_000,
    1_000,
    10_000_000,
    'addresses',
    'server/admission',
    'addresses whose rates are remembered; the oldest idle ones are forgotten first',
  ),
  handshakesPerSecondMax: row(1_000, 1, lifted, 'handshakes/s', 'server/admission', 'TLS handshakes started, per process'),
  residentBytesMax: row(
    2_048 * MiB,
    128 * MiB,
    1_048_576 * MiB,
    'bytes',
    'server/admission',
    'resident memory; new connections are shed from 80 %',
  ),
  keepAliveMs: row(30 * second, second, 10 * minute, 'ms', 'link', 'idle time before TCP keepalive probes'),
  endedMsMax: row(500, 0, 10 * second, 'ms', 'server/session', 'what a session that a ban or a new password ended has for its last word'),
  drainMsMax: row(10 * second, 0, 10 * minute, 'ms', 'server', 'drain of sessions at shutdown'),
  // WebSocket (websocket.md).
  webRequestBytesMax: row(8 * KiB, KiB, 64 * KiB, 'bytes', 'link', 'the request with which a WebSocket begins'),
  webMessageBytesMax: row(MiB, 65_547, 64 * MiB, 'bytes', 'link', 'one message of a WebSocket; it is never gathered'),
  webEmptyFramesPerSecondMax: row(16, 1, lifted, 'frames/s', 'link', 'pings, pongs and frames without data that a WebSocket may send'),
  webEmptyFramesBurstMax: row(64, 1, lifted, 'frames', 'link', 'such frames at once'),
  webInFlightBytesMax: row(256 * KiB, 16 * KiB, 64 * MiB, 'bytes', 'link', 'output that a client gives to its WebSocket at once'),
  // Output.
  outputBytesMax: row(MiB, 64 * KiB, 64 * MiB, 'bytes', 'link', 'output that waits for a peer; more drops the peer (slow_consumer)'),
  outputBytesHigh: row(256 * KiB, 16 * KiB, 64 * MiB, 'bytes', 'link', 'output from which the producers are paused'),
  gatherMsMax: row(20, 0, 100, 'ms', 'link', 'how long a message of a live chat waits for others while the process is busy'),
  closingBytesMax: row(256 * KiB, 0, 64 * MiB, 'bytes', 'link', 'what a peer may still send while its link is closing; more cuts it'),
  outputStallMsMax: row(
    10 * second,
    100,
    10 * minute,
    'ms',
    'link',
    'output that waits without progress; longer drops the peer (slow_consumer)',
  ),
  requestsPerSecondUnauthenticatedMax: row(
    20,
    1,
    lifted,
    'requests/s',
    'server/contract',
    'requests of a connection before login; over it reading pauses',
  ),
  requestsBurstUnauthenticatedMax: row(50, 1, lifted, 'requests', 'server/contract', 'requests of a connection before login at once'),
  // Accounts.
  nameCharactersMax: row(32, 1, 32, 'characters', 'domain/name', 'name of an account'),
  passwordCharactersMin: row(12, 8, 64, 'characters', 'domain/password', 'shortest password'),
  passwordCharactersMax: row(128, 64, 128, 'characters', 'domain/password', 'longest password'),
  passwordHashMemoryKiB: row(65_536, 19_456, 1_048_576, 'KiB', 'server/accounts/password-hasher', 'Argon2id memory'),
  passwordHashPasses: row(3, 2, 16, 'passes', 'server/accounts/password-hasher', 'Argon2id passes'),
  passwordHashConcurrencyMax: row(2, 1, 64, 'hashes', 'server/accounts/password-hasher', 'hashes computed at once'),
  passwordHashQueueMax: row(64, 1, lifted, 'hashes', 'server/accounts/password-hasher', 'hashes waiting; more are answered busy'),
  loginFailuresFree: row(5, 1, lifted, 'failures', 'domain/throttle', 'failed logins of an account before each further one costs a delay'),
  loginDelayMsMax: row(
    15 * minute,
    second,
    24 * 60 * minute,
    'ms',
    'domain/throttle',
    'longest delay between logins of an account (1 s, 2 s, 4 s …)',
  ),
  loginFailuresPerAddressMax: row(20, 1, lifted, 'failures', 'domain/throttle', 'failed logins of an address per loginAddressWindowMs'),
  loginFailureMemoryMs: row(
    24 * 60 * minute,
    second,
    30 * 24 * 60 * minute,
    'ms',
    'domain/throttle',
    'how long after its last failure the failures of an account and address count',
  ),
  loginAddressWindowMs: row(10 * minute, second, 24 * 60 * minute, 'ms', 'domain/throttle', 'window of loginFailuresPerAddressMax'),
  throttlesTrackedMax: row(100_000, 1_000, 10_000_000, 'rows', 'store', 'remembered failures; the oldest are forgotten first'),
  tokenIdleMsMax: row(
    30 * 24 * 60 * minute,
    minute,
    3_650 * 24 * 60 * minute,
    'ms',
    'server/accounts',
    'how long a session token that nobody uses is good',
  ),
  tokensPerAccountMax: row(64, 1, 10_000, 'tokens', 'store', 'session tokens of an account; the least recently used goes first'),
  tokenUsePrecisionMs: row(60 * minute, 0, 24 * 60 * minute, 'ms', 'store', 'the last use of a token is noted at most this often'),
  devicesPerAccountMax: row(
    64,
    1,
    1_000,
    'devices',
    'store',
    'devices of an account; more are refused (busy); as many revoked ones are remembered',
  ),
  deviceUsePrecisionMs: row(60 * minute, 0, 24 * 60 * minute, 'ms', 'store', 'the last use of a device is noted at most this often'),
  deviceKeyMs: row(
    365 * 24 * 60 * minute,
    minute,
    lifted * 1000,
    'ms',
    'server/devices',
    'how long a device without a certificate may stay away',
  ),
  deviceChallengeMsMax: row(minute, second, 10 * minute, 'ms', 'server/contract', 'from device.challenge to device.prove'),
  invitationsMax: row(10_000, 1, 1_000_000, 'invitations', 'store', 'invitations that have not expired; more are refused (busy)'),
  invitationMemoryMs: row(
    30 * 24 * 60 * minute,
    0,
    365 * 24 * 60 * minute,
    'ms',
    'store',
    'how long an expired invitation is still told from an unknown one, while invitationsMax leaves room',
  ),
  contactsPerAccountMax: row(10_000, 1, 1_000_000, 'contacts', 'store', 'contacts of an account; further people are none'),
  // 500 names of the longest kind fit into one answer of directory.blocked.
  blocksPerAccountMax: row(500, 1, 500, 'accounts', 'store', 'accounts that an account blocks; more are refused (busy)'),
  whoEntriesMax: row(
    1_000,
    1,
    1_000,
    'entries',
    'server/contract',
    'people in one answer of directory.who, as far as one frame holds them',
  ),
  ...deliveryLimits,
  ...ledgerLimits,
  // Store.
  storeQueueMax: row(10_000, 100, lifted, 'requests', 'store', 'requests waiting for a commit; more are answered busy'),
  storeGroupMax: row(200, 1, 10_000, 'requests', 'store', 'requests committed in one transaction'),
  storeBusyMsMax: row(5 * second, 0, minute, 'ms', 'store', 'wait for another program that holds the database; then unavailable'),
  storeRestartMs: row(100, 1, 10 * second, 'ms', 'store', 'wait before the first fresh worker after one died; it doubles each time'),
  storeRestartsMax: row(8, 0, 16, 'workers', 'store', 'fresh workers in a row that may die; then unavailable'),
  storeLogMs: row(minute, 0, 60 * minute, 'ms', 'store', 'wait between two log lines about failures of one kind'),
  diskBytesFreeMin: row(64 * MiB, 0, 1_048_576 * MiB, 'bytes', 'store', 'free space below which writes are refused (storage_full)'),
  ...clientLimits,
  ...directLimits,
  ...fixedLimits,
  // Logs.
  logFileBytesMax: row(10 * MiB, 64 * KiB, 1_024 * MiB, 'bytes', 'cli/log/file', 'one log file'),
  logFilesMax: row(5, 1, 1_000, 'files', 'cli/log/file', 'rotated log files kept'),
  logQueueBytesMax: row(MiB, 64 * KiB, 64 * MiB, 'bytes', 'cli/log/queue', 'log lines waiting for their output; more are lost and counted'),
  logValueCharactersMax: row(4_096, 256, 65_536, 'characters', 'cli/log/format', 'one value on a log line; a longer one is cut'),
  logRetryMs: row(second, 10, minute, 'ms', 'cli/log/file', 'wait after a failed log write before the next one'),
  // Operator commands.
  operatorConnectionsMax: row(16, 1, 1_024, 'connections', 'server/operator/socket', 'operator commands at once; more are answered busy'),
  operatorRequestBytesMax: row(65_535, 65_535, 65_535, 'bytes', 'server/operator/socket', 'body of a request of an operator'),
  operatorRequestMsMax: row(5 * second, 100, minute, 'ms', 'server/operator/socket', 'wait for a request, and for its answer to be taken'),
  operatorPageMax: row(100, 1, 150, 'accounts', 'server/operator', 'accounts in one answer'),
  operatorWaitMsMax: row(30 * second, second, 10 * minute, 'ms', 'cli/operator/client', 'wait for a server that starts, stops or is busy'),
  operatorAnswerMsMax: row(minute, second, 10 * minute, 'ms', 'cli/operator/connection', 'wait for one answer of the server'),
  // Certificates of the server.
  certificateWatchMs: row(
    500,
    50,
    minute,
    'ms',
    'cli/serve/identity-keeper',
    "between two looks at the operator's certificate and at the dates",
  ),
  certificateRetryMs: row(60 * minute, second, 24 * 60 * minute, 'ms', 'cli/serve/identity-keeper', 'wait after a renewal that failed'),
  // The sealed channel (channel.md).
  channelHandshakeBytesMax: row(1_024, 1_024, 1_024, 'bytes', 'channel', 'one message of the handshake of the sealed channel'),
  channelRecordBytesMax: row(65_535, 1_024, 65_535, 'bytes', 'channel', 'a record after its header, as written and as accepted'),
  channelKeyFramesMax: row(1_048_576, 2, 1_048_576, 'records', 'channel', 'records under one key; the last of them replaces it'),
  channelKeyBytesMax: row(4_096 * MiB, MiB, 4_096 * MiB, 'bytes', 'channel', 'bytes under one key, tags included'),
  channelKeyMsMax: row(15 * minute, second, 15 * minute, 'ms', 'channel', 'how long a key is written with'),
  channelFramesMax: row(4_294_967_296, 1_024, 4_294_967_296, 'records', 'channel', 'records of one direction of a channel'),
  channelAgeMsMax: row(24 * 60 * minute, minute, 24 * 60 * minute, 'ms', 'channel', 'life of a channel; a client connects anew before'),
  channelOverlapMsMax: row(
    30 * 24 * 60 * minute,
    second,
    30 * 24 * 60 * minute,
    'ms',
    'channel',
    'how long a server may announce its next static key',
  ),
  channelEmptyMax: row(1_024, 1_024, 1_024, 'records', 'channel', 'records without data at once, beyond two for each with data'),
  channelEmptyPerSecondMax: row(64, 64, 64, 'records/s', 'channel', 'records without data in the long run'),
  channelV1RecordBytesMax: row(65_551, 65_551, 65_551, 'bytes', 'channel', 'ciphertext and tag of a frame of v1'),
  channelV1FramesMax: row(1_048_576, 1, 1_048_576, 'frames', 'channel', 'frames of a v1 connection, both directions together'),
} as const satisfies Record<string, LimitRow>

/** The name of a bound, as `--limit` takes it. */
export type LimitName = keyof typeof limitTable
/** Every bound with the value in force. */
export type Limits = Readonly<Record<LimitName, number>>

const defaults = Object.freeze(Object.fromEntries(Object.entries(limitTable).map(([name, { value }]) => [name, value]))) as Limits

/**
 * The values in force: the defaults with `overrides` on top, frozen.
 * @throws {SealwireError} `config_invalid` for an unknown name, a value that is not a whole number or out of range, and
 * values that contradict each other.
 */
export function resolveLimits(overrides: Readonly<Record<string, number>> = {}): Limits {
  const said = Object.entries(overrides)
  if (said.length === 0) return defaults
  const values: Record<string, number> = { ...defaults }
  for (const [name, value] of said) values[name] = checked(name, value)
  const limits = Object.freeze(values) as Limits
  if (limits.outputBytesHigh > limits.outputBytesMax) {
    throw new SealwireError('config_invalid', 'limit outputBytesHigh must not be over outputBytesMax', {
      hint: 'raise the one or lower the other',
    })
  }
  return limits
}

function checked(name: string, value: number): number {
  if (!Object.hasOwn(limitTable, name)) {
    throw new SealwireError('config_invalid', `there is no limit named ${JSON.stringify(name)}`, { hint: 'docs/LIMITS.md lists the names' })
  }
  const { min, max, unit } = limitTable[name as LimitName]
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new SealwireError('config_invalid', `limit ${name} must be a whole number from ${min} to ${max} ${unit}`, {
      hint: 'docs/LIMITS.md says what it bounds',
    })
  }
  return value
}
