// What programs do in a world, and what they know of it. Whatever is not known to be done or refused is asked again, under the same id.

import { type Code, codes, SealwireError } from '../../src/protocol/index.ts'
import type { Sealwire } from '../../src/client/sealwire.ts'

/** What is done. Ids of other deeds are those of transfers and requests; places are numbers in a conversation. */
export type What =
  | { readonly kind: 'say'; readonly to: string | number; readonly text: string }
  | { readonly kind: 'edit'; readonly conversation: number; readonly target: number; readonly text: string }
  | { readonly kind: 'delete'; readonly conversation: number; readonly target: number }
  | { readonly kind: 'react'; readonly conversation: number; readonly target: number; readonly on: boolean }
  | { readonly kind: 'read'; readonly conversation: number; readonly seq: number }
  | { readonly kind: 'pay'; readonly to: string; readonly amount: bigint; readonly request?: string }
  | { readonly kind: 'hold'; readonly to: string; readonly amount: bigint; readonly livesMs: number }
  | { readonly kind: 'split'; readonly shares: readonly { readonly name: string; readonly amount: bigint }[] }
  | { readonly kind: 'capture' | 'refund'; readonly payer: string; readonly of: string; readonly amount: bigint }
  | { readonly kind: 'void'; readonly payer: string; readonly of: string }
  | { readonly kind: 'ask'; readonly to: string; readonly amount: bigint }
  | { readonly kind: 'settle'; readonly of: string }
  | { readonly kind: 'block' | 'unblock' | 'request' | 'accept' | 'decline'; readonly name: string }
  | { readonly kind: 'revoke'; readonly device: string }

export type Kind = What['kind']

/** One deed of one device. */
export interface Deed {
  readonly number: number
  /** Name of the device. */
  readonly by: string
  /** A UUID of version 7. */
  readonly id: string
  readonly what: What
  /** When it was first asked, in ms of the world. */
  readonly at: number
  state: 'open' | 'done' | 'refused'
  /** Why it was refused. */
  code: Code | undefined
  /** What it came to. */
  result: unknown
  asks: number
  /** Asked, and not answered: by the run of the program that there is now. */
  isUnderWay: boolean
}

/** Moves money. */
export const orderKinds: ReadonlySet<Kind> = new Set(['pay', 'hold', 'split', 'capture', 'void', 'refund'])
/** Gets a place in a conversation. */
export const entryKinds: ReadonlySet<Kind> = new Set(['say', 'edit', 'delete', 'react'])

/** Asks for it. */
export function carryOut(me: Sealwire, { id, what }: Deed): Promise<unknown> {
  switch (what.kind) {
    case 'say':
      return me.send(what.to, what.text, { id })
    case 'edit':
    case 'delete':
    case 'react':
    case 'read':
      return change(me, id, what)
    case 'block':
    case 'unblock':
    case 'request':
    case 'accept':
    case 'decline':
      return consent(me, id, what)
    case 'revoke':
      return me.call('device.revoke', { device: what.device })
    case 'pay':
    case 'hold':
    case 'split':
    case 'capture':
    case 'void':
    case 'refund':
    case 'ask':
    case 'settle':
      return pay(me, id, what)
  }
}

async function change(me: Sealwire, id: string, what: Extract<What, { readonly conversation: number }>): Promise<unknown> {
  const conversation = await me.conversation(what.conversation)
  if (what.kind === 'edit') return conversation.edit(what.target, what.text, { id })
  if (what.kind === 'delete') return conversation.delete(what.target, { id })
  if (what.kind === 'react') return conversation.react(what.target, '👍', { on: what.on, id })
  return conversation.read(what.seq)
}

function consent(me: Sealwire, id: string, { kind, name }: Extract<What, { readonly name: string }>): Promise<unknown> {
  if (kind === 'request') return me.request(name, 'let us talk', { id })
  if (kind === 'accept') return me.accept(name)
  if (kind === 'decline') return me.decline(name)
  return me.call(kind === 'block' ? 'directory.block' : 'directory.unblock', { name })
}

type Paying = Exclude<What, { readonly conversation: number } | { readonly name: string } | { readonly kind: 'say' | 'revoke' }>

function pay({ payments }: Sealwire, id: string, what: Paying): Promise<unknown> {
  switch (what.kind) {
    case 'pay':
      return payments.pay(what.to, what.amount, { id, request: what.request })
    case 'hold':
      return payments.hold(what.to, what.amount, { id, livesMs: what.livesMs })
    case 'split':
      return payments.split(what.shares, { id })
    case 'capture':
      return payments.capture(what.payer, what.of, what.amount, { id })
    case 'void':
      return payments.void(what.payer, what.of, { id })
    case 'refund':
      return payments.refund(what.payer, what.of, what.amount, { id })
    case 'ask':
      return payments.request(what.to, what.amount, { id })
    case 'settle':
      return payments.cancel(what.of)
  }
}

/** Whether this decides it. */
export function isRefusal(reason: unknown): boolean {
  const { code } = SealwireError.from(reason)
  return !codes[code].fatal && !undecided.has(code)
}

const undecided: ReadonlySet<Code> = new Set([
  ...(['unknown_outcome', 'busy', 'rate_limited', 'unavailable', 'storage_full'] as const),
  ...(['unreachable', 'connection_lost', 'session_ended', 'login_refused'] as const),
])
