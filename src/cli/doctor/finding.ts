// What the doctor finds, and how it is told: what, why, and what to do next, a line each. A fault has a name from this table,
// for programs, and the code that decides how the command ends.

import type { Code } from '../../protocol/errors.ts'
import { escapeControls } from '../terminal/escape.ts'

export const faults = {
  // On the way to a server.
  name_unknown: 'unreachable',
  lookup_failed: 'unreachable',
  connection_refused: 'unreachable',
  no_route: 'unreachable',
  timed_out: 'unreachable',
  // Who answers there.
  tls_http: 'unreachable',
  tls_ssh: 'unreachable',
  tls_plain: 'unreachable',
  tls_silent: 'unreachable',
  tls_closed: 'unreachable',
  tls_sealed: 'unreachable',
  tls_too_old: 'unreachable',
  tls_nothing_in_common: 'unreachable',
  tls_failed: 'unreachable',
  sealed_not_spoken: 'unreachable',
  // The certificate that it shows.
  certificate_expired: 'untrusted',
  certificate_not_yet_valid: 'untrusted',
  certificate_wrong_name: 'untrusted',
  certificate_without_names: 'untrusted',
  certificate_self_signed: 'untrusted',
  certificate_unknown_issuer: 'untrusted',
  certificate_chain_incomplete: 'untrusted',
  certificate_wrong_usage: 'untrusted',
  certificate_not_accepted: 'untrusted',
  pin_mismatch: 'untrusted',
  // What it makes of us.
  client_certificate_required: 'certificate_invalid',
  client_certificate_refused: 'certificate_invalid',
  device_not_admitted: 'certificate_invalid',
  protocol_other: 'unreachable',
  version_other: 'version_unsupported',
  server_refuses: 'unavailable',
  // A data folder.
  folder_missing: 'data_unusable',
  folder_of_another_user: 'data_unusable',
  folder_open: 'data_unusable',
  folder_unwritable: 'data_unusable',
  folder_unfinished: 'data_unusable',
  disk_full: 'storage_full',
  database_missing: 'data_unusable',
  key_missing: 'key_missing',
  key_unsafe: 'key_unsafe',
  key_malformed: 'key_malformed',
  certificate_unreadable: 'certificate_invalid',
  certificate_of_another_key: 'certificate_invalid',
  certificate_of_another_authority: 'certificate_invalid',
  own_certificate_expired: 'certificate_invalid',
  foreign_certificate_unsound: 'certificate_invalid',
  clock_behind: 'certificate_invalid',
  // The machine of a server.
  port_in_use: 'address_unavailable',
  port_forbidden: 'address_unavailable',
  address_unavailable: 'address_unavailable',
  descriptors_few: 'config_invalid',
} as const satisfies Record<string, Code>

export type FaultName = keyof typeof faults

/** `warning` is worth a look and keeps nothing from working. */
export type Finding =
  | { readonly level: 'ok'; readonly what: string }
  | { readonly level: 'warning'; readonly what: string; readonly why: string; readonly next: string }
  | { readonly level: 'fault'; readonly name: FaultName; readonly what: string; readonly why: string; readonly next: string }

export function fine(what: string): Finding {
  return { level: 'ok', what }
}

export function warning(what: string, why: string, next: string): Finding {
  return { level: 'warning', what, why, next }
}

export function fault(name: FaultName, what: string, why: string, next: string): Finding {
  return { level: 'fault', name, what, why, next }
}

/** The names of the faults, in order. */
export function faultNames(findings: readonly Finding[]): readonly FaultName[] {
  return findings.flatMap((finding) => (finding.level === 'fault' ? [finding.name] : []))
}

/** The lines of a finding. What a server sends may be in them, so nothing in them can control a terminal. */
export function findingLines(finding: Finding): readonly string[] {
  const lines =
    finding.level === 'ok'
      ? [`ok       ${finding.what}`]
      : [`${finding.level.padEnd(8)} ${finding.what}`, `  why    ${finding.why}`, `  next   ${finding.next}`]
  return lines.map((line) => escapeControls(line))
}

/** A point in time for people: universal time, to the second. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** How long something is, roughly. */
export function spanText(ms: number): string {
  const [unit, length] = units.find(([, each]) => ms >= 2 * each) ?? ['seconds', 1000]
  return `${Math.round(ms / length)} ${unit}`
}

const minuteMs = 60 * 1000
const units = [
  ['days', 24 * 60 * minuteMs],
  ['hours', 60 * minuteMs],
  ['minutes', minuteMs],
] as const
