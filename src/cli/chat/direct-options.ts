// What `chat` is told of direct links.

import { isIP } from 'node:net'
import { parseCandidate } from '../../client/direct/candidates.ts'
import type { DirectOptions } from '../../client/direct/direct.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { parseEndpoint, parsePort } from '../options/endpoint.ts'
import { commandLine, refuse } from '../options/origin.ts'

/** Flags of a command that can have direct links. */
export interface DirectFlags {
  readonly direct?: boolean
  readonly directPort?: string
  readonly directAnnounce?: readonly string[]
}

/**
 * Where contacts connect; `undefined` when they do not.
 * @throws {SealwireError} `usage` for what is no port or no address, and for both without `--direct`.
 */
export function readDirect({ direct = false, directPort, directAnnounce = [] }: DirectFlags): DirectOptions | undefined {
  const port = directPort === undefined ? undefined : parsePort(directPort, commandLine('--direct-port'))
  const announce = directAnnounce.map(readCandidate)
  if (announce.length > announceMax)
    throw new SealwireError('usage', `--direct-announce may be there ${announceMax} times at most`, { hint: 'leave some out' })
  if (direct) return { ...(port === undefined ? {} : { port }), ...(announce.length === 0 ? {} : { announce }) }
  if (port === undefined && announce.length === 0) return undefined
  throw new SealwireError('usage', '--direct-port and --direct-announce are for direct links', { hint: 'say --direct too' })
}

/** Contacts are told addresses: a name they would have to look up. */
function readCandidate(text: string) {
  const origin = commandLine('--direct-announce')
  const endpoint = parseEndpoint(text, origin)
  const hint = 'write the address and the port at which others reach this device, such as 203.0.113.9:7000'
  if (isIP(endpoint.host) === 0) throw refuse(origin, text, 'names no address', hint)
  try {
    return parseCandidate(endpoint)
  } catch {
    throw refuse(origin, text, 'is no address and port of one machine', hint)
  }
}

const announceMax = limitTable.directCandidatesMax.value
