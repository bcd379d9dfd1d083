// Programs of a test, none of which outlives it.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

export class Processes implements AsyncDisposable {
  readonly #running = new Map<ChildProcessWithoutNullStreams, Promise<unknown>>()
  readonly #killAll = (): void => {
    for (const child of this.#running.keys()) child.kill('SIGKILL')
  }

  constructor() {
    process.once('exit', this.#killAll)
  }

  /** Starts a program; nothing of SEALWIRE_ is inherited. */
  start([command = '', ...args]: readonly string[]): ChildProcessWithoutNullStreams {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SEALWIRE_')))
    const child = spawn(command, args, { stdio: 'pipe', env })
    child.stdin.on('error', () => {}) // It may end without reading.
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    this.#running.set(child, ended)
    void ended.then(() => this.#running.delete(child))
    return child
  }

  /** Runs a command to its end, with `input` on its standard input. Resolves with its standard output. */
  async run(command: readonly string[], input = ''): Promise<string> {
    const child = this.start(command)
    child.stdin.end(input)
    const [output, errors, code] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      new Promise((resolve, reject) => child.once('close', resolve).once('error', reject)),
    ])
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}: ${errors}`)
    return output
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = [...this.#running.values()]
    this.#killAll()
    await Promise.all(ended)
    process.off('exit', this.#killAll)
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const piece of stream.setEncoding('utf8')) text += String(piece)
  return text
}
