// What the tests of the echo pair share: an output that remembers, an input that is typed by the test, and an echo
// server in this process.

import { PassThrough } from 'node:stream'
import type { EchoIdentitySource } from '../../../src/cli/echo/identity.ts'
import type { TextOutput } from '../../../src/cli/echo/output.ts'
import { type EchoParts, runEcho } from '../../../src/cli/echo/run.ts'
import { resolveEchoConfig } from '../../../src/cli/echo.ts'
import { runEchoServer } from '../../../src/cli/echo/server-run.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { type Code, type Limits, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'

/** An output that takes everything, or nothing while `full`. */
export class RecordedOutput implements TextOutput {
  text = ''
  full = false
  closed = false
  #wake = (): void => {}

  write(text: string): boolean {
    if (this.full) return false
    this.text += text
    this.#wake()
    return true
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  get lines(): readonly string[] {
    return this.text.split('\n').slice(0, -1)
  }

  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.text)
      if (found !== null) return found
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

/** An echo server in this process; it is stopped in order at the end of its scope. */
export class RunningEcho implements AsyncDisposable {
  readonly output = new RecordedOutput()
  readonly errors = new RecordedOutput()
  readonly ended: Promise<void>
  port = 0
  readonly #stop = new AbortController()

  private constructor(identity: EchoIdentitySource, limits: Partial<Limits>, host: string, port: number) {
    const config = { listen: { host, port }, identity, limits: { ...resolveLimits(), ...limits } }
    const { output, errors } = this
    this.ended = runEchoServer(config, { clock: systemClock, stop: this.#stop.signal, output, errors })
  }

  static async start(identity: EchoIdentitySource, limits: Partial<Limits> = {}, host = '127.0.0.1', port = 0): Promise<RunningEcho> {
    const server = new RunningEcho(identity, limits, host, port)
    const ready = server.output.printed(/^SSL Server is running on .*:(\d+)\n/).then(([, text]) => (server.port = Number(text)))
    await Promise.race([ready, server.ended])
    return server
  }

  /** Asks it to end; await `ended` for the rest. */
  stop(): void {
    this.#stop.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await this.ended
  }
}

export interface Talk {
  readonly port: number
  readonly host?: string
  readonly authority?: string
  readonly skip?: boolean
  /** What is typed, in `-i`; it ends the input. */
  readonly typed?: string | Uint8Array
  /** An input that the test types itself. */
  readonly input?: PassThrough
  readonly terminal?: boolean
  readonly timeoutMs?: number
  readonly limits?: Partial<Limits>
  readonly output?: RecordedOutput
}

export interface Told {
  readonly lines: readonly string[]
  readonly text: string
  readonly errors: string
  /** The code with which it failed. */
  readonly refusal: Code | undefined
  readonly sentence: string | undefined
}

/** Runs an echo client in this process to its end. */
export async function talk({ host = '127.0.0.1', port, authority, skip, typed, timeoutMs = 5000, ...rest }: Talk): Promise<Told> {
  const input = rest.input ?? new PassThrough()
  if (typed !== undefined) input.end(typed)
  const interactive = typed !== undefined || rest.input !== undefined
  const config = resolveEchoConfig({ host, port: String(port), authority, interactive, dangerouslySkipVerification: skip })
  const [output, errors] = [rest.output ?? new RecordedOutput(), new RecordedOutput()]
  const limits = { ...resolveLimits(), ...rest.limits }
  const parts: EchoParts = { limits, clock: systemClock, input, terminal: rest.terminal ?? false, output, errors }
  const failure = await runEcho({ ...config, timeoutMs }, parts).then(
    () => undefined,
    (reason: unknown) => SealwireError.from(reason),
  )
  return { lines: output.lines, text: output.text, errors: errors.text, refusal: failure?.code, sentence: failure?.sentence }
}
