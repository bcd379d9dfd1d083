// A connection to a server process, without anything that would connect again.

import { type Client, connectNode } from '../../src/client/node.ts'
import type { ServerProcess } from '../support/server-process.ts'

export function dial({ port, fingerprint }: Pick<ServerProcess, 'port' | 'fingerprint'>): Promise<Client> {
  return connectNode({ host: '127.0.0.1', port, pin: fingerprint })
}

/** Takes what a client is told and forgets it: whoever takes no events loses the connection. */
export async function ignoreEvents(client: Client): Promise<void> {
  try {
    for await (const _ of client.events()) continue
  } catch {
    // The requests say why it has ended.
  }
}
