// The doctor at a client's side: from the name over TCP, TLS and the certificates to the server's welcome. Each step is taken
// only when the one before it was, so the first fault is the cause and not a consequence. Nothing but handshakes is sent until
// the certificate holds, and then a greeting, without any name of an account.

import { crc32 } from 'node:zlib'
import { connect as connectClient } from '../../client/client.ts'
import { applicationProtocol, authorityOf, Flusher, readPeerChain } from '../../link/index.ts'
import { dialSocket } from '../../link/tls/node-dial.ts'
import { NodeTlsLink } from '../../link/tls/node-link.ts'
import { spkiPin } from '../../pki/pin.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { type Endpoint, formatEndpoint } from '../options/endpoint.ts'
import { type AnswerOptions, certificateWish, codeOf, handshakeFault, otherProtocol } from './answer.ts'
import { anchorOf, certificateFaults, type Trust } from './certificates.ts'
import { sealedInstead } from './examine-sealed.ts'
import { type Finding, fault, fine, timeText, warning } from './finding.ts'
import { connectionFault, type ExaminationParts } from './reach.ts'

export interface ServerExamination {
  readonly server: Endpoint
  readonly trust: Trust
  /** Shown to a server that asks for one: PEM. */
  readonly clientCertificate?: { readonly chain: string; readonly key: string }
  /** For each step, in ms. */
  readonly timeoutMs: number
  /** When this machine has certainly been, ms since 1970. */
  readonly notBefore: number
}

/** What is found, in the order of the steps; there is no fault in it when a client could work with the server. */
export async function examineServer(examination: ServerExamination, parts: ExaminationParts): Promise<readonly Finding[]> {
  const { server } = examination
  const unreached = await connectionFault(examination, parts.clock)
  if (unreached !== undefined) return [unreached]
  const reached = fine(`something answers at ${formatEndpoint(server)}`)
  const { chain: seen, refused } = await shownChain(examination, parts)
  if (refused !== undefined) return [reached, refused]
  const { trust, notBefore } = examination
  const shown = { chain: seen, host: server.host, trust, now: parts.clock.now(), notBefore }
  const faults = certificateFaults(shown)
  if (faults.length > 0) return [reached, fine('it speaks TLS'), ...faults]
  const [leaf] = seen
  const until = leaf === undefined ? '' : `, until ${timeText(leaf.validToDate.getTime())}`
  const certified = fine(`it speaks TLS, and its certificate is good for ${server.host}${until}`)
  const greeted = await greet({ ...examination, roots: anchorOf(shown)?.toString() }, parts)
  return [reached, certified, ...trustFindings(examination, seen), greeted]
}

type Chain = Awaited<ReturnType<typeof readPeerChain>>

function trustFindings({ server, trust }: ServerExamination, chain: Chain): readonly Finding[] {
  if (trust.by !== 'nothing') return [fine(`it has the key that it should have, by ${trust.source}`)]
  const authority = authorityOf(chain)
  const pin = authority === undefined ? 'none' : spkiPin(authority)
  const why = `${formatEndpoint(server)} is not known here, so nothing says whose key this is; it shows ${pin}`
  return [warning('it is not verified who answers', why, 'compare that fingerprint with what the operator says, and give it with --pin')]
}

async function shownChain(
  { server, timeoutMs, clientCertificate }: ServerExamination,
  parts: ExaminationParts,
): Promise<{ chain: Chain; refused?: Finding }> {
  try {
    return { chain: await readPeerChain({ ...server, timeoutMs, applicationProtocol }, contextOf(parts)) }
  } catch (reason) {
    const error = SealwireError.from(reason)
    if (error.code === 'internal') throw error
    const refused = await handshakeFault(
      server,
      error,
      answerOptions({ timeoutMs, hasCertificate: clientCertificate !== undefined }, parts),
    )
    const closed = refused.level === 'fault' && refused.name === 'tls_closed'
    return { chain: [], refused: (closed ? await sealedInstead(server, timeoutMs, parts) : undefined) ?? refused }
  }
}

/** A dial with all checks, and the first words of the contract. */
async function greet(examination: ServerExamination & { readonly roots: string | undefined }, parts: ExaminationParts): Promise<Finding> {
  const { server, timeoutMs, roots, clientCertificate } = examination
  const context = contextOf(parts)
  const dialling = {
    ...server,
    timeoutMs,
    applicationProtocol,
    ...(roots === undefined ? {} : { roots }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  }
  const heard: { alert?: unknown } = {}
  const dial = async (): Promise<NodeTlsLink> => {
    const socket = await dialSocket(dialling, context)
    socket.on('error', (reason) => (heard.alert = reason))
    return new NodeTlsLink(socket, context)
  }
  const options = answerOptions({ timeoutMs, hasCertificate: clientCertificate !== undefined }, parts)
  try {
    const client = await connectClient(
      { name: 'sealwire doctor', requestMsMax: timeoutMs },
      { dial, clock: parts.clock, limits: parts.limits, checksum },
    )
    await client.drain()
    return fine('it is a Sealwire server, and welcomes clients')
  } catch (reason) {
    return await greetingFault(server, SealwireError.from(reason), heard.alert, options)
  }
}

async function greetingFault(server: Endpoint, reason: SealwireError, alert: unknown, options: AnswerOptions): Promise<Finding> {
  const { code, sentence, hint = 'try again later, or ask the operator' } = reason
  if (code === 'internal') throw reason
  if (code === 'untrusted')
    return fault('certificate_not_accepted', 'the certificate is not accepted', `${sentence} (${codeOf(reason.cause)})`, hint)
  if (code === 'certificate_invalid')
    return (
      (await certificateWish(server, reason.cause, options)) ??
      fault('client_certificate_refused', 'the server refuses the client certificate', sentence, hint)
    )
  if (code === 'version_unsupported')
    return fault('version_other', 'the server is of another version', sentence, 'update the older of the two')
  if (code === 'connection_lost' || code === 'unreachable') {
    return (
      (await certificateWish(server, alert, options)) ??
      otherProtocol(code === 'connection_lost' ? 'it ended the connection when it was greeted' : 'it does not answer a greeting')
    )
  }
  if (refusals.has(code)) return fault('server_refuses', 'the server takes nobody now', sentence, hint)
  return otherProtocol(`it does not answer a greeting as Sealwire does: ${sentence}`)
}

function contextOf({ limits, clock }: ExaminationParts) {
  return { limits, flusher: new Flusher(limits, clock) }
}

function answerOptions(own: Pick<AnswerOptions, 'timeoutMs' | 'hasCertificate'>, { clock, limits }: ExaminationParts): AnswerOptions {
  return { ...own, clock, bytesMax: limits.doctorReplyBytesMax }
}

const checksum = (bytes: Uint8Array, start: number, end: number): number => crc32(bytes.subarray(start, end))
const refusals: ReadonlySet<string> = new Set(['busy', 'rate_limited', 'unavailable', 'stopping', 'storage_full', 'session_ended'])
