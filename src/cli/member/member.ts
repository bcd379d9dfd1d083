// Somebody who has joined a server, as commands work for them: every command of a member begins here, so that all of them tell
// a changed key, a dead token and a server that is not there in the same words.

import type { Clock } from '../../domain/clock.ts'
import { clientCertificateOf, readDevice } from '../../client/home/device-files.ts'
import type { Home } from '../../client/home/home.ts'
import { type Member, openMember as openHome } from '../../client/home/member.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { type Advice, advised } from '../advice.ts'
import { writeNow } from '../terminal/descriptor.ts'
import { errorLine } from '../report.ts'

export type { Member } from '../../client/home/member.ts'

export interface MemberParts {
  readonly clock: Clock
  /** Gives up the dial and the login. */
  readonly signal?: AbortSignal
  /** Whether another ledger key than before is refused (`untrusted`). Default: it is a warning. */
  readonly isForMoney?: boolean
}

/**
 * Connects to the server that was joined from `home` and logs in.
 * @throws {SealwireError} what the core's `openMember` throws, with what to do next.
 */
export async function openMember(home: Home, parts: MemberParts): Promise<Member> {
  try {
    return await openHome(home, { ...parts, warn: warnOf })
  } catch (reason) {
    throw adviseMember(home, reason)
  }
}

/**
 * Opens a member, lets `use` do its work, and ends in order. What the server refuses is told with what to do next.
 * @throws {SealwireError} what {@link openMember} and `use` throw.
 */
export async function withMember<T>(home: Home, parts: MemberParts, use: (member: Member) => Promise<T>, advice?: Advice): Promise<T> {
  await using member = await openMember(home, parts)
  try {
    return await use(member)
  } catch (reason) {
    throw SealwireError.is(reason) ? advised(reason, advice) : reason
  }
}

/**
 * What to do next: that of `advice` before what is said to everybody. A server does not greet a device that it does not let in, and
 * says nothing else either.
 */
export function adviseMember(home: Home, reason: unknown, advice: Advice = {}): SealwireError {
  const { code, sentence } = SealwireError.from(reason)
  if (code !== 'connection_lost' && code !== 'login_refused') return advised(reason, advice)
  const isDevice = clientCertificateOf(readDevice(home)) !== undefined
  if (code === 'login_refused') return advised(reason, { login_refused: refusedAdvice(home, isDevice) })
  if (!isDevice) return advised(reason, advice)
  return new SealwireError(code, sentence, {
    cause: reason,
    hint: `try again; if it stays so, ask the operator whether the account is banned; else this device was revoked or its certificate has expired: ${again(home)}`,
  })
}

function refusedAdvice(home: Home, isDevice: boolean): string {
  const why = isDevice
    ? 'this device was revoked, or the server takes no certificates any more'
    : 'the password was changed, or it was too long ago'
  return `${why}: ${again(home)}`
}

function again(home: Home): string {
  return `move ${home.pathOf('profile.json')} away and join again with --login`
}

/** Warns on standard error. */
export function warnOf(what: string, reason: unknown): void {
  writeNow(standardError, `sealwire: warning: ${what}: ${errorLine(reason)}\n`)
}

const standardError = 2
