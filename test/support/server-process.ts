// A real server process for end-to-end tests: the program itself on a port of its own choosing, with a data folder of its
// own, stopped by its process id however the test ends.
//
//   await using server = await ServerProcess.start({ limits: { loginMsMax: 500 } })
//   server.port, server.fingerprint, server.authority (path of ca.crt), server.stderr
//   await server.stop()                 SIGTERM, then how it ended
//   await server.kill()                 SIGKILL, as a power cut would; `start({ data: server.data })` starts it again
//
// `ServerProcess.spawn` does not wait until it listens: for servers that must refuse to start.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { LimitName } from '../../src/protocol/index.ts'

export interface ServerProcessOptions {
  /** Default `open`. */
  readonly registration?: 'open' | 'invite' | 'closed'
  /** On top of the cheapest password hashes that the table of limits allows. */
  readonly limits?: Readonly<Partial<Record<LimitName, number>>>
  /** Where it listens. Default: at a port that the system hands out. One that comes back there has a `lastingPort`. */
  readonly port?: number
  /** Further flags; a later one beats those made here. */
  readonly flags?: readonly string[]
  /** The program that runs the server. Default: the Bun that runs this test; `nodeBinary` for Node. */
  readonly runtime?: string
  /** Path of the program. Default: this checkout's own. */
  readonly program?: string
  /** A data folder that outlives the process. Default: a fresh one that is removed at the end. */
  readonly data?: string
}

/** How a process ended: one of the two is `null`. */
export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class ServerProcess implements AsyncDisposable {
  readonly data: string
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #ownsData: boolean
  readonly #exited: Promise<ServerExit>
  readonly #ready = Promise.withResolvers<void>()
  readonly #killAtExit = (): void => void this.#child.kill('SIGKILL')
  #stdout = ''
  #stderr = ''

  private constructor(options: ServerProcessOptions) {
    this.#ownsData = options.data === undefined
    this.data = options.data ?? mkdtempSync(join(tmpdir(), 'sealwire-e2e-'))
    this.#child = spawn(options.runtime ?? process.execPath, [options.program ?? program, ...serveArguments(this.data, options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SEALWIRE_'))),
    })
    process.once('exit', this.#killAtExit)
    this.#exited = ended(this.#child)
    this.#listen()
  }

  /** A server that listens. Rejects with what it said when it ends instead. */
  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(options)
    try {
      await server.#ready.promise
    } catch (reason) {
      await server[Symbol.asyncDispose]()
      throw reason
    }
    return server
  }

  /** A server that may never listen. */
  static spawn(options: ServerProcessOptions = {}): ServerProcess {
    return new ServerProcess(options)
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  get port(): number {
    return Number(this.#line(/^sealwire listening on tls:\/\/.*:(\d+)$/m))
  }

  /** `SHA256:…` */
  get fingerprint(): string {
    return this.#line(/^fingerprint (\S+)$/m)
  }

  /** The invite link that the start printed; there is none where registration is closed. */
  get invite(): string {
    return this.#line(/^invite +(\S+)$/m)
  }

  /** Path of the certificate that clients trust. */
  get authority(): string {
    return join(this.data, 'ca.crt')
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Resolves when its standard error has this: what another process has seen of it may be read before what it says of that. */
  async said(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#stderr)) {
      if (!this.isRunning) throw new Error(`it ended and never said ${pattern}: ${this.#stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Resolves when the process has ended and everything it wrote was read. */
  get exited(): Promise<ServerExit> {
    return this.#exited
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Asks it to end in order and waits for that. */
  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<ServerExit> {
    this.signal(signal)
    return this.#exited
  }

  /** Ends it at once, wherever it is. */
  async kill(): Promise<ServerExit> {
    this.signal('SIGKILL')
    return this.#exited
  }

  /** Open descriptors; only where there is a /proc. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** Resident memory in bytes; only where there is a /proc. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) await this.kill()
    process.off('exit', this.#killAtExit)
    if (this.#ownsData) rmSync(this.data, { recursive: true, force: true })
  }

  #listen(): void {
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      if (/^fingerprint .*\n/m.test(this.#stdout)) this.#ready.resolve()
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.#child.once('error', (reason) => this.#ready.reject(reason))
    void this.#exited.then(({ code, signal }) => this.#ready.reject(new Error(`the server ended (${code ?? signal}): ${this.#stderr}`)))
    this.#ready.promise.catch(() => {}) // Whoever spawned it without waiting looks at `exited`.
  }

  #line(pattern: RegExp): string {
    const found = pattern.exec(this.#stdout)?.[1]
    if (found === undefined) throw new Error(`the server has not printed ${pattern}`)
    return found
  }
}

/** Lifts what stands between one machine and a server that it alone talks to. */
export const liftedRates = {
  connectionsUnauthenticatedMax: 1_000_000,
  connectionsUnauthenticatedPerAddressMax: 1_000_000,
  connectionsPerSecondPerAddressMax: 1_000_000,
  connectionsBurstPerAddressMax: 1_000_000,
  handshakesPerSecondMax: 1_000_000,
  loginFailuresPerAddressMax: 1_000_000,
} as const satisfies ServerProcessOptions['limits']

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const cheapHashes = { passwordHashMemoryKiB: 19_456, passwordHashPasses: 2 }

function serveArguments(
  data: string,
  { registration = 'open', limits = {}, port = 0, flags = [] }: ServerProcessOptions,
): readonly string[] {
  const overrides = Object.entries({ ...cheapHashes, ...limits }).flatMap(([name, value]) => ['--limit', `${name}=${value}`])
  return ['serve', '--classic', '--registration', registration, '--data', data, '--listen', `127.0.0.1:${port}`, ...overrides, ...flags]
}

/** `close` comes when the output was read too. The runtime sometimes forgets it; then the end alone has to do. */
function ended(child: ChildProcessByStdio<null, Readable, Readable>): Promise<ServerExit> {
  const { promise, resolve } = Promise.withResolvers<ServerExit>()
  child.once('close', (code, signal) => resolve({ code, signal }))
  child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal }), closeMsMax))
  return promise
}

const closeMsMax = 1_000
