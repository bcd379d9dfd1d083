// The operator's way into a running server: a Unix socket in the data folder, which only the user who runs the server can
// reach. It is no client connection: admission does not count it, and its descriptors come from those that are
// reserved, so that it answers while everybody else is refused. Its frames and bodies are the contract's.
//
//   one connection:  request ─▶ answer ─▶ request …      one at a time; what comes meanwhile stays in the kernel
//                    └ operatorRequestMsMax ┘            also for an answer that nobody takes

import { lstatSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Clock, Timer } from '../../domain/index.ts'
import { contractCommands, encodeFault, parseRequest } from '../../protocol/contract/index.ts'
import { encodeFrame, FrameDecoder, type Limits, type Packet, SealwireError } from '../../protocol/index.ts'
import {
  encodeOperatorResult,
  knownOperatorMethod,
  type OperatorMethod,
  type OperatorRoutes,
  parseOperatorParams,
} from '../../protocol/operator.ts'
import type { Log } from '../log.ts'
import { operatorSocketName, operatorSocketPath, type SocketPath } from './socket-path.ts'

/** What the socket works with. */
export interface OperatorSocketParts {
  readonly routes: OperatorRoutes
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
}

/**
 * Listens in a data folder whose lock the caller holds. A server that cannot be reached this way still serves its clients:
 * then the log says why, and there is nothing to dispose of. Disposing waits for the answers that are under way.
 */
export async function listenForOperator(folder: string, parts: OperatorSocketParts): Promise<AsyncDisposable | undefined> {
  let at: SocketPath | undefined
  try {
    at = operatorSocketPath(folder)
    removeStale(folder)
    const listener = new OperatorListener(parts, at)
    await listener.listen()
    return listener
  } catch (reason) {
    at?.[Symbol.dispose]()
    parts.log.warning('operator commands cannot reach this server', { why: whyNot(reason) })
    return undefined
  }
}

class OperatorListener implements AsyncDisposable {
  readonly #parts: OperatorSocketParts
  readonly #at: SocketPath
  readonly #server: Server
  readonly #connections = new Set<Connection>()

  constructor(parts: OperatorSocketParts, at: SocketPath) {
    this.#parts = parts
    this.#at = at
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
  }

  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject).once('listening', resolve)
    // The socket is its owner's alone from its first moment on.
    const before = process.umask(0o177)
    try {
      this.#server.listen(this.#at.path)
    } finally {
      process.umask(before)
    }
    await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    await Promise.all([...this.#connections].map((connection) => connection.end()))
    await closed
    this.#at[Symbol.dispose]()
  }

  /** Who comes too many is told so; when as many as can be served wait to be told, the next ones are cut. */
  #accept(socket: Socket): void {
    const connection = new Connection(socket, this.#parts)
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
    const { operatorConnectionsMax: max } = this.#parts.limits
    if (this.#connections.size > 2 * max) socket.destroy()
    else if (this.#connections.size > max)
      connection.refuse(new SealwireError('busy', 'the server is busy with other commands of its operator'))
  }
}

class Connection {
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #parts: OperatorSocketParts
  readonly #decoder: FrameDecoder
  #deadline: Timer | undefined
  #isWorking = false
  /** The peer asks nothing more. */
  #isAsked = false
  /** We answer nothing more. */
  #isEnding = false
  #isRefused = false

  constructor(socket: Socket, parts: OperatorSocketParts) {
    this.#socket = socket
    this.#parts = parts
    this.#decoder = new FrameDecoder({ bodyBytesMax: parts.limits.operatorRequestBytesMax })
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    void this.closed.then(() => this.#deadline?.cancel())
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      this.#decoder.push(bytes)
      void this.#work()
    })
    socket.once('end', () => {
      this.#isAsked = true
      void this.#work()
    })
    this.#expect()
  }

  /** Says why nothing is answered, and reads on until the peer ends: closing earlier could lose what was said. */
  refuse(error: SealwireError): void {
    this.#isRefused = true
    this.#socket.removeAllListeners('data')
    this.#socket.end(faultFrame(null, error))
    this.#socket.resume()
  }

  /** Resolves when the answer that is under way has been given and the connection is closed. */
  async end(): Promise<void> {
    this.#isEnding = true
    if (this.#isRefused) this.#socket.destroy()
    void this.#work()
    await this.closed
  }

  /** Answers what was asked, one by one, and closes when nothing more is to be answered. */
  async #work(): Promise<void> {
    if (this.#isWorking || this.#isRefused) return
    this.#isWorking = true
    this.#socket.pause()
    try {
      await this.#answerAll()
    } catch (reason) {
      this.refuse(SealwireError.from(reason))
      return
    }
    this.#isWorking = false
    if (this.#isEnding) this.#socket.end(() => this.#socket.destroy())
    else if (this.#isAsked) this.#socket.end()
    else this.#socket.resume()
  }

  async #answerAll(): Promise<void> {
    while (!this.#isEnding) {
      const packet = this.#decoder.next()
      if (packet === undefined) return
      await this.#answer(packet)
    }
  }

  async #answer({ command, body }: Packet): Promise<void> {
    if (command !== contractCommands.request) throw new SealwireError('unexpected', 'an operator sends requests only')
    const { id, method, params } = parseRequest(body)
    this.#deadline?.cancel()
    const frame = await this.#outcome(id, method, params)
    this.#expect()
    if (!this.#socket.write(frame)) await taken(this.#socket)
  }

  async #outcome(id: number, method: string, params: unknown): Promise<Uint8Array> {
    try {
      return encodeFrame(contractCommands.result, await run(this.#parts.routes, id, knownOperatorMethod(method), params))
    } catch (reason) {
      const error = SealwireError.from(reason)
      if (error.code === 'internal') this.#parts.log.error('operator command failed', {}, reason)
      return faultFrame(id, error)
    }
  }

  /** From now on the peer has so long to ask, or to take what it was told. */
  #expect(): void {
    this.#deadline?.cancel()
    this.#deadline = this.#parts.clock.after(this.#parts.limits.operatorRequestMsMax, () => this.#socket.destroy())
  }
}

async function run<M extends OperatorMethod>(routes: OperatorRoutes, id: number, method: M, params: unknown): Promise<Uint8Array> {
  return encodeOperatorResult(id, method, await routes[method](parseOperatorParams(method, params)))
}

async function taken(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', resolve)
  })
}

function faultFrame(id: number | null, { code, sentence }: SealwireError): Uint8Array {
  return encodeFrame(contractCommands.fault, encodeFault({ id, code, sentence }))
}

/** We hold the lock of the folder: whoever made this socket is dead. Anything else of that name is not ours to remove. */
function removeStale(folder: string): void {
  const path = join(folder, operatorSocketName)
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) rmSync(path)
}

function whyNot(reason: unknown): string {
  if (SealwireError.is(reason)) return reason.sentence
  return reason instanceof Error ? reason.message : String(reason)
}
