// What keeps the files of a data folder where they are while a backup reads them: the server that runs there is asked to, again and
// again; where none runs, the lock of the folder does it.

import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../domain/clock.ts'
import type { OperatorClient } from '../operator/client.ts'

export class ServerHold implements AsyncDisposable {
  readonly #operator: OperatorClient
  readonly #job = new Uint8Array(randomBytes(16))
  #timer: Timer | undefined
  #asking: Promise<void> | undefined

  private constructor(operator: OperatorClient) {
    this.#operator = operator
  }

  /** @throws {SealwireError} what {@link OperatorClient.call} throws. */
  static async begin(operator: OperatorClient, clock: Pick<Clock, 'every'>): Promise<ServerHold> {
    const hold = new ServerHold(operator)
    const { holdMs } = await operator.call('backup.hold', { job: hold.#job })
    hold.#timer = clock.every(holdMs / 3, () => hold.#again())
    return hold
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel()
    await this.#asking
    // One that has ended since holds nothing any more.
    await this.#operator.call('backup.release', { job: this.#job }).catch(() => {})
  }

  /** Whether it was heard shows at the end: every file that was to be read was there, or one was not. */
  #again(): void {
    this.#asking ??= this.#operator
      .call('backup.hold', { job: this.#job })
      .then(
        () => {},
        () => {},
      )
      .then(() => void (this.#asking = undefined))
  }
}
