// A classic client and somebody of the contract on a stage.

import type { ContractPeer } from './contract-peer.ts'
import { password, type ServerStage, type TestPeer } from './server-stage.ts'
import { here, messageId, nextEntry, talker, words } from './talkers.ts'

export const calm = { messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 }
export const [findPeer, message, ack, decline, exit] = [0x06, 0x03, 0x04, 0x05, 0x0a]

/** Bob at a classic client, and alice on a device with her inbox open; `restMs` gives her rate back. */
export async function stranger(stage: ServerStage, restMs = 0): Promise<{ alice: ContractPeer; bob: TestPeer }> {
  const alice = await here(stage, talker(stage, 'alice'))
  await alice.ask('inbox.open', {})
  const bob = await stage.person('bob')
  if (restMs > 0) await stage.clock.move(restMs)
  return { alice, bob }
}

/** The same, and they are contacts. */
export async function contacts(stage: ServerStage, restMs = 0): Promise<{ alice: ContractPeer; bob: TestPeer; conversation: number }> {
  const { alice, bob } = await stranger(stage, restMs)
  const { conversation } = await alice.ask('contact.request', { name: 'bob', id: messageId() })
  await bob.expect('06 alice')
  bob.send(ack)
  await bob.expect('04 CHAT')
  bob.send(exit)
  await bob.expect('04 BYE')
  await nextEntry(alice)
  return { alice, bob, conversation }
}

export async function chat(bob: TestPeer): Promise<void> {
  bob.send(findPeer, 'alice')
  await bob.expect('04 CHAT')
}

export function say(alice: ContractPeer, conversation: number, text: string) {
  return alice.ask('message.send', { conversation, id: messageId(), body: words(text) })
}

export async function again(stage: ServerStage, name: string): Promise<TestPeer> {
  const peer = stage.connect()
  peer.send(0x02, `${name}:${password}`)
  await peer.expect('04 OK')
  return peer
}

/** Frames until there are so many. */
export async function frames(peer: TestPeer, count: number): Promise<string[]> {
  const heard: string[] = []
  const until = Date.now() + 20_000
  while (heard.length < count && Date.now() < until) heard.push(...(await peer.arrived()))
  return heard
}
