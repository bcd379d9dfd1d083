// What an order needs that only the server knows: the numbers of the server, of the own account and of who is paid, the units. It
// is asked for as soon as there is a link with somebody, and kept, so that an order to them can be signed and checked while the
// server is away. None of it changes but the standard unit, and the keys of their devices: those are asked for with each link.

import type { Clock } from '../../domain/clock.ts'
import { Recent } from '../../domain/recent.ts'
import type { Params, Result } from '../../protocol/contract/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { CallOptions, Calls } from '../calls.ts'
import { serverOf } from '../payments/live.ts'
import type { PaymentsCall } from '../payments/views.ts'
import { isPassing } from '../refusals.ts'

export interface NeedsParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly limits: Pick<Limits, 'directPayeesMax' | 'directPayMs'>
  readonly calls: Pick<Calls, 'again' | 'ready'>
  /** Whether there is a connection to the server, as far as is known. */
  readonly online: () => boolean
}

/** An account at the other end of a link. */
export interface Contact {
  /** As its owner wrote it. */
  readonly name: string
  readonly account: bigint
  /** With which its devices sign. */
  readonly keys: readonly Uint8Array[]
  /** By the monotonic clock. */
  readonly learntAt: number
}

/** The own account, at its server. */
export interface Self {
  readonly server: Uint8Array
  readonly account: bigint
}

export class OrderNeeds {
  readonly #parts: NeedsParts
  readonly #contacts: Recent<string, Contact>
  /** By the same name. */
  readonly #learning = new Map<string, Promise<Contact>>()
  #server: Uint8Array | undefined
  #units: Result<'payment.units'> | undefined

  constructor(parts: NeedsParts) {
    this.#parts = parts
    this.#contacts = new Recent(parts.limits.directPayeesMax)
  }

  /** What is known of somebody, without asking. */
  contact(name: string): Contact | undefined {
    return this.#contacts.find(keyOf(name))
  }

  /** The same of the own account. */
  get self(): Self | undefined {
    const [server, units] = [this.#server, this.#units]
    return server && units && { server, account: BigInt(units.account) }
  }

  /** Asks for all that an order from or to somebody needs. @throws {SealwireError} what the server refuses; `unreachable`. */
  learn(name: string): Promise<Contact> {
    const key = keyOf(name)
    const known = this.#learning.get(key)
    if (known !== undefined) return known
    const learning = this.#learn(name).finally(() => this.#learning.delete(key))
    this.#learning.set(key, learning)
    return learning
  }

  async #learn(name: string): Promise<Contact> {
    const { calls, clock } = this.#parts
    const [found, { devices }, units, server] = await Promise.all([
      calls.again('payment.find', { name }),
      calls.again('direct.devices', { name }),
      calls.again('payment.units', {}),
      serverOf(calls, undefined),
    ])
    this.#units = units
    this.#server = server
    const keys = devices.flatMap(({ ed25519 }) => (ed25519 === undefined ? [] : [ed25519]))
    const contact: Contact = { name: found.name, account: BigInt(found.account), keys, learntAt: clock.monotonic() }
    this.#contacts.add(keyOf(name), contact)
    return contact
  }

  /** Asks the server, and answers what is known already where it does not answer soon. */
  readonly ask: PaymentsCall = async (method, params, options) => {
    const known = this.#known(method, params)
    const call = (signal: AbortSignal | undefined) => this.#parts.calls.again(method, params, { signal })
    return known === undefined ? call(options.signal) : this.#soon(call, known, options.signal)
  }

  /** The number of the server, in the same way. */
  readonly server = (options: CallOptions): Promise<Uint8Array> => {
    const call = (signal: AbortSignal | undefined) => serverOf(this.#parts.calls, signal)
    return this.#server === undefined ? call(options.signal) : this.#soon(call, this.#server, options.signal)
  }

  #known<M extends Parameters<PaymentsCall>[0]>(method: M, params: Params<M>): Result<M> | undefined {
    const contact = method === 'payment.find' && 'name' in params ? this.contact(String(params.name)) : undefined
    const found = method === 'payment.units' ? this.#units : contact && { account: Number(contact.account), name: contact.name }
    return found
  }

  async #soon<T>(call: (signal: AbortSignal) => Promise<T>, known: T, signal: AbortSignal | undefined): Promise<T> {
    if (!this.#parts.online()) return known
    const late = new AbortController()
    const timer = this.#parts.clock.after(this.#parts.limits.directPayMs, () => late.abort())
    try {
      return await call(signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]))
    } catch (reason) {
      const isLate = late.signal.aborted || isPassing(SealwireError.from(reason))
      if (isLate && signal?.aborted !== true) return known
      throw reason
    } finally {
      timer.cancel()
    }
  }
}

/** Accounts are told apart without regard to case. */
function keyOf(name: string): string {
  return name.normalize('NFC').toLowerCase()
}
