import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { InputLines } from '../../../src/cli/terminal/prompt.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { onUnix, rejected } from '../home-support.ts'

const program = fileURLToPath(new URL('./prompt-program.ts', import.meta.url))
const bytesMax = limitTable.inputLineBytesMax.value

describe.skipIf(!onUnix)('readPassword', () => {
  test('reads a line that the terminal does not show', async () => {
    await using terminal = new PasswordTerminal('{}')
    await terminal.shows('password: ')
    expect(terminal.echoes).toBe(false)
    terminal.type('pässwort 🔑\r')
    expect(await terminal.ended()).toBe(0)
    expect(terminal.screen).toBe('password: \r\nread "pässwort 🔑"\r\n')
    expect(terminal.echoes).toBe(true)
  })

  test('asks for a new one twice, also when both were pasted at once', async () => {
    await using terminal = new PasswordTerminal('{"what": "new password", "isNew": true}')
    await terminal.shows('new password: ')
    terminal.type('correct-horse\rcorrect-horse\r')
    expect(await terminal.ended()).toBe(0)
    expect(terminal.screen).toBe('new password: \r\nnew password again: \r\nread "correct-horse"\r\n')
  })

  test('refuses a new one that was not typed twice the same', async () => {
    await using terminal = new PasswordTerminal('{"isNew": true}')
    await terminal.shows('password: ')
    terminal.type('correct-horse\r')
    await terminal.shows('password again: ')
    terminal.type('correct-hoarse\r')
    await terminal.shows('refused usage: the two passwords are not the same')
    expect(await terminal.ended()).toBe(0)
    expect(terminal.screen).not.toInclude('correct')
  })

  test('can ask again for another one', async () => {
    await using terminal = new PasswordTerminal('two prompts')
    await terminal.shows('old password: ')
    terminal.type('one\r')
    await terminal.shows('new password: ')
    terminal.type('two\r')
    await terminal.shows('read ["one","two"]')
    expect(await terminal.ended()).toBe(0)
    expect(terminal.echoes).toBe(true)
  })

  test.each([
    ['Enter alone', '\r', 'no password was given'],
    ['Ctrl-D', '\u0004', 'no password was given'],
    ['too much', `${'x'.repeat(bytesMax + 1)}\r`, `the password is longer than ${bytesMax} bytes`],
    ['bytes that are no text', Uint8Array.of(0xff, 0x0d), 'the password is not UTF-8 text'],
  ])('refuses %s', async (_, keys, sentence) => {
    await using terminal = new PasswordTerminal('{}')
    await terminal.shows('password: ')
    terminal.type(keys)
    await terminal.shows(`refused usage: ${sentence}`)
    expect(terminal.echoes).toBe(true)
  })

  test('says that the terminal is gone, which cannot be given back then', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealwire-prompt-'))
    const said = join(folder, 'said')
    const shown = Promise.withResolvers<void>()
    // Nothing but the end of its input tells the program.
    const line = `trap '' HUP; exec "$1" "$2" '{}' > "$3"`
    const child = Bun.spawn(['/bin/sh', '-c', line, 'sh', process.execPath, program, said], {
      terminal: { cols: 80, rows: 24, data: () => shown.resolve() },
    })
    await shown.promise
    child.terminal?.close()
    await child.exited
    expect(readFileSync(said, 'utf8')).toBe('refused usage: no password was given\n')
    rmSync(folder, { recursive: true })
  })

  test('is ended by Ctrl-C like any command, and the terminal is as before', async () => {
    await using terminal = new PasswordTerminal('{}')
    await terminal.shows('password: ')
    terminal.type('secret\u0003')
    expect(await terminal.ended()).toBe('SIGINT')
    expect(terminal.echoes).toBe(true)
    expect(terminal.screen).toBe('password: \r\n')
  })

  test('tells a program that listens for Ctrl-C', async () => {
    await using terminal = new PasswordTerminal('stoppable')
    await terminal.shows('password: ')
    terminal.type('\u0003')
    // Why it ends is for that program to say.
    await terminal.shows('refused stopping: SIGINT')
    expect(terminal.echoes).toBe(true)
  })

  test('gives up with the reason of its signal, and the terminal is as before', async () => {
    await using terminal = new PasswordTerminal('stoppable')
    await terminal.shows('password: ')
    terminal.kill('SIGTERM')
    await terminal.shows('refused stopping: SIGTERM')
    expect(terminal.echoes).toBe(true)
    expect(await terminal.ended()).toBe(0)
  })

  test('leaves the terminal as before when the process is ended', async () => {
    await using terminal = new PasswordTerminal('{}')
    await terminal.shows('password: ')
    terminal.kill('SIGTERM')
    expect(await terminal.ended()).toBe('SIGTERM')
    expect(terminal.echoes).toBe(true)
  })

  test('says what to do where there is no terminal', async () => {
    expect(await piped('{}', 'secret\n')).toBe('refused usage: there is no terminal to ask for the password at\n')
  })
})

