// A chat from its login to its end: what the server tells is shown, what is typed is done, one line after the other. It ends
// with the input, /quit or a signal, and then in order; and with the connection.
//
// `chat NAME` is about that one person: it ends with an error when they do not come to talk. In a pipe that goes on until the
// end of the input: nothing that was to be said is dropped in silence. What the error says at the end is not told as news too,
// except to programs, which have an object for each thing that happens and one answer to each line of their input.

import type { Client } from '../client/node.ts'
import { SealwireError } from '../protocol/errors.ts'
import { type Advice, advised } from './advice.ts'
import { LineAnswers } from './chat-answers.ts'
import { type ChatCommand, parseChatLine } from './chat-line.ts'
import type { ChatNews } from './chat-news.ts'
import { Talk } from './chat-talk.ts'
import type { ChatView } from './chat-view.ts'

export interface ChatParts {
  readonly client: Pick<Client, 'request' | 'events'>
  /** What is typed, without newlines. */
  readonly lines: AsyncIterable<Uint8Array>
  readonly view: ChatView
  /** Whether a person at a terminal is typing. */
  readonly terminal: boolean
  /** Whether a program reads what is told. Default: false. */
  readonly json?: boolean
  /** Whether every line is something to say. Default: false. */
  readonly raw?: boolean
  /** Ends it in order. */
  readonly stop: AbortSignal
}

/**
 * Chats, with `name` if there is one; resolves at the end of the input or when it is to stop. Ending the connection is up to
 * the caller.
 * @throws {SealwireError} why the connection is over; with `name` what is refused, `declined` and `peer_left`.
 */
export async function runChat(name: string | undefined, parts: ChatParts): Promise<void> {
  const { client, view, stop, json = false } = parts
  const ended = new AbortController()
  const answers = new LineAnswers((news) => view.tell(news))
  const about = name === undefined ? undefined : new Appointment(name, parts)
  const talk = new Talk(client, (news) => {
    about?.hear(news)
    if (json || about?.failure === undefined) view.tell(news)
  })
  const heard = hear(talk, about, parts, ended.signal)
  const typed = type(talk, about, answers, parts)
  try {
    await Promise.race([heard, typed, aborted(stop)])
    if (json) answers.refused(new SealwireError('unknown_outcome', 'it was ended before the answer came'))
  } catch (reason) {
    if (json) answers.refused(withAdvice(reason))
    throw reason
  } finally {
    ended.abort()
    await view.drained()
    // Whichever of them comes to an end later has nothing to add.
    for (const rest of [heard, typed]) rest.catch(() => {})
  }
}

/** The one conversation that `chat NAME` is about: when it has not come about, or in a pipe is over, that is the end. */
class Appointment {
  readonly name: string
  readonly #terminal: boolean
  #hasBegun = false
  #failure: SealwireError | undefined

  constructor(name: string, { terminal }: Pick<ChatParts, 'terminal'>) {
    this.name = name
    this.#terminal = terminal
  }

  get failure(): SealwireError | undefined {
    return this.#failure
  }

  hear(news: ChatNews): void {
    if (news.event === 'begun') this.#hasBegun = true
    if (this.#terminal && this.#hasBegun) return
    if (news.event === 'declined') this.#failure ??= new SealwireError('declined', `${news.name} declined, or did not answer`)
    if (news.event === 'left') this.#failure ??= new SealwireError('peer_left', `${news.name} has left the chat`)
  }
}

async function hear(talk: Talk, about: Appointment | undefined, { client, view }: ChatParts, signal: AbortSignal): Promise<void> {
  for await (const event of client.events({ signal })) {
    talk.hear(event)
    await view.drained()
    if (view.closed) return
    if (about?.failure !== undefined) throw about.failure
  }
}

async function type(talk: Talk, about: Appointment | undefined, answers: LineAnswers, parts: ChatParts): Promise<void> {
  const { lines, view, terminal, raw = false } = parts
  if (about !== undefined) await refusedAs(talk.ask(about.name))
  for await (const typed of lines) {
    answers.begin()
    try {
      const command: ChatCommand = raw ? { name: 'say', body: typed } : parseChatLine(typed)
      if (command.name === 'quit') return answers.done()
      // In a pipe what is to be said waits for somebody to say it to.
      if (command.name === 'say' && !terminal) await talk.answered()
      if (about?.failure !== undefined) throw about.failure
      await talk.perform(command)
      answers.done()
    } catch (reason) {
      const error = withAdvice(reason)
      if (!terminal && about !== undefined && error.code === 'usage') throw meantAsText(error)
      // Of a line that is too long the input has handed out the beginning, and then it ends.
      if (isTheEnd(error) || (!terminal && (about !== undefined || error.code === 'message_too_large'))) throw error
      answers.refused(error)
    }
    await view.drained()
    if (view.closed) return
  }
}

/** Whoever pipes a text in has rarely thought of commands. */
function meantAsText(error: SealwireError): SealwireError {
  return new SealwireError(error.code, error.sentence, {
    cause: error,
    hint: 'to say a line that begins with /, write // or give --raw',
  })
}

/** The connection is over. A command that does not exist is no reason to go. */
function isTheEnd({ code, fatal }: SealwireError): boolean {
  return fatal && code !== 'usage'
}

async function refusedAs(asked: Promise<void>): Promise<void> {
  try {
    await asked
  } catch (reason) {
    throw withAdvice(reason)
  }
}

function withAdvice(reason: unknown): SealwireError {
  return advised(reason, inChat)
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

const inChat: Advice = {
  not_in_chat: '/ask NAME asks somebody for a chat',
  no_request: 'wait until somebody asks',
  busy: 'wait until the chat is over',
  name_invalid: 'check the name',
}
