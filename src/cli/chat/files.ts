// Files in a chat. What is piped in may be anybody's, and must not choose files: so only a person at a terminal sends and saves.

import { existsSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { formatMessageId } from '../../client/outbox/message-id.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { lastMessage, pathOf } from './deeds.ts'
import type { ChatNews, Refusal } from './news.ts'
import type { Talk } from './talk.ts'
import type { Talker } from './talker.ts'
import { inOwnWords } from './unsent.ts'

export interface ChatFilesParts {
  readonly me: Pick<Talker, 'saveFile'>
  readonly talk: Pick<Talk, 'conversation'>
  readonly terminal: boolean
  readonly tell: (news: ChatNews) => void
  /** What is told of an error. */
  readonly refusal: (reason: unknown) => Refusal
  readonly signal: AbortSignal
}

/** Sends a file; how that went is told when it is known. @throws {SealwireError} `usage`. */
export function sendFile(typed: string, { talk, terminal, tell, refusal, signal }: ChatFilesParts): void {
  if (!terminal) throw new SealwireError('usage', '/file is for terminals', { hint: 'sealwire file send sends one' })
  const sent = talk.conversation.sendFile(pathOf(typed), { signal })
  tell({ event: 'file', state: 'sending', name: typed })
  sent.then(
    () => tell({ event: 'file', state: 'sent', name: typed }),
    (reason: unknown) => tell({ event: 'unsent', text: typed, ...refusal(inOwnWords(reason)) }),
  )
}

/**
 * Saves the last file that was sent here, under a path or by its name in this folder; how that went is told when it is known.
 * @throws {SealwireError} `usage`, also where there is something already; `not_found`; what the server refuses.
 */
export async function saveFile(typed: string | undefined, { me, talk, terminal, tell, refusal, signal }: ChatFilesParts): Promise<void> {
  if (!terminal) throw new SealwireError('usage', '/save is for terminals', { hint: 'sealwire file get saves one' })
  const { file } = await lastMessage(talk.conversation, (entry) => entry.file !== undefined)
  if (file === undefined) return
  const { name, path } = savePlace(typed && pathOf(typed), file, '/save PATH')
  let isDirect = false
  const progress = (_done: number, _size: number, way: 'direct' | 'relayed'): void => void (isDirect ||= way === 'direct')
  tell({ event: 'file', state: 'saving', name })
  me.saveFile(file, path, { signal, progress }).then(
    () => tell({ event: 'file', state: 'saved', name, ...(isDirect ? { way: 'direct' as const } : {}) }),
    (reason: unknown) => tell({ event: 'unsaved', name, ...refusal(reason) }),
  )
}

/**
 * Where a file is saved: under the path that was typed, by its name in the folder that was typed, or by its name in this folder. `name` is what
 * is said of it; `another` says how another path is given. What an earlier try has left is not there under this path yet.
 * @throws {SealwireError} `usage` where there is something already.
 */
export function savePlace(typed: string | undefined, file: NamedFile, another: string): { readonly name: string; readonly path: string } {
  const own = safeName(file.name, file.id)
  const name = typed === undefined ? own : isFolder(typed) ? join(typed, own) : typed
  const path = resolve(name)
  if (existsSync(path)) throw new SealwireError('usage', `there is ${name} already`, { hint: `say where to: ${another}` })
  return { name, path }
}

/** What is there as one, and what can be nothing else. */
function isFolder(path: string): boolean {
  return path.endsWith('/') || (existsSync(path) && statSync(path).isDirectory())
}

interface NamedFile {
  readonly name: string
  readonly id: Uint8Array
}

/** The name is its sender's: never a path of theirs. */
export function safeName(name: string, id: Uint8Array): string {
  const plain = basename(name).replace(/[^\p{L}\p{N}._ -]/gu, '_')
  return /^\.*$/.test(plain) ? formatMessageId(id) : plain.replace(/^\./, '_')
}
