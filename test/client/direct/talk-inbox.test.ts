import { describe, expect, test } from 'bun:test'
import { Acknowledgements } from '../../../src/client/inbox/acknowledgements.ts'
import { Inbox, type InboxTap, type SaidItem } from '../../../src/client/inbox.ts'
import type { LoggedIn } from '../../../src/client/uplink.ts'
import type { Entry } from '../../../src/protocol/contract/index.ts'
import { type Limits, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'

describe('an inbox into which something is said directly', () => {
  test('hands it out behind what was read ahead, and acknowledges its copy behind it', async () => {
    const { inbox, acks, tap, told } = await opened()
    inbox.push({ seq: 1, entry: entry(1) })
    expect(inbox.pushSaid(said(2, told))).toBe(true)
    inbox.push({ seq: 2, entry: entry(3) })
    tap.heard = true
    inbox.push({ seq: 3, entry: entry(2) })
    tap.heard = false
    const items = [await inbox.next(), await inbox.next()]
    expect(items.map(({ value }) => [value?.way, value?.position, value?.seq])).toEqual([
      ['relayed', 1, 1],
      ['direct', 0, 0],
    ])
    expect([acks.place, told]).toEqual([1, []])
    expect((await inbox.next()).value).toMatchObject({ position: 2 })
    expect([acks.place, told]).toEqual([1, ['done 2']])
    void inbox.next()
    expect([acks.place, tap.told]).toEqual([3, ['reached 1', 'reached 2', 'reached 3', 'passed 3']])
  })

  test('acknowledges no copy before its message is done with, however many items are waited for at once', async () => {
    const { inbox, acks, tap, told } = await opened()
    const [first, second] = [inbox.next(), inbox.next()]
    inbox.pushSaid(said(1, told))
    tap.heard = true
    inbox.push({ seq: 1, entry: entry(1) })
    await first
    expect([acks.place, told]).toEqual([0, []])
    tap.heard = false
    inbox.push({ seq: 2, entry: entry(2) })
    const { value } = await second
    expect([acks.place, told]).toEqual([0, []])
    value?.done()
    expect([acks.place, told]).toEqual([2, ['done 1']])
  })

  test('acknowledges nothing of its own when what came directly is done with', async () => {
    const { inbox, acks, told } = await opened()
    inbox.pushSaid(said(1, told))
    ;(await inbox.next()).value?.done()
    expect([told, acks.place]).toEqual([['done 1'], 0])
  })

  test('drops it when it ends, and hears all the same that it was done with', async () => {
    const { inbox, tap, told } = await opened()
    for (const each of [1, 2]) inbox.pushSaid(said(each, told))
    const { value } = await inbox.next()
    await inbox.return()
    expect(told).toEqual(['dropped 1', 'dropped 2'])
    expect(tap.told).toEqual(['ended 0 0'])
    value?.done()
    value?.done()
    expect(told).toEqual(['dropped 1', 'dropped 2', 'done 1'])
    expect(inbox.pushSaid(said(3, told))).toBe(false)
  })

  test('has room for as much as for what the server brings', async () => {
    const { inbox, told } = await opened({ limits: { clientInboxEntriesMax: 2 } })
    expect([1, 2, 3].map((each) => inbox.pushSaid(said(each, told)))).toEqual([true, true, false])
  })

  test('drops it for another installation', async () => {
    const { inbox, tap, told } = await opened()
    for (const each of [1, 2]) inbox.pushSaid(said(each, told))
    const { value } = await inbox.next()
    inbox.open(session([], 'd2'))
    value?.done()
    expect([told, tap.told]).toEqual([['dropped 1', 'dropped 2'], ['forget']])
  })

  test('keeps it when the server is set back, and acknowledges no copy that is not there any more', async () => {
    const { inbox, acks, tap, told } = await opened()
    inbox.push({ seq: 1, entry: entry(1) })
    for (const each of [2, 3]) inbox.pushSaid(said(each, told))
    tap.heard = true
    inbox.push({ seq: 2, entry: entry(2) })
    tap.heard = false
    await inbox.next()
    const { value } = await inbox.next()
    expect(acks.place).toBe(1)
    inbox.open(session(['conflict']))
    await turns()
    expect(tap.told).toEqual(['reached 1', 'reached 2', 'forget'])
    value?.done()
    expect((await inbox.next()).value).toMatchObject({ way: 'direct', position: 0 })
    void inbox.next()
    expect([told, acks.place, tap.told.length]).toEqual([['done 2', 'done 3'], 0, 3])
  })

  test('has the room again of copies that are gone with a server that is set back', async () => {
    const { inbox, tap, told } = await opened({ limits: { clientInboxBytesMax: 65_536 } })
    tap.heard = true
    for (const each of [1, 2]) inbox.push({ seq: each, entry: { ...entry(each), body: new Uint8Array(40_000) } })
    expect(inbox.pushSaid(said(3, told))).toBe(false)
    inbox.open(session(['conflict']))
    await turns()
    expect(inbox.pushSaid(said(3, told))).toBe(true)
  })

  test('tells when the server knows what is stored', async () => {
    const { inbox, tap } = await opened({ isOnline: true })
    inbox.push({ seq: 1, entry: entry(1) })
    ;(await inbox.next()).value?.done()
    await turns()
    expect(tap.acknowledgedTo).toBe(1)
  })
})

class Tap implements InboxTap {
  readonly told: string[] = []
  heard = false
  acknowledgedTo = 0

  passes(): 'new' | 'heard' {
    return this.heard ? 'heard' : 'new'
  }

  reached(position: number): void {
    this.told.push(`reached ${position}`)
  }

  passed(_: Entry, position: number): void {
    this.told.push(`passed ${position}`)
  }

  acknowledged(position: number): void {
    this.acknowledgedTo = position
  }

  ended(position: number, received: number): void {
    this.told.push(`ended ${position} ${received}`)
  }

  forget(): void {
    this.told.push('forget')
  }
}

interface Opened {
  readonly inbox: Inbox
  readonly acks: Acknowledgements
  readonly tap: Tap
  readonly told: string[]
}

interface Parts {
  readonly limits?: Partial<Limits>
  readonly isOnline?: boolean
}

/** An inbox that was opened on a server where nothing was acknowledged. */
async function opened({ limits = {}, isOnline = false }: Parts = {}): Promise<Opened> {
  const acks = new Acknowledgements()
  const tap = new Tap()
  const inbox = new Inbox(
    {},
    resolveLimits(limits),
    acks,
    () => {},
    async () => {},
    tap,
  )
  const near = session([])
  if (isOnline) acks.online(near)
  inbox.open(near)
  await turns()
  return { inbox, acks, tap, told: [] }
}

/** A connection on which opening the inbox is refused with these first. */
function session(refusals: 'conflict'[], device = 'd1'): LoggedIn {
  const request = async (method: string): Promise<object> => {
    const code = method === 'inbox.open' ? refusals.shift() : undefined
    if (code !== undefined) throw new SealwireError(code, 'as the script says')
    return { lastSeq: 0, ackedSeq: 0 }
  }
  return { client: { request, close: () => {} }, name: 'bob', device } as unknown as LoggedIn
}

function entry(each: number): Entry {
  return { conversation: 7, seq: each, kind: 'message', id: new Uint8Array(16).fill(each), from: 'alice', device: 'a1', at: each }
}

function said(each: number, told: string[]): SaidItem {
  return {
    entry: { ...entry(each), seq: 0 },
    done: () => void told.push(`done ${each}`),
    dropped: () => void told.push(`dropped ${each}`),
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
