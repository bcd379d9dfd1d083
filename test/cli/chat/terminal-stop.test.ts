// Ctrl-Z: the shell has its terminal back, whatever is between it and the chat.

import { describe, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { onUnix } from '../home-support.ts'

const [program, launcher] = ['./terminal-program.ts', '../../../bin/bun.mjs'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
const direct = `${process.execPath} ${program}`

describe.skipIf(!onUnix)('Ctrl-Z', () => {
  test.each([
    ['of its own', direct],
    ['below a launcher', `node ${launcher} ${program}`],
    ['in a script', `sh -c '${direct}; echo over'`],
  ])('stops a chat %s, which goes on where it was', async (_, command) => {
    await using shell = new Shell(['sh', '-i'])
    shell.type(`${command}\n`)
    const [, pid] = await shell.shows(/pid=(\d+);/)
    shell.type('half')
    await shell.shows(/half/)
    shell.type('\u001a')
    await shell.shows(/Stopped/)
    shell.type('echo back:$((6 * 7))\n')
    await shell.shows(/back:42/)
    shell.type(`kill -USR2 ${pid}; fg\n`)
    await shell.shows(/bob is gone[^]*> half/)
    shell.type(' done\r')
    await shell.shows(/<half done> is here/)
    shell.type('\u0003')
    await shell.shows(/[#$] $/)
  })

  test('does nothing to a chat that no shell could continue', async () => {
    await using alone = new Shell(direct.split(' '))
    await alone.shows(/pid=/)
    alone.type('half\u001a')
    alone.type(' done\r')
    await alone.shows(/<half done> is here/)
  })
})

/** What runs at a terminal of ours. */
class Shell implements AsyncDisposable {
  readonly #child: Bun.Subprocess
  #wake: () => void = () => {}
  #screen = ''

  constructor(command: string[]) {
    const data = (_: unknown, bytes: Uint8Array): void => {
      this.#screen += Buffer.from(bytes).toString()
      this.#wake()
    }
    this.#child = Bun.spawn(command, { terminal: { cols: 80, rows: 24, data } })
  }

  type(keys: string): void {
    this.#child.terminal?.write(keys)
  }

  /** Resolves when it was written since the last time. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#screen)
      if (found !== null) {
        this.#screen = this.#screen.slice(found.index + found[0].length)
        return found
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Without its terminal everything there ends, also what is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.terminal?.close()
    this.#child.kill('SIGKILL')
    await this.#child.exited
  }
}
