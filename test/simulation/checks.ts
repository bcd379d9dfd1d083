// What must be true in every world, at every step. The end has a file of its own (final-checks.ts).

import type { InboxItem } from '../../src/client/inbox.ts'
import type { Books } from './books.ts'
import { type Deed, entryKinds, orderKinds } from './deeds.ts'
import type { Device, DeviceUser } from './device.ts'
import { accountOf } from './load.ts'
import type { Network } from './network.ts'
import type { People, Person } from './people.ts'
import { SaidOrder } from './said-order.ts'
import type { Schedule } from './schedule.ts'
import type { ServerLife } from './server-life.ts'

export interface ChecksParts {
  readonly schedule: Schedule
  readonly network: Network
  readonly people: People
  readonly books: Books
  readonly life: () => ServerLife
}

/** What a device has stored of its inbox. */
export interface Kept {
  readonly position: number
  readonly conversation: number
  readonly seq: number
  readonly kind: string
  readonly id: string
  readonly from: string
  readonly text: string | undefined
}

/** Somebody blocks somebody: what is said in between does not reach them. */
interface Blocked {
  readonly blocker: string
  readonly blocked: string
  readonly conversation: number
  readonly after: number
  upTo: number
}

/** So long after it was revoked nothing of a device is connected: the longest a session may be without its login, and a little. */
const revokedMsMax = 15_000

export class Checks implements DeviceUser {
  readonly #parts: ChecksParts
  /** By device, in the order in which it came. */
  readonly kept = new Map<string, Kept[]>()
  readonly #blocks: Blocked[] = []
  /** When a device was revoked for all to know, by id, and how long each conversation was then. */
  readonly #revoked = new Map<string, { readonly at: number; readonly lastSeq: ReadonlyMap<number, number> }>()
  /** By account and place in its inbox. */
  readonly #inboxes = new Map<string, string>()
  readonly #saidOrder: SaidOrder
  #hasCommitted = true
  /** The first thing that was not as it must be. */
  failure: string | undefined

  constructor(parts: ChecksParts) {
    this.#parts = parts
    this.#saidOrder = new SaidOrder(parts.books)
  }

  readonly failed = (what: string): void => {
    this.failure ??= what
  }

  readonly committed = (): void => {
    this.#hasCommitted = true
  }

  /** After each step. */
  readonly step = (): void => {
    if (this.#hasCommitted) {
      this.#hasCommitted = false
      const wrong = this.#parts.books.imbalance()
      if (wrong !== undefined) this.failed(`balances: ${wrong}`)
      const turned = this.#saidOrder.fault()
      if (turned !== undefined) this.failed(`order: ${turned}`)
    }
    this.#requireNoLeak()
  }

  /** A device has stored an item. */
  stored(device: Device, item: InboxItem): void {
    const { books } = this.#parts
    const { position, conversation, seq, kind, id, from, text } = item
    const all = this.kept.get(device.name) ?? []
    this.kept.set(device.name, all)
    const what = `${device.name} got ${kind} ${conversation}/${seq} at ${position}`
    this.#parts.schedule.note(what)
    if (position <= (all.at(-1)?.position ?? device.of.position)) this.failed(`order: ${what} behind ${all.at(-1)?.position}`)
    if (all.some((one) => one.conversation === conversation && one.seq >= seq)) this.failed(`order: ${what} twice, or too late`)
    if (!books.hasEntry(conversation, seq)) this.failed(`lost: ${what}, which is not in the database`)
    this.#requireSameOrder(device, item, what)
    this.#requireAllowed(device, item, what)
    all.push({ position, conversation, seq, kind, id, from, text })
  }

  /** A deed is handed to the SDK. */
  handed({ of }: Device, deed: Deed): void {
    this.#saidOrder.handed(of, deed)
  }

  /** A program was killed. */
  killed({ of }: Device, isKept: (id: string) => boolean): void {
    this.#saidOrder.killed(of, isKept)
  }

  /** A deed is done or refused. */
  settled(device: Device, deed: Deed): void {
    const { books, schedule } = this.#parts
    const { person } = device.of
    const what = `deed ${deed.number} (${deed.what.kind} of ${device.name})`
    schedule.note(`${what} ${deed.state} ${deed.code ?? ''}`)
    if (deed.state === 'refused') this.#saidOrder.refused(deed)
    if (deed.state === 'refused' && books.has(deed, person.id)) this.failed(`refused: ${what} was refused (${deed.code}) and is there`)
    if (deed.state !== 'done') return
    const revoked = this.#revoked.get(device.of.id)
    if (revoked !== undefined && deed.at > revoked.at) this.failed(`revoked: ${what} was done after the device was revoked`)
    this.#requireStored(deed, person, what)
    if (deed.what.kind === 'block') this.#block(person, deed.what.name)
    if (deed.what.kind === 'revoke') this.#revoke(deed.what.device)
  }

