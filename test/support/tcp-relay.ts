// A TCP relay in the middle of one connection, which can break it and damage what it carries.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class TcpRelay implements Disposable {
  readonly #server: Server
  readonly #sockets: Socket[] = []
  /** Flips a bit in the last byte of whatever the client sends from now on. */
  corrupt = false

  /** What the servers sent, in order. */
  readonly fromServer: Buffer[] = []
  /** What the clients sent, in order. */
  readonly fromClient: Buffer[] = []
  /** Bytes of the client's that still pass; then a FIN takes their place. */
  #passing: number | undefined

  private constructor(target: number) {
    this.#server = createServer((client) => this.#join(client, connect(target, '127.0.0.1')))
  }

  static async to(target: number): Promise<TcpRelay> {
    const relay = new TcpRelay(target)
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  /** How much the clients sent. */
  get bytesFromClient(): number {
    return this.fromClient.reduce((sum, { length }) => sum + length, 0)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Lets `bytes` more pass and then ends the newest connection towards the server; `undefined` lets everything pass. */
  truncate(bytes: number | undefined): void {
    this.#passing = bytes
    if (bytes === 0) this.#sockets.at(-1)?.end()
  }

  /** Breaks every connection with a reset on both sides. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(client: Socket, server: Socket): void {
    this.#sockets.push(client, server)
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('data', (bytes: Buffer) => pass(this.corrupt ? damaged(bytes) : bytes.subarray(0, this.#passing), client, server))
    client.on('data', (bytes: Buffer) => this.fromClient.push(bytes))
    client.on('data', () => this.#passing !== undefined && server.end())
    server.on('data', (bytes: Buffer) => {
      this.fromServer.push(bytes)
      pass(bytes, server, client)
    })
    client.on('end', () => server.end())
    server.on('end', () => client.end())
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  }
}

/** Keeps backpressure end to end, so that a slow reader is slow through the relay too. */
function pass(bytes: Buffer, from: Socket, to: Socket): void {
  if (to.write(bytes)) return
  from.pause()
  to.once('drain', () => from.resume())
}

function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1)
  return copy
}
