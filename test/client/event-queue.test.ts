import { describe, expect, test } from 'bun:test'
import type { Client, ParsedEvent } from '../../src/client/index.ts'
import { encodeFrame } from '../../src/protocol/index.ts'
import { contractCommands, encodeCbor, encodeEvent, encodeFault } from '../../src/protocol/contract/index.ts'
import { settle } from '../support/manual-clock.ts'
import { rejectionOf } from '../support/refusal.ts'
import { ClientStage } from './scripted-server.ts'

const came = (name: string): ParsedEvent => ({ event: 'presence.changed', data: { name, here: true } })
const typing = { conversation: 1, name: 'bob' }

describe('events', () => {
  test('come in their order, those from before events() too, and unknown ones are left out', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    stage.server.event('presence.changed', { name: 'bob', here: true })
    stage.server.say(contractCommands.event, encodeCbor(['room.opened', { room: 1 }]))
    await settle()
    const events = client.events()
    expect(await events.next()).toEqual({ done: false, value: came('bob') })
    const next = [events.next(), events.next()]
    const entry = {
      conversation: 1,
      seq: 2,
      kind: 'message' as const,
      id: new Uint8Array(16),
      from: 'bob',
      at: 3,
      body: Uint8Array.of(1, 2, 3),
    }
    stage.server.event('inbox.entry', { seq: 4, entry })
    stage.server.event('presence.typing', typing)
    expect(await Promise.all(next)).toEqual([
      { done: false, value: { event: 'inbox.entry', data: { seq: 4, entry } } },
      { done: false, value: { event: 'presence.typing', data: typing } },
    ])
  })

  test('are read by one iterator at a time, and the next goes on where the last stopped', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const first = client.events()
    expect(() => client.events()).toThrow(TypeError)
    stage.server.event('presence.changed', { name: 'bob', here: true })
    stage.server.event('presence.changed', { name: 'carol', here: true })
    for await (const event of first) {
      expect(event).toEqual(came('bob'))
      break
    }
    expect(await first.next()).toEqual({ done: true, value: undefined })
    expect(await client.events().next()).toEqual({ done: false, value: came('carol') })
  })

  test('end with the signal, whether somebody waits or not', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const abort = new AbortController()
    const waiting = client.events({ signal: abort.signal }).next()
    abort.abort()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(await client.events({ signal: abort.signal }).next()).toEqual({ done: true, value: undefined })
    stage.server.event('presence.typing', typing)
    expect((await client.events().next()).done).toBe(false)
  })

  test('end with a return, also for whoever waits', async () => {
    const client = await new ClientStage().client()
    const events = client.events()
    const waiting = events.next()
    await events.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  test('end plainly after our own end, and with the reason after another, behind what had come', async () => {
    const closing = new ClientStage()
    const closed = await closing.client()
    const waiting = closed.events().next()
    closed.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(await closed.events().next()).toEqual({ done: true, value: undefined })

    const losing = new ClientStage()
    const lost = await losing.client()
    losing.server.event('presence.typing', typing)
    losing.server.fault(null, 'stopping')
    await lost.closed
    const events = lost.events()
    expect((await events.next()).value).toEqual({ event: 'presence.typing', data: typing })
    expect(await rejectionOf(events.next())).toBe('stopping')
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  test('that had come before the end are still there for an iterator that was busy, and none from after it', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const events = client.events()
    const told = (name: string) => encodeFrame(contractCommands.event, encodeEvent('presence.changed', { name, here: true }))
    const end = encodeFrame(contractCommands.fault, encodeFault({ id: null, code: 'stopping', sentence: '' }))
    stage.server.raw(Buffer.concat([told('bob'), told('carol'), end, told('dave')]))
    await client.closed
    expect([(await events.next()).value, (await events.next()).value]).toEqual([came('bob'), came('carol')])
    expect(await rejectionOf(events.next())).toBe('stopping')
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  test('tell the first who waits the reason, and the others that it is over', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const events = client.events()
    const [first, second] = [rejectionOf(events.next()), events.next()]
    stage.far.terminate()
    expect([await first, await second]).toEqual(['connection_lost', { done: true, value: undefined }])
  })
})

describe('the bound of events', () => {
  const left = encodeFrame(contractCommands.event, encodeEvent('presence.typing', typing))
  const burst = (events: number) => Buffer.concat(Array<Uint8Array>(events).fill(left))

  test('does not bite a reader that keeps up, however much one read brings', async () => {
    const stage = new ClientStage({ clientEventsMax: 10 })
    const client = await stage.client()
    const total = count(client, 3_000)
    for (let read = 0; read < 3; read++) {
      stage.server.raw(burst(1_000))
      await settle()
    }
    expect(await total).toBe(3_000)
    expect(stage.near.open).toBe(true)
  })

  test('ends the connection of a reader that does not, after all that had come', async () => {
    const stage = new ClientStage({ clientEventsMax: 10 })
    const client = await stage.client()
    stage.server.raw(burst(10))
    await settle()
    stage.server.raw(left)
    await settle()
    expect(stage.near.open).toBe(true)
    stage.server.raw(left)
    expect((await client.closed)?.code).toBe('overrun')
    const events = client.events()
    for (let taken = 0; taken < 11; taken++) expect((await events.next()).done).toBe(false)
    expect(await rejectionOf(events.next())).toBe('overrun')
  })
})

async function count(client: Client, max: number): Promise<number> {
  let total = 0
  for await (const _event of client.events()) if (++total === max) break
  return total
}
