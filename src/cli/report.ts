// How a command ends when it fails: one line on standard error, `sealwire: cause. what to do next.`, and an exit code
// that a script can act on. The exit codes stand in this table alone; --help prints it and docs/cli.md shows it.

import { inspect, styleText } from 'node:util'
import { type Code, SealwireError } from '../protocol/errors.ts'
import { wantsColours } from './terminal/colours.ts'
import { writeNow } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { endCodeOf, endSignalOf } from './terminal/stop-signal.ts'

export interface ExitCodeRow {
  readonly what: string
  /** The error codes that end a command so; every other one ends it with 1. */
  readonly codes: readonly Code[]
}

export const exitCodes = {
  0: { what: 'done', codes: [] },
  1: { what: 'failed', codes: [] },
  2: { what: 'wrong usage or configuration; nothing was done', codes: ['usage', 'config_invalid', 'link_invalid', 'runtime_unsupported'] },
  3: {
    what: 'the data or home folder cannot be used (keys, permissions, lock, disk)',
    codes: ['key_missing', 'key_unsafe', 'key_malformed', 'data_locked', 'data_unusable', 'storage_full'],
  },
  4: {
    what: 'network: address in use, unreachable, no answer in time, connection lost, server stopping',
    codes: [
      'address_unavailable',
      'unreachable',
      'connection_lost',
      'channel_broken',
      'unknown_outcome',
      'stopping',
      'slow_consumer',
      'overrun',
      'login_too_slow',
      'frame_too_slow',
    ],
  },
  5: {
    what: 'a certificate, a receipt, a ledger or a backup is not trusted or not valid',
    codes: ['untrusted', 'certificate_invalid', 'receipt_invalid', 'ledger_forked', 'backup_invalid'],
  },
  6: {
    what: 'refused by the server, or by the person who was asked',
    codes: [
      'name_invalid',
      'name_taken',
      'password_invalid',
      'login_refused',
      'registration_closed',
      'invitation_invalid',
      'invitation_used',
      'invitation_expired',
      'account_banned',
      'enrolment_invalid',
      'joining_only',
      'session_ended',
      'dialect_unavailable',
      'version_unsupported',
      'busy',
      'rate_limited',
      'unavailable',
      'not_found',
      'is_self',
      'declined',
      'not_in_chat',
      'no_request',
      'peer_left',
      'peer_lost',
      'type_unsupported',
      'not_contact',
      'not_permitted',
      'conflict',
      'quota_exceeded',
      'room_full',
      'device_required',
      'file_invalid',
      'gone',
      'signature_invalid',
      'insufficient_funds',
      'limit_exceeded',
      'frozen',
      'amount_invalid',
      'expired',
      'ledger_broken',
      'refused',
    ],
  },
} as const satisfies Record<number, ExitCodeRow>

/** The exit code for what a command threw: that of the signal, when one has stopped it. */
export function exitCodeOf(reason: unknown): number {
  const signal = endSignalOf(reason)
  if (signal !== undefined) return endCodeOf(signal)
  const { code } = SealwireError.from(reason)
  const row = Object.entries(exitCodes).find(([, { codes }]) => (codes as readonly Code[]).includes(code))
  return Number(row?.[0] ?? 1)
}

/** The table as the end of every --help. */
export function exitCodesHelp(): string {
  const lines = Object.entries(exitCodes).map(([exitCode, { what }]) => `  ${exitCode}  ${what}`)
  return ['', 'Exit codes:', ...lines].join('\n')
}

/** The line for what a command threw, without its end of line. Of a bug it tells what is known: it is our own terminal. */
export function errorLine(reason: unknown): string {
  const { code, sentence, hint, cause } = SealwireError.from(reason)
  const known = code === 'internal' && cause !== undefined ? `${sentence}: ${nameOf(cause)}` : sentence
  const next = hint ?? (code === 'internal' ? 'this is a bug: please report it, with the log at --log-level debug' : undefined)
  return escapeControls(
    [known, next]
      .filter((part) => part !== undefined)
      .map(ended)
      .join(' '),
  )
}

/** Writes the line to standard error, at once, and returns the exit code. */
export function report(reason: unknown): number {
  // To ask for the stream makes a pipe non-blocking: one that nobody reads must not keep a process that has crashed.
  const { fd } = process.stderr
  const name = wantsColours(fd, process.env) ? styleText(['bold', 'red'], 'sealwire:', { validateStream: false }) : 'sealwire:'
  writeNow(fd, `${name} ${errorLine(reason)}\n`)
  return exitCodeOf(reason)
}

function nameOf(cause: unknown): string {
  if (cause instanceof Error) return `${cause.name}: ${cause.message}`
  return typeof cause === 'string' ? cause : inspect(cause, { depth: 0 })
}

function ended(sentence: string): string {
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`
}
