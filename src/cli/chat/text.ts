// What others say and do, as lines for people. A line of theirs begins with who they are, which no words of theirs can
// contain before a colon; the further lines of a message stand behind a bar.

import type { ReadEntry } from '../../client/index.ts'
import { type PaymentSaid, readPayment } from '../../client/payments/message.ts'
import { isNothing } from '../../domain/money.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { ChatNews, Heard, Marks } from './news.ts'
import type { RequestNow } from './request.ts'
import { goneDeed, goneWords, isGone, said } from '../terminal/entry-line.ts'
import { isMeant } from '../terminal/mentions.ts'
import { roomLabel } from '../terminal/place-label.ts'
import { escapeControls, quote } from '../terminal/escape.ts'
import { paymentWords } from '../money/words.ts'

/** Text for people: who it is from, where it is somebody's words, and the lines. */
export interface ChatText {
  /** Escaped; absent for notes of ours. */
  readonly speaker?: string
  readonly lines: readonly string[]
}

/** An entry of a conversation. */
export function heardText(heard: Heard): ChatText {
  const { entry, place } = heard
  const room = place.room === undefined ? '' : `${roomLabel(place.room)} `
  const who = `${room}${escapeControls(entry.from)}`
  if (entry.kind === 'message') return messageText(room, heard)
  const gone = goneDeed(entry, escapeControls(entry.from), aboutWords(heard))
  if (gone !== undefined) return { lines: [`${room}${gone}`] }
  if (entry.kind === 'edit') return editText(`${who} changed ${aboutWords(heard)}`, entry)
  return { lines: [`${who}${deedWords(heard)}`] }
}

/** The first characters of a text. */
export function cut(text: string, max: number): string {
  return Array.from(text).slice(0, max).join('')
}

/** What stands in a note of somebody's words. */
export function shortened(text: string): string {
  const [first = ''] = text.split('\n', 1)
  return first.length <= shownMax && first === text.trimEnd() ? first : `${cut(first, shownMax - 1)}…`
}

/** Somebody's words. */
export function speech(speaker: string, { type = 'text/plain', body = nothing }: Pick<ReadEntry, 'type' | 'body'>): ChatText {
  if (!isText(type)) return { lines: [`${speaker} sends ${escapeControls(type)}, ${body.length} bytes, which is not shown here`] }
  const lines = decodeText(body)
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
  const shown = lines.slice(0, linesMax).map(escapeControls)
  return { speaker, lines: lines.length > linesMax ? [...shown, `… and ${lines.length - linesMax} more lines`] : shown }
}

/** A part of a conversation, a message behind its time; ✓ is delivered, ✓✓ read. What changed messages stands in them. */
export function historyText({ entries, marks, room, peer }: Extract<ChatNews, { event: 'history' }>): readonly ChatText[] {
  if (!entries.some(isShown)) return [{ lines: [entries.length === 0 ? 'nothing was said yet' : 'nothing is left of what was said'] }]
  const words = new Map(entries.map(({ seq, text }) => [seq, text]))
  const deleters = new Map(entries.filter(({ kind }) => kind === 'delete').map(({ target = 0, from }) => [target, from]))
  return entries.filter(isShown).map((entry) => {
    const { conversation, replyTo = 0, target = replyTo } = entry
    const place = { conversation, room, peer: entry.from === marks.own && readPayment(entry) === undefined ? undefined : peer }
    const [first = '', ...others] = plainLines(
      heardText({
        ...{ entry, place, about: words.get(target), isPast: true, deletedBy: deleters.get(entry.seq) },
        isMeant: room !== undefined && isMeant(entry, marks.own),
      }),
    )
    const when = new Date(entry.at).toISOString().slice(0, 16).replace('T', ' ')
    return { lines: [`${when} ${first}${others.length === 0 ? markOf(entry, marks) : ''}`, ...others] }
  })
}

/** Whether an entry has lines of its own in a history: what changed a message stands in it, and of what is gone, a message alone leaves a gap. */
export function isShown({ kind, deleted }: Pick<ReadEntry, 'kind' | 'deleted'>): boolean {
  return kind !== 'edit' && kind !== 'delete' && (deleted !== true || kind === 'message')
}

