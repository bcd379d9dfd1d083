// People who chat through a real server, within this process: what they are told is kept, and what they type comes from the test.

import type { ChatNews } from '../../../src/cli/chat/news.ts'
import { type ChatParts, runChat } from '../../../src/cli/chat/run.ts'
import type { Talker } from '../../../src/cli/chat/talker.ts'
import type { ChatView } from '../../../src/cli/chat/view.ts'
import { PendingPayments } from '../../../src/cli/money/pending-payments.ts'
import { Home } from '../../../src/client/home/home.ts'
import { openSealwire } from '../../../src/client/home/open-sealwire.ts'
import type { Sealwire } from '../../../src/client/index.ts'
import type { ConnectOptions } from '../../../src/client/node-sdk.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import type { ServerProcess } from '../../support/server-process.ts'
import { runCli } from '../cli-process.ts'
import { Homes } from '../member-support.ts'

let count = 0

/** Accounts on a server, each with a home. */
export class People implements AsyncDisposable {
  readonly homes = new Homes()
  readonly #server: Pick<ServerProcess, 'port' | 'fingerprint'>
  readonly #open = new Set<Sealwire>()

  constructor(server: Pick<ServerProcess, 'port' | 'fingerprint'>) {
    this.#server = server
  }

  /** A name that nobody has had, with a home. */
  async join(name: string): Promise<string> {
    const fresh = `${name}${++count}`
    await this.homes.join(this.#server, fresh)
    return fresh
  }

  async open(name: string, options: ConnectOptions = {}): Promise<Sealwire> {
    const me = await openSealwire(this.homes.path(name), options)
    this.#open.add(me)
    return me
  }

  /** Another device of somebody, with a home of its own. */
  async another({ name }: Pick<Sealwire, 'name'>): Promise<Sealwire> {
    const [path, other] = [this.homes.path(name), `${name}-${++count}`]
    const { stdout, stderr } = await runCli(['devices', 'add', '--home', path])
    const [link = ''] = stdout.split('\n')
    const joined = await runCli(['join', link, '--home', this.homes.path(other)])
    if (joined.exitCode !== 0) throw new Error(`${name} has no other device: ${stderr}${joined.stderr}`)
    return this.open(other)
  }

  /** Two who have joined, are connected, and talk with each other if `know` says so. */
  async pair(know = true, options: ConnectOptions = {}): Promise<readonly [Sealwire, Sealwire]> {
    const names = await Promise.all([this.join('ann'), this.join('ben')])
    const [ann, ben] = [await this.open(names[0], options), await this.open(names[1], options)]
    if (!know) return [ann, ben]
    await ann.request(ben.name)
    await ben.accept(ann.name)
    return [ann, ben]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((me) => me.close()))
    this.homes[Symbol.dispose]()
  }
}

/** A chat whose lines come from the test. */
export class Chatter implements ChatView {
  readonly news: ChatNews[] = []
  readonly stop = new AbortController()
  closed = false
  onTyping: () => void = () => {}
  readonly #me: Talker
  readonly #typed: Uint8Array[] = []
  #isOver = false
  #wake = Promise.withResolvers<void>()

  /** What its user says to a question: undefined is nothing at all. */
  answer: (question: string) => string | undefined = () => undefined
  /** What was asked. */
  readonly questions: string[] = []
  readonly #home: string | undefined

  /** `home`: where payments are kept. Default: nothing can be paid. */
  constructor(me: Talker, home?: string) {
    this.#me = me
    this.#home = home
  }

  run(who?: string | number, flags: Partial<Pick<ChatParts, 'terminal' | 'json' | 'raw' | 'note'>> = {}): Promise<void> {
    const pending = new PendingPayments(new Home(this.#home ?? '/nowhere'), this.#me.name)
    const parts = { me: this.#me, pending, clock: systemClock, view: this, terminal: false, ...flags }
    return runChat(who, { ...parts, lines: this.#lines(), stop: this.stop.signal })
  }

  type(...lines: readonly string[]): void {
    for (const line of lines) this.#typed.push(Buffer.from(line))
    this.#changed()
  }

  /** The end of the input. */
  over(): void {
    this.#isOver = true
    this.#changed()
  }

  async ask(question: string): Promise<string | undefined> {
    this.questions.push(question)
    this.#changed()
    return this.answer(question)
  }

  tell(news: ChatNews): void {
    this.news.push(news)
    this.#changed()
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  /** Resolves with the first news of a kind that `is` says yes to. */
  async told<E extends ChatNews['event']>(
    event: E,
    is: (news: Extract<ChatNews, { event: E }>) => boolean = () => true,
  ): Promise<Extract<ChatNews, { event: E }>> {
    const isIt = (one: ChatNews): one is Extract<ChatNews, { event: E }> =>
      one.event === event && is(one as Extract<ChatNews, { event: E }>)
    for (;;) {
      const found = this.news.find(isIt)
      if (found !== undefined) return found
      await this.#wake.promise
    }
  }

  /** Resolves when somebody has said it. */
  async heard(text: string): Promise<void> {
    await this.told('said', ({ entry }) => entry.text === text)
  }

  /** What others have said, in order. */
  get said(): readonly (string | undefined)[] {
    return this.news.flatMap((one) => (one.event === 'said' ? [one.entry.text] : []))
  }

  get events(): readonly string[] {
    return this.news.map(({ event }) => event)
  }

  async *#lines(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const line = this.#typed.shift()
      if (line !== undefined) yield line
      else if (this.#isOver) return
      else await this.#wake.promise
    }
  }

  #changed(): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }
}
