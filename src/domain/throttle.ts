// How failed logins slow down the next ones. Two counts, kept in the store so that a restart forgets none:
//
//   account and address   some failures are free, then each further one costs a delay that doubles. A delay, not a lock, and
//                         only for this address: whoever guesses at a name cannot keep its owner out elsewhere
//   address               failures against any account in a window; the address waits until the window ends
//
// A name that nobody has is counted like one that somebody has.

import type { Limits } from '../protocol/limits.ts'
import { addressGroup } from './address-group.ts'

/** The bounds of failed logins. */
export type ThrottleLimits = Pick<
  Limits,
  'loginFailuresFree' | 'loginDelayMsMax' | 'loginFailureMemoryMs' | 'loginFailuresPerAddressMax' | 'loginAddressWindowMs'
>

/** Failures remembered under a key; times are milliseconds since 1970. */
export interface Failures {
  readonly key: string
  readonly failures: bigint
  readonly since: bigint
  readonly lastAt: bigint
}

/** The keys that one login is counted under. */
export interface ThrottleKeys {
  /** Account and address. */
  readonly pair: string
  readonly address: string
}

/** `nameKey` is a name's key, which holds no colon. */
export function throttleKeys(nameKey: string, address: string): ThrottleKeys {
  const group = addressGroup(address)
  return { pair: `account:${nameKey}:${group}`, address: `address:${group}` }
}

/** How long the failures of an account and address count, from the last of them; at least as long as they delay. */
export function pairWindowMs(limits: ThrottleLimits): number {
  return Math.max(limits.loginFailureMemoryMs, limits.loginDelayMsMax)
}

/** Milliseconds until a login under these keys may be checked; 0 when it may be checked now. */
export function loginWaitMs(rows: readonly Failures[], keys: ThrottleKeys, nowMs: number, limits: ThrottleLimits): number {
  const pair = rows.find((row) => row.key === keys.pair)
  const address = rows.find((row) => row.key === keys.address)
  return Math.max(pair === undefined ? 0 : pairWait(pair, nowMs, limits), address === undefined ? 0 : addressWait(address, nowMs, limits))
}

function pairWait({ failures, lastAt }: Failures, nowMs: number, limits: ThrottleLimits): number {
  const ageMs = age(lastAt, nowMs)
  if (ageMs > pairWindowMs(limits)) return 0
  const costly = Number(failures) - limits.loginFailuresFree
  const delayMs = costly <= 0 ? 0 : Math.min(firstDelayMs * 2 ** (costly - 1), limits.loginDelayMsMax)
  return Math.max(0, delayMs - ageMs)
}

function addressWait({ failures, since }: Failures, nowMs: number, limits: ThrottleLimits): number {
  if (failures < BigInt(limits.loginFailuresPerAddressMax)) return 0
  return Math.max(0, limits.loginAddressWindowMs - age(since, nowMs))
}

/** A clock that was set back must not make anybody wait longer than the rules say. */
function age(at: bigint, nowMs: number): number {
  return Math.max(0, nowMs - Number(at))
}

const firstDelayMs = 1000
