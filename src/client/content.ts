// What is said, as programs say and read it: text is text, and everything else is a content type with bytes.

import { SealwireError } from '../protocol/index.ts'
import { type Entry, messageBodyBytesMax } from '../protocol/contract/index.ts'
import type { FileReference } from './files.ts'
import { answerId, formatMessageId } from './outbox/message-id.ts'

/** What is said: text, or a body with what goes with it. */
export type Content = string | MessageContent

/** A message in all its parts. */
export interface MessageContent {
  /** Text, which is sent as UTF-8, or bytes of `type`; at most 60,000 bytes. Default: empty. */
  readonly body?: string | Uint8Array
  /** Content type. Default: `text/plain`. */
  readonly type?: string
  /** The place, in the same conversation, of the message that this one answers. */
  readonly replyTo?: number
  /** Names of accounts that are meant, at most 50. */
  readonly mentions?: readonly string[]
  /** Id of a file that was put there whole. */
  readonly file?: Uint8Array
}

/** An entry of a conversation, as programs read it. */
export interface ReadEntry extends Omit<Entry, 'file' | 'id'> {
  /** Of the message, or of the change: a UUID. */
  readonly id: string
  /** The body, where it is text. */
  readonly text: string | undefined
  /** That goes with a message, and who has sent it, for `saveFile` and `readFile`. */
  readonly file?: EntryFile | undefined
  /** For what a program says because of this entry: always the same id, so that saying it again says nothing twice. */
  readonly answerId: string
}

/** A file of an entry. */
export type EntryFile = NonNullable<Entry['file']> & Pick<FileReference, 'device' | 'from'>

/** The type and body of a content. @throws {SealwireError} `message_too_large`. */
export function bodyOf({ body = '', type }: Pick<MessageContent, 'body' | 'type'>): { body: Uint8Array; type?: string } {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  if (bytes.length > messageBodyBytesMax) {
    throw new SealwireError('message_too_large', `a message of ${bytes.length} bytes is over the ${messageBodyBytesMax} that there may be`)
  }
  return type === undefined ? { body: bytes } : { body: bytes, type }
}

/** A content in all its parts, none but those that are `taken`. @throws {TypeError} for what is none: a program without types would say nothing, and not notice. */
export function partsOf(content: Content, taken: readonly (keyof MessageContent)[] = contentKeys): MessageContent {
  if (typeof content === 'string') return { body: content }
  const given: unknown = content
  const keys: readonly string[] = typeof given === 'object' && given !== null ? Object.keys(given) : []
  if (keys.length > 0 && keys.every((key) => taken.some((part) => part === key))) return content
  throw new TypeError(`this takes text, or an object with no other keys than ${taken.join(', ')}`)
}

const contentKeys = ['body', 'file', 'type', 'replyTo', 'mentions'] as const satisfies readonly (keyof MessageContent)[]

/** @internal Who knows another `answerId` of some entries. */
export interface AnswerIds {
  answerId?(entry: Entry): string | undefined
}

/** An entry as programs read it. */
export function readEntry(entry: Entry, ids?: AnswerIds): ReadEntry {
  const { file, ...others } = entry
  const sent = file === undefined ? {} : { file: { ...file, from: entry.from, device: entry.device } }
  return { ...others, ...sent, id: formatMessageId(entry.id), text: textOf(entry), answerId: ids?.answerId?.(entry) ?? answerId(entry) }
}

function textOf({ type = 'text/plain', body }: Entry): string | undefined {
  return body !== undefined && /^text\/plain\b/.test(type) ? new TextDecoder().decode(body) : undefined
}
