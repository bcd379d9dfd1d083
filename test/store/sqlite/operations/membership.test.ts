import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { MembershipModel, type Verdict } from './membership-model.ts'
import { Stage } from './stage.ts'

const accounts = 5
const rooms = 3
const account = fc.integer({ min: 1, max: accounts })
const room = fc.integer({ min: 1, max: rooms })

/** What somebody does; rooms are told by the order in which they were made. */
const deed = fc.oneof(
  fc.record({ name: fc.constant('request' as const), by: account, peer: account }),
  fc.record({ name: fc.constant('answer' as const), by: account, peer: account, accept: fc.integer({ min: 0, max: 3 }).map((n) => n > 0) }),
  fc.record({ name: fc.constant('part' as const), by: account, peer: account }),
  fc.record({ name: fc.constant('create' as const), by: account }),
  fc.record({ name: fc.constant('invite' as const), by: account, peer: account, room }),
  fc.record({ name: fc.constant('join' as const), by: account, room }),
  fc.record({ name: fc.constant('leave' as const), by: account, room }),
  fc.record({ name: fc.constant('remove' as const), by: account, peer: account, room }),
  fc.record({
    name: fc.constant('role' as const),
    by: account,
    peer: account,
    room,
    role: fc.constantFrom('owner', 'moderator', 'member'),
  }),
)
type Deed = typeof deed extends fc.Arbitrary<infer D> ? D : never

test('whatever five accounts do, the store agrees with plain objects, and a room that somebody is in has one owner', () => {
  let done = 0
  const run = (deeds: readonly Deed[]) => {
    using world = new World()
    for (const each of deeds) {
      const [is, shouldBe] = world.act(each)
      expect([each, is]).toEqual([each, shouldBe])
      if (is === undefined) done++
    }
    world.compare()
  }
  fc.assert(fc.property(fc.array(deed, { minLength: 40, maxLength: 120, size: 'max' }), run), { numRuns: 60 })
  // Refusals alone would prove little.
  expect(done).toBeGreaterThan(500)
}, 60_000)

/** The store and the model side by side. */
class World implements Disposable {
  readonly #stage = new Stage(accounts)
  readonly #model = new MembershipModel()
  /** Rooms in the order in which they were made. */
  readonly #rooms: bigint[] = []

  constructor() {
    for (let by = 1; by <= 4; by++) this.act({ name: 'request', by, peer: by + 1 })
    for (let by = 2; by <= 4; by++) this.act({ name: 'answer', by, peer: by - 1, accept: true })
    for (let by = 1; by <= rooms; by++) this.act({ name: 'create', by })
  }

  /** Answers what the store said, and what it should have said. */
  act(what: Deed): readonly [Verdict, Verdict] {
    this.#stage.at++
    const answers: [Verdict, Verdict] = [this.#stage.codeOf(() => this.#inStore(what)), this.#inModel(what)]
    for (const number of this.#rooms) this.#hasOneOwner(Number(number))
    return answers
  }

  compare(): void {
    for (let by = 1; by <= accounts; by++) {
      const page = this.#stage.run('contact.page', { accountId: BigInt(by), after: '', max: 99n })
      expect(page.map((contact) => `${contact.account.key}:${contact.state}`)).toEqual([...this.#model.contacts(by, accounts)])
      const known = this.#stage.run('conversation.list', { accountId: BigInt(by), after: 0n, max: 99n })
      const mine = known.filter(({ kind }) => kind === 'room').map(({ id, role, state }) => [Number(id), role, state])
      const shouldBe = [...this.#model.rooms].flatMap(([id, members]) => {
        const own = members.get(by)
        return own === undefined ? [] : [[id, own.role, own.invited ? 'invited' : 'accepted']]
      })
      expect<unknown>(mine).toEqual(shouldBe)
    }
  }

  [Symbol.dispose](): void {
    this.#stage[Symbol.dispose]()
  }

  #hasOneOwner(number: number): void {
    const shouldBe = this.#model.members(number)
    const someone = [...(this.#model.rooms.get(number) ?? [])].find(([, { invited }]) => !invited)?.[0] ?? 1
    const members = this.#stage.members(BigInt(someone), BigInt(number)) ?? []
    expect(members).toEqual(shouldBe)
    expect(members.filter((member) => member.endsWith(':owner'))).toHaveLength(members.length === 0 ? 0 : 1)
  }

  #inStore(what: Deed): void {
    const stage = this.#stage
    const act = stage.act(BigInt(what.by))
    const peerId = 'peer' in what ? BigInt(what.peer) : 0n
    const conversationId = 'room' in what ? this.#roomOf(what.room) : 0n
    if (what.name === 'request') stage.run('contact.request', { ...act, peerId })
    else if (what.name === 'answer') stage.run('contact.answer', { ...act, peerId, accept: what.accept })
    else if (what.name === 'part') stage.run('contact.remove', { ...act, peerId })
    else if (what.name === 'create') this.#rooms.push(stage.room(BigInt(what.by)))
    else if (what.name === 'invite') stage.run('room.invite', { ...act, conversationId, peerId })
    else if (what.name === 'join') stage.run('room.join', { ...act, conversationId })
    else if (what.name === 'leave') stage.run('room.leave', { ...act, conversationId })
    else if (what.name === 'remove') stage.run('room.remove', { ...act, conversationId, peerId })
    else stage.run('room.role', { ...act, conversationId, peerId, role: what.role })
  }

  /** After the store: a room that was made has its number by now. */
  #inModel(what: Deed): Verdict {
    const [model, at] = [this.#model, Number(this.#stage.at)]
    const number = 'room' in what ? Number(this.#roomOf(what.room)) : 0
    switch (what.name) {
      case 'request':
        return model.request(what.by, what.peer)
      case 'answer':
        return model.answer(what.by, what.peer, what.accept)
      case 'part':
        return model.part(what.by, what.peer)
      case 'create':
        return void model.create(Number(this.#rooms.at(-1)), what.by, at)
      case 'invite':
        return model.invite(number, what.by, what.peer, at)
      case 'join':
        return model.join(number, what.by, at)
      case 'leave':
        return void model.leave(number, what.by)
      case 'remove':
        return model.remove(number, what.by, what.peer)
      case 'role':
        return model.role(number, what.by, what.peer, what.role)
    }
  }

  /** The newest rooms are the first ones, so that there is always one to do something in. */
  #roomOf(index: number): bigint {
    return this.#rooms.at(-index) ?? -1n
  }
}
