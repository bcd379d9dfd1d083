// A TCP proxy in front of a server that comes and goes. It cuts connections at a byte: so many more pass in one direction, then
// both sides are ended, or reset, in the middle of whatever that was.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Where a connection is cut. */
export interface Cut {
  /** True: counted is what goes to the server. */
  readonly up: boolean
  /** Bytes that still pass. */
  readonly bytes: number
  /** Reset instead of ended. */
  readonly reset: boolean
}

export class CuttingProxy implements Disposable {
  /** The server's port now. */
  target = 0
  /** Cuts that have happened. */
  cuts = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #due: Cut[] = []

  private constructor() {
    this.#server = createServer((client) => this.#join(client))
  }

  static async start(): Promise<CuttingProxy> {
    const proxy = new CuttingProxy()
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts the connection that carries something in this direction next. */
  cut(cut: Cut): void {
    this.#due.push(cut)
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(client: Socket): void {
    const server = connect(this.target, '127.0.0.1')
    const pair: Pair = { client, server, cut: undefined, left: 0 }
    this.#carry(pair, true)
    this.#carry(pair, false)
  }

  #carry(pair: Pair, up: boolean): void {
    const [from, to] = up ? [pair.client, pair.server] : [pair.server, pair.client]
    this.#sockets.add(from)
    from.on('error', () => {})
    from.on('data', (bytes: Buffer) => this.#pass(pair, up, bytes))
    from.on('end', () => to.end())
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }

  #pass(pair: Pair, up: boolean, bytes: Buffer): void {
    const [from, to] = up ? [pair.client, pair.server] : [pair.server, pair.client]
    if (pair.cut === undefined) this.#begin(pair, up)
    const isCounted = pair.cut?.up === up
    const rest = isCounted ? pair.left : bytes.length
    if (!to.write(bytes.subarray(0, rest))) {
      from.pause()
      to.once('drain', () => from.resume())
    }
    if (!isCounted) return
    pair.left -= bytes.length
    if (pair.left <= 0) this.#end(pair)
  }

  #begin(pair: Pair, up: boolean): void {
    const at = this.#due.findIndex((cut) => cut.up === up)
    if (at < 0) return
    const [cut] = this.#due.splice(at, 1)
    pair.cut = cut
    pair.left = cut?.bytes ?? 0
  }

  #end({ client, server, cut }: Pair): void {
    if (client.destroyed) return
    this.cuts++
    for (const socket of [client, server]) {
      if (cut?.reset === true) socket.resetAndDestroy()
      else socket.end()
      // Nothing more comes of it, whatever the other side still says.
      if (cut?.reset !== true) socket.removeAllListeners('data')
      if (cut?.reset !== true) socket.resume()
    }
  }
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  cut: Cut | undefined
  left: number
}
