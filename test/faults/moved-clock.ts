// A machine whose clock jumps: processes that are started through it see another time of day, all of them the same, and it can be set
// while they run. What only goes forward goes on as it was.

import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StoreFolder } from '../support/store-folder.ts'

export class MovedClock implements Disposable {
  readonly #folder = new StoreFolder()
  readonly #library = join(this.#folder.path, 'moved-clock.so')
  readonly #moved = join(this.#folder.path, 'moved')
  readonly #file: number
  readonly #environment = { LD_PRELOAD: this.#library, MOVED_CLOCK: this.#moved }
  /** What makes a command line one of this machine: it goes before it. */
  readonly prefix: readonly string[] = ['env', ...Object.entries(this.#environment).map(([name, value]) => `${name}=${value}`)]

  constructor(seconds = 0) {
    const { status, stderr } = compile(this.#library)
    if (status !== 0) throw new Error(`the clock cannot be built: ${stderr}`)
    writeFileSync(this.#moved, Buffer.alloc(8))
    this.#file = openSync(this.#moved, 'r+')
    this.set(seconds)
  }

  /** So many seconds beside the clock of this machine, from now on. */
  set(seconds: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(seconds))
    writeSync(this.#file, bytes, 0, bytes.length, 0)
  }

  /** What a program of the runtime says there, when it has ended. */
  run(...args: readonly string[]): string {
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...this.#environment } })
    return stdout + stderr
  }

  /** What the time is there, in ms since 1970. */
  told(): number {
    return Number(this.run('-e', 'console.log(Date.now())'))
  }

  /** Path of a program that runs another one on this machine, as the same process. */
  runtime(): string {
    const path = join(this.#folder.path, 'runtime')
    writeFileSync(path, `#!/bin/sh\nexec ${this.prefix.join(' ')} '${process.execPath}' "$@"\n`)
    chmodSync(path, 0o700)
    return path
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
    this.#folder[Symbol.dispose]()
  }
}

/** Whether this machine can have one. */
export function mayMoveClock(): boolean {
  return process.platform === 'linux' && spawnSync('g++', ['--version']).status === 0
}

function compile(library: string): { readonly status: number | null; readonly stderr: string } {
  const source = fileURLToPath(new URL('./moved-clock.cpp', import.meta.url))
  return spawnSync('g++', ['-O1', '-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' })
}
