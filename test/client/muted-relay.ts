// A TCP relay that can keep the server's answers on its own connections to itself, and then end them: what was asked is done, and
// nobody is told.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class MutedRelay implements Disposable {
  readonly #target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Connections up to this one bring nothing any more. */
  #muted = 0
  #joined = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  static async to(target: number): Promise<MutedRelay> {
    const relay = new MutedRelay(target)
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** From now on what the server says on the connections that there are is lost. */
  mute(): void {
    this.#muted = this.#joined
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  [Symbol.dispose](): void {
    this.#server.close()
    this.cut()
  }

  #join(client: Socket): void {
    const number = ++this.#joined
    const server = connect(this.#target, '127.0.0.1')
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server)
    server.on('data', (bytes: Buffer) => {
      if (number > this.#muted) client.write(bytes)
    })
  }
}
