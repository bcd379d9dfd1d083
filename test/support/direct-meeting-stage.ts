// Alice and Bob, who meet by a clock that the test moves, over links in memory.

import type { PeerLink } from '../../src/client/direct/peer-link.ts'
import type { Limits } from '../../src/protocol/index.ts'
import { MemoryNetwork } from './direct-networks.ts'
import { type Member, Square } from './direct-square.ts'
import { ManualClock, settle } from './manual-clock.ts'

export const minuteMs = 60_000

/** What was begun goes as far as it can before time goes on. */
class Patient extends ManualClock {
  override async move(ms: number): Promise<void> {
    await settle()
    await super.move(ms)
  }
}

export interface MeetingStage extends AsyncDisposable {
  readonly clock: Patient
  readonly network: MemoryNetwork
  readonly square: Square
  readonly alice: Member
  readonly bob: Member
}

export async function stage(overrides: Partial<Limits> = {}, random?: () => number): Promise<MeetingStage> {
  const clock = new Patient(Date.now())
  const network = new MemoryNetwork(clock)
  const square = await Square.open({ clock, network, limits: overrides, ...(random === undefined ? {} : { random }) })
  const [alice, bob] = [await square.member('alice'), await square.member('bob')]
  square.introduce('alice', 'bob')
  await settle()
  return { clock, network, square, alice, bob, [Symbol.asyncDispose]: () => square[Symbol.asyncDispose]() }
}

/** The two have a link. */
export async function linkedStage(overrides: Partial<Limits> = {}): Promise<MeetingStage & { readonly link: PeerLink }> {
  const each = await stage(overrides)
  each.alice.meetings.reach('bob')
  await settle()
  const [link] = each.alice.open('bob')
  if (link === undefined) throw new Error('there is no link')
  return { ...each, link }
}

/** Nobody reaches anybody. */
export function wall({ network }: MeetingStage, isThere = true): void {
  network.wall = () => isThere
}

export function wayOf({ meetings }: Member, name: string): string {
  const way = meetings.wayTo(name)
  return way.way === 'direct' ? 'direct' : way.why
}
