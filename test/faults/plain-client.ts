// A connection to a server process, without anything that would connect again.

import { type Client, connectNode } from '../../src/client/node.ts'
import type { ServerProcess } from '../support/server-process.ts'

export function dial({ port, fingerprint }: Pick<ServerProcess, 'port' | 'fingerprint'>): Promise<Client> {
  return connectNode({ host: '127.0.0.1', port, pin: fingerprint })
}
