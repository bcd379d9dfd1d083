import { expect, test } from 'bun:test'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { type Cut, CuttingProxy } from './cutting-proxy.ts'

const sent = Buffer.from('0123456789')

test('everything passes, both ways, until a cut is due', async () => {
  expect(await through([])).toEqual({ up: 10, down: 10, cuts: 0 })
})

test.each([true, false])('a cut on the way up lets exactly so many bytes pass (reset: %p)', async (reset) => {
  expect(await through([{ up: true, bytes: 4, reset }])).toMatchObject({ up: reset ? expect.any(Number) : 4, cuts: 1 })
})

test.each([true, false])('a cut on the way down lets exactly so many bytes pass (reset: %p)', async (reset) => {
  expect(await through([{ up: false, bytes: 4, reset }])).toMatchObject({ up: 10, down: reset ? expect.any(Number) : 4, cuts: 1 })
})

test('a proxy without a server behind it ends connections, and works again when there is one', async () => {
  using proxy = await CuttingProxy.start()
  proxy.target = 1
  expect(await echoed(proxy.port)).toBe(0)
  await using echo = await EchoServer.start()
  proxy.target = echo.port
  expect(await echoed(proxy.port)).toBe(10)
})

/** How many bytes came to the server, and back. */
async function through(cuts: readonly Cut[]): Promise<{ up: number; down: number; cuts: number }> {
  await using echo = await EchoServer.start()
  using proxy = await CuttingProxy.start()
  proxy.target = echo.port
  for (const cut of cuts) proxy.cut(cut)
  const down = await echoed(proxy.port)
  await echo.left.promise
  return { up: echo.bytes, down, cuts: proxy.cuts }
}

/** Sends, and counts what comes back until it is all there or the connection is over. */
async function echoed(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  const { promise, resolve } = Promise.withResolvers<void>()
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes === sent.length) resolve()
  })
  for (const end of ['error', 'end', 'close']) socket.on(end, () => resolve())
  socket.write(sent)
  await promise
  socket.destroy()
  return bytes
}

class EchoServer implements AsyncDisposable {
  readonly #server: Server
  /** Resolves when a connection is over. */
  readonly left = Promise.withResolvers<void>()
  bytes = 0

  private constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('close', () => this.left.resolve())
      socket.on('data', (chunk: Buffer) => {
        this.bytes += chunk.length
        socket.write(chunk)
      })
    })
  }

  static async start(): Promise<EchoServer> {
    const echo = new EchoServer()
    await new Promise<void>((resolve) => echo.#server.listen(0, '127.0.0.1', resolve))
    return echo
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
  }
}
