// What a chat tells its user, and how each of these things looks: as lines for people, as an object for programs. Everything
// that came from somebody else is escaped, and what others say always stands behind their name, so that no message can
// pass for a note of ours.

import type { Code } from '../protocol/errors.ts'
import { limitTable } from '../protocol/limits.ts'
import { escapeControls } from './escape.ts'
import { type Who, whoLines } from './who.ts'

/** One thing that is told. */
export type ChatNews =
  | { readonly event: 'ready'; readonly name: string; readonly server: string }
  | { readonly event: 'asked'; readonly name: string }
  | { readonly event: 'requested'; readonly name: string }
  | { readonly event: 'begun'; readonly name: string }
  | { readonly event: 'declined'; readonly name: string }
  | { readonly event: 'withdrawn'; readonly name: string }
  | { readonly event: 'left'; readonly name: string }
  | { readonly event: 'said'; readonly name: string; readonly type: string; readonly body: Uint8Array }
  | ({ readonly event: 'who' } & Who)
  | { readonly event: 'blocked'; readonly name: string }
  | { readonly event: 'unblocked'; readonly name: string }
  | { readonly event: 'exited'; readonly name: string; readonly from: 'asking' | 'asked' | 'talking' }
  | { readonly event: 'help' }
  /** How the line of input of that number fared, the first being 1. */
  | { readonly event: 'done'; readonly line: number }
  | { readonly event: 'refused'; readonly line: number; readonly code: Code; readonly sentence: string; readonly hint: string | undefined }

/** Text for people: who it is from, where it is somebody's words, and the lines. */
export interface ChatText {
  /** Escaped; absent for notes of ours. */
  readonly speaker?: string
  readonly lines: readonly string[]
}

/** News as people read them. */
export function chatText(news: ChatNews): ChatText {
  if (news.event === 'help') return { lines: chatHelp }
  if (news.event === 'who') return { lines: [`here: ${whoLines(news).join(', ')}`] }
  if (news.event === 'refused') return { lines: [refusalLine(news)] }
  if (news.event === 'done') return { lines: [] }
  const name = escapeControls(news.name)
  if (news.event === 'said') return said(name, news)
  if (news.event === 'exited') return { lines: [exits[news.from](name)] }
  const server = news.event === 'ready' ? escapeControls(news.server) : ''
  return { lines: [notes[news.event](name, server)] }
}

/** News as programs read them: text as text, other bodies in base64. */
export function chatJson(news: ChatNews): object {
  if (news.event !== 'said') return news
  const { event, name, type, body } = news
  return isText(type) ? { event, name, type, text: decodeText(body) } : { event, name, type, body: Buffer.from(body).toString('base64') }
}

/** What can be typed. */
export const chatHelp: readonly string[] = [
  '/ask NAME      ask somebody for a chat',
  '/accept        accept the request that is open',
  '/decline       decline it',
  '/exit          leave the chat, or take your own request back',
  '/who           list who is here',
  '/block NAME    hear nothing more of somebody, who is not told',
  '/unblock NAME  take that back',
  '/quit          leave and end; so does Ctrl-D',
  '//...          says a line that begins with /',
]

const notes = {
  ready: (name, server) => `you are ${name} at ${server}. /help lists the commands`,
  asked: (name) => `${name} was asked for a chat`,
  requested: (name) => `${name} asks for a chat: /accept or /decline`,
  begun: (name) => `you are talking with ${name}. /exit leaves`,
  declined: (name) => `${name} declined, or did not answer`,
  withdrawn: (name) => `${name} does not ask any more`,
  left: (name) => `${name} has left the chat`,
  blocked: (name) => `${name} is blocked: nothing of theirs arrives here`,
  unblocked: (name) => `${name} is not blocked any more`,
} as const satisfies Record<string, (name: string, server: string) => string>

const exits = {
  asking: (name: string) => `${name} is not asked any more`,
  asked: (name: string) => `${name} was declined`,
  talking: (name: string) => `you have left the chat with ${name}`,
} as const

function said(speaker: string, { type, body }: Extract<ChatNews, { event: 'said' }>): ChatText {
  if (!isText(type)) {
    return { lines: [`${speaker} sends ${escapeControls(type)}, ${body.length} bytes, which is not shown here`] }
  }
  const lines = decodeText(body)
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
  const shown = lines.slice(0, linesMax).map(escapeControls)
  return { speaker, lines: lines.length > linesMax ? [...shown, `… and ${lines.length - linesMax} more lines`] : shown }
}

function refusalLine({ sentence, hint }: Extract<ChatNews, { event: 'refused' }>): string {
  return escapeControls(hint === undefined ? sentence : `${sentence}. ${hint}`)
}

/** What is in another charset would be shown as something else. */
function isText(type: string): boolean {
  const parameters = /^text\/[^;]+(.*)$/is.exec(type)?.[1]
  if (parameters === undefined) return false
  return [...parameters.matchAll(/;\s*charset\s*=\s*"?([^";\s]*)/gi)].every(([, charset = '']) => /^(utf-8|us-ascii)$/i.test(charset))
}

/** What is no UTF-8 is shown as U+FFFD. */
function decodeText(body: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(body)
}

const linesMax = limitTable.chatMessageLinesMax.value
