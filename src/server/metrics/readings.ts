// What the metrics of a server are at this moment, read from the structures it works with: each function for some of the rows
// of metric-table.ts.

import type { Flusher } from '../../link/index.ts'
import { classicCommands, type LimitName } from '../../protocol/index.ts'
import { type Admission, refusalLimits } from '../admission.ts'
import type { EchoService } from '../echo.ts'
import type { Census } from '../server-options.ts'
import type { Session } from '../session.ts'
import type { Signatures } from '../money/signatures.ts'
import type { Tally } from '../tally.ts'
import type { Queue } from '../turns.ts'
import type { Counts } from './counts.ts'
import type { Labelled, Reading } from './exposition.ts'
import type { MetricName } from './metric-table.ts'
import type { StoreCounts } from './observed-store.ts'
import { Tallies } from './tallies.ts'

/** What a server shows of its inside for this. */
export interface ServerInside {
  readonly counts: Counts
  readonly sessions: ReadonlySet<Session>
  readonly flusher: Flusher
  readonly tally: Tally
  readonly admission: Admission
  readonly echo: EchoService
  readonly hashing: Queue
  /** Default: the server keeps no ledger. */
  readonly signatures: Signatures | undefined
  readonly census: Census
}

/** Some of them. */
export type Readings<N extends MetricName = MetricName> = { readonly [M in N]: Reading }

/** Of the sessions and their connections. */
export function connectionReadings({ counts, sessions, flusher, tally, admission, echo, census }: ServerInside) {
  const { outputs, bytes } = flusher.blocked
  return {
    sealwire_connections: standings(sessions),
    sealwire_connections_admitted: census.admitted,
    sealwire_connections_unauthenticated: census.unauthenticated,
    sealwire_connections_max: admission.connectionsMax,
    sealwire_echo_connections: echo.connections,
    sealwire_sessions_present: census.present,
    sealwire_inboxes_open: census.inboxes,
    sealwire_connections_opened_total: labelled(counts.opened),
    sealwire_connections_closed_total: labelled(counts.closed),
    sealwire_connections_refused_total: labelled(tally.totals('connections refused')),
    sealwire_handshakes_failed_total: labelled(tally.totals('handshakes failed')),
    sealwire_sessions_failed_total: labelled(counts.failed),
    sealwire_logins_total: counts.logins,
    sealwire_frames_received_total: counts.framesReceived,
    sealwire_frames_sent_total: counts.sent.frames,
    sealwire_bytes_received_total: counts.bytesReceived,
    sealwire_bytes_sent_total: counts.sent.bytes,
    sealwire_output_blocked_connections: outputs,
    sealwire_output_blocked_bytes: bytes,
  } satisfies Partial<Readings>
}

/** Of what was asked. */
export function requestReadings({ counts, hashing, signatures }: ServerInside) {
  const methods = [...Object.entries(counts.requests), ['unknown', counts.unknown] as const]
  const codes = methods.flatMap(([method, { answered, refused }]) => codesOf(method, answered, refused))
  const asked = methods.filter(([, { seconds }]) => seconds.counts.some((count) => count > 0))
  const commands = Object.entries(classicCommands).map(([word, number]): Labelled => [[word], counts.classicCommands[number] ?? 0])
  return {
    sealwire_requests_total: codes,
    sealwire_requests_under_way: counts.requestsUnderWay,
    sealwire_requests_delayed_total: counts.requestsDelayed,
    sealwire_request_duration_seconds: asked.map(([method, { seconds }]): Labelled => [[method], seconds]),
    sealwire_classic_commands_total: [...commands, [['unknown'], counts.classicCommands[0] ?? 0] as const],
    sealwire_classic_refusals_total: labelled(counts.classicRefusals),
    sealwire_inbox_entries_pushed_total: counts.entriesPushed,
    sealwire_file_bytes_received_total: counts.fileBytesReceived,
    sealwire_file_bytes_sent_total: counts.fileBytesSent,
    sealwire_password_hashes_running: hashing.running,
    sealwire_password_hashes_waiting: hashing.waiting,
    sealwire_signatures_running: signatures?.queue.running ?? 0,
    sealwire_signatures_waiting: signatures?.queue.waiting ?? 0,
  } satisfies Partial<Readings>
}

/** Of what was asked of the store. */
export function storeReadings(store: StoreCounts) {
  const operations = [...store.operations].flatMap(([name, { answered, refused }]) => codesOf(name, answered, refused))
  return {
    sealwire_entries_stored_total: labelled(store.entries),
    sealwire_inbox_acknowledgements_total: store.operations.get('inbox.ack')?.answered ?? 0,
    sealwire_inbox_entries_expired_total: store.inboxEntriesExpired,
    sealwire_store_requests_total: operations,
    sealwire_store_requests_under_way: store.underWay,
    sealwire_store_groups_total: store.groups,
    sealwire_store_group_duration_seconds: store.groupSeconds,
    sealwire_store_doubtful_total: store.doubtful,
    sealwire_transfers_total: labelled(store.transfers),
    sealwire_transfers_refused_total: labelled(store.transfersRefused),
  } satisfies Partial<Readings>
}

/** Of the limits that are reached at one place each. */
export function limitReadings({ counts, tally, flusher, hashing, signatures }: ServerInside, store: StoreCounts) {
  const reached = new Tallies<LimitName>()
  for (const [limit, count] of counts.limits.entries) reached.add(limit, count)
  for (const [why, limit] of Object.entries(refusalLimits)) reached.add(limit, tally.totals('connections refused').of(why))
  const failed = tally.totals('handshakes failed')
  reached.add('handshakeMsMax', failed.of('timeout'))
  reached.add('connectionsUnauthenticatedMax', failed.of('evicted'))
  reached.add('outputBytesMax', flusher.dropped.bytes)
  reached.add('outputStallMsMax', flusher.dropped.stalled)
  reached.add('passwordHashQueueMax', hashing.overflows)
  reached.add('signaturesWaitingMax', signatures?.queue.overflows ?? 0)
  reached.add('storeQueueMax', store.overflows)
  return { sealwire_limit_reached_total: labelled(reached) } satisfies Partial<Readings>
}

function standings(sessions: ReadonlySet<Session>): readonly Labelled[] {
  const places = new Tallies<string>()
  for (const { door, standing } of sessions) places.add(`${door} ${standing.dialect} ${standing.state}`)
  return places.entries.map(([words, count]) => [words.split(' '), count])
}

function labelled<K extends string>(tallies: Tallies<K>): readonly Labelled[] {
  return tallies.entries.map(([word, count]) => [[word], count])
}

function codesOf<K extends string>(name: string, answered: number, refused: Tallies<K>): readonly Labelled[] {
  const refusals = refused.entries.map(([code, count]): Labelled => [[name, code], count])
  return answered === 0 ? refusals : [[[name, 'ok'], answered], ...refusals]
}
