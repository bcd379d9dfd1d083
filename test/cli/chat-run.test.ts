import { describe, expect, test } from 'bun:test'
import type { ChatNews } from '../../src/cli/chat-news.ts'
import { type ChatParts, runChat } from '../../src/cli/chat-run.ts'
import type { ChatView } from '../../src/cli/chat-view.ts'
import type { Method, ParsedEvent } from '../../src/protocol/contract/index.ts'
import { type Code, SealwireError } from '../../src/protocol/errors.ts'
import { rejected } from './home-support.ts'

/** Something that is written at one end and read at the other, in the order that the test chooses. */
class Feed<T> implements AsyncIterable<T> {
  readonly #items: T[] = []
  #end: { readonly reason: Error | undefined } | undefined
  #wake = (): void => {}

  push(item: T): void {
    this.#items.push(item)
    this.#wake()
  }

  end(reason?: Error): void {
    this.#end = { reason }
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const item = this.#items.shift()
      if (item !== undefined) yield item
      else if (this.#end === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
      else if (this.#end.reason === undefined) return
      else throw this.#end.reason
    }
  }
}

class Stage implements ChatView {
  readonly events = new Feed<ParsedEvent>()
  readonly lines = new Feed<Uint8Array>()
  readonly stop = new AbortController()
  readonly requests: string[] = []
  readonly news: ChatNews[] = []
  refusal: SealwireError | undefined
  closed = false
  #wake = (): void => {}

  run(name?: string, terminal = false, flags: Pick<ChatParts, 'json' | 'raw'> = {}): Promise<void> {
    const request = (method: Method, params: { name?: string; body?: Uint8Array }): Promise<object> => {
      this.requests.push(`${method} ${params.name ?? Buffer.from(params.body ?? []).toString()}`.trim())
      this.#wake()
      return this.refusal === undefined ? Promise.resolve({ ...params, people: [], more: false }) : Promise.reject(this.refusal)
    }
    const client = { request, events: () => this.events } as unknown as ChatParts['client']
    return runChat(name, { client, lines: this.lines, view: this, terminal, stop: this.stop.signal, ...flags })
  }

  type(...lines: string[]): void {
    for (const line of lines) this.lines.push(Buffer.from(line))
  }

