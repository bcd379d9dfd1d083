// What a person finds in the log of a server about one connection: every line about it has its number, from its first to its last.

import { expect, test } from 'bun:test'
import { connect, type TLSSocket } from 'node:tls'
import { deviceClient, dialDevice, enrolDevice, messageId, password } from '../support/device-client.ts'
import { ServerProcess } from '../support/server-process.ts'

/** About the server, or about many connections at once. */
const ofTheServer = new Set([
  'account banned',
  'account made by the operator',
  'certificate reloaded',
  'checkpoint made',
  'connections bounded by descriptors',
  'connections refused',
  'file written',
  'handshakes failed',
  'holds and requests expired',
  'holds cannot go back',
  'invitation made',
  'ledger not proved',
  'ledger proved',
  'messages not indexed',
  'no checkpoint made',
  'no holds expired',
  'no invitation was made',
  'nothing removed',
  'server started',
  'server stopped',
  'server stopping',
  'sessions ended',
  'store.failed',
])

const expectedEvents = [
  'account registered',
  'contract begun',
  'device enrolled',
  'device refused',
  'device revoked',
  'link for another device made',
  'logged in',
  'login refused',
  'password changed',
  'session refused',
]

interface Line {
  readonly event: string
  readonly connection?: number
  readonly method?: string
  readonly code?: string
}

test('every line about a connection has its number, from its first to its last', async () => {
  await using server = await ServerProcess.start({ flags: ['--log-level', 'debug'], limits: { loginMsMax: 5000 } })
  const device = await enrolDevice(server, 'alice')
  const alice = await deviceClient(server, device)
  await refused(alice.request('message.send', { conversation: 9_999, id: messageId(), body: new Uint8Array(3) }))
  await strangers(server)
  const { devices } = await alice.request('device.list', {})
  await alice.request('device.link', {})
  await alice.request('account.password', { current: password, next: 'another-horse-battery' })
  for (const { device: id } of devices) await alice.request('device.revoke', { device: id })
  await alice.drain()
  await refused(deviceClient(server, device))
  expect(await server.stop()).toEqual({ code: 0, signal: null })
  const lines = linesOf(server)
  expectNumbers(lines)
  const events = new Set(lines.map(({ event }) => event))
  for (const event of expectedEvents) expect(events).toContain(event)
}, 60_000)

test('a request that fails through no fault of the client’s is told with its connection, its method and its code', async () => {
  await using first = await ServerProcess.start({ limits: { loginMsMax: 5000 } })
  await enrolDevice(first, 'alice')
  await first.stop()
  await using server = await ServerProcess.start({
    data: first.data,
    flags: ['--log-level', 'debug'],
    limits: { diskBytesFreeMin: 1_048_576 * 1024 ** 2 },
  })
  const alice = await dialDevice(server)
  await refused(alice.request('account.login', { name: 'alice', password: 'not-the-password-of-alice' }))
  await refused(alice.request('account.register', { name: 'bob', password }))
  await alice.drain()
  await server.stop()
  const lines = linesOf(server)
  expectNumbers(lines)
  expect(lines).toContainEqual(expect.objectContaining({ event: 'failed login counted in memory only', connection: expect.any(Number) }))
  expect(lines).toContainEqual(expect.objectContaining({ event: 'request failed', method: 'account.register', code: 'storage_full' }))
}, 60_000)

/** A wrong password, a token of nobody, one who says nothing, one who speaks nonsense. */
async function strangers(server: ServerProcess): Promise<void> {
  const guest = await dialDevice(server)
  await refused(guest.request('account.login', { name: 'alice', password: 'not-the-password-of-alice' }))
  await refused(guest.request('account.resume', { token: new Uint8Array(32) }))
  await guest.drain()
  const silent = await strange(server)
  const ended = new Promise((resolve) => silent.once('close', resolve))
  const broken = await strange(server)
  broken.write('nothing that begins with a frame')
  await Promise.all([ended, new Promise((resolve) => broken.once('close', resolve))])
}

async function strange({ port }: ServerProcess): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }).resume()
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  return socket
}

async function refused(asked: Promise<unknown>): Promise<void> {
  const outcome = await asked.then(
    () => 'answered',
    () => 'refused',
  )
  expect(outcome).toBe('refused')
}

function linesOf({ stderr }: ServerProcess): readonly Line[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
}

/** Lines without a number are not about a connection; a number begins and ends once, and what has it stands between. */
function expectNumbers(lines: readonly Line[]): void {
  const bare = lines.filter(({ event, connection }) => connection === undefined && !ofTheServer.has(event))
  expect(bare).toEqual([])
  const numbers = new Set(lines.flatMap(({ connection }) => connection ?? []))
  expect(numbers.size).toBeGreaterThan(0)
  for (const number of numbers) {
    const events = lines.filter(({ connection }) => connection === number).map(({ event }) => event)
    if (events[0] === 'device refused') continue // It was let go before it became a session.
    expect([events[0], events.at(-1)]).toEqual(['client connected', 'client disconnected'])
    expect(events.filter((event) => event.startsWith('client '))).toHaveLength(2)
  }
}
