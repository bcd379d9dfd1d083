// The agent's conversation: a number of messages, each printed as it comes back, over as many connections as it takes.
//
//   connect ──▶ send, wait for the echo, wait ──▶ … ──▶ close ──▶ done
//      ▲                    │ the connection breaks
//      └── wait 1 s, 2 s, … 30 s, a little more or less ──┘
//
// A connection that will not last until the next message is closed in order, and another one is made for that.
// Each echo is progress and makes the next wait a short one again. A message whose echo was lost is sent once more: an echo
// changes nothing on the server. What trying again cannot mend, a key that is not trusted above all, ends it at once.

import { type Clock } from '../../domain/clock.ts'
import { codes, SealwireError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/limits.ts'

/** One connection to a server that sends back what it is sent. */
export interface AgentPeer {
  /** What the server is known by now; `undefined` where nothing proves who it is. */
  readonly pin: string | undefined
  /** Until when another connection takes the place of this one: ms of the monotonic clock. Default: it has no end of its own. */
  readonly renewBefore?: number | undefined
  /** @throws {SealwireError} why nothing came back. */
  echo(message: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
  /** Ends in order. Never rejects. */
  close(): Promise<void>
}

/** What happens, for whoever shows it. */
export type AgentNews =
  | { readonly event: 'connected'; readonly pin: string | undefined }
  | { readonly event: 'echoed'; readonly number: number; readonly text: string; readonly ms: number }
  | { readonly event: 'waiting'; readonly ms: number; readonly code: string; readonly sentence: string; readonly hint?: string }
  | { readonly event: 'done'; readonly messages: number }

export interface AgentParts {
  readonly dial: (signal: AbortSignal) => Promise<AgentPeer>
  readonly tell: (news: AgentNews) => Promise<void>
  readonly clock: Pick<Clock, 'monotonic'>
  /** Resolves after so many ms; may reject when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** From 0 to under 1. */
  readonly random: () => number
  readonly limits: Pick<Limits, 'agentAttemptsMax' | 'agentRetryMs' | 'agentRetryMsMax'>
  /** Ends it in order. */
  readonly stop: AbortSignal
}

/** How many messages, and how far apart. */
export interface AgentPlan {
  readonly count: number
  readonly intervalMs: number
}

/**
 * Resolves when all messages have come back, or when it was told to stop.
 * @throws {SealwireError} what trying again does not mend, and the last failure when it was tried often enough.
 */
export async function runAgent(plan: AgentPlan, parts: AgentParts): Promise<void> {
  const { stop, tell } = parts
  const progress: Progress = { echoed: 0, failed: 0, pin: undefined, isRenewal: false }
  while (progress.echoed < plan.count && !stop.aborted) {
    try {
      await converse(plan, parts, progress)
      if (progress.isRenewal && progress.echoed < plan.count) await parts.wait(plan.intervalMs, stop)
    } catch (reason) {
      if (stop.aborted) break
      await recover(SealwireError.from(reason), parts, progress)
    }
  }
  await tell({ event: 'done', messages: progress.echoed })
}

interface Progress {
  echoed: number
  /** Connections since the last echo that came to nothing. */
  failed: number
  /** Of the last connection. */
  pin: string | undefined
  /** The last connection was ended by us, in good time. */
  isRenewal: boolean
}

/** One connection, to the last message, until it should be replaced before the next, or until it breaks. */
async function converse({ count, intervalMs }: AgentPlan, parts: AgentParts, progress: Progress): Promise<void> {
  const { clock, dial, tell, wait, stop } = parts
  const peer = await dial(stop)
  try {
    // That one connection takes the place of another is no news.
    if (!progress.isRenewal || peer.pin !== progress.pin) await tell({ event: 'connected', pin: peer.pin })
    progress.pin = peer.pin
    progress.isRenewal = false
    while (!stop.aborted) {
      await exchange(peer, parts, progress)
      progress.isRenewal = clock.monotonic() + intervalMs >= (peer.renewBefore ?? Infinity)
      if (progress.echoed >= count || progress.isRenewal) break
      await wait(intervalMs, stop)
    }
  } finally {
    await peer.close()
  }
}

async function exchange(peer: AgentPeer, { clock, tell, stop }: AgentParts, progress: Progress): Promise<void> {
  const number = progress.echoed + 1
  const text = `Hello from client! ${number}`
  const message = Buffer.from(text)
  const sentAt = clock.monotonic()
  const echo = await peer.echo(message, stop)
  if (!message.equals(echo)) throw new SealwireError('unexpected', 'something else came back than what was sent', { hint: notEcho })
  progress.echoed = number
  progress.failed = 0
  await tell({ event: 'echoed', number, text, ms: Math.round(clock.monotonic() - sentAt) })
}

/** Waits before the next connection, or throws what makes one useless. */
async function recover(error: SealwireError, { limits, random, tell, wait, stop }: AgentParts, progress: Progress): Promise<void> {
  progress.failed++
  progress.isRenewal = false
  if (error.code === 'internal' || !codes[error.code].retry || progress.failed >= limits.agentAttemptsMax) throw error
  const ms = Math.round(retryMs(progress.failed, limits) * (1 - jitter + 2 * jitter * random()))
  const { code, sentence, hint } = error
  // Once, for whoever started it and can mend it.
  await tell({ event: 'waiting', ms, code, sentence, ...(progress.failed === 1 && hint !== undefined ? { hint } : {}) })
  await wait(ms, stop).catch((reason: unknown) => {
    if (!stop.aborted) throw reason
  })
}

/** Before jitter: the first wait, doubled for each further failure, up to the longest. */
function retryMs(failed: number, { agentRetryMs, agentRetryMsMax }: AgentParts['limits']): number {
  return Math.min(agentRetryMs * 2 ** (failed - 1), agentRetryMsMax)
}

/** How much shorter or longer a wait may be, so that agents whose server was away do not come back all at once. */
const jitter = 0.2
const notEcho = 'check that a server that echoes answers there'
