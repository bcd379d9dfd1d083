// Somebody who pays and is paid over direct links, at a real server, from a real home: the parts of the SDK that payments need. The
// links are the test's: each request goes to the other's `take`, through whatever the test puts between.

import { createHash } from 'node:crypto'
import { Calls } from '../../src/client/calls.ts'
import { DirectPay } from '../../src/client/direct/direct-pay.ts'
import type { PayLink } from '../../src/client/direct/hand-over.ts'
import { Broadcast } from '../../src/client/feed.ts'
import { HandedFiles } from '../../src/client/home/handed-order-files.ts'
import { OrderFiles } from '../../src/client/home/held-order-files.ts'
import { Home } from '../../src/client/home/home.ts'
import { knownLedgerKey } from '../../src/client/home/ledger-key.ts'
import { openMember } from '../../src/client/home/member.ts'
import { HomeSigner } from '../../src/client/home/order-signer.ts'
import { readProfile } from '../../src/client/home/profile.ts'
import { livePayments } from '../../src/client/payments/live.ts'
import { type PaymentChange, readChange } from '../../src/client/payments/results.ts'
import type { Payments } from '../../src/client/payments.ts'
import { Uplink } from '../../src/client/uplink.ts'
import { systemClock } from '../../src/domain/clock.ts'
import { type Limits, resolveLimits } from '../../src/protocol/index.ts'

/** Whatever a busy machine can do meanwhile is done, and a server that is not there is found out soon. */
const patientPay: Partial<Limits> = { directPayMs: 300, directPayHeldMs: 20_000, directPayAnswerMs: 30_000, clientRetryMs: 50 }
/** The same of somebody who is to hold orders. */
export const soonHeld: Partial<Limits> = { directPayHeldMs: 500 }

export interface DirectPayerOptions {
  readonly limits?: Partial<Limits>
  /** Default: what the home knows. */
  readonly ledgerKey?: () => Uint8Array | undefined
}

/** Puts something between the two ends of a link. */
export type Between = (pass: PayLink['request'], ...asked: Parameters<PayLink['request']>) => ReturnType<PayLink['request']>

export class DirectPayer implements AsyncDisposable {
  readonly name: string
  readonly payments: Payments
  readonly direct: DirectPay
  readonly calls: Calls
  readonly #uplink: Uplink
  readonly #links = new Map<string, PayLink[]>()

  constructor(path: string, { limits: overrides = {}, ledgerKey }: DirectPayerOptions = {}) {
    const home = new Home(path)
    const clock = systemClock
    const limits = resolveLimits({ ...patientPay, ...overrides })
    const signer = new HomeSigner(home)
    const changes = new Broadcast<PaymentChange>(limits.clientLiveEventsMax)
    this.name = readProfile(home).name
    const open = async (signal: AbortSignal) => {
      const { client, device, profile } = await openMember(home, { clock, signal, warn: () => {} })
      signer.welcomed(client.welcome, profile)
      return { client, device, name: profile.name }
    }
    this.#uplink = new Uplink(
      { open, clock, limits, random: Math.random, patient: true },
      {
        online: () => this.direct.online(),
        event: (event) => {
          const change = event.event === 'payment.changed' ? readChange(event.data) : undefined
          if (change !== undefined) changes.push(change)
        },
        changed() {},
      },
    )
    this.calls = new Calls(this.#uplink, { clock, limits, fill: (bytes) => crypto.getRandomValues(bytes) })
    this.direct = new DirectPay({
      ...{ clock, limits, calls: this.calls, online: () => this.isOnline, name: () => this.name },
      links: (name) => (this.#links.get(name) ?? []).filter((link) => link.open),
      store: new OrderFiles(home, { name: this.name, limits, clock }),
      handed: new HandedFiles(home, { name: this.name, limits, clock }),
      ledgerKey: ledgerKey ?? (() => knownLedgerKey(home)),
    })
    const hasher = () => {
      const hash = createHash('sha256')
      return { update: (bytes: Uint8Array) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
    }
    this.payments = livePayments({ calls: this.calls, sign: signer.sign, hasher, changes, direct: this.direct.orders })
  }

  get isOnline(): boolean {
    return this.#uplink.state === 'online'
  }

  async online(): Promise<void> {
    await this.#uplink.ready(AbortSignal.timeout(30_000))
  }

  wake(): void {
    this.#uplink.wake()
  }

  /** A link with somebody is up, and both know what they need to know; `end` breaks it. */
  async link(other: DirectPayer, between: Between = (pass, ...asked) => pass(...asked)): Promise<{ end(): void }> {
    let isOpen = true
    const self = this.name
    const pass: PayLink['request'] = (_method, params) => other.direct.take(params, { peer: { name: self } })
    const link: PayLink = {
      peer: { name: other.name },
      get open() {
        return isOpen
      },
      request: (...asked) => between(pass, ...asked),
    }
    this.join(link)
    other.direct.linked({ peer: { name: self } })
    await Promise.all([this.direct.learnt(other.name), other.direct.learnt(self)])
    return { end: () => (isOpen = false) }
  }

  /** A link is up, whoever has made it. */
  join(link: PayLink): void {
    const { name } = link.peer
    this.#links.set(name, [...(this.#links.get(name) ?? []), link])
    this.direct.linked(link)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.direct.close()
    await this.#uplink.close()
  }
}
