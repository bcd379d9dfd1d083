import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { runCli } from '../cli-process.ts'
import { onUnix, pinOf } from '../home-support.ts'
import { Homes, runWith } from '../member-support.ts'

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const address = `127.0.0.1:${server.port}`
const question = 'Is it the same? Type yes or no'

describe.skipIf(!onUnix)('the first contact at a terminal', () => {
  test('shows the fingerprint of the authority, and joins when the person says yes', async () => {
    await using terminal = new JoinTerminal('ann')
    await terminal.shows(question)
    expect(terminal.screen).toContain(`${address} is not known here`)
    expect(terminal.screen).toContain(`\r\n  ${server.fingerprint}\r\n`)
    terminal.type('yes\r')
    await terminal.shows(`joined sealwire://${address} as ann`)
    expect(await terminal.ended()).toBe(0)
  })

  test('joins when the person pastes the same fingerprint', async () => {
    await using terminal = new JoinTerminal('ben')
    await terminal.shows(question)
    terminal.type(` ${server.fingerprint}\r`)
    await terminal.shows(`joined sealwire://${address} as ben`)
    expect(await terminal.ended()).toBe(0)
  })

  test.each([
    ['no', 'no\r', 'was not confirmed, and nothing was sent'],
    ['Enter alone', '\r', 'was not confirmed'],
    ['Ctrl-D', '\u0004', 'was not confirmed'],
    ['another fingerprint', `${pinOf('A')}\r`, `has another key: expected ${pinOf('A')}, seen ${server.fingerprint}`],
  ])('does not join on %s', async (name, keys, sentence) => {
    await using terminal = new JoinTerminal(`no-${name.replaceAll(/\W/g, '')}`)
    await terminal.shows(question)
    terminal.type(keys)
    expect(await terminal.ended()).toBe(5)
    expect(terminal.text).toContain(sentence)
    expect(existsSync(join(terminal.home, 'known_servers'))).toBe(false)
  })

  test('asks again for what is no answer, three times at most', async () => {
    await using terminal = new JoinTerminal('cleo')
    for (let asked = 1; asked <= 3; asked++) {
      await terminal.until((screen) => screen.split(question).length - 1 === asked)
      terminal.type('y\r')
    }
    expect(await terminal.ended()).toBe(5)
    expect(terminal.text).toContain('That is neither yes nor no')
  })

  test('is left with Ctrl-C', async () => {
    await using terminal = new JoinTerminal('dan')
    await terminal.shows(question)
    terminal.type('\u0003')
    expect(await terminal.ended()).toBe('SIGINT')
  })

  test('asks for the password behind it', async () => {
    await homes.join(server, 'eve')
    await using terminal = new JoinTerminal('eve', { home: 'eve-again', flags: ['--login'] })
    await terminal.shows(question)
    terminal.type('yes\r')
    await terminal.shows('password: ')
    terminal.type('wrong-horse-battery\r')
    expect(await terminal.ended()).toBe(6)
    expect(terminal.text).toContain('wrong name or password')
  })

  test('does not ask for a server that is known, and stops hard when its key is another', async () => {
    await using known = new JoinTerminal('finn', { known: server.fingerprint })
    await known.shows(`joined sealwire://${address} as finn`)
    expect(known.screen).not.toContain(question)
    await using changed = new JoinTerminal('gus', { known: pinOf('B') })
    expect(await changed.ended()).toBe(5)
    expect(changed.screen).not.toContain(question)
    expect(changed.text).toContain(`has another key: expected ${pinOf('B')}, seen ${server.fingerprint}`)
  })
})

