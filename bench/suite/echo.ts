// The echo service over TLS, and full handshakes, beside a bare server on epoll and OpenSSL.

import { join } from 'node:path'
import { end, freePort, listening, type Running, serveSealwire } from '../servers.ts'
import { runNative, runScript } from './generator.ts'
import { startEchoLimit } from './peers.ts'
import { compare, type Plan, type Row, type Sample, type Subject } from './plan.ts'

/** CONNECTIONSxBYTESxDEPTH. */
const cells = ['64x64x1', '64x64x32', '64x1024x8', '16x16384x8']
const handshakes = '32x1x1'

export function echo(plan: Plan): Promise<readonly Row[]> {
  return withServers(plan, 'echo', async (subjects) => {
    const rows: Row[] = []
    for (const cell of cells) rows.push(await compare(plan, { what: `echo, ${words(cell)}`, cell, goal: echoGoal }, subjects))
    return rows
  })
}

export function handshake(plan: Plan): Promise<readonly Row[]> {
  return withServers(plan, 'handshake', async (subjects) => [
    await compare(plan, { what: 'full TLS 1.3 handshakes, 32 at once', cell: handshakes, goal: echoGoal }, subjects),
  ])
}

async function withServers(
  plan: Plan,
  kind: string,
  act: (subjects: readonly Subject[]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const port = await freePort()
  const own = await serveSealwire(join(plan.folder, kind), '--echo', `127.0.0.1:${port}`)
  await listening(port)
  const limit = plan.native === undefined ? undefined : await startEchoLimit(plan.folder, plan.native)
  if (limit === undefined) plan.missing('a bare OpenSSL echo', 'it is in ../shared/bench')
  try {
    return await act([
      { name: 'Sealwire', measure: (cell) => load(plan, { ...own, port }, kind, cell) },
      ...(limit === undefined ? [] : [{ name: 'bare OpenSSL', measure: (cell: string) => load(plan, limit, kind, cell) }]),
    ])
  } finally {
    for (const each of [own, limit]) if (each !== undefined) await end(each.process)
  }
}

function load({ seconds, native }: Plan, server: Running, kind: string, cell: string): Promise<Sample> {
  const [connections = '', bytes = '', depth = ''] = cell.split('x')
  const figure = kind === 'echo' ? 'messages' : 'handshakes'
  if (native !== undefined) {
    const args = [server.port, kind, connections, bytes, depth, seconds]
    return runNative(join(native, 'echo_load'), args, server, { figure, seconds })
  }
  return runScript('echo-load.ts', [server.port, server.process.pid, kind, connections, bytes, depth, seconds], 'accepted')
}

function words(cell: string): string {
  const [connections, bytes, depth] = cell.split('x')
  return `${connections} connections, ${bytes} B, depth ${depth}`
}

const echoGoal = '≥ 0.9 × bare OpenSSL'
