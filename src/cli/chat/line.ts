// A line that somebody typed in a chat: something to say, or a command, which begins with a slash.

import { SealwireError } from '../../protocol/errors.ts'
import { readSum, type Sum } from './sum.ts'
import { suggestion } from '../suggest.ts'
import { shortened } from './text.ts'

/** What a line asks for. */
export type ChatCommand =
  | { readonly name: 'say'; readonly body: Uint8Array }
  | { [P in Plain]: { readonly name: P } }[Plain]
  | { readonly name: 'accept' | 'decline'; readonly who: string | undefined }
  /** Somebody, or `#` and the number of a room. */
  | { readonly name: 'talk'; readonly who: string }
  | { readonly name: 'remove' | 'block' | 'unblock'; readonly who: string }
  | { readonly name: 'history'; readonly count: number }
  | { readonly name: 'edit' | 'reply'; readonly text: string }
  | { readonly name: 'react'; readonly emoji: string }
  | { readonly name: 'file'; readonly path: string }
  /** Without a path: by its name, in this folder. */
  | { readonly name: 'save'; readonly path: string | undefined }
  /** Without a sum: what is asked for. */
  | { readonly name: 'pay'; readonly who: string | undefined; readonly sum: Sum | undefined }
  | { readonly name: 'request'; readonly who: string | undefined; readonly sum: Sum }

/**
 * Reads a line, without its newline.
 * @throws {SealwireError} `usage` for a command that does not exist, or has too few or too many words.
 */
export function parseChatLine(line: Uint8Array): ChatCommand {
  const bytes = line.at(-1) === carriageReturn ? line.subarray(0, -1) : line
  if (bytes[0] !== slash) return { name: 'say', body: bytes }
  if (bytes[1] === slash) return { name: 'say', body: bytes.subarray(1) }
  const [, word = '', rest = ''] = /^(\S*)\s*(.*)$/s.exec(Buffer.from(bytes.subarray(1)).toString().trimEnd()) ?? []
  if (!isWord(word)) throw usage(`there is no command /${shortened(word)}`, suggestion(word, Object.keys(words), 'lists the commands'))
  return words[word](rest)
}

type Plain =
  | 'exit'
  | 'status'
  | 'who'
  | 'contacts'
  | 'rooms'
  | 'delete'
  | 'pin'
  | 'unpin'
  | 'unsend'
  | 'balance'
  | 'requests'
  | 'help'
  | 'quit'
type Reader = (rest: string) => ChatCommand

function plain<P extends Plain>(name: P): (rest: string) => { readonly name: P } {
  return (rest) => {
    if (rest !== '') throw usage(`/${name} takes nothing more`)
    return { name }
  }
}

const words = {
  talk: (rest) => ({ name: 'talk', who: oneName('talk', rest) }),
  ask: (rest) => ({ name: 'talk', who: oneName('ask', rest) }),
  accept: (rest) => ({ name: 'accept', who: rest === '' ? undefined : oneName('accept', rest) }),
  decline: (rest) => ({ name: 'decline', who: rest === '' ? undefined : oneName('decline', rest) }),
  exit: plain('exit'),
  status: plain('status'),
  who: plain('who'),
  contacts: plain('contacts'),
  rooms: plain('rooms'),
  history: (rest) => ({ name: 'history', count: readCount(rest) }),
  edit: (rest) => ({ name: 'edit', text: something('edit', rest, 'takes what the message says now') }),
  delete: plain('delete'),
  unsend: plain('unsend'),
  reply: (rest) => ({ name: 'reply', text: something('reply', rest, 'takes what you answer') }),
  react: (rest) => ({ name: 'react', emoji: something('react', rest, 'takes an emoji') }),
  pin: plain('pin'),
  unpin: plain('unpin'),
  file: (rest) => ({ name: 'file', path: something('file', rest, 'takes a path') }),
  save: (rest) => ({ name: 'save', path: rest === '' ? undefined : rest }),
  pay: (rest) => ({ name: 'pay', ...readPay(rest) }),
  request: (rest) => ({ name: 'request', ...readRequest(rest) }),
  requests: plain('requests'),
  balance: plain('balance'),
  remove: (rest) => ({ name: 'remove', who: oneName('remove', rest) }),
  block: (rest) => ({ name: 'block', who: oneName('block', rest) }),
  unblock: (rest) => ({ name: 'unblock', who: oneName('unblock', rest) }),
  help: plain('help'),
  quit: plain('quit'),
} as const satisfies Record<string, Reader>

function isWord(word: string): word is keyof typeof words {
  return Object.hasOwn(words, word)
}

function oneName(command: string, rest: string): string {
  if (/^\S+$/.test(rest)) return rest
  throw usage(`/${command} takes one name`)
}

function something(command: string, rest: string, what: string): string {
  if (rest === '') throw usage(`/${command} ${what}`)
  return rest
}

function readPay(rest: string): { readonly who: string | undefined; readonly sum: Sum | undefined } {
  if (rest === '' || /^[^-+.,\p{Nd}\s]\S*$/u.test(rest)) return { who: rest === '' ? undefined : rest, sum: undefined }
  return readSum(rest) ?? refuseSum('pay')
}

function readRequest(rest: string): { readonly who: string | undefined; readonly sum: Sum } {
  return readSum(rest) ?? refuseSum('request')
}

function refuseSum(command: 'pay' | 'request'): never {
  const examples = `/${command} 5 for lunch, or /${command} NAME 5 for lunch`
  throw new SealwireError('usage', `/${command} takes an amount, and behind for what it is for`, { hint: `for example: ${examples}` })
}

function readCount(rest: string): number {
  if (rest === '') return countByDefault
  if (/^[1-9]\d{0,2}$/.test(rest) && Number(rest) <= countMax) return Number(rest)
  throw usage(`/history takes a number from 1 to ${countMax}`)
}

function usage(sentence: string, near?: string): SealwireError {
  const hint = near === undefined || near === 'lists the commands' ? '/help lists the commands' : near.replace('mean ', 'mean /')
  return new SealwireError('usage', sentence, { hint })
}

const slash = 0x2f
const carriageReturn = 0x0d
const countByDefault = 20
const countMax = 200
