// The static key of a server for the sealed channel while it runs. When it is replaced, both are kept until the overlap is over;
// from that moment on the next one alone is used, whatever the disk says, and the files follow.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { StaticKeys } from '../../channel/index.ts'
import type { Clock, Timer } from '../../domain/clock.ts'
import {
  openSealedKeys,
  pinsOf,
  readSealedKeys,
  rotateSealedKey,
  sealedKeyFile,
  type SealedPins,
  settleSealedKeys,
} from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/limits.ts'
import type { Log } from '../../server/log.ts'

export interface SealedKeeperParts {
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'certificateWatchMs'>
}

/** Where the sealed channel is not spoken a key that is of no use keeps nothing from working. */
function found(folder: string, { clock, log }: SealedKeeperParts): StaticKeys | undefined {
  try {
    return readSealedKeys(folder, clock.now())
  } catch (reason) {
    log.warning('sealed keys not read', { why: SealwireError.from(reason).code })
    return undefined
  }
}

/** Holds the keys of a data folder, whose lock the caller has. */
export class SealedKeeper implements Disposable {
  readonly #folder: string
  readonly #parts: SealedKeeperParts
  #keys: StaticKeys | undefined
  #timer: Timer | undefined

  private constructor(folder: string, parts: SealedKeeperParts, keys: StaticKeys | undefined) {
    this.#folder = folder
    this.#parts = parts
    this.#keys = keys
  }

  /**
   * The keys of a folder. `make`: whether they are made where there are none.
   * @throws {SealwireError} as `openSealedKeys`.
   */
  static open(folder: string, make: boolean, parts: SealedKeeperParts): SealedKeeper {
    if (!make) return new SealedKeeper(folder, parts, found(folder, parts))
    const isNew = !existsSync(join(folder, sealedKeyFile))
    const keys = openSealedKeys(folder, parts.clock.now())
    if (isNew) parts.log.info('file written', { file: sealedKeyFile })
    return new SealedKeeper(folder, parts, keys)
  }

  /** The keys at this moment; `undefined` where the sealed channel was never spoken. */
  get keys(): StaticKeys | undefined {
    const next = this.#keys?.next
    if (next !== undefined && next.until <= this.#parts.clock.now()) this.#keys = { current: next.key }
    return this.#keys
  }

  /** Their pins. */
  get pins(): SealedPins | undefined {
    return this.keys && pinsOf(this.keys)
  }

  /** Looks after the files from now on, until it is disposed. */
  start(): void {
    this.#timer = this.#parts.clock.every(this.#parts.limits.certificateWatchMs, () => this.#settle())
  }

  /**
   * Makes the next key, and announces it from now on. Without effect while the current one is being replaced already.
   * @throws {SealwireError} as `rotateSealedKey`.
   */
  rotate(overlapMs: number): void {
    if (this.keys?.next !== undefined) return
    const { clock, log } = this.#parts
    this.#keys = rotateSealedKey(this.#folder, { overlapMs, now: clock.now() })
    const { next } = this.#keys
    log.info('sealed key to be replaced', { next: this.pins?.next?.pin, until: next && new Date(next.until).toISOString() })
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
  }

  #settle(): void {
    const { clock, log } = this.#parts
    try {
      const before = readSealedKeys(this.#folder, 0)?.next
      settleSealedKeys(this.#folder, clock.now())
      if (before !== undefined && before.until <= clock.now()) log.info('sealed key replaced', { fingerprint: this.pins?.current })
    } catch (reason) {
      log.warning('sealed keys not looked after, those in use stay', { why: SealwireError.from(reason).code })
    }
  }
}
