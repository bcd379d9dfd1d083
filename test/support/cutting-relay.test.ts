import { afterAll, describe, expect, test } from 'bun:test'
import { type AddressInfo, connect, createServer } from 'node:net'
import { until } from '../faults/until.ts'
import { CuttingRelay } from './cutting-relay.ts'

let arrived = 0
const server = createServer((socket) => {
  socket.on('error', () => {})
  socket.on('data', ({ length }: Buffer) => (arrived += length))
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
afterAll(() => server.close())

/** A record of TLS with so many bytes behind its header. */
function record(length: number): Buffer {
  return Buffer.concat([Buffer.of(23, 3, 3, length >> 8, length & 0xff), Buffer.alloc(length)])
}

/** Whether the relay is mute when these pieces have come, each read by itself. */
async function isMuteAfter(...pieces: readonly Buffer[]): Promise<boolean> {
  using relay = await CuttingRelay.to((server.address() as AddressInfo).port)
  relay.muteFrom(200)
  const socket = connect(relay.port, '127.0.0.1')
  for (const piece of pieces) {
    const before = arrived
    socket.write(piece)
    await until('it arrives', 30_000, () => arrived === before + piece.length)
  }
  socket.destroy()
  return relay.isMute
}

describe('muteFrom', () => {
  test('takes short records for what they are, also when they are read at once', async () => {
    expect(await isMuteAfter(Buffer.concat([record(90), record(90), record(90)]))).toBe(false)
  })

  test('finds a long one behind others, and one that comes in pieces', async () => {
    expect(await isMuteAfter(Buffer.concat([record(90), record(300)]))).toBe(true)
    const long = record(300)
    expect(await isMuteAfter(long.subarray(0, 3), long.subarray(3, 100), long.subarray(100))).toBe(true)
  })
})