/** The lines of a text, one after the other. The first of a message stands behind who said it, the others behind a bar. */
export function plainLines({ speaker, lines }: ChatText, style = (head: string) => head): readonly string[] {
  if (speaker === undefined) return lines
  const [first = '', ...others] = lines
  return [`${style(`${speaker}:`)} ${first}`, ...others.map((line) => `  | ${line}`)]
}

function messageText(room: string, heard: Heard): ChatText {
  const { entry, place, isPast = false, deletedBy, request } = heard
  const { file, body, edited, from } = entry
  // What one has said oneself elsewhere.
  const isOwn = place.room === undefined && place.peer !== undefined && place.peer !== from
  const who = isOwn ? `${escapeControls(from)} to ${escapeControls(place.peer)}` : escapeControls(from)
  if (isGone(entry)) return { lines: [goneText(room, who, { from, deletedBy })] }
  const author = `${room}${who}`
  const payment = readPayment(entry)
  if (payment !== undefined) return moneyText(payment, from, { place, isPast, request })
  const speaker = `${author}${heard.isMeant === true ? ' (to you)' : ''}${edited === undefined ? '' : ' (changed)'}`
  const answers = entry.replyTo === undefined ? undefined : ` answers ${aboutWords(heard)}`
  if (file === undefined) return speech(`${speaker}${answers ?? ''}`, entry)
  const how = answers === undefined ? ' sends' : `${answers} with`
  const sends = `${author}${how} a file: ${quote(file.name)}, ${file.size} bytes, ${Buffer.from(file.id).toString('hex')}`
  if (body === undefined || body.length === 0) return { lines: [sends] }
  return { lines: [sends, ...plainLines(speech(speaker, entry))] }
}

/** Where it is not known who has deleted it, nobody is said to: what room or time took with it is gone as well. */
function goneText(
  room: string,
  who: string,
  { from, deletedBy }: { readonly from: string; readonly deletedBy: string | undefined },
): string {
  if (deletedBy === from) return `${room}${who} deleted what was here`
  return `${room}${goneWords(who, deletedBy === undefined ? undefined : escapeControls(deletedBy))}`
}

/** Between two, whoever is not the other one is us. It is our note, which no words of theirs can pass for. */
function moneyText(
  payment: PaymentSaid,
  author: string,
  { place: { peer }, isPast, request }: Pick<Heard, 'place' | 'isPast' | 'request'>,
): ChatText {
  const named = (name: string): string => (peer === undefined || name === peer ? escapeControls(name) : 'you')
  const isAsked = payment.kind === 'request' && payment.to === peer && !isPast
  const aside = isAsked ? askedAside(`/pay ${named(peer)} pays it`, request) : ''
  return { lines: [paymentWords(payment, author, named, aside)] }
}

/** As `/requests` and `sealwire requests` have it. */
function askedAside(how: string, { status, paid }: RequestNow = { status: 'open', paid: '0' }): string {
  if (status !== 'open') return ` (${status})`
  return `${isNothing(paid) ? '' : `, ${escapeControls(paid)} paid`} (${how})`
}

/** The words are gone when it was deleted since. */
function editText(what: string, entry: ReadEntry): ChatText {
  return entry.body === undefined ? { lines: [what] } : speech(`${what} to`, entry)
}

function deedWords(heard: Heard): string {
  const { kind, on, emoji = '', what } = heard.entry
  if (kind === 'delete') return ` deleted ${aboutWords(heard)}`
  if (kind === 'pin') return ` ${on === false ? 'unpinned' : 'pinned'} ${aboutWords(heard)}`
  if (kind === 'reaction') return `${on === false ? ' took back' : ' reacts with'} ${escapeControls(emoji)} to ${aboutWords(heard)}`
  if (kind !== 'contact') return said(heard.entry)
  return contactWords[what ?? ''] ?? ` ${what}`
}

const contactWords: Readonly<Record<string, string>> = {
  requested: ' asked to talk',
  removed: ' ended that you are contacts',
  withdrawn: ' took back that they asked to talk',
}

function aboutWords({ about }: Heard): string {
  return about === undefined ? 'an earlier message' : quote(shortened(about))
}

function markOf({ kind, from, seq }: ReadEntry, { own, delivered = 0, read = 0 }: Marks): string {
  if (kind !== 'message' || from !== own) return ''
  return seq <= read ? '  ✓✓' : seq <= delivered ? '  ✓' : ''
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

const shownMax = 40
const nothing = new Uint8Array()
const linesMax = limitTable.chatMessageLinesMax.value
