// What was refused is asked for again when nothing else happens any more: twice, one behind the other. A refusal takes no id and changes
// nothing (docs/protocol/errors.md, payments.md, conversations.md), so the same under it is refused or done, as things are now, is the
// same the second time, and is never taken for another one that has its id. That it is refused again nobody promises: there may be funds.

import type { Code } from '../../src/protocol/index.ts'
import type { Books } from './books.ts'
import type { Checks } from './checks.ts'
import { type Deed, entryKinds, orderKinds } from './deeds.ts'
import type { Device } from './device.ts'

export interface AskedAgainParts {
  readonly books: Books
  readonly checks: Checks
  readonly devices: readonly Device[]
  readonly deeds: readonly Deed[]
  /** Lets the world go on until then. */
  readonly until: (isOver: () => boolean, what: string) => Promise<void>
}

/** So many in a world, those that were refused last. */
const deedsMax = 3

export async function askRefusedAgain(parts: AskedAgainParts): Promise<void> {
  const refused = parts.deeds.filter(({ state, what }) => state === 'refused' && (entryKinds.has(what.kind) || orderKinds.has(what.kind)))
  for (const deed of refused.slice(-deedsMax)) {
    const device = parts.devices.find(({ name }) => name === deed.by)
    if (device !== undefined && !device.isOut && parts.checks.failure === undefined) await askTwice(deed, device, parts)
  }
}

async function askTwice(deed: Deed, device: Device, { books, checks, until }: AskedAgainParts): Promise<void> {
  const before = deed.code
  const ask = async (): Promise<Code | 'done'> => {
    device.askAgain(deed)
    await until(() => deed.state !== 'open' && !deed.isUnderWay, `deed ${deed.number} was refused (${before}), and is not answered again`)
    return deed.state === 'done' ? 'done' : (deed.code ?? 'internal')
  }
  const first = await ask()
  const marks = books.marks()
  const second = await ask()
  const what = `deed ${deed.number} (${deed.what.kind} of ${deed.by}) was refused (${before}), and then answered ${first} and ${second}`
  if (first === 'conflict' || second === 'conflict') checks.failed(`refused: ${what}, though nothing has its id`)
  // Its own time may end between the two.
  const isOver = second === 'expired'
  if (first !== second && !isOver && books.marks() === marks) checks.failed(`refused: ${what}, with nothing in between`)
}
