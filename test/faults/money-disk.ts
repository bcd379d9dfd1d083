// The disk of a server under test: an image of its own that can be filled and emptied while the server runs, and system calls
// that fail for a while in a process that is traced.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { command } from '../support/store-contents.ts'
import { until } from './until.ts'

/** Where the data folder may be; without a size it is a folder and no disk of its own. */
export class MoneyDisk implements Disposable {
  readonly path: string
  readonly #isMounted: boolean

  /** `folder`: an empty one. `bytes`: of the image, which takes room only where it was written. */
  constructor(folder: string, image: { readonly path: string; readonly bytes: number } | undefined) {
    this.path = folder
    this.#isMounted = image !== undefined
    if (image === undefined) return
    command('truncate', '-s', String(image.bytes), image.path)
    command('mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1', image.path)
    command('mount', '-o', 'loop', image.path, folder)
  }

  get canBeFilled(): boolean {
    return this.#isMounted
  }

  /** Takes what is left, to the last block. */
  async fill(): Promise<void> {
    for (let part = 0; part < partsMax && this.#free() > 0; part++) {
      await run('fallocate', '-l', String(this.#free()), join(this.path, `fill-${part}`))
      // What the file system keeps for its own tables makes the last part smaller.
      if (this.#free() > 0) takeRest(join(this.path, `rest-${part}`), this.#free())
    }
  }

  free(): void {
    for (let part = 0; part < partsMax; part++) {
      rmSync(join(this.path, `fill-${part}`), { force: true })
      rmSync(join(this.path, `rest-${part}`), { force: true })
    }
  }

  [Symbol.dispose](): void {
    if (this.#isMounted) command('umount', this.path)
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(this.path)
    return bavail * bsize
  }
}

/** Lets system calls of a process fail until it is disposed of: all of them, or every so many. */
export class FailingCalls implements AsyncDisposable {
  /** Calls that have failed so. */
  failed = 0
  readonly #tracer: ChildProcessByStdio<null, null, Readable>
  readonly #exited: Promise<unknown>

  /** Such as `fsync,fdatasync` and `error=EIO:when=1+3`: from when this resolves on, in every thread. */
  static async begin(pid: number, calls: string, what: string): Promise<FailingCalls> {
    const failing = new FailingCalls(pid, calls, what)
    await until('it is traced, or it has ended', attachMsMax, () => isAttached(pid) || failing.#tracer.exitCode !== null)
    return failing
  }

  private constructor(pid: number, calls: string, what: string) {
    const options = ['-f', '-qq', '-p', String(pid), '-e', `trace=${calls}`, '-e', `inject=${calls}:${what}`]
    this.#tracer = spawn('strace', options, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#tracer.stderr.setEncoding('utf8').on('data', (text: string) => (this.failed += text.split('(INJECTED)').length - 1))
    this.#exited = once(this.#tracer, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tracer.kill('SIGTERM')
    await Promise.race([this.#exited, wait(detachMsMax)])
    this.#tracer.kill('SIGKILL')
    await this.#exited
  }
}

/** Whether processes may be traced here: it tries. */
export async function mayTrace(): Promise<boolean> {
  const sleeper = spawn('sleep', ['10'], { stdio: 'ignore' })
  try {
    const tracer = spawn('strace', ['-p', String(sleeper.pid), '-e', 'trace=fsync', '-o', '/dev/null'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const said = Promise.withResolvers<boolean>()
    tracer.stderr.setEncoding('utf8').on('data', (text: string) => text.includes('attached') && said.resolve(true))
    tracer.once('error', () => said.resolve(false)).once('exit', () => said.resolve(false))
    const isTraced = await said.promise
    tracer.kill('SIGTERM')
    return isTraced
  } finally {
    sleeper.kill('SIGKILL')
  }
}

async function run(program: string, ...parameters: readonly string[]): Promise<void> {
  await once(spawn(program, parameters, { stdio: 'ignore' }), 'exit')
}

/** Whether somebody traces all its threads, or it is gone. */
function isAttached(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.every((thread) => !/^TracerPid:\s+0$/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')))
  } catch {
    return !existsSync(`/proc/${pid}`)
  }
}

function takeRest(path: string, bytes: number): void {
  try {
    writeFileSync(path, Buffer.alloc(Math.min(bytes, restBytesMax)))
  } catch {
    // That is what was wanted.
  }
}

const partsMax = 3
const restBytesMax = 8 * 2 ** 20
const detachMsMax = 10_000
const attachMsMax = 60_000
