// Entries as commands print them: what they say of money was asked of the server.

import { readEntry } from '../client/content.ts'
import type { Client } from '../client/node.ts'
import { systemClock } from '../domain/clock.ts'
import type { Entry } from '../protocol/contract/index.ts'
import { entryJson, entryLine } from './entry-line.ts'
import { tryUntil } from './passing.ts'
import { type AskTransfer, toldEntry } from './told-entry.ts'

/** The lines of an entry, or its line of JSON with its place in the inbox. @throws {SealwireError} why the server did not answer. */
export async function printedEntry(client: Pick<Client, 'request'>, entry: Entry, json: boolean, position?: number): Promise<string> {
  const ask: AskTransfer = (id, payer) => {
    const until = systemClock.monotonic() + tryMs
    return tryUntil({ clock: systemClock, until, advice: {} }, () => client.request('payment.transfer', { id, payer }))
  }
  const told = await toldEntry(readEntry(entry), ask)
  return json ? entryJson(told, position) : entryLine(told)
}

/** The lines of several, in order. @throws as {@link printedEntry}. */
export async function printedEntries(client: Pick<Client, 'request'>, entries: readonly Entry[], json: boolean): Promise<string> {
  const printed: string[] = []
  for (const entry of entries) printed.push(await printedEntry(client, entry, json))
  return printed.join('')
}

/** Of a long history the server may want to be asked more slowly. */
const tryMs = 15_000
