// A line that somebody typed in a chat: something to say, or a command, which begins with a slash.

import { SealwireError } from '../protocol/errors.ts'
import { suggestion } from './suggest.ts'

/** What a line asks for. */
export type ChatCommand =
  | { readonly name: 'say'; readonly body: Uint8Array }
  | { readonly name: 'quit' }
  | { readonly name: Exclude<Plain, 'quit'> }
  | { readonly name: Named; readonly who: string }

/**
 * Reads a line, without its newline.
 * @throws {SealwireError} `usage` for a command that does not exist, or has too few or too many words.
 */
export function parseChatLine(line: Uint8Array): ChatCommand {
  const bytes = line.at(-1) === carriageReturn ? line.subarray(0, -1) : line
  if (bytes[0] !== slash) return { name: 'say', body: bytes }
  if (bytes[1] === slash) return { name: 'say', body: bytes.subarray(1) }
  const [word = '', ...rest] = Buffer.from(bytes.subarray(1)).toString().trimEnd().split(/\s+/)
  const [who = ''] = rest
  if (isNamed(word)) {
    if (rest.length !== 1) throw usage(`/${word} takes one name`)
    return { name: word, who }
  }
  if (!isPlain(word)) throw usage(`there is no command /${word}`, suggestion(word, [...plainWords, ...namedWords], 'lists the commands'))
  if (rest.length > 0) throw usage(`/${word} takes nothing more`)
  return word === 'quit' ? { name: word } : { name: word }
}

type Plain = (typeof plainWords)[number]
type Named = (typeof namedWords)[number]

const plainWords = ['accept', 'decline', 'exit', 'who', 'help', 'quit'] as const
const namedWords = ['ask', 'block', 'unblock'] as const

function isPlain(word: string): word is Plain {
  return (plainWords as readonly string[]).includes(word)
}

function isNamed(word: string): word is Named {
  return (namedWords as readonly string[]).includes(word)
}

function usage(sentence: string, near?: string): SealwireError {
  const hint = near === undefined || near === 'lists the commands' ? '/help lists the commands' : near.replace('mean ', 'mean /')
  return new SealwireError('usage', sentence, { hint })
}

const slash = 0x2f
const carriageReturn = 0x0d
