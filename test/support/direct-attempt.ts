// One attempt at a direct link by somebody who should not get one: both sides offer, and both dial, as devices do. What counts is
// how many bytes beside TLS came back.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { Candidate } from '../../src/client/direct/candidates.ts'
import type { ClientCertificate } from '../../src/link/index.ts'
import { peerProtocol } from '../../src/link/tls/options.ts'
import { contractCommands, encodeCbor } from '../../src/protocol/contract/index.ts'
import { encodeFrame } from '../../src/protocol/index.ts'

/** What became of an attempt. */
export interface Attempt {
  /** Sessions that were told of the offer. */
  readonly told: number
  /** What the other side has offered. */
  readonly candidates: readonly Candidate[]
  /** Connections to the other side that TCP had, and those of the other side to here. */
  readonly reached: number
  readonly knocked: number
  /** Handshakes that were done as far as this side can know. */
  readonly shaken: number
  /** Bytes beside TLS, in all connections. */
  readonly received: number
}

export interface AttemptParts {
  /** Where it listens. */
  readonly host: string
  readonly shown: Partial<ClientCertificate>
  /** Default: both. */
  readonly only?: 'dials' | 'accepts' | undefined
  offer(token: Uint8Array, candidates: readonly Candidate[]): Promise<{ readonly told: number }>
  /** What the other side has offered so far. */
  answer(token: Uint8Array): readonly Candidate[] | undefined
  /** Before anything is shown. */
  readonly ready?: (() => Promise<void>) | undefined
}

export async function attempt({ host, shown, only, offer, answer, ready }: AttemptParts): Promise<Attempt> {
  const tally = { reached: 0, knocked: 0, shaken: 0, received: 0 }
  const token = new Uint8Array(randomBytes(16))
  const gate = Promise.withResolvers<void>()
  const sockets: Socket[] = []
  const inner = await listening(tlsServer(shown, tally), host)
  const outer = await listening(doorway(inner, gate.promise, tally, sockets), host)
  try {
    const { told } = await offer(token, only === 'dials' ? [] : [{ host, port: portOf(outer) }])
    const candidates = told === 0 ? [] : await answered(() => answer(token))
    await ready?.()
    gate.resolve()
    const dialled = only === 'accepts' ? [] : candidates
    await Promise.all([...dialled.map((candidate) => knockAt(candidate, shown, token, tally)), wait(enoughMs)])
    return { told, candidates, ...tally }
  } finally {
    for (const socket of sockets) socket.destroy()
    outer.close()
    inner.close()
  }
}

type Tally = { -readonly [K in 'reached' | 'knocked' | 'shaken' | 'received']: number }

/** The end of an offer; none when nobody answers in time. */
async function answered(answer: () => readonly Candidate[] | undefined): Promise<readonly Candidate[]> {
  for (let waited = 0; waited < answerMsMax; waited += pollMs) {
    const candidates = answer()
    if (candidates !== undefined) return candidates
    await wait(pollMs)
  }
  return []
}

function tlsServer({ chain, key }: Partial<ClientCertificate>, tally: Tally): Server {
  const own = { ...(chain === undefined ? {} : { cert: chain }), ...(key === undefined ? {} : { key }) }
  const server = createServer({ ...own, requestCert: true, rejectUnauthorized: false, ALPNProtocols: [peerProtocol] })
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket: TLSSocket) => {
    tally.shaken++
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => (tally.received += bytes.length))
  })
  return server
}

/** Takes connections at once, and lets them to the server behind it when the gate is open. */
function doorway(inner: Server, gate: Promise<void>, tally: Tally, sockets: Socket[]): Server {
  return createTcpServer((client) => {
    client.on('error', () => {})
    client.once('data', (first: Buffer) => {
      tally.knocked++
      client.pause()
      void gate.then(() => {
        const { address: host, port } = inner.address() as AddressInfo
        const server = connectTcp({ host, port })
        server.on('error', () => {})
        server.on('close', () => client.destroy())
        client.on('close', () => server.destroy())
        sockets.push(server)
        server.write(first)
        client.pipe(server).pipe(client)
      })
    })
    sockets.push(client)
  })
}

/** Dials an address of the other side, and says hello as soon as anybody would hear it. */
async function knockAt(
  { host, port }: Candidate,
  { chain, key }: Partial<ClientCertificate>,
  token: Uint8Array,
  tally: Tally,
): Promise<void> {
  const own = { ...(chain === undefined ? {} : { cert: chain }), ...(key === undefined ? {} : { key }) }
  const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: [peerProtocol], ...own })
  socket.on('error', () => {})
  socket.once('connect', () => tally.reached++)
  socket.once('secureConnect', () => {
    tally.shaken++
    socket.write(encodeFrame(contractCommands.request, encodeCbor([1, 'direct.hello', { versions: [1], token }])))
  })
  socket.on('data', (bytes: Buffer) => (tally.received += bytes.length))
  await Promise.race([new Promise((resolve) => socket.once('close', resolve)), wait(enoughMs)])
  socket.destroy()
}

async function listening(server: Server, host: string): Promise<Server> {
  server.listen(0, host)
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

const answerMsMax = 10_000
const pollMs = 20
/** Longer than a race of dials, and than anybody waits for a hello. */
const enoughMs = 6_000
