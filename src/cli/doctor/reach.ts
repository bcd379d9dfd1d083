// The doctor's first step towards a server, whatever is spoken there: its name and TCP.

import { connect } from 'node:net'
import type { Clock } from '../../domain/clock.ts'
import type { Limits } from '../../protocol/limits.ts'
import { type Endpoint, formatEndpoint } from '../options/endpoint.ts'
import { codeOf } from './answer.ts'
import { type FaultName, type Finding, fault } from './finding.ts'

export interface ExaminationParts {
  readonly clock: Clock
  readonly limits: Limits
}

/** The fault for a server that TCP alone does not reach. */
export async function connectionFault(
  { server, timeoutMs }: { readonly server: Endpoint; readonly timeoutMs: number },
  clock: Clock,
): Promise<Finding | undefined> {
  const { promise, resolve } = Promise.withResolvers<Finding | undefined>()
  const socket = connect({ host: server.host, port: server.port })
  const deadline = clock.after(timeoutMs, () =>
    resolve(connectionFinding(server, 'ETIMEDOUT', `nothing came back in ${timeoutMs / 1000} s`)),
  )
  socket.once('connect', () => resolve(undefined))
  socket.on('error', (reason: Error) => resolve(connectionFinding(server, codeOf(reason), reason.message)))
  try {
    return await promise
  } finally {
    deadline.cancel()
    socket.destroy()
  }
}

function connectionFinding(server: Endpoint, code: string, message: string): Finding {
  const { host } = server
  const [name, what, why, next] = connectionFaults.get(code) ?? [
    'no_route',
    `${host} cannot be reached`,
    `the system says: ${message}`,
    network,
  ]
  return fault(
    name,
    what.replace(/^HOST(:PORT)?/, (_, port) => (port === undefined ? host : formatEndpoint(server))),
    why.replace('MESSAGE', () => message),
    next,
  )
}

const network = 'check the network of this machine, and whether the host is up'

type Row = readonly [name: FaultName, what: string, why: string, next: string]
const unreached: Row = ['no_route', 'HOST cannot be reached', 'there is no way to it from here: MESSAGE', network]
const forbidden: Row = ['no_route', 'HOST may not be dialled from here', 'a rule of this machine forbids it: MESSAGE', 'check its firewall']
const connectionFaults: ReadonlyMap<string, Row> = new Map([
  [
    'ENOTFOUND',
    [
      'name_unknown',
      'HOST is not a known host',
      'no such name is in the DNS, or in the hosts file of this machine',
      'check how it is spelt',
    ],
  ],
  [
    'EAI_AGAIN',
    ['lookup_failed', 'HOST could not be looked up', 'no name server answered', 'check the network, and the name server of this machine'],
  ],
  [
    'ECONNREFUSED',
    [
      'connection_refused',
      'HOST:PORT refuses the connection',
      'the machine is there, and nothing listens at this port',
      'start the server, or check the port',
    ],
  ],
  [
    'ETIMEDOUT',
    [
      'timed_out',
      'HOST:PORT does not answer',
      'MESSAGE: the host is off, the address is another, or a firewall drops what is sent',
      'check address and firewall',
    ],
  ],
  ['EHOSTUNREACH', unreached],
  ['ENETUNREACH', unreached],
  ['EADDRNOTAVAIL', unreached],
  ['EHOSTDOWN', unreached],
  ['EINVAL', unreached],
  ['EACCES', forbidden],
  ['EPERM', forbidden],
])
