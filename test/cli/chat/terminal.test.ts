import { describe, expect, test } from 'bun:test'
import { PassThrough, Writable } from 'node:stream'
import { ChatTerminal } from '../../../src/cli/chat/terminal.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { said } from './entries.ts'

class Screen {
  readonly input = new PassThrough()
  #written = ''
  readonly output = Object.assign(new Writable({ write: (chunk: Buffer, _, done) => this.#write(chunk, done) }), { columns: 40 })
  readonly terminal: ChatTerminal
  readonly lines: AsyncGenerator<Uint8Array>

  constructor(colours = false) {
    this.terminal = new ChatTerminal({ input: this.input, output: this.output, colours })
    this.lines = this.terminal.lines()
  }

  async line(): Promise<string | undefined> {
    const { value } = (await this.lines.next()) as { value?: Uint8Array }
    return value === undefined ? undefined : Buffer.from(value).toString()
  }

  /** What was written since the last time. */
  written(): string {
    const written = this.#written
    this.#written = ''
    return written
  }

  #write(chunk: Buffer, done: () => void): void {
    this.#written += chunk.toString()
    done()
  }
}

const note = { event: 'gone', name: 'bob' } as const
const erase = '\u001b[1G\u001b[0J'

describe('ChatTerminal', () => {
  test('takes what is typed line by line and leaves empty lines out', async () => {
    const screen = new Screen()
    screen.input.write('one\r\r  \rtwo\r')
    expect([await screen.line(), await screen.line()]).toEqual(['one', 'two'])
  })

  test('shows news above the line that is being typed, and keeps it', async () => {
    const screen = new Screen()
    const first = screen.line()
    screen.input.write('half')
    await new Promise(setImmediate)
    screen.written()
    screen.terminal.tell(note)
    const written = screen.written()
    expect(written).toStartWith(`${erase}bob is gone\n`)
    expect(written).toContain('> half')
    screen.input.write(' done\r')
    expect(await first).toBe('half done')
  })

  test('takes all rows of a line away that is longer than the screen is wide', async () => {
    const screen = new Screen()
    void screen.line()
    screen.input.write('x'.repeat(100))
    await new Promise(setImmediate)
    screen.written()
    for (const _ of ['as it was typed', 'as it was drawn again']) {
      screen.terminal.tell(note)
      const written = screen.written()
      expect(written).toStartWith(`\u001b[2A${erase}bob is gone\n`)
      // It is drawn again below the note, and not over it.
      expect(written).not.toContain('\n\u001b[2A')
    }
  })

  test('takes away the rows that a line has since the screen is wider or narrower, and nothing above it', async () => {
    const screen = new Screen()
    void screen.line()
    screen.input.write('x'.repeat(100))
    await new Promise(setImmediate)
    for (const [columns, up] of [
      [120, ''],
      [30, '\u001b[3A'],
      [60, '\u001b[1A'],
    ] as const) {
      screen.written()
      screen.output.columns = columns
      screen.output.emit('resize')
      const written = screen.written()
      expect(written).toStartWith(`${up}${erase}> x`)
      screen.terminal.tell(note)
      expect(screen.written()).toStartWith(`${up}${erase}bob is gone\n`)
    }
  })

  test.each([
    ['Ctrl-D', '\u0004'],
    ['Ctrl-C', '\u0003'],
  ])('ends with %s, after what was typed before', async (_, key) => {
    const screen = new Screen()
    screen.input.write(`one\r${key}`)
    expect([await screen.line(), await screen.line()]).toEqual(['one', undefined])
    screen.written()
    screen.terminal.tell(note)
    expect(screen.written()).toBe('bob is gone\n')
  })

  test('lets nothing that others say control it', () => {
    const screen = new Screen(true)
    screen.written()
    screen.terminal.tell(said('\u001b[2Jhi\r'))
    const written = screen.written()
    expect(written).toContain('\u001b[1mbob:\u001b[22m \\u001b[2Jhi\\r\n')
    expect(written).not.toContain('\u001b[2J')
  })

  test('has colours only where they are wanted', () => {
    for (const colours of [true, false]) {
      const screen = new Screen(colours)
      screen.terminal.tell(note)
      expect(screen.written().includes('\u001b[2mbob is gone\u001b[22m')).toBe(colours)
    }
  })

  test('says in its prompt with whom one talks, shortly', () => {
    const screen = new Screen()
    void screen.line()
    screen.terminal.tell({ event: 'begun', conversation: 1, peer: 'bob' })
    expect(screen.written()).toEndWith('bob> \u001b[6G')
    screen.terminal.tell({ event: 'begun', conversation: 2, room: 'a garden with a very long name' })
    expect(screen.written()).toContain('\n\u001b[1G\u001b[0J[a garden with …> ')
    screen.terminal.tell({ event: 'exited', conversation: 2, room: 'a garden with a very long name' })
    expect(screen.written()).toEndWith('> \u001b[3G')
  })

  test('says in its prompt that one talks directly, and takes all of the line away that stood behind the other one', async () => {
    const screen = new Screen()
    void screen.line()
    screen.terminal.tell({ event: 'begun', conversation: 1, peer: 'bob' })
    screen.input.write('x'.repeat(30))
    await new Promise(setImmediate)
    screen.written()
    screen.terminal.tell({ event: 'way', name: 'bob', way: 'direct' })
    const written = screen.written()
    expect(written).toStartWith(`\u001b[1G\u001b[0Jdirect with bob\n`)
    expect(written).toContain(`bob (direct)> ${'x'.repeat(30)}`)
    // It has two rows now.
    screen.terminal.tell({ event: 'way', name: 'carol', way: 'relayed', why: 'lost' })
    expect(screen.written()).toStartWith(`\u001b[1A${erase}relayed: the direct link with carol was lost, and is tried again\n`)
    screen.terminal.tell({ event: 'way', name: 'bob', way: 'relayed', why: 'connecting' })
    const silent = screen.written()
    expect(silent).toStartWith(`\u001b[1A${erase}`)
    expect(silent).not.toContain('\n')
    expect(silent).toContain(`bob> ${'x'.repeat(30)}`)
    screen.terminal.tell({ event: 'placed', id: 'i', conversation: 1, seq: 3, at: 5 })
    expect(screen.written()).toBe('')
  })

  test('tells that something is typed which is no command', async () => {
    const screen = new Screen()
    let typings = 0
    screen.terminal.onTyping = () => typings++
    void screen.line()
    screen.input.write('/who')
    await new Promise(setImmediate)
    expect(typings).toBe(0)
    screen.input.write('\rhello')
    await new Promise(setImmediate)
    expect(typings).toBe(5)
  })

  test('asks, and takes only what is typed behind the question for an answer', async () => {
    const screen = new Screen()
    const first = screen.line()
    screen.input.write('/pay 5\ry\rhalf')
    expect(await first).toBe('/pay 5')
    screen.written()
    const { signal } = new AbortController()
    const asked = screen.terminal.ask('Pay 5.00 credits to bob? [y/N] ', signal)
    screen.terminal.tell(note)
    expect(screen.written()).toMatch(/bob is gone\n.*Pay 5\.00 credits to bob\? \[y\/N\] /s)
    screen.input.write('\r')
    expect(await asked).toBe('')
    screen.input.write(' typed\r')
    expect([await screen.line(), await screen.line()]).toEqual(['y', 'half typed'])
    const again = screen.terminal.ask('again? ', signal)
    screen.input.write('yes\r')
    expect(await again).toBe('yes')
  })

  test('takes away no row of what is above a question that has several', async () => {
    const screen = new Screen()
    screen.terminal.tell(note)
    screen.written()
    const asked = screen.terminal.ask(`${'a long question '.repeat(6)}? `, new AbortController().signal)
    expect(screen.written()).not.toContain('\u001b[2A')
    screen.terminal.tell(note)
    expect(screen.written()).toContain(`\u001b[2A${erase}bob is gone\n`)
    screen.input.write('n\r')
    expect(await asked).toBe('n')
  })

  test('has no answer when nobody types any more, and when it is to stop', async () => {
    const screen = new Screen()
    const stop = new AbortController()
    const stopped = screen.terminal.ask('pay? ', stop.signal)
    stop.abort()
    expect(await stopped).toBeUndefined()
    const ended = screen.terminal.ask('pay? ', new AbortController().signal)
    screen.input.write('\u0004')
    expect(await ended).toBeUndefined()
    expect(await screen.terminal.ask('pay? ', new AbortController().signal)).toBeUndefined()
  })

  test('tells nobody that an answer is typed', async () => {
    const screen = new Screen()
    let count = 0
    screen.terminal.onTyping = () => void count++
    const asked = screen.terminal.ask('pay? ', new AbortController().signal)
    screen.input.write('yes\r')
    await asked
    expect(count).toBe(0)
  })

  test('lets the keyboard wait when too much is typed ahead', async () => {
    const screen = new Screen()
    const max = limitTable.chatTypedLinesMax.value
    for (let index = 0; index < 3 * max; index++) {
      screen.input.write(`line ${index}\r`)
      await new Promise(setImmediate)
    }
    expect(screen.input.readableLength).toBeGreaterThan(0)
    for (let index = 0; index < 3 * max; index++) expect(await screen.line()).toBe(`line ${index}`)
  })

  test('gives the keyboard back at the end', () => {
    const screen = new Screen()
    screen.terminal[Symbol.dispose]()
    expect(screen.input.destroyed).toBe(true)
  })
})
