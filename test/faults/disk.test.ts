// The disk of a server that people talk to is full, or its system calls fail, and then it is well again: nobody restarts anything. What
// was acknowledged meanwhile is there; what was refused says so by its code; and everything that was asked is there once in the end.

import { describe, expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { messageId } from '../support/device-client.ts'
import { ServerProcess } from '../support/server-process.ts'
import { mayMount, skipWithout } from '../support/store-contents.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { form } from './form.ts'
import { codeOf, inboxOf, introduce, laneLimits, resume } from './lanes.ts'
import { FailingCalls, mayTrace, MoneyDisk } from './money-disk.ts'

const skip =
  skipWithout('the right to mount an image', mayMount(), { skippable: true }) ||
  skipWithout('the right to trace a process with strace', await mayTrace(), { skippable: true })
const rounds = form(1, 20)
const [asksMax, againMs, refusedMin] = [300, 20, 3]

/** What fails, until it is taken back. */
const faults: Readonly<Record<string, (server: ServerProcess, disk: MoneyDisk) => Promise<AsyncDisposable>>> = {
  'the disk is full': async (_, disk) => {
    await disk.fill()
    return { [Symbol.asyncDispose]: async () => disk.free() }
  },
  'synchronizing fails': ({ pid }) => FailingCalls.begin(pid, 'fsync,fdatasync', 'error=EIO'),
  'writing fails for want of room': ({ pid }) => FailingCalls.begin(pid, 'pwrite64', 'error=ENOSPC'),
  'writing fails': ({ pid }) => FailingCalls.begin(pid, 'pwrite64', 'error=EIO'),
}

/** What may be said when nothing can be stored. */
const codes: ReadonlySet<string | undefined> = new Set([undefined, 'storage_full', 'unavailable', 'unknown_outcome', 'busy'])

describe.skipIf(skip)('a server', () => {
  test(
    'whose disk fails for a while goes on when it is well again, without a restart',
    async () => {
      using folder = new StoreFolder()
      const path = join(folder.path, 'disk')
      mkdirSync(path)
      using disk = new MoneyDisk(path, { path: join(folder.path, 'image'), bytes: 96 * 2 ** 20 })
      await using server = await ServerProcess.start({ data: join(path, 'data'), limits: laneLimits })
      const who = await introduce(server)
      const alice = await resume(server, who.alice)
      const books = new Books((text, id) => codeOf(alice.request('message.send', { to: 'bob', id, body: Buffer.from(text) })))
      const told: Record<string, Record<string, number>> = {}
      for (let round = 0; round < rounds; round++) {
        for (const [what, fail] of Object.entries(faults)) {
          const { pid } = server
          await books.sayForSure(`before ${what} ${round}`, messageId())
          const [text, id] = [`while ${what} ${round}`, messageId()]
          {
            await using _failing = await fail(server, disk)
            told[what] = await books.sayUntilRefused(text, id)
          }
          await books.sayForSure(text, id)
          expect([what, server.isRunning, server.pid]).toEqual([what, true, pid])
        }
      }
      alice.close()
      console.log('disk:', JSON.stringify(told))
      expect(books.wrongIn(await inboxOf(server, who))).toEqual([])
    },
    rounds * 240_000,
  )
})

/** What was said, and what became of it. */
class Books {
  readonly #send: (text: string, id: Uint8Array) => Promise<string | undefined>
  readonly #stored = new Set<string>()
  /** Nobody knows, and nobody has asked again. */
  readonly #doubtful = new Set<string>()

  constructor(send: (text: string, id: Uint8Array) => Promise<string | undefined>) {
    this.#send = send
  }

  /** Until it is stored: a refusal of the moment is no answer. */
  async sayForSure(text: string, id: Uint8Array): Promise<void> {
    for (let asks = 0; asks < asksMax; asks++) {
      if ((await this.#say(text, id)) === undefined) return
      await Bun.sleep(againMs)
    }
    throw new Error(`${text} is never stored`)
  }

  /** This, and then others, until some were refused: the disk may have room in what it has already. How often each code came. */
  async sayUntilRefused(text: string, id: Uint8Array): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (let asks = 0, refused = 0; refused < refusedMin; asks++) {
      if (asks === asksMax) throw new Error(`${text}: nothing is refused`)
      const code = await (asks === 0 ? this.#say(text, id) : this.#say(`${text} ${asks}`, messageId()))
      if (code !== undefined) refused++
      counts[code ?? 'stored'] = (counts[code ?? 'stored'] ?? 0) + 1
    }
    return counts
  }

  /** What was stored and is not there, or is there twice, or was refused. */
  wrongIn(arrived: readonly string[]): readonly string[] {
    const there = new Set(arrived)
    return [
      ...[...this.#stored].filter((text) => !there.has(text)).map((text) => `lost: ${text}`),
      ...arrived.filter((text) => !this.#stored.has(text) && !this.#doubtful.has(text)).map((text) => `refused: ${text}`),
      ...(there.size === arrived.length ? [] : ['something is there twice']),
    ]
  }

  async #say(text: string, id: Uint8Array): Promise<string | undefined> {
    const code = await this.#send(text, id)
    if (!codes.has(code)) throw new Error(`${text}: ${code}`)
    if (code === undefined) this.#stored.add(text)
    if (code === 'unknown_outcome') this.#doubtful.add(text)
    return code
  }
}
