// Where a chat stands, as far as one of its sides knows, and what can be done there. The server decides; this follows it.
//
//   alone ──ask──▶ asking ──(begun)──▶ talking ──exit, (left)──▶ alone
//     └──(requested)──▶ asked ──(begun)──▶ talking
//   asking ──refused, (declined), exit──▶ alone        asked ──decline, (left)──▶ alone
//
// Events and results arrive in the server's order, but are taken by two readers: what a result changes is therefore only
// changed when nothing else has happened meanwhile.

import type { Client } from '../client/node.ts'
import { nameKey } from '../domain/case-fold.ts'
import type { ParsedEvent } from '../protocol/contract/index.ts'
import { chatBodyBytesMax } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { ChatCommand } from './chat-line.ts'
import type { ChatNews } from './chat-news.ts'

/** Where a chat stands. */
export type TalkState =
  | { readonly name: 'alone' }
  | { readonly name: 'asking'; readonly peer: string }
  | { readonly name: 'asked'; readonly peer: string }
  | { readonly name: 'talking'; readonly peer: string }

export class Talk {
  readonly #client: Pick<Client, 'request'>
  readonly #tell: (news: ChatNews) => void
  #state: TalkState = alone
  #changed = Promise.withResolvers<void>()

  constructor(client: Pick<Client, 'request'>, tell: (news: ChatNews) => void) {
    this.#client = client
    this.#tell = tell
  }

  get state(): TalkState {
    return this.#state
  }

  /** Resolves when no own request waits for its answer. */
  async answered(): Promise<void> {
    while (this.#state.name === 'asking') await this.#changed.promise
  }

  /** Takes what the server tells. */
  hear(event: ParsedEvent): void {
    switch (event.event) {
      case 'chat.requested':
        this.#enter({ name: 'asked', peer: event.data.name })
        return this.#tell({ event: 'requested', name: event.data.name })
      case 'chat.begun':
        this.#enter({ name: 'talking', peer: event.data.name })
        return this.#tell({ event: 'begun', name: event.data.name })
      case 'chat.declined':
      case 'chat.left':
        return this.#ended(event.event)
      case 'chat.said':
        return this.#tell({ event: 'said', ...event.data })
    }
  }

  /**
   * Does what a line asks for; resolves when the server has answered.
   * @throws {SealwireError} what the server refuses, and why the connection is over.
   */
  async perform(command: Exclude<ChatCommand, { name: 'quit' }>): Promise<void> {
    switch (command.name) {
      case 'say':
        return await this.#say(command.body)
      case 'ask':
        return await this.ask(command.who)
      case 'accept':
        await this.#client.request('chat.accept', {})
        return
      case 'decline':
        await this.#endBy('chat.decline')
        return
      case 'exit':
        await this.#exit()
        return
      case 'who':
        return this.#tell({ event: 'who', ...(await this.#client.request('directory.who', {})) })
      case 'block':
        return await this.#block(command.who)
      case 'unblock':
        await this.#client.request('directory.unblock', { name: command.who })
        return this.#tell({ event: 'unblocked', name: command.who })
      case 'help':
        return this.#tell({ event: 'help' })
    }
  }

  /** Asks somebody for a chat; resolves when they were asked. */
  async ask(name: string): Promise<void> {
    const before = this.#state
    const asking: TalkState = { name: 'asking', peer: name }
    // The answer may be there before the result is looked at.
    if (before.name === 'alone') this.#enter(asking)
    try {
      const asked = await this.#client.request('chat.request', { name })
      if (this.#state === asking) this.#enter({ name: 'asking', peer: asked.name })
      if (this.#state.name === 'asking') this.#tell({ event: 'asked', name: asked.name })
    } catch (reason) {
      if (this.#state === asking) this.#enter(alone)
      throw reason
    }
  }

  async #say(body: Uint8Array): Promise<void> {
    if (body.length > chatBodyBytesMax) {
      throw new SealwireError('message_too_large', `a message has at most ${chatBodyBytesMax} bytes`, { hint: 'say it in several lines' })
    }
    await this.#client.request('chat.say', { body })
  }

  async #exit(): Promise<void> {
    if (this.#state.name === 'alone') throw new SealwireError('not_in_chat', 'you are in no chat', { hint: '/quit ends the program' })
    await this.#endBy('chat.leave')
  }

  /** The server leaves the chat or the request of whom one blocks, and tells nobody. */
  async #block(name: string): Promise<void> {
    const before = this.#state
    await this.#client.request('directory.block', { name })
    this.#tell({ event: 'blocked', name })
    if (before.name !== 'alone' && nameKey(before.peer) === nameKey(name)) this.#exited(before)
  }

  async #endBy(method: 'chat.leave' | 'chat.decline'): Promise<void> {
    const before = this.#state
    await this.#client.request(method, {})
    this.#exited(before)
  }

  #exited(from: TalkState): void {
    if (this.#state !== from || from.name === 'alone') return
    this.#enter(alone)
    this.#tell({ event: 'exited', name: from.peer, from: from.name })
  }

  #ended(how: 'chat.declined' | 'chat.left'): void {
    const before = this.#state
    this.#enter(alone)
    if (before.name === 'asking') this.#tell({ event: 'declined', name: before.peer })
    else if (before.name === 'asked') this.#tell({ event: 'withdrawn', name: before.peer })
    else if (before.name === 'talking' && how === 'chat.left') this.#tell({ event: 'left', name: before.peer })
  }

  #enter(state: TalkState): void {
    this.#state = state
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

const alone: TalkState = Object.freeze({ name: 'alone' })
