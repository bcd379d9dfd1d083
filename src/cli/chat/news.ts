// What a chat tells its user, and how each of these things looks: as lines for people, as an object for programs. Everything
// that came from somebody else is escaped, and what others say always stands behind their name and a colon, so that no message
// can pass for a note of ours, or for somebody else's.

import type { Contact, ConversationInfo, ReadEntry, SendFailure, Sent } from '../../client/index.ts'
import type { Code } from '../../protocol/errors.ts'
import { type DirectNewsData, directJson, directText, isDirectNews } from './direct-news.ts'
import { chatHelp } from './help.ts'
import { isMoneyNews, moneyJson, type MoneyNewsData, moneyText } from './money-news.ts'
import type { RequestNow } from './request.ts'
import { placeLabel } from '../terminal/place-label.ts'
import type { TakenBack } from './unsent.ts'
import { type ChatText, heardText, historyText, shortened, speech } from './text.ts'
import { entryObject } from '../terminal/entry-line.ts'
import { escapeControls, quote } from '../terminal/escape.ts'
import { type Who, whoLines } from '../who.ts'

/** Where something is said: between two, or in a room. */
export interface Place {
  readonly conversation: number
  /** Direct: the other one. */
  readonly peer?: string | undefined
  /** The title of a room. */
  readonly room?: string | undefined
}

/** An entry of a conversation. */
export interface Heard {
  readonly entry: ReadEntry
  readonly place: Place
  /** What the message said that a change is about, or that is answered, where it was shown. */
  readonly about?: string | undefined
  /** Of a message that is gone: who has deleted it, where that is known. */
  readonly deletedBy?: string | undefined
  /** A message in a room names us. */
  readonly isMeant?: boolean
  /** It was told before: what could be done about it may be done. */
  readonly isPast?: boolean
  /** Of a message that asks us to pay: what became of it, where that is known. */
  readonly request?: RequestNow | undefined
  /** How it came, where there are direct links. */
  readonly way?: 'direct' | 'relayed' | undefined
}

interface Named {
  readonly name: string
}

/** What each kind of news tells. */
interface NewsData extends MoneyNewsData, DirectNewsData {
  readonly ready: Named & { readonly server: string }
  readonly asked: Named & { readonly conversation: number }
  readonly requested: Named & { readonly conversation: number; readonly entry?: ReadEntry | undefined }
  readonly accepted: Named & { readonly conversation: number }
  readonly declined: Named & { readonly conversation: number }
  /** We are no contact of theirs any more. */
  readonly removed: Named & { readonly conversation: number }
  /** What they asked. */
  readonly withdrawn: Named & { readonly conversation: number }
  /** By us. */
  readonly 'turned-away': Named
  readonly begun: Place
  readonly exited: Place
  readonly said: Heard
  /** Anything else that is in a conversation. */
  readonly changed: Heard
  readonly did: { readonly what: 'changed' | 'deleted' | 'reacted' | 'answered' | 'pinned' | 'unpinned'; readonly about: string }
  readonly 'taken-back': TakenBack
  readonly file: Named & { readonly state: 'sending' | 'sent' | 'saving' | 'saved'; readonly way?: 'direct' }
  readonly unsaved: Refusal & Named
  readonly older: { readonly conversation: number }
  readonly lost: object
  readonly 'set-back': object
  readonly here: Named
  readonly gone: Named
  readonly typing: Named
  readonly disconnected: object
  readonly connected: object
  readonly who: Who
  readonly contacts: { readonly contacts: readonly Contact[]; readonly blocked: readonly string[] }
  readonly rooms: { readonly rooms: readonly ConversationInfo[] }
  readonly history: Place & { readonly entries: readonly ReadEntry[]; readonly marks: Marks }
  /** We have ended that they are a contact, or taken back what they were asked. */
  readonly parted: Named
  readonly blocked: Named
  readonly unblocked: Named
  readonly help: object
  /** Something that was said is not sent, and will not be. */
  readonly unsent: Refusal & { readonly id?: string; readonly text: string }
  /** How the line of input of that number fared, the first being 1. */
  readonly done: { readonly line: number } & Partial<Pick<Sent, 'id' | 'conversation' | 'seq'>>
  readonly refused: Refusal & { readonly line: number }
}

type Event = keyof NewsData
type News<E extends Event> = { readonly [K in E]: { readonly event: K } & NewsData[K] }[E]
/** One thing that is told. */
export type ChatNews = News<Event>

/** Up to where the other one has things, where they show it. */
export interface Marks {
  readonly own: string
  readonly delivered?: number | undefined
  readonly read?: number | undefined
}

/** Why something is refused, and what to do next. */
export interface Refusal {
  readonly code: Code
  readonly sentence: string
  readonly hint: string | undefined
}

/** News as people read them. */
export function chatText(news: ChatNews): readonly ChatText[] {
  if (isDirectNews(news)) return [{ lines: directText(news) }]
  return isMoneyNews(news) ? [{ lines: moneyText(news) }] : textsOf(news)
}

function textsOf<E extends keyof typeof texts>(news: News<E>): readonly ChatText[] {
  const text = texts[news.event](news)
  return typeof text === 'string' ? [{ lines: [text] }] : text
}

