// The only home of numbers. Every queue, buffer, table and wait of Sealwire is bounded by a row of this table;
// docs/LIMITS.md shows the same rows and a test keeps the two equal. `serve --limit NAME=VALUE` changes a row within
// its own floor and ceiling.

import { SealwireError } from './errors.ts'

/** One bound: its default, the range an operator may choose from, its unit, who enforces it, and what it bounds. */
export interface LimitRow {
  readonly value: number
  readonly min: number
  readonly max: number
  readonly unit: string
  readonly by: string
  readonly what: string
}

const KiB = 1024
const MiB = 1024 * KiB
const second = 1000
const minute = 60 * second
/** Ceiling of counts that only memory bounds: high enough to lift a limit, low enough to stay an exact number. */
const lifted = 1_000_000_000

/** Every bound there is. */
export const limitTable = {
  // Frames (framing.md).
  frameBodyBytesMax: row(65_535, 1_024, 65_535, 'bytes', 'protocol/frame-decoder', 'body of one frame after login'),
  frameUnauthenticatedBytesMax: row(1_024, 512, 4_096, 'bytes', 'protocol/frame-decoder', 'one whole frame before login'),
  frameMsMax: row(10 * second, second, minute, 'ms', 'server/session', 'a started frame, unless it brings frameBytesPerSecondMin'),
  frameBytesPerSecondMin: row(1_024, 1, MiB, 'bytes/s', 'server/session', 'pace of a frame that takes longer than frameMsMax'),
  heldBytesMax: row(MiB, 64 * KiB, 16 * MiB, 'bytes', 'server/session', 'bytes read but not yet dispatched, per session'),
  // Connections.
  handshakeMsMax: row(5 * second, 100, minute, 'ms', 'link', 'TLS handshake, from accept'),
  loginMsMax: row(
    10 * second,
    100,
    10 * minute,
    'ms',
    'server/session',
    'from the end of the handshake to a complete login or registration',
  ),
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
  drainMsMax: row(10 * second, 0, 10 * minute, 'ms', 'server', 'drain of sessions at shutdown'),
  // Output.
  outputBytesMax: row(MiB, 64 * KiB, 64 * MiB, 'bytes', 'link', 'output that waits for a peer; more drops the peer (slow_consumer)'),
  outputBytesHigh: row(256 * KiB, 16 * KiB, 64 * MiB, 'bytes', 'link', 'output from which the producers are paused'),
  closingBytesMax: row(256 * KiB, 0, 64 * MiB, 'bytes', 'link', 'what a peer may still send while its link is closing; more cuts it'),
  outputStallMsMax: row(
    10 * second,
    100,
    10 * minute,
    'ms',
    'link',
    'output that waits without progress; longer drops the peer (slow_consumer)',
  ),
  // Accounts.
  nameCharactersMax: row(32, 1, 32, 'characters', 'domain/name', 'name of an account'),
  passwordCharactersMin: row(12, 8, 64, 'characters', 'domain/password', 'shortest password'),
  passwordCharactersMax: row(128, 64, 128, 'characters', 'domain/password', 'longest password'),
  passwordHashMemoryKiB: row(65_536, 19_456, 1_048_576, 'KiB', 'server/password-hasher', 'Argon2id memory'),
  passwordHashPasses: row(3, 2, 16, 'passes', 'server/password-hasher', 'Argon2id passes'),
  passwordHashConcurrencyMax: row(2, 1, 64, 'hashes', 'server/password-hasher', 'hashes computed at once'),
  passwordHashQueueMax: row(64, 1, lifted, 'hashes', 'server/password-hasher', 'hashes waiting; more are answered busy'),
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
  // Store.
  storeQueueMax: row(10_000, 100, lifted, 'requests', 'store', 'requests waiting for a commit; more are answered busy'),
  storeGroupMax: row(200, 1, 10_000, 'requests', 'store', 'requests committed in one transaction'),
  storeBusyMsMax: row(5 * second, 0, minute, 'ms', 'store', 'wait for another program that holds the database; then unavailable'),
  storeRestartMs: row(100, 1, 10 * second, 'ms', 'store', 'wait before the first fresh worker after one died; it doubles each time'),
  storeRestartsMax: row(8, 0, 16, 'workers', 'store', 'fresh workers in a row that may die; then unavailable'),
  storeLogMs: row(minute, 0, 60 * minute, 'ms', 'store', 'wait between two log lines about failures of one kind'),
  diskBytesFreeMin: row(64 * MiB, 0, 1_048_576 * MiB, 'bytes', 'store', 'free space below which writes are refused (storage_full)'),
  // Echo.
  echoConnectionsMax: row(10_000, 1, lifted, 'connections', 'server/echo', 'echo connections at once'),
  echoIdleMsMax: row(10 * minute, 100, 24 * 60 * minute, 'ms', 'server/echo', 'silence after which an echo connection is closed'),
  echoLinesPerSecondMax: row(20, 1, 10_000, 'lines/s', 'cli/echo-lines', 'lines printed about connections'),
  echoLineBytesMax: row(1_024, 16, 65_536, 'bytes', 'cli/echo-payload', 'bytes of payload shown on a line, escapes included'),
  echoOutputBytesMax: row(256 * KiB, 64 * KiB, 64 * MiB, 'bytes', 'cli/echo-output', 'text that waits for its output; more is left out'),
  echoAnswerMsMax: row(10 * second, 100, 10 * minute, 'ms', 'cli/echo', 'dial, and each answer'),
  echoAnswerBytesMax: row(64 * KiB, 1_024, MiB, 'bytes', 'cli/echo', 'one line, sent or answered'),
  // Logs.
  logFileBytesMax: row(10 * MiB, 64 * KiB, 1_024 * MiB, 'bytes', 'cli/log-file', 'one log file'),
  logFilesMax: row(5, 1, 1_000, 'files', 'cli/log-file', 'rotated log files kept'),
  logQueueBytesMax: row(MiB, 64 * KiB, 64 * MiB, 'bytes', 'cli/log-queue', 'log lines waiting for their output; more are lost and counted'),
  logValueCharactersMax: row(4_096, 256, 65_536, 'characters', 'cli/log-format', 'one value on a log line; a longer one is cut'),
  logRetryMs: row(second, 10, minute, 'ms', 'cli/log-file', 'wait after a failed log write before the next one'),
  // Command line.
  configFileBytesMax: row(MiB, MiB, MiB, 'bytes', 'cli/config-file', 'configuration file'),
  exitMsMax: row(second, second, second, 'ms', 'cli', 'what is left of output and logs when a command has ended'),
} as const satisfies Record<string, LimitRow>

/** The name of a bound, as `--limit` takes it. */
export type LimitName = keyof typeof limitTable
/** Every bound with the value in force. */
export type Limits = Readonly<Record<LimitName, number>>

/**
 * The values in force: the defaults with `overrides` on top, frozen.
 * @throws {SealwireError} `config_invalid` for an unknown name, a value that is not a whole number or out of range, and
 * values that contradict each other.
 */
export function resolveLimits(overrides: Readonly<Record<string, number>> = {}): Limits {
  const values = Object.fromEntries(Object.entries(limitTable).map(([name, { value }]) => [name, value]))
  for (const [name, value] of Object.entries(overrides)) values[name] = checked(name, value)
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

function row(value: number, min: number, max: number, unit: string, by: string, what: string): LimitRow {
  return { value, min, max, unit, by, what }
}
