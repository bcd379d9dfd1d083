// Ports for servers that end and come back where they were. A port that the system has handed out it may hand out again, to anybody,
// while the server is away. These are below those that it hands out, so only another test could take one: each is claimed.

import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

/** A port of 127.0.0.1 that is free, and that nobody else gets as long as this process lives. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = firstPort + 2 * randomInt((endPort - firstPort) / 2)
    if (await claimPort(port)) return port
  }
}

/**
 * Takes an even port, unless it is in use or another test has it. Who has a port listens at the odd one behind it: the system lets one
 * do that, among all processes, and takes it back however the process ends, where a file would stay behind one that was killed.
 */
export async function claimPort(port: number): Promise<boolean> {
  const claim = await listen(port + 1)
  if (claim === undefined) return false
  const probe = await listen(port)
  if (probe === undefined) {
    await close(claim)
    return false
  }
  await close(probe)
  // It keeps no test from ending.
  claims.add(claim.unref())
  return true
}

/** Undefined where the port is taken. */
function listen(port: number): Promise<Server | undefined> {
  const { promise, resolve } = Promise.withResolvers<Server | undefined>()
  const server = createServer((socket) => socket.destroy())
  server.once('error', () => resolve(undefined))
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server))
  return promise
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

/** Where the ports begin that the system hands out. */
function handedOutFrom(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0])
  } catch {
    // macOS and Windows begin at 49152, older ones of them lower.
    return usualFrom
  }
}

const usualFrom = 32_768
/** Above the ports of most services. */
const firstPort = 12_000
const from = Math.min(handedOutFrom(), usualFrom)
// Where the system hands out nearly everything, the claims are all that is left.
const endPort = from - firstPort > 1_000 ? from - (from % 2) : usualFrom
const claims = new Set<Server>()
