// Why a dial of the sealed channel came to nothing. What the system says is told in the words of link/dial-error.ts.

import { SealwireError } from '../../protocol/index.ts'
import { placeOf, systemErrors } from '../dial-error.ts'
import type { SealedDialOptions, SealedPlace } from './options.ts'

/** The error for a socket that failed. */
export function socketError(place: SealedPlace, cause: NodeJS.ErrnoException): SealwireError {
  const code = cause.code ?? ''
  const words = closedByPeer.has(code) ? undefined : systemErrors[code]
  if (words === undefined) return hungUp(place, new SealwireError('connection_lost', 'the connection was reset', { cause }))
  return new SealwireError(words.code, `${placeOf(place)} ${words.sentence}`, { cause, hint: words.hint })
}

/** The error for a peer that ended the connection before the handshake was done. */
export function hungUp(place: SealedPlace, cause?: unknown): SealwireError {
  return new SealwireError('unreachable', `${placeOf(place)} closed the connection during the handshake`, {
    cause,
    hint: 'check the port; a server also does so when it has too many connections: wait a little',
  })
}

/** The error for what the channel made of a peer's answer. `seen`: the pin of the key that it showed, where it showed one. */
export function handshakeError(options: SealedDialOptions, reason: unknown, seen?: string): SealwireError {
  const error = SealwireError.from(reason)
  if (seen !== undefined && seen !== options.pin) return anotherKey(options, seen)
  if (error.code === 'channel_broken') {
    const hint = 'check the port: something else answers there'
    return new SealwireError('unreachable', `${placeOf(options)} does not speak the sealed channel`, { cause: error, hint })
  }
  if (error.code !== 'untrusted') return error
  return new SealwireError('untrusted', `${placeOf(options)} did not prove that it has the key ${options.pin}`, {
    cause: error,
    hint: middle,
  })
}

function anotherKey(options: SealedDialOptions, seen: string): SealwireError {
  const sentence = `${placeOf(options)} has another key: expected ${options.pin}, seen ${seen}`
  return new SealwireError('untrusted', sentence, { hint: middle })
}

const closedByPeer: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE'])
const middle = 'somebody may be in the middle: ask the operator for the fingerprint'