/** News as programs read them: text as text, other bodies in base64, entries as `inbox --json` has them. */
export function chatJson(news: ChatNews): object {
  const { event } = news
  if (isMoneyNews(news)) return moneyJson(news)
  if (isDirectNews(news)) return directJson(news)
  if (event === 'said' || event === 'changed') {
    const { entry, place, way, request } = news
    return { event, ...entryObject(entry), ...placeJson(place), requestStatus: request?.status, way }
  }
  if (event === 'requested') return { event, name: news.name, conversation: news.conversation, text: news.entry?.text }
  if (event === 'begun' || event === 'exited') return { event, conversation: news.conversation, ...placeJson(news) }
  if (event !== 'history') return news
  const { entries, marks, conversation } = news
  const shown = { event, conversation, ...placeJson(news), deliveredSeq: marks.delivered, readSeq: marks.read }
  return { ...shown, entries: entries.map((entry) => entryObject(entry)) }
}

function placeJson({ peer, room }: Place): object {
  return room === undefined ? { name: peer } : { room }
}

/** What was to be sent by an earlier run, and is refused. */
export function failureNews({ id, params, reason }: SendFailure): ChatNews {
  return { event: 'unsent', id, text: new TextDecoder().decode(params.body), ...refusalOf(reason) }
}

/** What news tell of an error. */
export function refusalOf({ code, sentence, hint }: { code: Code; sentence: string; hint: string | undefined }): Refusal {
  return { code, sentence, hint }
}

const texts: {
  readonly [E in Exclude<Event, keyof MoneyNewsData | keyof DirectNewsData>]: (news: News<E>) => string | readonly ChatText[]
} = {
  ready: ({ name, server }) => `you are ${escapeControls(name)} at ${escapeControls(server)}. /help lists the commands`,
  asked: ({ name }) => `${escapeControls(name)} was asked to talk; what you type is sent once they accept`,
  requested: ({ name, entry }) => [
    { lines: [`${escapeControls(name)} asks to talk: /accept or /decline`] },
    ...(entry?.text ? [speech(escapeControls(name), entry)] : []),
  ],
  accepted: ({ name }) => `${escapeControls(name)} is a contact now: /talk ${escapeControls(name)}`,
  declined: ({ name }) => `${escapeControls(name)} declined to talk`,
  removed: ({ name }) => `${escapeControls(name)} has removed you: you are no contacts any more`,
  withdrawn: ({ name }) => `${escapeControls(name)} does not ask to talk any more`,
  'turned-away': ({ name }) => `${escapeControls(name)} was declined`,
  begun: (place) => `you are talking ${place.room === undefined ? 'with' : 'in'} ${placeLabel(place)}. /exit leaves`,
  exited: (place) => `you have left ${placeLabel(place)}; what comes is still shown`,
  said: (heard) => [heardText(heard)],
  changed: (heard) => [heardText(heard)],
  did: ({ what, about }) => `${what === 'reacted' ? 'reacted to' : what} ${quote(shortened(about))}`,
  'taken-back': takenBackLine,
  file: ({ state, name, way }) => `${state} ${quote(name)}${way === undefined ? '' : ', directly'}`,
  unsaved: ({ name, ...refusal }) => `not saved: ${quote(name)}: ${refusalLine(refusal)}`,
  older: () => 'there is more that you have not read: /history',
  lost: () => 'some of what came was not kept for this device: /history has it',
  'set-back': () => 'the server was set back to an earlier day: what was said and paid since is not there any more',
  here: ({ name }) => `${escapeControls(name)} is here`,
  gone: ({ name }) => `${escapeControls(name)} is gone`,
  typing: ({ name }) => `${escapeControls(name)} is typing`,
  disconnected: () => 'connection lost, trying again',
  connected: () => 'connected again',
  who: (who) => `here: ${whoLines(who).join(', ')}`,
  contacts: (news) => [{ lines: contactLines(news) }],
  rooms: ({ rooms }) => [{ lines: rooms.length === 0 ? ['you are in no room'] : rooms.map(roomLine) }],
  history: historyText,
  parted: ({ name }) => `${escapeControls(name)} is no contact any more`,
  blocked: ({ name }) => `${escapeControls(name)} is blocked: nothing of theirs arrives here`,
  unblocked: ({ name }) => `${escapeControls(name)} is not blocked any more`,
  help: () => [{ lines: chatHelp }],
  unsent: ({ text, ...refusal }) => `not sent: ${quote(shortened(text))}: ${refusalLine(refusal)}`,
  done: () => [],
  refused: refusalLine,
}

function contactLines({ contacts, blocked }: Pick<News<'contacts'>, 'contacts' | 'blocked'>): readonly string[] {
  const others = blocked.filter((name) => !contacts.some((contact) => contact.name === name))
  const lines = [
    ...contacts.map((contact) => `${contactLine(contact)}${blocked.includes(contact.name) ? ' (blocked)' : ''}`),
    ...others.map((name) => `${escapeControls(name)} (blocked)`),
  ]
  return lines.length === 0 ? ['you have no contacts yet: /talk NAME'] : lines
}

function contactLine({ name, state, here }: Contact): string {
  const standing = { accepted: '', asked: ' (you have asked)', asking: ' (asks you: /accept or /decline)' }[state]
  return `${escapeControls(name)}${standing}${here === true ? ' (here)' : ''}`
}

function roomLine({ conversation, title, state, members }: ConversationInfo): string {
  const standing = state === 'invited' ? ', you are invited: /talk joins' : ''
  return `#${conversation} ${placeLabel({ conversation, room: title })} ${members} ${members === 1 ? 'member' : 'members'}${standing}`
}

function takenBackLine({ count, perhaps }: TakenBack): string {
  if (count + perhaps === 0) return 'nothing of what you have said here waits to be sent'
  const doubt = perhaps === 0 ? '' : `; ${perhaps} may be sent already`
  return `${count === 1 ? 'a line was' : `${count} lines were`} thrown away${doubt}`
}

function refusalLine({ sentence, hint }: Refusal): string {
  return escapeControls(hint === undefined ? sentence : `${sentence}. ${hint}`)
}
