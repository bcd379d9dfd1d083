import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Home } from '../../../src/client/home/home.ts'
import { FileOutbox } from '../../../src/client/home/outbox-file.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { command, mayMount, skipWithout } from '../../support/store-contents.ts'

class TestHome implements Disposable {
  readonly home = new Home(mkdtempSync(join(tmpdir(), 'sealwire-outbox-')))

  /** Journals, by the order of their processes. */
  get journals(): readonly string[] {
    const [folder = ''] = readdirSync(this.home.path).filter((name) => name.startsWith('outbox-'))
    return readdirSync(join(this.home.path, folder)).map((name) => join(this.home.path, folder, name, 'journal'))
  }

  [Symbol.dispose](): void {
    rmSync(this.home.path, { recursive: true, force: true })
  }
}

/** Reads what there is, and lets go of it. */
async function reopened(home: Home): Promise<void> {
  await using outbox = new FileOutbox(home, { name: 'alice' })
  expect(await idsOf(outbox)).toEqual(['a'])
}

const entry = (id: string, bytes = 10) => ({ id, params: new Uint8Array(bytes).fill(7) })
const idsOf = async (outbox: FileOutbox) => (await outbox.load()).map(({ id }) => id)

describe('FileOutbox', () => {
  test('keeps what was added and not removed, in order, for its account alone', async () => {
    using place = new TestHome()
    {
      await using outbox = new FileOutbox(place.home, { name: 'Alice' })
      expect(await outbox.load()).toEqual([])
      await Promise.all(['a', 'b', 'c', 'd'].map((id) => outbox.add(entry(id))))
      await outbox.remove('b')
      await outbox.remove('nobody')
    }
    {
      await using other = new FileOutbox(place.home, { name: 'bob' })
      expect(await other.load()).toEqual([])
    }
    await using again = new FileOutbox(place.home, { name: 'alice' })
    expect(await again.load()).toEqual([entry('a'), entry('c'), entry('d')])
    for (const path of place.journals) expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('survives a journal that was cut off anywhere, without what was not written whole', async () => {
    using place = new TestHome()
    const outbox = new FileOutbox(place.home, { name: 'alice' })
    await outbox.load()
    await outbox.add(entry('a'))
    await outbox.add(entry('b'))
    await outbox[Symbol.asyncDispose]()
    const [path = ''] = place.journals
    const whole = readFileSync(path)
    for (let length = whole.length - 1; length >= whole.length / 2; length -= 3) {
      writeFileSync(path, whole.subarray(0, length))
      await using again = new FileOutbox(place.home, { name: 'alice' })
      expect(await idsOf(again)).toEqual(['a'])
    }
    appendFileSync(path, new Uint8Array(20).fill(0xff))
    await reopened(place.home)
    truncateSync(path, 1_000)
    await using again = new FileOutbox(place.home, { name: 'alice' })
    expect(await idsOf(again)).toEqual(['a'])
    await again.add(entry('c'))
  })

  test('stays small: it is empty when nothing waits, and is written anew when much is done with', async () => {
    using place = new TestHome()
    await using outbox = new FileOutbox(place.home, { name: 'alice', spentBytesMax: 10_000 })
    await outbox.load()
    await outbox.add(entry('kept'))
    for (let each = 0; each < 100; each++) {
      await outbox.add(entry(`${each}`, 1_000))
      await outbox.remove(`${each}`)
    }
    const [path = ''] = place.journals
    expect(statSync(path).size).toBeLessThan(20_000)
    await outbox.remove('kept')
    expect(statSync(path).size).toBe(0)
    await outbox.add(entry('last'))
    await outbox[Symbol.asyncDispose]()
    await using again = new FileOutbox(place.home, { name: 'alice' })
    expect(await idsOf(again)).toEqual(['last'])
  })

  test('is one of each process that uses the home; those of processes that were killed are taken over', async () => {
    using place = new TestHome()
    const program = fileURLToPath(new URL('outbox-program.ts', import.meta.url))
    const child = spawn(process.execPath, [program, place.home.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve())
      child.once('exit', () => reject(new Error('the program ended')))
    })
    const beside = new FileOutbox(place.home, { name: 'alice' })
    expect(await idsOf(beside)).toEqual([])
    await beside.add(entry('own'))
    expect(place.journals).toHaveLength(2)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    await beside[Symbol.asyncDispose]()
    await using next = new FileOutbox(place.home, { name: 'alice' })
    expect((await idsOf(next)).toSorted()).toEqual(['one', 'own', 'two'])
    await next[Symbol.asyncDispose]()
    await using last = new FileOutbox(place.home, { name: 'alice' })
    expect(await idsOf(last)).toHaveLength(3)
  })

  test('is one of so many programs at once, and of one more when one of them has ended', async () => {
    using place = new TestHome()
    const open = () => new FileOutbox(place.home, { name: 'alice', processesMax: 3 })
    const outboxes = [open(), open(), open()]
    for (const [at, outbox] of outboxes.entries()) {
      await outbox.load()
      await outbox.add(entry(`${at}`))
    }
    const more = open()
    expect(await rejectionOf(more.load())).toBe('data_locked')
    await outboxes[1]?.[Symbol.asyncDispose]()
    expect(await idsOf(more)).toEqual(['1'])
    for (const outbox of [more, outboxes[0], outboxes[2]]) await outbox?.[Symbol.asyncDispose]()
  })

  const skip = skipWithout('the right to mount a small file system', mayMount(), { skippable: true })

  test.skipIf(skip)('keeps what it takes after the disk was full, behind a record that was cut off', async () => {
    using place = new TestHome()
    command('mount', '-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', place.home.path)
    try {
      const ballast = join(place.home.path, 'ballast')
      const kept: string[] = []
      {
        await using outbox = new FileOutbox(place.home, { name: 'alice' })
        await outbox.load()
        writeFileSync(ballast, new Uint8Array(200_000))
        const refusal = async (): Promise<unknown> => {
          for (;;) {
            const id = `${kept.length}`
            try {
              await outbox.add(entry(id, 6_001))
            } catch (reason) {
              return reason
            }
            kept.push(id)
          }
        }
        expect(await refusal()).toMatchObject({ code: 'storage_full' })
        rmSync(ballast)
        await outbox.add(entry('late'))
      }
      await using again = new FileOutbox(place.home, { name: 'alice' })
      expect(await idsOf(again)).toEqual([...kept, 'late'])
    } finally {
      command('umount', place.home.path)
    }
  })

  test.skipIf(skip)('keeps nothing of what it refused together because the disk was full', async () => {
    using place = new TestHome()
    command('mount', '-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', place.home.path)
    try {
      {
        await using outbox = new FileOutbox(place.home, { name: 'alice' })
        await outbox.load()
        await outbox.add(entry('kept'))
        writeFileSync(join(place.home.path, 'ballast'), new Uint8Array(220_000))
        const together = [entry('small'), entry('large', 60_000)].map((each) => rejectionOf(outbox.add(each)))
        expect(await Promise.all(together)).toEqual(['storage_full', 'storage_full'])
      }
      rmSync(join(place.home.path, 'ballast'))
      await using again = new FileOutbox(place.home, { name: 'alice' })
      expect(await idsOf(again)).toEqual(['kept'])
    } finally {
      command('umount', place.home.path)
    }
  })
})
