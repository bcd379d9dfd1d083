// Who asks to talk and was not answered here, the last ones at the end.

import { nameKey } from '../../domain/case-fold.ts'
import { SealwireError } from '../../protocol/errors.ts'

export class Askers {
  readonly #names: string[] = []

  has(name: string): boolean {
    return this.#find(name) >= 0
  }

  add(name: string): void {
    this.remove(name)
    this.#names.push(name)
    if (this.#names.length > namesMax) this.#names.shift()
  }

  remove(name: string): void {
    const at = this.#find(name)
    if (at >= 0) this.#names.splice(at, 1)
  }

  /** The only one. @throws {SealwireError} `no_request` when nobody asks; `usage` when several do. */
  only(command: 'accept' | 'decline'): string {
    const [first, ...others] = this.#names
    if (first === undefined) throw new SealwireError('no_request', 'nobody asks to talk')
    if (others.length === 0) return first
    throw new SealwireError('usage', `several ask to talk: ${this.#names.join(', ')}`, { hint: `say whom: /${command} NAME` })
  }

  #find(name: string): number {
    return this.#names.findIndex((known) => nameKey(known) === nameKey(name))
  }
}

/** Others are named with the command. */
const namesMax = 20
