// What the commands of a chat do, beside choosing with whom one talks.

import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ReadEntry } from '../../client/index.ts'
import { paymentType } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { advised } from '../advice.ts'
import type { ChatDirect } from './direct.ts'
import type { ChatCommand } from './line.ts'
import type { ChatNews } from './news.ts'
import type { ChatPayments } from './payments.ts'
import { placeOf } from './hearing.ts'
import { calledOf } from './shown.ts'
import type { Talk } from './talk.ts'
import type { Talker } from './talker.ts'
import { isShown } from './text.ts'

/** What commands work with. */
export interface Deeds {
  readonly me: Talker
  readonly talk: Talk
  readonly tell: (news: ChatNews) => void
  readonly payments: Pick<ChatPayments, 'pay' | 'request' | 'requests' | 'balance'>
  /** Where there are direct links. */
  readonly direct?: Pick<ChatDirect, 'ways'> | undefined
}

/** Commands; to say something, to send or save a file and to end are not among them. */
export type Deed = Exclude<ChatCommand, { name: 'say' | 'file' | 'save' | 'quit' }>

/** Does what a command asks for. @throws {SealwireError} `usage`; what the server refuses. */
export async function perform(deed: Deed, deeds: Deeds): Promise<void> {
  const { me, talk, tell, payments, direct } = deeds
  switch (deed.name) {
    case 'talk':
      return talk.with(whoOf(deed.who))
    case 'accept':
      return talk.accept(deed.who)
    case 'decline':
      return talk.decline(deed.who)
    case 'exit':
      if (talk.focus.name === 'nobody') throw new SealwireError('usage', 'you are talking with nobody', { hint: '/quit ends the program' })
      return talk.leave()
    case 'status':
      return tell({ event: 'status', name: me.name, state: me.state, ways: direct?.ways })
    case 'remove':
      return remove(deed.who, talk)
    case 'block':
      return talk.block(deed.who)
    case 'unblock':
      await me.call('directory.unblock', { name: deed.who })
      return tell({ event: 'unblocked', name: deed.who })
    case 'who':
      return tell({ event: 'who', ...(await me.call('directory.who', {})) })
    case 'contacts':
      return tell(await contactsOf(me))
    case 'rooms':
      return tell({ event: 'rooms', rooms: (await Array.fromAsync(me.conversations())).filter(({ kind }) => kind === 'room') })
    case 'unsend':
      return tell({ event: 'taken-back', ...(await talk.unsend()) })
    case 'history':
      return tellHistory(deed.count, deeds)
    case 'pay':
      return payments.pay(deed.who ?? payeeOf(deed.name, talk), deed.sum)
    case 'request':
      return payments.request(deed.who ?? payeeOf(deed.name, talk), deed.sum)
    case 'requests':
    case 'balance':
      return payments[deed.name]()
    case 'help':
      return tell({ event: 'help' })
    case 'edit':
    case 'delete':
    case 'react':
    case 'reply':
    case 'pin':
    case 'unpin':
      return change(deed, deeds)
  }
}

/** A name, or the number of a room behind `#`. @throws {SealwireError} `usage`. */
export function whoOf(text: string): string | number {
  if (!text.startsWith('#')) return text
  if (/^#[1-9]\d{0,9}$/.test(text)) return Number(text.slice(1))
  throw new SealwireError('usage', 'this is no room', { hint: 'write # and its number, as /rooms lists it' })
}

/** The path that somebody typed; `~` is their home. */
export function pathOf(typed: string): string {
  return typed.startsWith('~/') ? join(homedir(), typed.slice(2)) : typed
}

/** Whom it is about where nobody is named. @throws {SealwireError} `usage` when that is not one person. */
function payeeOf(command: 'pay' | 'request', { focus, peer }: Talk): string {
  if (peer !== undefined) return peer
  const where = focus.name === 'nobody' ? 'you are talking with nobody' : 'you are talking in a room'
  throw new SealwireError('usage', where, { hint: `say who it is: /${command} NAME 5 for lunch` })
}

async function remove(name: string, talk: Talk): Promise<void> {
  try {
    await talk.remove(name)
  } catch (reason) {
    throw advised(reason, { not_contact: '/contacts lists who is; /decline NAME turns down what they ask' })
  }
}

async function contactsOf(me: Talker): Promise<ChatNews> {
  const { names: blocked } = await me.call('directory.blocked', {})
  return { event: 'contacts', contacts: await Array.fromAsync(me.contacts()), blocked }
}

async function tellHistory(count: number, { me, talk, tell }: Deeds): Promise<void> {
  const { conversation } = talk
  const info = await conversation.refresh()
  const entries: ReadEntry[] = []
  let left = count
  for await (const entry of conversation.history()) {
    entries.push(entry)
    if (isShown(entry)) left--
    if (left <= 0 || entries.length >= count * changesEach) break
  }
  entries.reverse()
  tell({ event: 'history', entries, marks: { own: me.name, delivered: info.peerDeliveredSeq, read: info.peerReadSeq }, ...placeOf(info) })
}

/** Changes the last own message, answers or reacts to the last one of somebody else, or pins the last one. */
async function change(deed: Extract<Deed, { name: keyof typeof did }>, { me, talk, tell }: Deeds): Promise<void> {
  const { conversation } = talk
  // What a payment says stays as it is.
  const isOwn = ({ from, type }: ReadEntry): boolean => from === me.name && type !== paymentType
  const isOthers = ({ from }: ReadEntry): boolean => from !== me.name
  const isMeant = {
    react: isOthers,
    reply: isOthers,
    pin: (): boolean => true,
    unpin: (): boolean => true,
    delete: isOwn,
    // A file may say nothing; then there is nothing to change.
    edit: (entry: ReadEntry): boolean => isOwn(entry) && (entry.text ?? '') !== '',
  }
  const target = await lastMessage(conversation, isMeant[deed.name], { pinned: deed.name === 'unpin' })
  const about = calledOf(target) ?? (target.type === paymentType ? 'a payment' : (target.type ?? ''))
  if (deed.name === 'edit') await talk.edit(target.seq, deed.text)
  else if (deed.name === 'reply') await talk.reply(target.seq, deed.text)
  else if (deed.name === 'delete') await conversation.delete(target.seq)
  else if (deed.name === 'react') await conversation.react(target.seq, deed.emoji)
  else await conversation.pin(target.seq, { on: deed.name === 'pin' })
  tell({ event: 'did', what: did[deed.name], about })
}

/** The last message that is meant, of the newest 200 entries, or of those that are pinned. @throws {SealwireError} `not_found`; what the server refuses. */
export async function lastMessage(
  conversation: Talk['conversation'],
  isMeant: (entry: ReadEntry) => boolean,
  { pinned = false }: { readonly pinned?: boolean } = {},
): Promise<ReadEntry> {
  let looked = 0
  for await (const entry of conversation.history(pinned ? { pinned } : {})) {
    if (entry.kind === 'message' && entry.deleted !== true && isMeant(entry)) return entry
    if (++looked >= lookedMax) break
  }
  if (pinned) throw new SealwireError('not_found', 'nothing is pinned here', { hint: '/pin pins the last message' })
  throw new SealwireError('not_found', `there is no such message among the last ${lookedMax}`, { hint: '/history shows what was said' })
}

const did = { edit: 'changed', delete: 'deleted', react: 'reacted', reply: 'answered', pin: 'pinned', unpin: 'unpinned' } as const
const lookedMax = 200
/** Entries that are looked at for each that is asked for: what was changed a hundred times is no reason to read on for ever. */
const changesEach = 10
