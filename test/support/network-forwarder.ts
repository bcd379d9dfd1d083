// Passes TCP on, until it is cut: then it reads nothing and says nothing, as a cable that was pulled out. Whoever connects is
// accepted and hears nothing. What was not passed on before passes when it is restored, and so does each end.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class Forwarder implements Disposable {
  readonly #server: Server
  readonly #target: { readonly host: string; readonly port: number }
  readonly #sockets = new Set<Socket>()
  /** What is to be done when it is restored. */
  readonly #late: (() => void)[] = []
  #isCut = false

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client))
  }

  /** Listens at an address, on any free port. */
  static async start(host: string, target: { readonly host: string; readonly port: number }): Promise<Forwarder> {
    const forwarder = new Forwarder(target)
    forwarder.#server.listen(0, host)
    await once(forwarder.#server, 'listening')
    return forwarder
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.pause()
  }

  restore(): void {
    this.#isCut = false
    for (const act of this.#late.splice(0)) act()
    for (const socket of this.#sockets) socket.resume()
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(client: Socket): void {
    this.#keep(client)
    client.pause()
    this.#passing(() => this.#join(client))
  }

  #join(client: Socket): void {
    if (client.destroyed) return
    const server = connect({ ...this.#target, allowHalfOpen: true })
    this.#keep(server)
    this.#carry(client, server)
    this.#carry(server, client)
    client.resume()
  }

  #carry(from: Socket, to: Socket): void {
    from.on('data', (bytes: Buffer) => this.#passing(() => this.#write(bytes, from, to)))
    from.on('end', () => this.#passing(() => to.end()))
    from.on('close', () => this.#passing(() => to.destroy()))
  }

  #write(bytes: Buffer, from: Socket, to: Socket): void {
    if (to.destroyed || to.write(bytes)) return
    from.pause()
    to.once('drain', () => {
      if (!this.#isCut) from.resume()
    })
  }

  /** Now, or in its turn when it is restored. */
  #passing(act: () => void): void {
    if (this.#isCut) this.#late.push(act)
    else act()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
