// An entry of a conversation on a line: for people, and as an object for programs.

import { type ReadEntry, readEntry } from '../client/content.ts'
import { readPayment } from '../client/payment-message.ts'
import type { Entry } from '../protocol/contract/index.ts'
import { escapeControls } from './escape.ts'
import { jsonLine } from './json-line.ts'
import { paymentWords } from './payment-words.ts'

/** The line of JSON for an entry. */
export function entryJson(entry: Entry, position?: number): string {
  return jsonLine({ ...entryObject(readEntry(entry)), position })
}

/** An entry for programs: `{"id","conversation","from","text","sentAt","seq"}`, and what else there is to say of it. */
export function entryObject(entry: ReadEntry): object {
  const { id, conversation, from, text, at, seq, kind, type, body, target, replyTo, mentions, emoji, on, what, about, role, title, topic } =
    entry
  const { file, deleted, edited } = entry
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
    file: file && { id: Buffer.from(file.id).toString('hex'), name: file.name, size: file.size },
    deleted,
    editedAt: edited === undefined ? undefined : new Date(edited).toISOString(),
  }
}

/** The lines for people: when, who, what. */
export function entryLine(entry: Entry): string {
  const read = readEntry(entry)
  const payment = readPayment(read)
  const when = new Date(entry.at).toISOString().slice(0, 16).replace('T', ' ')
  if (payment !== undefined) return `${when} ${paymentWords(payment, entry.from)}\n`
  return `${when} ${escapeControls(entry.from)}${said(read)}\n`
}

/** What an entry says, behind the name of who made it. */
export function said(entry: ReadEntry): string {
  const { kind, text, file, deleted, emoji, on, target, type } = entry
  switch (kind) {
    case 'message':
      if (deleted === true) return ' deleted this message'
      if (file !== undefined)
        return ` sends a file: ${escapeControls(file.name)} (${file.size} bytes, id ${Buffer.from(file.id).toString('hex')})`
      return text === undefined ? ` sends ${escapeControls(type ?? 'something')}` : `: ${shownText(text)}`
    case 'edit':
      return ` changes message ${target} to: ${shownText(text ?? '')}`
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
      return ` sets up the room: ${escapeControls(entry.title ?? '')}`
  }
}

function contactWords({ what, text }: ReadEntry): string {
  if (what === 'accepted') return ' accepts: you can talk now'
  if (what === 'declined') return ' declines to talk'
  return text === undefined || text === '' ? ' asks to talk with you' : ` asks to talk with you: ${shownText(text)}`
}

function memberWords({ what, about = '', role }: ReadEntry): string {
  const whom = escapeControls(about)
  if (what === 'invited') return ` invites ${whom}`
  if (what === 'removed') return ` removes ${whom}`
  if (what === 'role') return ` makes ${whom} ${role ?? 'member'}`
  return what === 'left' ? ' leaves' : ' joins'
}

/** A line that follows another one of the same message is set in, so that nobody can forge a line of somebody else. */
function shownText(text: string): string {
  return text.replace(/\n$/, '').split(/\r?\n/).map(escapeControls).join('\n  ')
}
