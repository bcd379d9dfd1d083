// Who knows which devices, and is told when one of them is good no more. It is told in the turn in which the store has said so:
// that is when live sessions are cut, too.
//
// An answer may be overtaken: what ends while it is looked up or written out is told before it, and must not stand in it. So what
// ends leaves the list that a session has asked for last, whether that is still on its way or not.

import { encodeEvent, type Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/index.ts'

/** A device as those know it who may make direct links with it. */
export type DirectDevice = Result<'direct.devices'>['devices'][number]

/** A session that is told. */
export interface Watcher {
  /** Of its own account. */
  readonly key: string
  hear(event: Uint8Array): void
}

/** What a session has asked for, from the question to its next one. */
interface Asking {
  readonly key: string
  /** Ids of devices that were revoked since. */
  readonly revoked: Set<string>
  isOver: boolean
  answer: DirectDevice[]
}

/** What a session knows. */
interface Known {
  /** By account key, in the order of the answers: the devices that it was told of and that are good, by their ids. */
  readonly accounts: Map<string, Set<string>>
  asking: Asking | undefined
}

export class DirectWatches<S extends Watcher> {
  readonly #known = new Map<S, Known>()
  /** By the key of the account that is watched. */
  readonly #watchers = new Map<string, Set<S>>()
  readonly #accountsMax: number

  /** `accountsMax`: of one session; of more it forgets the one asked for longest ago. */
  constructor(accountsMax: number) {
    this.#accountsMax = accountsMax
  }

  /**
   * What `find` says of an account, without what has ended meanwhile; from now on the session is told of each of its devices that
   * ends. A session asks for one account at a time.
   * @throws {SealwireError} `not_found` when there is nothing for this session; what `find` throws.
   */
  async ask(session: S, key: string, find: () => Promise<readonly DirectDevice[] | undefined>): Promise<DirectDevice[]> {
    const known = this.#known.get(session) ?? { accounts: new Map<string, Set<string>>(), asking: undefined }
    const asking: Asking = { key, revoked: new Set(), isOver: false, answer: [] }
    known.asking = asking
    this.#known.set(session, known)
    this.#watch(session, key)
    let found: readonly DirectDevice[] | undefined
    try {
      found = await find()
    } catch (reason) {
      // What it knew before it knows still.
      if (!known.accounts.has(key)) this.#forget(session, key)
      throw reason
    }
    if (found === undefined || asking.isOver || this.#known.get(session) !== known) {
      this.#forget(session, key)
      throw new SealwireError('not_found', 'there is no such account, or you do not talk')
    }
    asking.answer = found.filter(({ device }) => !asking.revoked.has(device))
    this.#remember(session, known, asking)
    return asking.answer
  }

  /** A device of an account was revoked. */
  revoked(key: string, device: string): void {
    for (const session of this.#watchers.get(key) ?? []) {
      const known = this.#known.get(session)
      if (known?.asking?.key === key) withdraw(known.asking, device)
      if (known?.accounts.get(key)?.delete(device) === true) tell(session, device)
    }
  }

  /** All devices of an account are good no more: for everybody, or for the sessions of one account. */
  over(key: string, watcherKey?: string): void {
    for (const session of [...(this.#watchers.get(key) ?? [])]) {
      if (watcherKey !== undefined && session.key !== watcherKey) continue
      const { asking, accounts } = this.#known.get(session) ?? {}
      if (asking?.key === key) finish(asking)
      const devices = accounts?.get(key) ?? []
      this.#forget(session, key)
      for (const device of devices) tell(session, device)
    }
  }

  leave(session: S): void {
    const known = this.#known.get(session)
    this.#known.delete(session)
    for (const key of [...(known?.accounts.keys() ?? []), known?.asking?.key ?? '']) this.#unwatch(session, key)
  }

  #remember(session: S, { accounts }: Known, { key, answer }: Asking): void {
    accounts.delete(key)
    accounts.set(key, new Set(answer.map(({ device }) => device)))
    const [oldest] = accounts.keys()
    if (accounts.size > this.#accountsMax && oldest !== undefined) this.#forget(session, oldest)
  }

  #forget(session: S, key: string): void {
    this.#known.get(session)?.accounts.delete(key)
    this.#unwatch(session, key)
  }

  #watch(session: S, key: string): void {
    const watchers = this.#watchers.get(key) ?? new Set<S>()
    this.#watchers.set(key, watchers.add(session))
  }

  #unwatch(session: S, key: string): void {
    const watchers = this.#watchers.get(key)
    watchers?.delete(session)
    if (watchers?.size === 0) this.#watchers.delete(key)
  }
}

function withdraw({ revoked, answer }: Asking, device: string): void {
  revoked.add(device)
  const at = answer.findIndex((each) => each.device === device)
  if (at >= 0) answer.splice(at, 1)
}

function finish(asking: Asking): void {
  asking.isOver = true
  asking.answer.length = 0
}

function tell(session: Watcher, device: string): void {
  session.hear(encodeEvent('direct.revoked', { device }))
}