describe.skipIf(!onUnix)('the first contact while an authority is replaced', () => {
  test('shows the fingerprint that the operator has, and takes that of before as well', async () => {
    await using rotating = await ServerProcess.start({ limits: liftedRates })
    const before = rotating.fingerprint
    const place = `127.0.0.1:${rotating.port}`
    expect((await runCli(['cert', 'rotate-ca', '--overlap', '1h', '--data', rotating.data])).exitCode).toBe(0)
    const again = await runCli(['cert', 'rotate-ca', '--data', rotating.data])
    expect(again.stderr).toMatch(/^sealwire: the authority was replaced already, .*Z\. wait until then\.\n$/)
    const today = (await runCli(['fingerprint', '--data', rotating.data])).stdout.trim()
    expect(today).not.toBe(before)
    expect((await runCli(['fingerprint', place])).stdout.trim()).toBe(today)
    const doctor = await runCli(['doctor', place], { environment: { HOME: homes.path('nobody') } })
    expect([doctor.exitCode, doctor.stdout]).toEqual([0, expect.stringContaining(`it shows ${today}`)])
    for (const [name, answer] of [
      ['hal', today],
      ['ida', before],
      ['jon', 'yes'],
    ] as const) {
      await using terminal = new JoinTerminal(name, { place })
      await terminal.shows(question)
      expect(terminal.screen).toContain(`\r\n  ${today}\r\n`)
      terminal.type(`${answer}\r`)
      await terminal.shows(`joined sealwire://${place} as ${name}`)
      expect(await terminal.ended()).toBe(0)
      expect((await runCli(['fingerprint', '--home', terminal.home])).stdout.trim()).toBe(today)
    }
  })
})

describe('the first contact of a program', () => {
  test('is refused without --pin, and says what to do', async () => {
    expect(await runWith('yes\n', ['join', address, '--name', 'bot', '--home', homes.path('bot')])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `sealwire: ${address} is not known here, and there is no terminal to ask whether its fingerprint is right. ask the operator for an invite link, or for the fingerprint, and give it with --pin SHA256:….\n`,
    })
  })

  test('goes on when the server is known', async () => {
    const home = knownHome('robot', server.fingerprint)
    expect((await runWith('', ['join', address, '--name', 'robot', '--home', home])).exitCode).toBe(0)
  })
})

interface TerminalOptions {
  /** `HOST:PORT`, of a server of its own. */
  readonly place?: string
  readonly home?: string
  readonly flags?: readonly string[]
  /** The key by which the home knows the server already. */
  readonly known?: string
}

/** `sealwire join` in a process whose terminal we are. */
class JoinTerminal implements AsyncDisposable {
  readonly home: string
  readonly #child: Bun.Subprocess
  readonly #gone = Promise.withResolvers<void>()
  #isGone = false
  #wake: () => void = () => {}
  screen = ''

  constructor(name: string, { home = name, flags = [], known, place = address }: TerminalOptions = {}) {
    this.home = known === undefined ? homes.path(home) : knownHome(home, known)
    const terminal = {
      cols: 200,
      rows: 24,
      data: (_: unknown, bytes: Uint8Array) => this.#shown(bytes),
      exit: () => {
        this.#isGone = true
        this.#gone.resolve()
        this.#wake()
      },
    }
    this.#child = Bun.spawn([process.execPath, main, 'join', place, '--name', name, '--home', this.home, ...flags], {
      terminal,
      env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    })
  }

  /** The screen without the ends of lines at which it may have been broken. */
  get text(): string {
    return this.screen.replaceAll('\r\n', '\n')
  }

  type(keys: string): void {
    this.#child.terminal?.write(keys)
  }

  async shows(text: string): Promise<void> {
    await this.until((screen) => screen.includes(text))
  }

  async until(isThere: (screen: string) => boolean): Promise<void> {
    while (!isThere(this.screen)) {
      if (this.#isGone) throw new Error(`it ended:\n${this.screen}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async ended(): Promise<number | NodeJS.Signals> {
    await this.#gone.promise
    const code = await this.#child.exited
    return this.#child.signalCode ?? code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#child.exited
  }

  #shown(bytes: Uint8Array): void {
    this.screen += Buffer.from(bytes).toString()
    this.#wake()
  }
}

function knownHome(name: string, pin: string): string {
  const home = homes.path(name)
  mkdirSync(home, { mode: 0o700 })
  writeFileSync(join(home, 'known_servers'), `${address} ${pin} 2026-01-01T00:00:00.000Z\n`, { mode: 0o600 })
  return home
}