  /** What an outbox lets go of is stored, or refused. */
  forgotten(device: Device, deed: Deed): void {
    if (deed.state !== 'open' || device.isOut || this.#parts.books.has(deed, device.of.person.id)) return
    this.failed(`lost: the outbox of ${device.name} let go of deed ${deed.number}, which nobody has`)
  }

  /** A deed is about to be asked for the first time. */
  begins(deed: Deed): void {
    if (deed.what.kind !== 'unblock') return
    const { name } = deed.what
    for (const block of this.#blocks) {
      if (block.blocker !== accountOf(deed) || block.blocked !== name || block.upTo !== Infinity) continue
      block.upTo = this.#parts.books.lastSeq(block.conversation)
    }
  }

  #requireStored(deed: Deed, { id }: Person, what: string): void {
    const { books } = this.#parts
    if (entryKinds.has(deed.what.kind)) {
      const place = books.placeOf(deed, id)
      const said = deed.result as { readonly conversation?: number; readonly seq: number }
      const isThere = place !== undefined && place.seq === said.seq && place.conversation === (said.conversation ?? place.conversation)
      if (!isThere) this.failed(`lost: ${what} was acknowledged as ${said.conversation}/${said.seq}, and is ${JSON.stringify(place)}`)
    } else if ((orderKinds.has(deed.what.kind) || deed.what.kind === 'ask') && !books.has(deed, id)) {
      this.failed(`lost: ${what} was acknowledged and is not there`)
    }
  }

  #requireSameOrder({ of, name }: Device, { position, conversation, seq }: InboxItem, what: string): void {
    const place = `${of.person.name} ${position}`
    const entry = `${conversation}/${seq}`
    const before = this.#inboxes.get(place)
    if (before !== undefined && before !== entry) this.failed(`order: ${what}, where another device got ${before} (${name})`)
    this.#inboxes.set(place, entry)
  }

  #requireAllowed({ of }: Device, { conversation, seq, from }: InboxItem, what: string): void {
    const isBlocked = this.#blocks.some(
      (block) =>
        block.blocker === of.person.name &&
        block.blocked === from &&
        block.conversation === conversation &&
        seq > block.after &&
        seq <= block.upTo,
    )
    if (isBlocked) this.failed(`blocked: ${what} from ${from}, who is blocked`)
    const revoked = this.#revoked.get(of.id)
    if (revoked !== undefined && seq > (revoked.lastSeq.get(conversation) ?? 0)) this.failed(`revoked: ${what} after it was revoked`)
  }

  #requireNoLeak(): void {
    const { network, life, schedule } = this.#parts
    const census = life().server?.census
    if (census === undefined) return
    const links = network.connections.filter(({ server }) => server.isThere)
    if (census.admitted !== links.length) this.failed(`leak: ${census.admitted} places are taken for ${links.length} links`)
    if (census.sessions + census.gates !== links.length) {
      this.failed(`leak: ${census.sessions} sessions and ${census.gates} gates for ${links.length} links`)
    }
    if (census.present > census.sessions || census.inboxes > census.sessions) {
      this.failed(`leak: ${census.present} present and ${census.inboxes} inboxes in ${census.sessions} sessions`)
    }
    if (this.#revoked.size > 0) for (const { dialler, since } of links) this.#requireGone(dialler.name, Math.max(since, 0), schedule.now)
  }

  #requireGone(name: string, since: number, now: number): void {
    const device = this.#parts.people.devices.find((each) => each.name === name)
    const revoked = device && this.#revoked.get(device.id)
    if (revoked !== undefined && now - Math.max(since, revoked.at) > revokedMsMax) this.failed(`revoked: ${name} is still connected`)
  }

  #block({ name: blocker, id }: Person, blocked: string): void {
    const { books, people } = this.#parts
    const other = people.persons.find(({ name }) => name === blocked)
    const conversation = other && books.direct(id, other.id)
    if (conversation === undefined) return
    this.#blocks.push({ blocker, blocked, conversation, after: books.lastSeq(conversation), upTo: Infinity })
  }

  #revoke(device: string): void {
    if (this.#revoked.has(device)) return
    const { books, schedule } = this.#parts
    this.#revoked.set(device, { at: schedule.now, lastSeq: books.lastSeqs() })
  }
}
