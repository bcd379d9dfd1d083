import { afterEach, describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { limitTable } from '../../src/protocol/index.ts'
import { silentLog } from '../../src/server/log.ts'
import { listenMonitor, type Monitor } from '../../src/server/monitor.ts'
import { ManualClock } from '../support/manual-clock.ts'

const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
})

function monitorAt(clock = new ManualClock()): Promise<Monitor> {
  const pages = { page: async () => '', report: async () => ({ ready: true, checks: {} }) as never }
  return listenMonitor({ host: '127.0.0.1', port: 0 }, { pages, clock, log: silentLog })
}

async function dial({ endpoint: { host, port } }: Monitor): Promise<Socket> {
  const socket = connect({ host, port })
  sockets.add(socket)
  // A connection that is cut may be reset.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** All that comes until the other end closes. */
async function answerOf(socket: Socket, request = ''): Promise<string> {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  if (request !== '') socket.write(request)
  await closed
  return Buffer.concat(parts).toString().split('\r\n')[0] ?? ''
}

const isAlive = 'HTTP/1.1 200 OK'
const live = 'GET /live HTTP/1.1\r\nHost: localhost\r\n'

describe('Monitor', () => {
  test('cuts who is one too many, answers those who are there, and has room again when one has left', async () => {
    const clock = new ManualClock()
    await using monitor = await monitorAt(clock)
    const max = limitTable.monitorConnectionsMax.value
    const held: Socket[] = []
    for (let count = 0; count < max; count++) held.push(await dial(monitor))
    // Who says nothing may be accepted later than others.
    for (const socket of held) socket.write(live)
    while (clock.timers < max) await new Promise(setImmediate)
    expect(await answerOf(await dial(monitor), live)).toBe('')
    const [first, last] = [held[0], held.at(-1)] as [Socket, Socket]
    expect([await answerOf(first, '\r\n'), await answerOf(last, '\r\n')]).toEqual([isAlive, isAlive])
    expect(await answerOf(await dial(monitor), `${live}\r\n`)).toBe(isAlive)
  })

  test('takes a request as long as it may be, and answers 431 to a longer one', async () => {
    await using monitor = await monitorAt()
    const max = limitTable.monitorRequestBytesMax.value
    const ask = async (bytes: number): Promise<string> => {
      const head = `${live}X: `
      return answerOf(await dial(monitor), `${head}${'x'.repeat(bytes - head.length - 4)}\r\n\r\n`)
    }
    expect(await ask(max - 100)).toBe(isAlive)
    expect(await ask(max + 100)).toBe('HTTP/1.1 431 Request Header Fields Too Large')
  })

  test('cuts who does not come to an end', async () => {
    const clock = new ManualClock()
    await using monitor = await monitorAt(clock)
    const socket = await dial(monitor)
    socket.write(live)
    while (clock.timers === 0) await new Promise(setImmediate)
    await clock.move(limitTable.monitorRequestMsMax.value - 1)
    expect(clock.timers).toBe(1)
    const answer = answerOf(socket)
    await clock.move(1)
    expect(await answer).toBe('')
  })
})
