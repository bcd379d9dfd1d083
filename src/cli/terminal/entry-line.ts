// An entry of a conversation on a line: for people, and as an object for programs.

import { type ReadEntry, readEntry } from '../../client/content.ts'
import { readPayment } from '../../client/payments/message.ts'
import type { Entry } from '../../protocol/contract/index.ts'
import type { EntryPlace } from './entry-room.ts'
import { escapeControls, quote } from './escape.ts'
import { jsonLine } from './json-line.ts'
import { paymentWords } from '../money/words.ts'

/** The line of JSON for an entry. */
export function entryJson(entry: Entry, position?: number): string {
  return jsonLine({ ...entryObject(readEntry(entry)), position })
}

/** An entry for programs: `{"id","conversation","from","text","sentAt","seq"}`, and what else there is to say of it. */
export function entryObject(entry: ReadEntry): object {
  const { id, conversation, from, text, at, seq, kind, type, body, target, replyTo, mentions, emoji, on, what, about, role, title, topic } =
    entry
  const { announcement, file, deleted, edited } = entry
  const bytes = text === undefined && body !== undefined ? Buffer.from(body).toString('base64') : undefined
  return {
    id,
    conversation,
    from,
    text,
    sentAt: new Date(at).toISOString(),
    seq,
    kind: kind === 'message' ? undefined : kind,
    type: type === 'text/plain' ? undefined : type,
    body: bytes,
    payment: readPayment(entry),
    target,
    replyTo,
    mentions,
    emoji,
    on,
    what,
    about,
    role,
    title,
    topic,
    announcement,
    file: file && { id: Buffer.from(file.id).toString('hex'), name: file.name, size: file.size },
    deleted,
    editedAt: edited === undefined ? undefined : new Date(edited).toISOString(),
  }
}

/** The lines for people: when, where, who, what. */
export function entryLine(entry: Entry, { room, to }: EntryPlace = { room: '' }): string {
  const read = readEntry(entry)
  const payment = readPayment(read)
  const when = new Date(entry.at).toISOString().slice(0, 16).replace('T', ' ')
  if (payment !== undefined) return `${when} ${paymentWords(payment, entry.from)}\n`
  // Who has deleted it is not known here: what room or time took with it is gone as well.
  const author = escapeControls(entry.from)
  const gone = isGone(read) ? goneWords(author) : goneDeed(read, author)
  if (gone !== undefined) return `${when} ${room}${gone}\n`
  const whom = to === undefined || entry.kind !== 'message' ? '' : ` to ${escapeControls(to)}`
  return `${when} ${room}${author}${whom}${said(read)}\n`
}

/** Whether there is nothing of a message but its place. */
export function isGone({ kind, deleted }: ReadEntry): boolean {
  return kind === 'message' && deleted === true
}

/** What stands in place of a message that is gone, which its author need not have deleted. `by` has, where that is known. */
export function goneWords(author: string, by?: string): string {
  return `a message of ${author}, deleted${by === undefined ? '' : ` by ${by}`}`
}

/**
 * What stands in place of something else than a message of which it is not known any more what it was: its message is deleted, or
 * its room or time took it. Undefined where it is known; of an edit or a deletion it always is. `message` is what it was about.
 */
export function goneDeed({ kind, deleted, target }: ReadEntry, author: string, message = `message ${target}`): string | undefined {
  if (deleted !== true) return undefined
  if (kind === 'reaction') return `a reaction of ${author} to ${message}, gone since`
  if (kind === 'pin') return `something of ${author} about pinning ${message}, gone since`
  if (kind === 'contact') return `something of ${author} about a request to talk, gone since`
  return kind === 'member' || kind === 'room' ? `something of ${author} about the room, gone since` : undefined
}

/** What an entry that is not gone says, behind the name of who made it. */
export function said(entry: ReadEntry): string {
  const { kind, text, file, emoji, on, target, type, deleted } = entry
  switch (kind) {
    case 'message':
      if (file !== undefined) return ` sends a file: ${fileWords(file)}${text === undefined || text === '' ? '' : `: ${shownText(text)}`}`
      return text === undefined ? ` sends ${escapeControls(type ?? 'something')}` : `: ${shownText(text)}`
    case 'edit':
      // It says what the message says now.
      if (deleted === true) return ` changes message ${target}, deleted since`
      if (type === undefined && text === undefined) return ` changes message ${target}`
      return ` changes message ${target} to: ${text === undefined ? escapeControls(type ?? 'something') : shownText(text)}`
    case 'delete':
      return ` deletes message ${target}`
    case 'reaction':
      return on === true
        ? ` reacts to message ${target} with ${escapeControls(emoji ?? '')}`
        : ` takes back a reaction to message ${target}`
    case 'pin':
      return on === true ? ` pins message ${target}` : ` unpins message ${target}`
    case 'contact':
      return contactWords(entry)
    case 'member':
      return memberWords(entry)
    case 'room':
      return roomWords(entry)
  }
}

function fileWords({ id, name, size }: NonNullable<ReadEntry['file']>): string {
  return `${escapeControls(name)} (${size} bytes, id ${Buffer.from(id).toString('hex')})`
}

function contactWords({ what, text }: ReadEntry): string {
  if (what === 'accepted') return ' accepts: you can talk now'
  if (what === 'declined') return ' declines to talk'
  if (what === 'removed') return ' ends that you are contacts'
  if (what === 'withdrawn') return ' asks to talk no more'
  return text === undefined || text === '' ? ' asks to talk' : ` asks to talk: ${shownText(text)}`
}

function memberWords({ what, about = '', role }: ReadEntry): string {
  const whom = escapeControls(about)
  if (what === 'invited') return ` invites ${whom}`
  if (what === 'removed') return ` removes ${whom}`
  if (what === 'role') return ` makes ${whom} ${role ?? 'member'}`
  return what === 'left' ? ' leaves' : ' joins'
}

/** A change has what was changed, and nothing where it is what new members see. Who reads can be sure where a title ends. */
function roomWords({ seq, title, topic, announcement }: ReadEntry): string {
  if (seq === 1) return ` sets up the room: ${[title ?? '', ...(topic ? [topic] : [])].map(quote).join(', ')}`
  const changes = [
    ...(title === undefined ? [] : [`calls the room ${quote(title)}`]),
    ...(topic === undefined ? [] : [topic === '' ? 'takes the topic away' : `sets the topic: ${quote(topic)}`]),
    ...(announcement === undefined ? [] : [announcement ? 'lets only owner and moderators speak' : 'lets everybody speak']),
  ]
  return ` ${changes.join(', ') || 'changes what new members see of what was before'}`
}

/** A line that follows another one of the same message is set in, so that nobody can forge a line of somebody else. */
function shownText(text: string): string {
  return text.replace(/\n$/, '').split(/\r?\n/).map(escapeControls).join('\n  ')
}
