// Plays what a README shows in its blocks ```console NAME: each NAME is a terminal, `$ ` begins a command, `> ` a line that
// is typed, as does `bob> `, the prompt of whoever talks with Bob, everything else is what has to appear, word for word; `…`
// stands for anything. A terminal is opened when the one before it has played its first block; then all of them go on side by
// side, each waiting for what it has to see. In a command `0…` is the last id that anybody was shown, and `> FILE` at its end is
// where its output goes.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Step = { readonly run: string } | { readonly type: string; readonly prompt?: string } | { readonly see: string }

/** The blocks of each terminal, the terminals in the order of their first ones. */
export function readBlocks(markdown: string): Map<string, Step[][]> {
  const terminals = new Map<string, Step[][]>()
  for (const [, name = '', body = ''] of markdown.matchAll(/^```console (\w+)\n(.*?)^```$/gms)) {
    terminals.set(name, [...(terminals.get(name) ?? []), body.trimEnd().split('\n').map(stepOf)])
  }
  return terminals
}

function stepOf(line: string): Step {
  if (line.startsWith('$ ')) return { run: line.slice(2) }
  const [, prompt, typed] = /^(\w*> )(.*)$/.exec(line) ?? []
  return prompt === undefined || typed === undefined ? { see: line } : { type: typed, prompt }
}

/** What runs a command of the README: npm, as it says, or a runtime in its place; `chat` may be at a real terminal. */
export interface PlayOptions {
  /** Default: npm. */
  readonly server?: string
  /** Default: npm. */
  readonly clients?: string
  /** Whether `chat` gets a terminal and not pipes. */
  readonly terminal?: boolean
}

export class Play implements AsyncDisposable {
  /** A checkout of its own, as far as npm can tell, and the home of whoever plays. */
  readonly folder = mkdtempSync(join(tmpdir(), 'sealwire-readme-'))
  readonly #options: PlayOptions
  readonly #running = new Set<Program>()
  #serverLink: string | undefined
  #lastId = 'no-id-was-printed'

  constructor(options: PlayOptions = {}) {
    this.#options = options
    copyFileSync(join(root, 'package.json'), join(this.folder, 'package.json'))
    for (const name of ['bin', 'src', 'node_modules']) symlinkSync(join(root, name), join(this.folder, name))
  }

