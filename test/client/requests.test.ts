import { describe, expect, test } from 'bun:test'
import { getEventListeners } from 'node:events'
import type { Client } from '../../src/client/index.ts'
import { settle } from '../support/manual-clock.ts'
import { rejectionOf } from '../support/refusal.ts'
import { ClientStage } from './scripted-server.ts'

const editing = (bytes: number) => ({ conversation: 1, target: 1, id: new Uint8Array(16), body: new Uint8Array(bytes) })
const large = editing(60_000)
const edited = { seq: 2, at: 3 }

describe('a request', () => {
  test('is answered by its id, whatever comes first', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const ping = client.request('session.ping', {})
    const echo = client.request('session.echo', { data: Uint8Array.of(1, 2) })
    const [first, second] = await stage.server.requests(2)
    expect([first?.method, second?.method, second?.params]).toEqual(['session.ping', 'session.echo', { data: Uint8Array.of(1, 2) }])
    stage.server.answer(second?.id ?? 0, 'session.echo', { data: Uint8Array.of(3) })
    expect(await echo).toEqual({ data: Uint8Array.of(3) })
    stage.server.answer(first?.id ?? 0, 'session.ping', { time: 5 })
    expect(await ping).toEqual({ time: 5 })
  })

  test('leaves nothing behind at its signal', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const { signal } = new AbortController()
    const [answered, refused, lost] = [1, 2, 3].map(() => client.request('session.ping', {}, { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(3)
    const [first, second] = await stage.server.requests(3)
    stage.server.answer(first?.id ?? 0, 'session.ping', { time: 1 })
    stage.server.fault(second?.id ?? 0, 'busy')
    await Promise.allSettled([answered, refused])
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    client.close()
    await Promise.allSettled([lost])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('that is refused leaves the connection as it was', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const refused = client.request('directory.block', { name: 'bob' }).catch((reason: unknown) => reason)
    stage.server.fault((await stage.server.request()).id, 'not_found', 'there is no account of that name')
    expect(await refused).toMatchObject({ code: 'not_found', sentence: 'there is no account of that name' })
    const ping = client.request('session.ping', {})
    stage.server.answer((await stage.server.request()).id, 'session.ping', { time: 5 })
    expect(await ping).toEqual({ time: 5 })
  })

  test('that is refused with a code that ends connections ends this one', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const [refused, other] = [rejectionOf(client.request('session.ping', {})), rejectionOf(client.request('session.ping', {}))]
    stage.server.fault((await stage.server.request()).id, 'internal', 'internal error')
    expect([await refused, await other, (await client.closed)?.code]).toEqual(['internal', 'internal', 'internal'])
  })

  test('that the server would not take is not sent', async () => {
    const stage = new ClientStage()
    const client = await stage.client({}, { limits: { bodyBytesMax: 1_024, echoBytesMax: 1_024, messageBodyBytesMax: 900 } })
    expect(await rejectionOf(client.request('account.resume', { token: new Uint8Array(31) }))).toBe('malformed')
    expect(await rejectionOf(client.request('message.edit', editing(1_010)))).toBe('message_too_large')
    // @ts-expect-error There is no such method.
    expect(await client.request('session.leave', {}).catch((reason: unknown) => reason)).toBeInstanceOf(TypeError)
    // @ts-expect-error Nor this one.
    expect(await client.request('__proto__', {}).catch((reason: unknown) => reason)).toBeInstanceOf(TypeError)
    const sent = rejectionOf(client.request('message.edit', editing(900)))
    expect((await stage.server.request()).method).toBe('message.edit')
    client.close()
    await sent
  })

  test('over clientRequestsMax is busy until another is answered', async () => {
    const stage = new ClientStage({ clientRequestsMax: 2 })
    const client = await stage.client()
    const open = [client.request('session.ping', {}), client.request('session.ping', {})]
    expect(await rejectionOf(client.request('session.ping', {}))).toBe('busy')
    const [first, second] = await stage.server.requests(2)
    stage.server.answer(first?.id ?? 0, 'session.ping', { time: 1 })
    await open[0]
    const third = client.request('session.ping', {})
    stage.server.answer(second?.id ?? 0, 'session.ping', { time: 2 })
    stage.server.answer((await stage.server.request()).id, 'session.ping', { time: 3 })
    expect([await open[1], await third]).toEqual([{ time: 2 }, { time: 3 }])
  })
})

describe('a request that is given up', () => {
  test('by its signal is over at once, and its answer is ignored', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const abort = new AbortController()
    const open = rejectionOf(client.request('session.ping', {}, { signal: abort.signal }))
    const { id } = await stage.server.request()
    abort.abort()
    expect(await open).toBe('unknown_outcome')
    expect(await rejectionOf(client.request('session.ping', {}, { signal: abort.signal }))).toBe('unknown_outcome')
    stage.server.answer(id, 'session.ping', { time: 1 })
    const next = client.request('session.ping', {})
    stage.server.answer((await stage.server.request()).id, 'session.ping', { time: 2 })
    expect(await next).toEqual({ time: 2 })
    stage.server.answer(id, 'session.ping', { time: 1 })
    expect((await client.closed)?.code).toBe('unexpected')
  })

  test.each([
    ['requestMsMax', { requestMsMax: 1_000 }, {}],
    ['clientRequestMsMax', {}, { clientRequestMsMax: 1_000 }],
  ] as const)('by time is over after %s, each on its own', async (_, options, limits) => {
    const stage = new ClientStage(limits)
    const client = await stage.client(options)
    const first = rejectionOf(client.request('session.ping', {}))
    const second = client.request('session.ping', {})
    await stage.clock.move(600)
    const third = rejectionOf(client.request('session.ping', {}))
    const requests = await stage.server.requests(3)
    stage.server.answer(requests[1]?.id ?? 0, 'session.ping', { time: 2 })
    expect(await second).toEqual({ time: 2 })
    await stage.clock.move(399)
    expect(await pending(first)).toBe(true)
    await stage.clock.move(1)
    expect([await first, await pending(third)]).toEqual(['unknown_outcome', true])
    await stage.clock.move(600)
    expect(await third).toBe('unknown_outcome')
    expect([stage.clock.timers, stage.near.open]).toEqual([0, true])
    stage.server.answer(requests[0]?.id ?? 0, 'session.ping', { time: 1 })
    await settle()
    expect(stage.near.open).toBe(true)
  })

  test('keeps its place until the server has answered it', async () => {
    const stage = new ClientStage({ clientRequestsMax: 1 })
    const client = await stage.client({ requestMsMax: 1_000 })
    const late = rejectionOf(client.request('session.ping', {}))
    const { id } = await stage.server.request()
    await stage.clock.move(1_000)
    expect(await late).toBe('unknown_outcome')
    expect(await rejectionOf(client.request('session.ping', {}))).toBe('busy')
    stage.server.fault(id, 'busy')
    await settle()
    const next = client.request('session.ping', {})
    stage.server.answer((await stage.server.request()).id, 'session.ping', { time: 2 })
    expect(await next).toEqual({ time: 2 })
  })

  test('does not hold up a drain', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const abort = new AbortController()
    const open = rejectionOf(client.request('session.ping', {}, { signal: abort.signal }))
    await stage.server.request()
    const drained = client.drain()
    abort.abort()
    expect(await open).toBe('unknown_outcome')
    await stage.server.goodbye()
    await drained
  })
})

