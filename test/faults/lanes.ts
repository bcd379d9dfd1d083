// Somebody who says a lot to somebody else at once, over connections that do nothing else, and what the other one has still to store.
// What was acknowledged has to be there, once and in the order of its lane.

import type { Client } from '../../src/client/node.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { messageId } from '../support/device-client.ts'
import { liftedRates, type ServerProcess } from '../support/server-process.ts'
import { dial } from './plain-client.ts'

/** Two who are contacts, with the tokens that they log in with. */
export interface Talking {
  readonly alice: Uint8Array
  readonly bob: Uint8Array
}

/** How fast somebody may talk is not what is tried; and the disk fills up to its last byte. */
export const laneLimits = {
  ...liftedRates,
  messagesPerSecondPerAccountMax: 1_000_000,
  inboxEntriesPerSenderMax: 1_000_000,
  diskBytesFreeMin: 0,
} as const

/** Makes alice and bob, who has an inbox from now on. */
export async function introduce(server: ServerProcess): Promise<Talking> {
  const [alice, bob] = [await dial(server), await dial(server)]
  const { token: own } = await alice.request('account.register', { name: 'alice' })
  const { token } = await bob.request('account.register', { name: 'bob' })
  await bob.request('inbox.open', {})
  await alice.request('contact.request', { name: 'bob', id: messageId() })
  await bob.request('contact.accept', { name: 'alice' })
  for (const client of [alice, bob]) client.close()
  return { alice: own, bob: token }
}

export async function resume(server: ServerProcess, token: Uint8Array): Promise<Client> {
  const client = await dial(server)
  await client.request('account.resume', { token })
  return client
}

/** Talks until an answer does not come, or there were enough; what was acknowledged is noted as it comes. */
export async function talk(
  server: ServerProcess,
  { alice }: Talking,
  name: string,
  acknowledged: string[],
  max = perLaneMax,
): Promise<void> {
  // A connection has one request under way at a time; with several of them a commit has several messages.
  const lane = async (client: Client, number: number): Promise<void> => {
    for (let index = 0; index < max; index++) {
      const text = `${name}${number} ${index}`
      const answer = client.request('message.send', { to: 'bob', id: messageId(), body: Buffer.from(text) })
      if (!(await isAnswered(answer))) return
      acknowledged.push(text)
    }
  }
  const clients = await Promise.all(Array.from({ length: lanes }, () => resume(server, alice)))
  await Promise.all(clients.map(lane))
  for (const client of clients) client.close()
}

/** What bob has still to store. */
export async function inboxOf(server: ServerProcess, { bob: token }: Talking): Promise<string[]> {
  const bob = await resume(server, token)
  const events = bob.events()
  const { lastSeq } = await bob.request('inbox.open', {})
  const texts: string[] = []
  for (let seq = 0; seq < lastSeq; ) {
    const { value } = await events.next()
    if (value?.event !== 'inbox.entry') continue
    seq = value.data.seq
    if (value.data.entry.kind === 'message') texts.push(Buffer.from(value.data.entry.body ?? []).toString())
  }
  bob.close()
  return texts
}

/** What was acknowledged and is not there, or twice, or not in its lane's order. */
export function compare(acknowledged: readonly string[], arrived: readonly string[]): readonly string[] {
  const there = new Set(arrived)
  const lost = acknowledged.filter((text) => !there.has(text)).map((text) => `lost: ${text}`)
  const twice = arrived.length === there.size ? [] : ['something is there twice']
  const newest = new Map<string, number>()
  const late = arrived.filter((text) => {
    const [lane = '', index] = text.split(' ')
    const isLate = Number(index) !== (newest.get(lane) ?? -1) + 1
    newest.set(lane, Number(index))
    return isLate
  })
  return [...lost, ...twice, ...late.map((text) => `not in its place: ${text}`)]
}

/** The code of a refusal; `undefined` for an answer. @throws whatever else there is. */
export async function codeOf(answer: Promise<unknown>): Promise<string | undefined> {
  try {
    await answer
    return undefined
  } catch (reason) {
    if (SealwireError.is(reason)) return reason.code
    throw reason
  }
}

async function isAnswered(answer: Promise<unknown>): Promise<boolean> {
  return answer.then(
    () => true,
    () => false,
  )
}

export const lanes = 8
const perLaneMax = 100_000
