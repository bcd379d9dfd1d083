// A device on a line, for its owner and for the operator.

import { escapeControls } from '../terminal/escape.ts'

/** A device as both lists have it; times are milliseconds since 1970. */
export interface ShownDevice {
  readonly device: string
  readonly label: string
  readonly enrolledAt: number
  readonly usedAt?: number | undefined
  readonly expiresAt: number
}

/** One line for people, with its end. */
export function deviceLine({ device, label, enrolledAt, usedAt, expiresAt }: ShownDevice, notes: readonly string[] = []): string {
  const used = usedAt === undefined ? 'never used' : `used ${day(usedAt)}`
  const parts = [device, ...(label === '' ? [] : [escapeControls(label)]), `since ${day(enrolledAt)}`, used, `until ${day(expiresAt)}`]
  return `${[...parts, ...notes].join('  ')}\n`
}

/** For programs: times in ISO 8601. */
export function deviceJson<T extends ShownDevice>({ enrolledAt, usedAt, expiresAt, ...rest }: T): object {
  return { ...rest, enrolledAt: iso(enrolledAt), ...(usedAt === undefined ? {} : { usedAt: iso(usedAt) }), expiresAt: iso(expiresAt) }
}

function day(at: number): string {
  return iso(at).slice(0, 10)
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

/** The commands that list devices, and shut one out. */
export interface DeviceCommands {
  readonly list: string
  readonly revoke: string
}

/** What is said when a password was changed: devices have no use for it. Nothing where there are none. */
export function devicesLine(count: number, what: 'device' | 'other device', { list, revoke }: DeviceCommands): string {
  if (count === 0) return ''
  return `${count} ${what}${count === 1 ? '' : 's'} can still log in without it; see which: ${list}, and shut one out: ${revoke}\n`
}
