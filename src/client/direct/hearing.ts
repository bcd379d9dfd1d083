// What was said over one link and waits for what comes before it. It is handed out when that is there, or is left to its copy.

import { SealwireError, type Limits } from '../../protocol/index.ts'
import type { Entry } from '../../protocol/contract/index.ts'
import type { PeerParams, PeerResult } from '../../protocol/direct/index.ts'
import { messageKey } from './heard.ts'
import type { PeerDevice, PeerLink } from './peer-link.ts'
import { wordsHash } from './words.ts'

/** What is asked over a link here, and answered. */
export interface TalkLink extends Pick<PeerLink, 'peer' | 'open' | 'closed'> {
  request(method: 'direct.say', params: PeerParams<'direct.say'>): Promise<PeerResult<'direct.say'>>
}

/** Something that was said, and has no answer yet. */
export interface Say {
  readonly key: string
  /** See `wordsHash`. */
  readonly hash: string
  readonly entry: Entry
  /** Place and message that have to come before. */
  readonly behind: { readonly seq: number; readonly key: string | undefined }
  readonly answer: PromiseWithResolvers<void>
}

/** What the other device has said, as the server would bring it but for its place. */
export function sayOf({ behind, mentions, ...words }: PeerParams<'direct.say'>, { name, device }: PeerDevice): Say {
  const meant = mentions === undefined ? {} : { mentions: [...mentions] }
  const entry: Entry = { ...words, ...meant, seq: 0, kind: 'message', from: name, device }
  const { conversation } = words
  const before = behind.id === undefined ? undefined : messageKey({ conversation, from: name, id: behind.id })
  const answer = Promise.withResolvers<void>()
  answer.promise.catch(() => {}) // Who has said it may be gone.
  return { key: messageKey(entry), hash: wordsHash(entry), entry, behind: { seq: behind.seq, key: before }, answer }
}

/** How much is held, on all links together. */
export interface HeldBytes {
  bytes: number
}

export class Hearing {
  readonly #limits: Limits
  readonly #all: HeldBytes
  readonly #held = new Map<string, Say>()

  constructor(limits: Limits, all: HeldBytes) {
    this.#limits = limits
    this.#all = all
  }

  get isEmpty(): boolean {
    return this.#held.size === 0
  }

  has(key: string): boolean {
    return this.#held.has(key)
  }

  /** @throws {SealwireError} `busy` when too much is held. */
  hold(say: Say): void {
    const bytes = this.#all.bytes + bytesOf(say)
    if (this.#held.size >= this.#limits.directHeldMax || bytes > this.#limits.directHeldBytesMax) {
      throw new SealwireError('busy', 'too many messages wait for what comes before them')
    }
    this.#all.bytes = bytes
    this.#held.set(say.key, say)
  }

  /** Takes what is held no more, in the order in which it was said; the next one is looked at when this one was dealt with. */
  *take(isNext: (say: Say) => boolean): Generator<Say, void, undefined> {
    for (const say of this.#held.values()) {
      if (!isNext(say)) continue
      this.#remove(say)
      yield say
    }
  }

  /** It is left to its copy. */
  refuse(key: string, reason: SealwireError): void {
    const say = this.#held.get(key)
    if (say === undefined) return
    this.#remove(say)
    say.answer.reject(reason)
  }

  end(reason: SealwireError): void {
    for (const key of this.#held.keys()) this.refuse(key, reason)
  }

  #remove(say: Say): void {
    this.#held.delete(say.key)
    this.#all.bytes -= bytesOf(say)
  }
}

function bytesOf({ entry }: Say): number {
  return entry.body?.length ?? 0
}
