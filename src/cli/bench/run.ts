// What `sealwire bench` does at a server: connects, pings, says durable messages in a room of its own, and leaves. It keeps to what
// any member may do, so that nothing it does can be worse than a few busy members.

import type { Clock } from '../../domain/clock.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { stampUuid7 } from '../../domain/uuid7.ts'
import type { Member } from '../../client/home/member.ts'
import { messageIdBytes } from '../../protocol/contract/index.ts'
import { type Code, SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { type Accepted, type Pace, paceOf, type Waits, waitsOf } from './figures.ts'

/** How much load there is. */
export interface BenchPlan {
  /** Connections that say something, in turn those of each account. */
  readonly senders: number
  /** Messages of each that have no answer yet. */
  readonly depth: number
  readonly bodyBytes: number
  /** Of pings and messages together. */
  readonly durationMs: number
}

export interface BenchParts {
  /** Logs in, as the next account in turn. */
  readonly open: (index: number, signal: AbortSignal) => Promise<Member>
  readonly accounts: number
  readonly clock: Clock
  readonly random: Randomness
  /** Ends the load; what was measured until then is told. */
  readonly signal: AbortSignal
  /** Told each part as it is there. */
  readonly tell: (part: BenchPart) => Promise<void>
}

/** What is measured, in this order. */
export type BenchPart =
  /** From dialling to being logged in. */
  | ({ readonly part: 'connect' } & Waits)
  /** One at a time, there and back. */
  | ({ readonly part: 'ping' } & Waits)
  /** From sending to the answer, which follows the commit. */
  | ({ readonly part: 'messages'; readonly accepted: number; readonly refused: Refused | undefined } & Pace)

/** With what the server has ended the messages. */
export interface Refused {
  readonly code: Code
  readonly sentence: string
}

/**
 * Measures, and leaves the room. What the server refuses because there is too much of it ends the messages and is told.
 * @throws {SealwireError} what `open` throws, and what else the server refuses.
 */
export async function runBench(plan: BenchPlan, parts: BenchParts): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const members = await arrive(plan, parts, stack)
  const accounts = members.slice(0, parts.accounts)
  if (parts.signal.aborted) return
  await parts.tell({ part: 'ping', ...(await ping(accounts, plan.durationMs * pingShare, parts)) })
  const room = await meet(accounts, parts)
  try {
    await parts.tell({ part: 'messages', ...(await talk(members, room, plan, parts)) })
  } finally {
    // A connection that is lost is told as what ended the load.
    await Promise.allSettled(accounts.map(({ client }) => client.request('room.leave', { conversation: room })))
  }
}

/** One after the other, as a server asks it of an address. */
async function arrive(
  { senders }: BenchPlan,
  { open, accounts, clock, signal, tell }: BenchParts,
  stack: AsyncDisposableStack,
): Promise<Member[]> {
  const members: Member[] = []
  const waits: number[] = []
  for (let index = 0; index < Math.max(senders, accounts) && !signal.aborted; index++) {
    const startedAt = clock.monotonic()
    members.push(stack.use(await open(index, signal)))
    waits.push(clock.monotonic() - startedAt)
  }
  await tell({ part: 'connect', ...waitsOf(waits) })
  return members
}

/** Few: a server counts them as it counts messages, and what they use up, messages would lack. */
async function ping(members: readonly Member[], durationMs: number, { clock, signal }: BenchParts): Promise<Waits> {
  const waits: number[] = []
  const end = clock.monotonic() + durationMs
  for (let count = 0; count < pingsPerAccount; count++) {
    for (const { client } of members) {
      const at = clock.monotonic()
      if (at >= end || signal.aborted) return waitsOf(waits)
      await client.request('session.ping', {})
      waits.push(clock.monotonic() - at)
    }
  }
  return waitsOf(waits)
}

/** A room of everybody, in which nobody else is. */
async function meet(members: readonly Member[], { clock, random }: BenchParts): Promise<number> {
  const [host, ...guests] = members
  if (host === undefined) throw new SealwireError('internal', 'a room of nobody')
  const { conversation } = await host.client.request('room.create', { id: newId(clock, random), title: 'sealwire bench' })
  if (guests.length === 0) return conversation
  const { secret } = await host.client.request('room.link', { conversation, uses: guests.length })
  for (const { client } of guests) await client.request('room.join', { secret })
  return conversation
}

async function talk(
  members: readonly Member[],
  conversation: number,
  { senders, depth, bodyBytes, durationMs }: BenchPlan,
  { accounts, clock, random, signal }: BenchParts,
): Promise<Pace & { accepted: number; refused: Refused | undefined }> {
  const accepted: Accepted[] = []
  const body = new Uint8Array(bodyBytes).fill(letter)
  const startedAt = clock.monotonic()
  const end = startedAt + durationMs * (1 - pingShare)
  let refused: Refused | undefined
  const usualPerSecond = accounts * limitTable.messagesPerSecondPerAccountMax.value
  const say = async ({ client }: Member): Promise<void> => {
    for (let at = clock.monotonic(); at < end && !signal.aborted && refused === undefined; at = clock.monotonic()) {
      await client.request('message.send', { conversation, id: newId(clock, random), body })
      const now = clock.monotonic()
      accepted.push({ atMs: now - startedAt, waitMs: now - at })
    }
  }
  const sayUnlessTooMuch = async (member: Member): Promise<void> => {
    try {
      await say(member)
    } catch (reason) {
      const { code, sentence } = SealwireError.from(reason)
      if (!tooMuch.has(code)) throw reason
      refused ??= { code, sentence }
    }
  }
  await Promise.all(members.slice(0, senders).flatMap((member) => Array.from({ length: depth }, () => sayUnlessTooMuch(member))))
  return { ...paceOf(accepted, { elapsedMs: clock.monotonic() - startedAt, usualPerSecond }), accepted: accepted.length, refused }
}

/** As a client makes them. */
function newId(clock: Clock, random: Randomness): Uint8Array {
  return stampUuid7(random(new Uint8Array(messageIdBytes)), clock.now())
}

/** The server can do no more, or lets this account do no more. */
const tooMuch: ReadonlySet<Code> = new Set(['rate_limited', 'busy', 'quota_exceeded', 'storage_full'])
const pingShare = 0.25
const pingsPerAccount = 100
const letter = 0x6d
