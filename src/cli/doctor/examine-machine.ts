// The doctor at a server's side: whether the machine lets a server listen, and open enough files.

import { createServer } from 'node:net'
import { listenErrors } from '../../link/listen-error.ts'
import type { Limits } from '../../protocol/limits.ts'
import { realMachine } from '../../server/machine.ts'
import { type Endpoint, formatEndpoint } from '../options/endpoint.ts'
import { codeOf } from './answer.ts'
import { type Finding, fault, fine } from './finding.ts'

/** Listens at each address for a moment. Not while a server runs in the folder: it would be in its own way. */
export async function examineAddresses(endpoints: readonly Endpoint[]): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const endpoint of endpoints) findings.push(await addressFinding(endpoint))
  return findings
}

/** Whether a process may open as many files as a server needs. */
export function examineDescriptors(
  { doctorDescriptorsMin, descriptorsReserved }: Limits,
  most = realMachine.descriptorsMax(),
): readonly Finding[] {
  if (most === undefined) return []
  if (most >= doctorDescriptorsMin) return [fine(`a process may open ${most} files`)]
  const why = `the limit is ${most}, of which ${descriptorsReserved} are for the server itself: it takes ${Math.max(0, most - descriptorsReserved)} connections`
  return [
    fault(
      'descriptors_few',
      'a process may open too few files',
      why,
      'raise the limit: ulimit -n 65536, or LimitNOFILE=65536 in the unit of systemd',
    ),
  ]
}

async function addressFinding({ host, port }: Endpoint): Promise<Finding> {
  const place = formatEndpoint({ host, port })
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port }, resolve))
    return fine(`a server can listen at ${place}`)
  } catch (cause) {
    const code = codeOf(cause)
    const { why, hint } = listenErrors[code] ?? { why: '', hint: 'check the name or address' }
    const said = `cannot listen at ${place}${why}${code === '' ? '' : ` (${code})`}`
    if (code === 'EADDRINUSE') return fault('port_in_use', `the port of ${place} is in use`, said, `${hint}; ss -ltnp shows what it is`)
    if (code === 'EACCES' || code === 'EPERM') return fault('port_forbidden', `this user may not listen at ${place}`, said, hint)
    return fault('address_unavailable', `nobody can listen at ${place}`, said, hint)
  } finally {
    server.close()
  }
}
