// People on a stage who talk: accounts with devices, made in the store, so that nobody waits for the hash of a password.

import { createHash } from 'node:crypto'
import type { Entry } from '../../src/protocol/contract/index.ts'
import type { ContractPeer, Heard } from './contract-peer.ts'
import { messageId } from './device-client.ts'
import type { ServerStage } from './server-stage.ts'

/** An account, and the devices that it has. */
export interface Talker {
  readonly id: bigint
  readonly name: string
  readonly devices: readonly StageDevice[]
}

export interface StageDevice {
  readonly id: string
  readonly spkiHash: Uint8Array
}

/** An account with as many devices as said. */
export function talker(stage: ServerStage, name: string, devices = 1): Talker {
  const { id } = stage.store('account.create', { name, key: name, skeleton: name, passwordHash: undefined, createdAt: 1n })
  return { id, name, devices: Array.from({ length: devices }, (_, index) => device(stage, id, `${name} ${index}`)) }
}

function device(stage: ServerStage, accountId: bigint, words: string): StageDevice {
  const spkiHash = new Uint8Array(createHash('sha256').update(words).digest())
  const id = Buffer.from(spkiHash).toString('hex').slice(0, 26)
  stage.store('device.enrol', { spkiHash, id, accountId, label: words, at: 1n, expiresAt: 9_000_000_000_000n })
  return { id, spkiHash }
}

/** A session of a device. */
export async function here(stage: ServerStage, { name, devices }: Talker, index = 0): Promise<ContractPeer> {
  const peer = await stage.guest({ device: devices[index] as StageDevice })
  await peer.ask('device.login', {})
  return Object.assign(peer, { name })
}

/** The number of the conversation in which the two talk from now on. */
export async function introduce(one: ContractPeer, other: ContractPeer): Promise<number> {
  await one.ask('contact.request', { name: other.name, id: messageId() })
  const { conversation } = await other.ask('contact.accept', { name: one.name })
  return conversation
}

export const words = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

export { messageId } from './device-client.ts'

export interface Arrived {
  readonly seq: number
  readonly entry: Entry
}

/** The next entry that the inbox brings. */
export async function nextEntry(peer: ContractPeer): Promise<Arrived> {
  const [, , data] = await peer.next(isEvent('inbox.entry'))
  return data as Arrived
}

/** As many entries. */
export async function nextEntries(peer: ContractPeer, count: number): Promise<Arrived[]> {
  const arrived: Arrived[] = []
  while (arrived.length < count) arrived.push(await nextEntry(peer))
  return arrived
}

/** The next event of a name. */
export async function nextEvent(peer: ContractPeer, name: string): Promise<unknown> {
  return (await peer.next(isEvent(name)))[2]
}

/** What has arrived of events of a name, and of nothing else. */
export async function eventsOf(peer: ContractPeer, name: string): Promise<unknown[]> {
  return (await peer.arrived()).filter(isEvent(name)).map(([, , data]) => data)
}

export const textOf = ({ entry }: Arrived): string => Buffer.from(entry.body ?? []).toString()

const isEvent =
  (name: string) =>
  ([kind, event]: Heard): boolean =>
    kind === 'event' && event === name
