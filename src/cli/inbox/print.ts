// Prints what an inbox brings, in order, and acknowledges it behind that.

import type { Client } from '../../client/node.ts'
import type { Entry } from '../../protocol/contract/index.ts'

/** How an inbox is printed. */
export interface PrintOptions {
  readonly follow: boolean
  readonly signal: AbortSignal
  /** The own name: what this account said itself is not news. */
  readonly own: string
  /** What a chat of this home has shown, to which it came directly. */
  readonly isShown: (entry: Entry) => boolean
  /** Told that entries left the inbox before this device had them. */
  readonly left: () => void
  readonly print: (entry: Entry, seq: number) => Promise<void>
}

type Caller = Pick<Client, 'request' | 'events'>

/** Prints and acknowledges, one after the other; without `follow` up to what was there at the beginning. */
export async function printInbox(client: Caller, { follow, signal, own, isShown, left, print }: PrintOptions): Promise<void> {
  const events = client.events({ signal })
  const { lastSeq, place } = await open(client, 0, left)
  if (!follow && place >= lastSeq) return
  let [acknowledged, printed, gap] = [place, place, 0]
  for await (const event of events) {
    if (event.event !== 'inbox.entry' || event.data.seq <= printed) continue
    const { seq, entry } = event.data
    // What is missing was lost, or another command of this home has it; what is left comes once more.
    if (seq > printed + 1 && seq !== gap) {
      gap = seq
      printed = Math.max(printed, (await open(client, printed, left)).place)
      continue
    }
    if (entry.from !== own && !isShown(entry)) await print(entry, seq)
    printed = seq
    const isLast = !follow && seq >= lastSeq
    // What is behind one acknowledgement is printed: a crash in between prints it again, and never not at all.
    if (isLast || seq - acknowledged >= acknowledgeEvery || follow) {
      await client.request('inbox.ack', { seq })
      acknowledged = seq
    }
    if (isLast) return
  }
}

/** Opens the inbox, and tells once what left it behind what was printed; answers up to where nothing more comes. */
async function open(client: Caller, printed: number, left: () => void): Promise<{ readonly lastSeq: number; readonly place: number }> {
  const { lastSeq, ackedSeq, lostSeq = 0 } = await client.request('inbox.open', {})
  if (lostSeq <= Math.max(ackedSeq, printed)) return { lastSeq, place: ackedSeq }
  left()
  await client.request('inbox.ack', { seq: lostSeq })
  return { lastSeq, place: lostSeq }
}

const acknowledgeEvery = 100