describe('InputLines.next', () => {
  test.each([
    ['a line', 'secret\n', 'secret'],
    ['a line without its end', 'secret', 'secret'],
    ['a line of Windows', 'secret\r\n', 'secret'],
    ['the first of two lines', 'secret\nother\n', 'secret'],
    ['spaces and accents as they are', ' sé crét \n', ' sé crét '],
    ['a line of the largest size', `${'x'.repeat(bytesMax)}\n`, 'x'.repeat(bytesMax)],
  ])('reads %s', async (_, text, password) => {
    expect(await nextLine(streamOf(text))).toBe(password)
  })

  test.each([
    ['nothing', '', 'no password was given'],
    ['an empty line', '\nsecret\n', 'no password was given'],
    ['a line that is too long', `${'x'.repeat(bytesMax + 1)}\n`, `the password is longer than ${bytesMax} bytes`],
    ['a byte order mark cut short', Uint8Array.of(0xef, 0xbb, 0x0a), 'the password is not UTF-8 text'],
    ['half a character', Uint8Array.of(0x61, 0xc3, 0x0a), 'the password is not UTF-8 text'],
  ])('refuses %s', async (_, text, sentence) => {
    expect(await rejected(nextLine(streamOf(text)))).toMatchObject({ code: 'usage', sentence })
  })

  test('reads no further than a line may be long', async () => {
    let chunks = 0
    const endless = (async function* () {
      for (; ; chunks++) yield new Uint8Array(1024)
    })()
    expect(await rejected(nextLine(endless))).toMatchObject({
      code: 'usage',
      sentence: `the password is longer than ${bytesMax} bytes`,
    })
    expect(chunks).toBeLessThanOrEqual(bytesMax / 1024 + 1)
  })

  test('says that the input cannot be read, and keeps why', async () => {
    const cause = new TypeError('broken')
    const broken = new Readable({ read: () => broken.destroy(cause) })
    expect(await rejected(nextLine(broken))).toMatchObject({ code: 'usage', sentence: 'standard input cannot be read', cause })
  })

  test('reads from a pipe, and does not wait for its end', async () => {
    expect(await piped('line', 'sécret\n', { isLeftOpen: true })).toBe('read "sécret"\n')
    expect(await piped('line', 'sécret')).toBe('read "sécret"\n')
  })
})

describe('InputLines', () => {
  test('reads an invite link and a password from one stream', async () => {
    await using input = new InputLines(streamOf('link\nsecret'))
    expect([await input.next('invite link'), await input.next('password')]).toEqual(['link', 'secret'])
    expect((await rejected(input.next('word'))).sentence).toBe('no word was given')
    expect(await piped('two lines', 'link\nsecret\n', { isLeftOpen: true })).toBe('read ["link","secret"]\n')
  })
})

/** A process whose terminal we are. */
class PasswordTerminal implements AsyncDisposable {
  readonly #child: Bun.Subprocess
  readonly #gone = Promise.withResolvers<void>()
  #isGone = false
  #wake: () => void = () => {}
  screen = ''

  constructor(mode: string) {
    const options = { cols: 80, rows: 24, data: (_: unknown, bytes: Uint8Array) => this.#shown(bytes), exit: () => this.#hungUp() }
    this.#child = Bun.spawn([process.execPath, program, mode], { terminal: options })
  }

  /** ECHO of termios.h, the same number on every Unix. */
  get echoes(): boolean {
    return ((this.#child.terminal?.localFlags ?? 0) & 0x8) !== 0
  }

  type(keys: string | Uint8Array<ArrayBuffer>): void {
    this.#child.terminal?.write(keys)
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async shows(text: string): Promise<void> {
    while (!this.screen.includes(text)) {
      if (this.#isGone) throw new Error(`it ended and never showed ${text}:\n${this.screen}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** How it ended, when all that it wrote is on the screen. */
  async ended(): Promise<number | NodeJS.Signals> {
    await this.#gone.promise
    const code = await this.#child.exited
    return this.#child.signalCode ?? code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended()
    this.#child.terminal?.close()
  }

  #shown(bytes: Uint8Array): void {
    this.screen += Buffer.from(bytes).toString()
    this.#wake()
  }

  #hungUp(): void {
    this.#isGone = true
    this.#gone.resolve()
    this.#wake()
  }
}

/** What the program prints with `input` on its standard input. */
async function piped(mode: string, input: string, { isLeftOpen = false } = {}): Promise<string> {
  const child = spawn(process.execPath, [program, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {})
  child.stdin.write(input)
  if (!isLeftOpen) child.stdin.end()
  const output = (await Array.fromAsync(child.stdout as AsyncIterable<Buffer>)).join('')
  child.kill('SIGKILL')
  return output
}

function streamOf(text: string | Uint8Array): Readable {
  return Readable.from([Buffer.from(text)])
}

async function nextLine(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  await using input = new InputLines(stdin)
  return await input.next('password')
}
