// Somebody with the SDK: `direct-peer.ts SETTINGS`, in JSON. Whatever happens is a line of JSON on standard output, with the moment
// `at` which it did; commands are lines of JSON on standard input, `{id, do, …}`, and each is answered, `{id, ok}` or `{id, error,
// sentence}`, when it was carried out. It ends with its standard input.

import { createInterface } from 'node:readline'
import type { DirectOptions } from '../../src/client/direct/direct.ts'
import { connect, type InboxItem, SealwireError } from '../../src/index.ts'
import type { Answer } from './direct-line-process.ts'
import { type BytesEvent, commandOf, type PeerCommand } from './direct-peer-commands.ts'
import { sayLine } from './say-line.ts'

/** As whom, and how. */
export interface PeerSettings {
  readonly home: string
  /** Default: not. */
  readonly direct?: true | DirectOptions
}

/** What happens. */
export type PeerEvent =
  | { readonly event: 'online' }
  | ({ readonly event: 'item' } & HeardItem)
  | { readonly event: 'way'; readonly name: string; readonly way: 'direct' | 'relayed'; readonly why?: string }
  | { readonly event: 'state'; readonly state: string }
  | { readonly event: 'delivery'; readonly id: string; readonly name: string; readonly device: string }
  | { readonly event: 'placed'; readonly id: string; readonly conversation: number; readonly seq: number }
  | BytesEvent
  | { readonly event: 'held'; readonly from: string; readonly order: string; readonly state: string }

/** What its inbox has brought. */
export interface HeardItem {
  readonly id: string
  readonly kind: string
  readonly from: string
  readonly text?: string
  readonly way: InboxItem['way']
  readonly conversation: number
  readonly seq: number
}

function say(what: PeerEvent | Answer): void {
  sayLine(JSON.stringify({ at: Date.now(), ...what }, (_key, value: unknown) => plain(value)))
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

if (import.meta.main) {
  const { home, direct }: PeerSettings = JSON.parse(process.argv[2] ?? '')
  const me = await connect(home, { offline: true, ...(direct === undefined ? {} : { direct }) })
  const files = new Map<string, InboxItem['file']>()
  const told = [hear(), tellStates(), tellWays(), tellDeliveries(), tellPlaced(), tellHeld()]
  for (const each of told) each.catch(fail)
  await me.online()
  // The inbox of a new device begins where it is opened first: answers come in their order, so it is open when this one comes.
  await me.call('session.ping', {})
  say({ event: 'online' })
  const carryOut = commandOf({ me, home, files, tell: say })
  createInterface({ input: process.stdin })
    .on('line', (line) => void answer(carryOut, JSON.parse(line) as PeerCommand))
    .on('close', () => process.exit(0))

  async function hear(): Promise<void> {
    for await (const { id, kind, from, text, way, conversation, seq, file } of me.inbox()) {
      if (file !== undefined) files.set(id, file)
      say({ event: 'item', id, kind, from, ...(text === undefined ? {} : { text }), way, conversation, seq })
    }
  }

  async function tellStates(): Promise<void> {
    for await (const state of me.states()) say({ event: 'state', state })
  }

  async function tellWays(): Promise<void> {
    for await (const { name, way } of me.direct?.ways() ?? []) {
      say({ event: 'way', name, way: way.way, ...(way.way === 'relayed' ? { why: way.why } : {}) })
    }
  }

  async function tellDeliveries(): Promise<void> {
    for await (const delivery of me.direct?.deliveries() ?? []) say({ event: 'delivery', ...delivery })
  }

  async function tellPlaced(): Promise<void> {
    for await (const { id, conversation, seq } of me.direct?.placed() ?? []) say({ event: 'placed', id, conversation, seq })
  }

  async function tellHeld(): Promise<void> {
    for await (const { from, id, state } of me.direct?.held() ?? []) say({ event: 'held', from, order: id, state })
  }
}

async function answer(carryOut: ReturnType<typeof commandOf>, command: PeerCommand): Promise<void> {
  const { id } = command
  try {
    say({ id, ok: (await carryOut(command)) ?? null })
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    say({ id, error: code, sentence })
  }
}

function fail(reason: unknown): never {
  console.error(reason)
  process.exit(1)
}
