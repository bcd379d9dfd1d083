import { describe, expect, test } from 'bun:test'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { SealwireError } from '../../src/protocol/index.ts'
import { ifFree, lockData } from '../../src/store/index.ts'
import { StoreFolder } from '../support/store-folder.ts'

test('ifFree has nothing where somebody else has it, and tells every other refusal', () => {
  using folder = new StoreFolder()
  const file = join(folder.path, 'file')
  writeFileSync(file, '')
  using lock = ifFree(() => lockData(folder.path))
  expect([lock === undefined, ifFree(() => lockData(folder.path))]).toEqual([false, undefined])
  expect(() => ifFree(() => lockData(file))).toThrow('[data_unusable]')
})

describe('lockData', () => {
  test('a folder is held once, and free again after', () => {
    using folder = new StoreFolder()
    const lock = lockData(folder.path)
    expect(() => lockData(folder.path)).toThrow(/^\[data_locked\] the data folder .+ is in use$/)
    expect(hintOf(() => lockData(folder.path))).toContain('another server uses it')
    lock[Symbol.dispose]()
    lock[Symbol.dispose]()
    lockData(folder.path)[Symbol.dispose]()
  })

  test('a second try does not weaken the lock', () => {
    using folder = new StoreFolder()
    using _lock = lockData(folder.path)
    for (let attempt = 0; attempt < 3; attempt++) expect(() => lockData(folder.path)).toThrow('[data_locked]')
  })

  test('a process that is killed lets go, and while it lives it does not', async () => {
    using folder = new StoreFolder()
    await using first = await LockProcess.start(folder.path)
    expect(first.said).toBe('locked')
    await using second = await LockProcess.start(folder.path)
    expect(second.said).toBe('data_locked')
    expect(() => lockData(folder.path)).toThrow('[data_locked]')
    await first.kill()
    await using third = await LockProcess.start(folder.path)
    expect(third.said).toBe('locked')
  })

  test('this process keeps others out', async () => {
    using folder = new StoreFolder()
    const lock = lockData(folder.path)
    await using other = await LockProcess.start(folder.path)
    expect(other.said).toBe('data_locked')
    lock[Symbol.dispose]()
    await using later = await LockProcess.start(folder.path)
    expect(later.said).toBe('locked')
  })

  test('makes the folder for its owner alone, and leaves one small file in it', () => {
    using folder = new StoreFolder()
    const inner = join(folder.path, 'a', 'b')
    using _lock = lockData(inner)
    expect(statSync(inner).mode & 0o777).toBe(0o700)
    expect(readdirSync(inner)).toEqual(['lock'])
    expect(statSync(join(inner, 'lock')).size).toBe(0)
    expect(statSync(join(inner, 'lock')).mode & 0o777).toBe(0o600)
  })

  test('a folder that can hold no lock is data_unusable', () => {
    using folder = new StoreFolder()
    writeFileSync(join(folder.path, 'file'), '')
    expect(() => lockData(join(folder.path, 'file'))).toThrow('[data_unusable]')
    mkdirSync(join(folder.path, 'data', 'lock'), { recursive: true })
    expect(() => lockData(join(folder.path, 'data'))).toThrow('[data_unusable]')
  })
})

function hintOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (reason) {
    return SealwireError.from(reason).hint
  }
}

/** Another process that tries to hold a folder. */
class LockProcess implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams
  said = ''

  private constructor(folder: string) {
    this.#process = spawn(process.execPath, [fileURLToPath(new URL('../support/lock-program.ts', import.meta.url)), folder])
  }

  static async start(folder: string): Promise<LockProcess> {
    const started = new LockProcess(folder)
    const line: unknown[] = await once(createInterface({ input: started.#process.stdout }), 'line')
    started.said = String(line[0])
    return started
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
