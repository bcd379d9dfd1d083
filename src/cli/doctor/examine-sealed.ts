// The doctor at a client's side of the sealed channel: from the name over TCP, the handshake and the key to the server's welcome,
// and for a device that was enrolled there to its login. A server closes whatever is wrong without a word, so where it ends says
// the most.

import type { KeyObject } from 'node:crypto'
import { keyPin } from '../../channel/index.ts'
import { connectNode } from '../../client/node.ts'
import { dialSealed, Flusher, readSealedKey } from '../../link/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { type Endpoint, formatEndpoint } from '../options/endpoint.ts'
import { textFault } from './answer.ts'
import { type Finding, fault, fine, warning } from './finding.ts'
import { firstReply } from './raw-hello.ts'
import { connectionFault, type ExaminationParts } from './reach.ts'

export interface SealedExamination {
  readonly server: Endpoint
  /** The fingerprint that its static key should have, and who says so; `undefined` where nothing is known of it. */
  readonly trust: { readonly pin: string; readonly source: string } | undefined
  /** The key of the device that was enrolled there, if one was. */
  readonly deviceKey?: KeyObject | undefined
  /** For each step, in ms. */
  readonly timeoutMs: number
}

/** What is found, in the order of the steps; there is no fault in it when a client could work with the server. */
export async function examineSealed(examination: SealedExamination, parts: ExaminationParts): Promise<readonly Finding[]> {
  const { server, trust } = examination
  const unreached = await connectionFault(examination, parts.clock)
  if (unreached !== undefined) return [unreached]
  const reached = fine(`something answers at ${formatEndpoint(server)}`)
  const serverKey = await shownKey(examination, parts)
  if (!(serverKey instanceof Uint8Array)) return [reached, serverKey]
  const spoken = fine('it speaks the sealed channel, which is no TLS: keys stand in the place of certificates')
  const pin = keyPin(serverKey)
  if (trust !== undefined && trust.pin !== pin) {
    const next = await provedKey(trust.pin, examination, parts)
    if (next === undefined) return [reached, spoken, otherKey(trust, pin)]
    const proved = fine(`it has the key that it should have, by ${trust.source}, which takes the place of ${pin}`)
    return [reached, spoken, proved, await greet(examination, next, parts)]
  }
  return [reached, spoken, trustFinding(examination, pin), await greet(examination, serverKey, parts)]
}

/** The fault for a port where TLS was expected, when the sealed channel is spoken there. */
export async function sealedInstead(server: Endpoint, timeoutMs: number, parts: ExaminationParts): Promise<Finding | undefined> {
  const shown = await readKey(server, timeoutMs, parts)
  if (!(shown instanceof Uint8Array)) return undefined
  const why = `it closes what is no sealed channel, and shows the sealed fingerprint ${keyPin(shown)}`
  const next = `for this port run: sealwire doctor sealed://${formatEndpoint(server)}; for TLS take the port that serve prints behind tls://`
  return fault('tls_sealed', 'the sealed channel is spoken there, not TLS', why, next)
}

/** The key that the server shows, or the fault where it shows none. */
async function shownKey({ server, timeoutMs }: SealedExamination, parts: ExaminationParts): Promise<Uint8Array | Finding> {
  const shown = await readKey(server, timeoutMs, parts)
  if (shown instanceof Uint8Array) return shown
  const reply = await firstReply(server, 'tls-1.2', { timeoutMs, clock: parts.clock, bytesMax: parts.limits.doctorReplyBytesMax })
  if (reply.kind === 'text') return textFault(reply.text)
  const what = 'the sealed channel is not spoken there'
  if (reply.kind === 'closed') return fault('sealed_not_spoken', what, `it answers neither it nor TLS: ${shown.sentence}`, crowded)
  if (reply.kind === 'silent') return fault('sealed_not_spoken', what, `it answers neither it nor TLS: ${shown.sentence}`, wrongPort)
  const next = `for TLS run: sealwire doctor ${formatEndpoint(server)}; for the sealed channel take the port that serve prints behind sealed://`
  return fault('sealed_not_spoken', what, 'a TLS server answers', next)
}

/** The key with this pin, where a server proves it that shows another one: one takes the place of the other then. */
async function provedKey(
  pin: string,
  { server, timeoutMs }: SealedExamination,
  { clock, limits }: ExaminationParts,
): Promise<Uint8Array | undefined> {
  try {
    const link = await dialSealed({ ...server, pin, timeoutMs }, { limits, flusher: new Flusher(limits, clock) })
    link.terminate()
    return link.security.peerStaticKey
  } catch (reason) {
    if (SealwireError.from(reason).code === 'internal') throw reason
    return undefined
  }
}

async function readKey(server: Endpoint, timeoutMs: number, { clock, limits }: ExaminationParts): Promise<Uint8Array | SealwireError> {
  try {
    return await readSealedKey({ ...server, timeoutMs }, { limits, flusher: new Flusher(limits, clock) })
  } catch (reason) {
    const error = SealwireError.from(reason)
    if (error.code === 'internal') throw error
    return error
  }
}

function otherKey({ pin, source }: { readonly pin: string; readonly source: string }, seen: string): Finding {
  const next = 'somebody may be in the middle: ask the operator for the sealed fingerprint, and send nothing until it is right'
  return fault('pin_mismatch', 'the server has another key', `expected ${pin} (${source}), seen ${seen}`, next)
}

function trustFinding({ server, trust }: SealedExamination, pin: string): Finding {
  if (trust !== undefined) return fine(`it has the key that it should have, by ${trust.source}`)
  const why = `${formatEndpoint(server)} is not known here, so nothing says whose key this is; it shows ${pin}`
  const next = 'compare that with the sealed fingerprint that the operator says, and give it with --pin'
  return warning('it is not verified who answers', why, next)
}

/** A dial with all checks, as the device that was enrolled there or as nobody, and the first words of the contract. */
async function greet(
  { server, timeoutMs, deviceKey }: SealedExamination,
  serverKey: Uint8Array,
  { clock }: ExaminationParts,
): Promise<Finding> {
  const place = { ...server, pin: keyPin(serverKey), timeoutMs, requestMsMax: timeoutMs, sealed: { serverKey, deviceKey } }
  try {
    const client = await connectNode({ ...place, name: 'sealwire doctor' }, { clock })
    await client.drain()
    return fine(
      deviceKey === undefined ? 'it is a Sealwire server, and welcomes clients' : 'it is a Sealwire server, and lets this device in',
    )
  } catch (reason) {
    return greetingFault(SealwireError.from(reason), deviceKey !== undefined)
  }
}

function greetingFault({ code, sentence, hint = 'try again later, or ask the operator' }: SealwireError, isDevice: boolean): Finding {
  if (code === 'version_unsupported')
    return fault('version_other', 'the server is of another version', sentence, 'update the older of the two')
  if (code === 'connection_lost' && isDevice) {
    const why = 'it closes the connection behind the handshake: the device was revoked, or its certificate has expired'
    return fault('device_not_admitted', 'the server does not let this device in', why, 'join again with --login, or ask the operator')
  }
  return fault('server_refuses', 'the server takes nobody now', sentence, hint)
}

const crowded = 'check the port; a server also closes when it has too many connections: wait a little'
const wrongPort = 'check host and port: sealwire serve prints them as it starts'
