// What direct-peer.ts is told to do.

import { Home } from '../../src/client/home/home.ts'
import { readOrderKey } from '../../src/client/home/order-signer.ts'
import { formatMessageId, parseMessageId } from '../../src/client/outbox/message-id.ts'
import { momentAfter } from '../../src/client/payments/orders.ts'
import type { FileWay } from '../../src/client/files.ts'
import type { InboxItem, Sealwire } from '../../src/index.ts'
import { signCose } from '../../src/pki/cose-sign1.ts'
import { encodeOrder, orderPurposes } from '../../src/protocol/contract/index.ts'
import { messageId } from './device-client.ts'
import { memoHashOf } from './payer.ts'

/** A command, with an `id` for its answer. */
export type PeerCommand = { readonly id: number } & PeerDeed

/** What is to be done. Ids are UUIDs, amounts minor units, bytes hexadecimal. */
export type PeerDeed =
  | { readonly do: 'request' | 'accept' | 'reach' | 'leave' | 'way' | 'block'; readonly name: string }
  | { readonly do: 'send'; readonly to: string; readonly text: string }
  /** Says `PREFIX 0`, `PREFIX 1` … until it is told to hush, which answers how many. */
  | { readonly do: 'speak'; readonly to: string; readonly prefix: string; readonly everyMs: number }
  | { readonly do: 'hush' }
  /** Answers how many were stored when each of them was answered, and what the others were refused with. */
  | { readonly do: 'settle' }
  | { readonly do: 'sendFile'; readonly to: string; readonly path: string; readonly text: string }
  | { readonly do: 'saveFile'; readonly message: string; readonly path: string }
  | { readonly do: 'newId' | 'balance' | 'close' }
  | ({ readonly do: 'pay' } & Payment)
  | ({ readonly do: 'sign'; readonly server: string } & Payment)
  | { readonly do: 'bring'; readonly payer: string; readonly order: string }
  | { readonly do: 'order'; readonly order: string }
  | { readonly do: 'receipt'; readonly order: string; readonly signer?: string }

interface Payment {
  readonly to: string
  readonly minor: string
  readonly order: string
}

export interface CommandParts {
  readonly me: Sealwire
  readonly home: string
  /** Of the messages that came. */
  readonly files: ReadonlyMap<string, InboxItem['file']>
  readonly tell: (event: BytesEvent) => void
}

/** From here on bytes of a file come this way. */
export interface BytesEvent {
  readonly event: 'bytes'
  readonly message: string
  readonly way: FileWay
}

/** Carries out commands for somebody. */
export function commandOf({ me, home, files, tell }: CommandParts) {
  const speech = new Speech(me)
  return async (deed: PeerDeed): Promise<unknown> => {
    switch (deed.do) {
      case 'request':
        return me.request(deed.name)
      case 'accept':
        return me.accept(deed.name)
      case 'block':
        return me.call('directory.block', { name: deed.name })
      case 'reach':
      case 'leave':
        return me.direct?.[deed.do](deed.name)
      case 'way':
        return me.direct?.way(deed.name)
      case 'send':
        return me.send(deed.to, deed.text)
      case 'speak':
        return speech.begin(deed.to, deed.prefix, deed.everyMs)
      case 'hush':
        return speech.end()
      case 'settle':
        return speech.settled()
      case 'sendFile':
        return (await me.conversation(deed.to)).sendFile(deed.path, { text: deed.text })
      case 'saveFile':
        return save(me, files.get(deed.message), deed.path, (way) => tell({ event: 'bytes', message: deed.message, way }))
      case 'newId':
        return formatMessageId(messageId())
      case 'balance':
        return (await me.payments.balance()).minor
      case 'close':
        return me.close()
      case 'pay':
        return me.payments.pay(deed.to, BigInt(deed.minor), { id: deed.order })
      case 'sign':
        return signed(me, home, deed)
      case 'bring':
        return me.call('payment.bring', { payer: deed.payer, kind: 'pay', order: bytesOf(deed.order) })
      case 'order':
        return me.call('payment.order', { kind: 'pay', order: bytesOf(deed.order) })
      case 'receipt':
        return me.payments.receipt(deed.order, deed.signer === undefined ? {} : { signer: deed.signer })
    }
  }
}

/** What is said without waiting for what was said before. */
class Speech {
  readonly #me: Sealwire
  readonly #sent: Promise<unknown>[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(me: Sealwire) {
    this.#me = me
  }

  begin(to: string, prefix: string, everyMs: number): void {
    this.#timer = setInterval(() => {
      const sent = this.#me.send(to, `${prefix} ${this.#sent.length}`)
      sent.catch(() => {}) // `settled` looks at it.
      this.#sent.push(sent)
    }, everyMs)
  }

  end(): number {
    clearInterval(this.#timer)
    return this.#sent.length
  }

  async settled(): Promise<{ readonly stored: number; readonly refusals: readonly string[] }> {
    const all = await Promise.allSettled(this.#sent)
    const refusals = all.filter((each) => each.status === 'rejected').map(({ reason }) => String(reason))
    return { stored: all.length - refusals.length, refusals }
  }
}

/** The order that `me.payments.pay` makes of the same: an order is decided by its id and by what is asked for. */
async function signed(me: Sealwire, home: string, deed: Payment & { readonly server: string }): Promise<Uint8Array> {
  const [own, payee, unit] = await Promise.all([
    me.call('payment.units', {}),
    me.call('payment.find', { name: deed.to }),
    me.payments.unit(),
  ])
  const who = { server: bytesOf(deed.server), payer: BigInt(own.account), payee: BigInt(payee.account) }
  const id = parseMessageId(deed.order)
  const what = { id, unit: unit.unit, amount: BigInt(deed.minor), expiresAt: BigInt(momentAfter(id, dayMs)), memoHash: memoHashOf('') }
  return signCose(encodeOrder({ kind: 'pay', ...who, ...what }), orderPurposes.pay, readOrderKey(new Home(home)))
}

/** Saves a file; tells each time that its bytes begin to come another way. Resolves with how many came which way. */
async function save(
  me: Sealwire,
  file: InboxItem['file'],
  path: string,
  changed: (way: FileWay) => void,
): Promise<Record<FileWay, number>> {
  if (file === undefined) throw new TypeError('no such message with a file came')
  const bytes = { direct: 0, relayed: 0 }
  let last: FileWay | undefined
  let before = 0
  const progress = (done: number, _size: number, way: FileWay): void => {
    bytes[way] += done - before
    before = done
    if (way !== last) changed(way)
    last = way
  }
  await me.saveFile(file, path, { progress })
  return bytes
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

const dayMs = 86_400_000