describe('while the server takes less than is written', () => {
  /** A server that reads nothing, and a client with more to say than fits. */
  async function jam(count = 20): Promise<{ stage: ClientStage; client: Client; said: Promise<unknown>[] }> {
    const stage = new ClientStage()
    const client = await stage.client({ requestMsMax: 5_000 })
    stage.far.pause()
    const said = Array.from({ length: count }, () => client.request('message.edit', large))
    for (const each of said) each.catch(() => {})
    await settle()
    return { stage, client, said }
  }

  test('requests wait, and go out in their order when it is back', async () => {
    const { stage, said } = await jam(50)
    expect(stage.near.keepsUp).toBe(false)
    expect(stage.near.queuedBytes).toBeLessThan(stage.limits.outputBytesHigh + 2 * large.body.length)
    stage.far.resume()
    const requests = await stage.server.requests(50)
    expect(requests.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    for (const { id } of requests) stage.server.answer(id, 'message.edit', edited)
    expect(await Promise.all(said)).toHaveLength(50)
  })

  test('a request that is given up before it was sent is never sent', async () => {
    const { stage, client, said } = await jam()
    const abort = new AbortController()
    const aborted = rejectionOf(client.request('session.ping', {}, { signal: abort.signal }))
    const last = rejectionOf(client.request('directory.blocked', {}))
    abort.abort()
    expect(await aborted).toBe('unknown_outcome')
    stage.far.resume()
    const requests = await stage.server.requests(said.length + 1)
    expect(requests.at(-1)?.method).toBe('directory.blocked')
    expect(requests.some(({ method }) => method === 'session.ping')).toBe(false)
    client.close()
    await last
  })

  test('what was not sent in time is busy, what was sent is unknown', async () => {
    const { stage, said } = await jam()
    await stage.clock.move(5_000)
    const codes = await Promise.all(said.map(rejectionOf))
    const sent = codes.indexOf('busy')
    expect(sent).toBeWithin(1, codes.length)
    expect(codes).toEqual([...Array(sent).fill('unknown_outcome'), ...Array(codes.length - sent).fill('busy')])
    stage.near.terminate()
  })

  test('its answer to what was not sent yet breaks the rules', async () => {
    const { stage, client, said } = await jam()
    stage.server.answer(said.length, 'message.edit', edited)
    expect((await client.closed)?.code).toBe('unexpected')
  })

  test('drain waits until everything is sent and answered', async () => {
    const { stage, client, said } = await jam()
    const drained = client.drain()
    stage.far.resume()
    for (const { id } of await stage.server.requests(said.length)) stage.server.answer(id, 'message.edit', edited)
    await stage.server.goodbye()
    await drained
    expect(await Promise.all(said)).toHaveLength(said.length)
  })
})

async function pending(promise: Promise<unknown>): Promise<boolean> {
  const nobody = Symbol('nobody')
  return (await Promise.race([promise, Promise.resolve(nobody)])) === nobody
}
