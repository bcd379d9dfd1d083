// The real command line in a real process.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'

export interface CliOptions {
  /** Variables beside those that every process needs; nothing of SEALWIRE_ is inherited. */
  readonly environment?: NodeJS.ProcessEnv
  /** Where it runs. Default: this folder. */
  readonly cwd?: string
  /** Modules that run before the command. */
  readonly preload?: readonly string[]
}

export class CliProcess implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams
  stdout = ''
  stderr = ''
  readonly #ended: Promise<unknown>

  constructor(args: readonly string[], { environment = {}, preload = [], cwd }: CliOptions = {}) {
    const flags = preload.flatMap((path) => ['--preload', path])
    const env = { PATH: process.env['PATH'], ...environment }
    this.child = spawn(process.execPath, [...flags, main, ...args], { env, cwd })
    for (const stream of ['stdout', 'stderr'] as const) {
      // What is read at once may end in the middle of a character.
      const decoder = new StringDecoder('utf8')
      this.child[stream].on('data', (chunk: Buffer) => {
        this[stream] += decoder.write(chunk)
      })
    }
    this.#ended = once(this.child, 'close')
  }

  /** Resolves when the output matches; fails when the process has ended before. */
  async printed(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    while (!pattern.test(this[stream])) {
      const more = once(this.child[stream], 'data').then(() => true)
      if (!(await Promise.race([more, this.#ended.then(() => false)]))) break
    }
    if (!pattern.test(this[stream])) throw new Error(`it ended with ${this.child.exitCode} and never printed ${pattern}: ${this.stderr}`)
  }

  /** Its exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#ended
    return this.child.exitCode ?? this.child.signalCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.#ended
  }
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options?: CliOptions) {
  await using cli = new CliProcess(args, options)
  const exitCode = await cli.ended()
  return { exitCode, stdout: cli.stdout, stderr: cli.stderr }
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