  tell(news: ChatNews): void {
    this.news.push(news)
    this.#wake()
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  told(event: ChatNews['event']): Promise<void> {
    return this.until(() => this.news.some((one) => one.event === event))
  }
}

const begun: ParsedEvent = { event: 'chat.begun', data: { name: 'bob' } }
const left: ParsedEvent = { event: 'chat.left', data: {} }
const declined: ParsedEvent = { event: 'chat.declined', data: {} }

describe('runChat', () => {
  test('does what is typed in order, answers every line, and ends with the input', async () => {
    const stage = new Stage()
    stage.type('/who', 'one', '/ask bob', '/exit', '/frob')
    stage.lines.end()
    await stage.run()
    expect(stage.requests).toEqual(['directory.who', 'chat.say one', 'chat.request bob', 'chat.leave'])
    expect(stage.news.filter(({ event }) => event === 'done' || event === 'refused')).toEqual([
      ...[1, 2, 3, 4].map((line) => ({ event: 'done', line }) as const),
      { event: 'refused', line: 5, code: 'usage', sentence: 'there is no command /frob', hint: '/help lists the commands' },
    ])
  })

  test('ends with /quit and leaves the rest of the input alone', async () => {
    const stage = new Stage()
    stage.type('/quit', 'more')
    await stage.run()
    expect(stage.requests).toEqual([])
  })

  test('holds what is said in a pipe until the request is answered, and no command', async () => {
    const stage = new Stage()
    const chat = stage.run()
    stage.type('/ask bob', '/who', 'hello', '/quit')
    await stage.told('who')
    await new Promise(setImmediate)
    expect(stage.requests).toEqual(['chat.request bob', 'directory.who'])
    stage.events.push(begun)
    await chat
    expect(stage.requests.at(-1)).toBe('chat.say hello')
  })

  test('says what is typed at a terminal at once, and goes on after a refusal', async () => {
    const stage = new Stage()
    stage.refusal = new SealwireError('not_in_chat', 'you are in no chat')
    stage.type('hello', '/quit')
    await stage.run(undefined, true)
    expect(stage.requests).toEqual(['chat.say hello'])
    expect(stage.news).toEqual([
      { event: 'refused', line: 1, code: 'not_in_chat', sentence: 'you are in no chat', hint: '/ask NAME asks somebody for a chat' },
      { event: 'done', line: 2 },
    ])
  })

  test.each([true, false])('ends when whom it is about cannot be asked or declines (terminal: %p)', async (terminal) => {
    const refused = new Stage()
    refused.refusal = new SealwireError('busy', 'they are in a chat already')
    expect(await rejected(refused.run('bob', terminal))).toMatchObject({ code: 'busy', hint: 'wait until the chat is over' })
    for (const event of [declined, left]) {
      const stage = new Stage()
      const chat = stage.run('bob', terminal)
      await stage.told('asked')
      stage.events.push(event)
      expect((await rejected(chat)).code).toBe('declined')
      // The error says it.
      expect(stage.news).toEqual([{ event: 'asked', name: 'bob' }])
    }
  })

  test('goes on at a terminal when the other side has left, and ends in a pipe', async () => {
    for (const terminal of [true, false]) {
      const stage = new Stage()
      const chat = stage.run('bob', terminal)
      await stage.told('asked')
      stage.events.push(begun)
      stage.events.push(left)
      if (terminal) {
        await stage.told('left')
        stage.type('/quit')
        await chat
        continue
      }
      expect((await rejected(chat)).code).toBe('peer_left')
      expect(stage.news.map(({ event }) => event)).toEqual(['asked', 'begun'])
    }
  })

  test('ends a pipe about somebody with the first line that is refused', async () => {
    const stage = new Stage()
    const chat = stage.run('bob')
    await stage.told('asked')
    stage.events.push(begun)
    await stage.told('begun')
    stage.refusal = new SealwireError('peer_lost', 'lost')
    stage.type('hello')
    expect((await rejected(chat)).code).toBe('peer_lost')
  })

  test('tells a program of the end in its own object, with an answer to the line that waits', async () => {
    const stage = new Stage()
    const chat = stage.run('bob', false, { json: true })
    stage.type('hello')
    await stage.told('asked')
    stage.events.push(declined)
    await rejected(chat)
    expect(stage.requests).toEqual(['chat.request bob'])
    expect(stage.news.map((one) => ('line' in one ? [one.event, one.line] : one.event))).toEqual(['asked', 'declined', ['refused', 1]])
  })

  test('answers every line of a program once, also the one that ends the chat', async () => {
    const ends: [(stage: Stage) => void, Code][] = [
      [(stage) => stage.type('/frob'), 'usage'],
      [(stage) => void (stage.refusal = new SealwireError('connection_lost', 'gone')), 'connection_lost'],
    ]
    for (const [end, code] of ends) {
      const stage = new Stage()
      const chat = stage.run('bob', false, { json: true })
      stage.events.push(begun)
      await stage.told('begun')
      stage.type('/who')
      await stage.told('done')
      end(stage)
      stage.type('two', 'three')
      expect((await rejected(chat)).code).toBe(code)
      expect(
        stage.news.flatMap((one) => (one.event === 'done' ? [one.line] : one.event === 'refused' ? [one.line, one.code] : [])),
      ).toEqual([1, 2, code])
    }
  })

  test('answers the line whose outcome is not known when it is to stop', async () => {
    const stage = new Stage()
    const chat = stage.run(undefined, false, { json: true })
    stage.type('/ask bob', 'hello')
    await stage.told('done')
    await new Promise(setImmediate)
    stage.stop.abort()
    await chat
    expect(stage.news.at(-1)).toMatchObject({ event: 'refused', line: 2, code: 'unknown_outcome' })
  })

  test('says every line as it is when that is wished for', async () => {
    const stage = new Stage()
    stage.events.push(begun)
    const chat = stage.run('bob', false, { raw: true })
    stage.type('/quit', '//a', '/ x\r', '')
    stage.lines.end()
    await chat
    expect(stage.requests).toEqual(['chat.request bob', 'chat.say /quit', 'chat.say //a', 'chat.say / x', 'chat.say'])
  })

  test('says how to pipe in what begins with a slash', async () => {
    const stage = new Stage()
    const chat = stage.run('bob')
    stage.type('/ x')
    expect(await rejected(chat)).toMatchObject({
      sentence: 'there is no command /',
      hint: 'to say a line that begins with /, write // or give --raw',
    })
  })

  test('ends with the connection, whoever notices first', async () => {
    const reason = new SealwireError('connection_lost', 'gone')
    const heard = new Stage()
    heard.events.end(reason)
    expect((await rejected(heard.run())).code).toBe('connection_lost')
    const typed = new Stage()
    typed.refusal = reason
    typed.type('/who')
    expect((await rejected(typed.run())).code).toBe('connection_lost')
  })

  test('ends when it is to stop, and when nobody reads any more', async () => {
    const stopped = new Stage()
    const chat = stopped.run()
    stopped.stop.abort()
    await chat
    const unread = new Stage()
    unread.closed = true
    unread.events.push(begun)
    await unread.run()
    expect(unread.news).toHaveLength(1)
  })
})
