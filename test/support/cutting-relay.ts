// A TCP relay that stays where it is while the server behind it comes and goes, and that can cut every connection at once.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class CuttingRelay implements Disposable {
  /** Where the server is now; undefined refuses everybody. */
  target: number | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** The client of each socket to the server. */
  readonly #clients = new Map<Socket, Socket>()
  #muteFrom = Number.POSITIVE_INFINITY
  #isMute = false
  /** How many connections were refused. */
  refused = 0
  /** How many connections were cut. */
  cuts = 0

  private constructor(target: number) {
    this.target = target
    this.#server = createServer((client) => this.#join(client))
  }

  static async to(target: number): Promise<CuttingRelay> {
    const relay = new CuttingRelay(target)
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Breaks every connection with a reset on both sides. */
  cut(): void {
    this.cuts += this.#sockets.size / 2
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /**
   * The next record of TLS of at least so many bytes arrives, and whatever the server says to those who are connected then is lost:
   * a signed order is longer than what is asked before it. Not the next piece: two short records may be read at once.
   */
  muteFrom(bytes: number): void {
    this.#muteFrom = bytes
  }

  /** Whether that record has come. */
  get isMute(): boolean {
    return this.#isMute
  }

  /** Whatever the server says to those who are connected waits until `release`. */
  hold(): void {
    for (const [server, client] of this.#clients) server.unpipe(client)
  }

  release(): void {
    for (const [server, client] of this.#clients) server.pipe(client)
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #sent(length: number): void {
    if (length < this.#muteFrom) return
    this.#muteFrom = Number.POSITIVE_INFINITY
    this.#isMute = true
    for (const [server, client] of this.#clients) server.unpipe(client).resume()
  }

  #join(client: Socket): void {
    client.on('error', () => {})
    const records = new TlsRecords()
    client.on('data', (bytes: Buffer) => this.#sent(records.longest(bytes)))
    if (this.target === undefined) {
      this.refused++
      return void client.resetAndDestroy()
    }
    const server = connect(this.target, '127.0.0.1')
    this.#clients.set(server, client)
    server.on('close', () => this.#clients.delete(server))
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }
}

/** Finds the records in what is read of a connection, however it is cut into pieces. */
class TlsRecords {
  #header: number[] = []
  /** Of the record that has begun. */
  #left = 0

  /** The length of the longest record that begins in this piece, with its header; 0 where none does. */
  longest(bytes: Buffer): number {
    let longest = 0
    for (let at = 0; at < bytes.length; ) {
      const passed = Math.min(this.#left, bytes.length - at)
      this.#left -= passed
      at += passed
      if (this.#left > 0 || at === bytes.length) break
      this.#header.push(bytes.readUInt8(at++))
      if (this.#header.length < headerBytes) continue
      const [, , , high = 0, low = 0] = this.#header
      this.#left = high * 256 + low
      this.#header = []
      longest = Math.max(longest, headerBytes + this.#left)
    }
    return longest
  }
}

const headerBytes = 5
