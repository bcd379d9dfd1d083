// Says in the log that a certificate ends, each time fewer days are left: for what the server renews by itself that is a
// renewal that does not succeed.

import type { Log } from '../../server/log.ts'
import type { LiveIdentity } from './live-identity.ts'

export class ExpiryReminder {
  readonly #log: Log
  /** What was said last, for each thing that ends. */
  readonly #said = new Map<string, string>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Looks at everything that ends; `now` in milliseconds since 1970. */
  look({ source, certificate, own }: LiveIdentity, now: number): void {
    const next = source === 'authority' ? 'sealwire cert renew' : 'renew it where it is from'
    this.#remind('certificate expires', certificate.validToDate.getTime(), [30, 7, 1], now, next)
    this.#remind('authority expires', own.authorityNotAfter, [90, 30, 7, 1], now, 'sealwire cert rotate-ca')
  }

  #remind(event: string, until: number, days: readonly number[], now: number, next: string): void {
    const left = days.findLast((count) => until - now < count * dayMs)
    if (left === undefined) return void this.#said.delete(event)
    const mark = `${until} ${left}`
    if (this.#said.get(event) === mark) return
    this.#said.set(event, mark)
    const daysLeft = Math.max(0, Math.floor((until - now) / dayMs))
    this.#log.warning(event, { until: new Date(until).toISOString(), daysLeft, next })
  }
}

const dayMs = 24 * 60 * 60 * 1000