  /** Plays to the end; every command but the server has to end with 0 and must have said nothing else. */
  async play(terminals: ReadonlyMap<string, readonly (readonly Step[])[]>): Promise<void> {
    let before = Promise.resolve()
    const endings: Promise<void>[] = []
    for (const [name, blocks] of terminals) {
      const opened = Promise.withResolvers<void>()
      const ended = before.then(() => this.#terminal(name, blocks, opened.resolve))
      ended.catch(opened.reject)
      endings.push(ended)
      before = opened.promise
      before.catch(() => {})
    }
    await Promise.all(endings)
  }

  /** Stops the server in order and says how it ended. */
  async stopServer(): Promise<number | null> {
    const [server] = this.#running
    if (server === undefined) throw new Error('no server runs')
    server.kill('SIGTERM')
    return server.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#running) program.kill('SIGKILL')
    await Promise.all([...this.#running].map(({ ended }) => ended))
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #terminal(name: string, blocks: readonly (readonly Step[])[], opened: () => void): Promise<void> {
    let program: Program | undefined
    let ownLink: string | undefined
    for (const steps of blocks) {
      for (const step of steps) {
        try {
          if ('run' in step) {
            if (program !== undefined) await this.#over(program)
            program = this.#start(step.run, ownLink ?? this.#serverLink)
          } else if ('type' in step) await program?.type(step.type, step.prompt)
          else {
            const line = await program?.see(patternOf(step.see))
            ownLink = /sealwire:\/\/\S+\/#\S+/.exec(line ?? '')?.[0] ?? ownLink
            this.#serverLink ??= ownLink
            this.#lastId = /^id (\S+)$/.exec(line ?? '')?.[1] ?? this.#lastId
          }
        } catch (cause) {
          throw new Error(`${name} cannot ${JSON.stringify(step)}: ${program?.said}`, { cause })
        }
      }
      opened()
    }
    if (program !== undefined && !program.isServer) await this.#over(program)
  }

  #start(command: string, link: string | undefined): Program | undefined {
    // What `npm ci` brings is here already: it is what runs this test.
    if (command === 'npm ci') return undefined
    const [, line = '', output] = /^(.*?)(?: > (\S+))?$/.exec(command) ?? []
    const filled = line.replace(placeholder, link ?? 'no-link-was-printed').replace(/(?<= )0…/, this.#lastId)
    const [npm = '', ...words] = shellWords(filled, this.folder)
    const isServer = words[0] === 'start'
    const runtime = isServer ? this.#options.server : this.#options.clients
    const given = isServer ? ['serve'] : words.slice(words.indexOf('--') + 1)
    const [file, args] = runtime === undefined ? [npm, words] : [runtime, [main, ...given]]
    const isChat = given[0] === 'chat' && this.#options.terminal === true
    // npm tells its script's name by itself.
    const called = runtime === undefined ? {} : { npm_lifecycle_event: 'sealwire' }
    const options = { cwd: this.folder, env: { ...environment(this.folder), ...called }, output: output && join(this.folder, output) }
    const program = new (isChat ? TerminalProgram : PipedProgram)(file, args, options, isServer)
    this.#running.add(program)
    void program.ended.then(() => this.#running.delete(program))
    return program
  }

  async #over(program: Program): Promise<void> {
    const code = await program.ended
    if (code !== 0 || program.unseen !== '') throw new Error(`it ended with ${code}, and said: ${program.said}`)
  }
}

interface Program {
  readonly isServer: boolean
  /** Resolves with its exit code when everything that it wrote was read. */
  readonly ended: Promise<number | null>
  /** Everything that it has written. */
  readonly said: string
  /** What it has written and nobody has looked at. */
  readonly unseen: string
  /** Waits for a line; rejects when it ends without. */
  see(pattern: RegExp): Promise<string>
  /** Types a line; at a terminal behind that prompt, if it has a name. */
  type(line: string, prompt?: string): Promise<void>
  kill(signal: NodeJS.Signals): void
}

interface ProgramOptions {
  readonly cwd: string
  readonly env: Record<string, string>
  /** The file that its standard output goes to. */
  readonly output: string | undefined
}

/** Standard output is read line by line, and nothing may be between two lines that are shown. */
class PipedProgram implements Program {
  readonly isServer: boolean
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  #rest = ''
  #errors = ''
  #said = ''
  #isOver = false
  #wake = (): void => {}

  constructor(file: string, args: readonly string[], { output, ...options }: ProgramOptions, isServer: boolean) {
    this.isServer = isServer
    const stdout = output === undefined ? 'pipe' : openSync(output, 'w')
    // A group of its own: what npm has started goes with it.
    this.#child = spawn(file, args, { ...options, stdio: ['pipe', stdout, 'pipe'], detached: true })
    if (typeof stdout === 'number') closeSync(stdout)
    this.#child.stdin?.on('error', () => {})
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code) => {
        this.#isOver = true
        this.#wake()
        resolve(code)
      })
    })
  }

  get said(): string {
    return `${this.#said}${this.#errors}`
  }

  get unseen(): string {
    return [...this.#lines, this.#rest].join('\n')
  }

  async see(pattern: RegExp): Promise<string> {
    while (this.#lines.length === 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#wake = resolve))
    const line = this.#lines.shift() ?? 'nothing'
    if (pattern.test(line)) return line
    throw new Error(`it said ${line}`)
  }

  async type(line: string): Promise<void> {
    this.#child.stdin?.write(`${line}\n`)
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined || this.#isOver) return
    // npm passes a request to end on; what has to go at once goes with its group.
    if (signal === 'SIGKILL') process.kill(-this.#child.pid, signal)
    else this.#child.kill(signal)
  }

  #take(text: string): void {
    this.#said += text
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    // npm's banner.
    this.#lines.push(...lines.filter((line) => !this.isServer || !/^$|^> /.test(line)))
    this.#wake()
  }
}

/** What the screen shows is looked at as if every movement to its left edge began a line. */
class TerminalProgram implements Program {
  readonly isServer = false
  readonly ended: Promise<number | null>
  readonly unseen = ''
  readonly #child: Bun.Subprocess
  readonly #decoder = new TextDecoder()
  #raw = ''
  #seen = 0
  #isOver = false
  #wake = (): void => {}

  constructor(file: string, args: readonly string[], { cwd, env }: ProgramOptions) {
    const gone = Promise.withResolvers<void>()
    const data = (_: unknown, bytes: Uint8Array): void => {
      this.#raw += this.#decoder.decode(bytes, { stream: true })
      this.#wake()
    }
    const terminal = { cols: 80, rows: 24, data, exit: () => gone.resolve() }
    this.#child = Bun.spawn([file, ...args], { cwd, env: { ...env, TERM: 'xterm', NO_COLOR: '1' }, terminal })
    this.ended = gone.promise
      .then(() => this.#child.exited)
      .then((code) => {
        this.#child.terminal?.close()
        this.#isOver = true
        this.#wake()
        return code
      })
  }

  get said(): string {
    return this.#raw.replaceAll('\u001b[1G', '\n').replace(/\u001b\[[\d;?]*[A-Za-z]|\r/g, '')
  }

  async see(pattern: RegExp): Promise<string> {
    for (;;) {
      const lines = this.said.split('\n')
      const index = lines.findIndex((line, at) => at >= this.#seen && pattern.test(line))
      this.#seen = index + 1
      if (index >= 0) return lines[index] ?? ''
      if (this.#isOver) throw new Error('it has ended')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async type(line: string, prompt = '> '): Promise<void> {
    // Who has not accepted yet may do so while one types: only the prompt with a name is sure.
    if (prompt !== '> ') await this.#has(() => this.said.split('\n').includes(prompt))
    this.#child.terminal?.write(`${line}\r`)
  }

  async #has(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#isOver) throw new Error('it has ended')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

/** The port is the system's choice; nothing of the machine that plays is inherited but where its programs are. */
function environment(home: string): Record<string, string> {
  const quiet = { npm_config_update_notifier: 'false', npm_config_cache: join(home, '.npm') }
  return { PATH: process.env['PATH'] ?? '', HOME: home, SEALWIRE_LISTEN: '127.0.0.1:0', ...quiet }
}

function patternOf(line: string): RegExp {
  const escaped = line.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replace('127\\.0\\.0\\.1:5555', '127\\.0\\.0\\.1:\\d+').replaceAll('…', '.+')}$`)
}

/** Words apart by spaces, quotes around one taken away, `~` the home. */
function shellWords(command: string, home: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain?.replace(/^~(?=\/)/, () => home) ?? '')
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'src/cli/main.ts')
const placeholder = 'sealwire://127.0.0.1:5555/#1.…'
