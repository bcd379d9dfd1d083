import { afterAll, describe, expect, test } from 'bun:test'
import { type Client, connectNode } from '../../src/client/node.ts'
import type { EventName, ParsedEvent } from '../../src/client/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { messageId } from '../support/device-client.ts'
import { rejectionOf } from '../support/refusal.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const limits = { ...liftedRates, messagesBurstPerAccountMax: 1_000_000 }
const server = await ServerProcess.start({ limits })
afterAll(() => server[Symbol.asyncDispose]())

describe('against the real server', () => {
  test('an account is made, comes back with its token and with its password, and is refused with others', async () => {
    const first = await dial()
    expect(first.welcome.features).toEqual(['registration-open', 'device-login', 'direct'])
    expect(await rejectionOf(first.request('directory.who', {}))).toBe('not_logged_in')
    const { name, token } = await first.request('account.register', { name: 'Alice', password: 'correct-horse-battery' })
    expect([name, token.length]).toEqual(['Alice', 32])
    expect(await rejectionOf(first.request('account.register', { name: 'bob' }))).toBe('already_logged_in')

    const second = await dial()
    expect(await rejectionOf(second.request('account.register', { name: 'alice' }))).toBe('name_taken')
    expect(await rejectionOf(second.request('account.login', { name: 'alice', password: 'wrong-horse-battery' }))).toBe('login_refused')
    expect((await second.request('account.login', { name: 'alice', password: 'correct-horse-battery' })).name).toBe('Alice')

    const third = await dial()
    expect(await third.request('account.resume', { token })).toEqual({ name: 'Alice' })
    await third.request('account.password', { current: 'correct-horse-battery', next: 'better-horse-battery' })
    expect([(await first.closed)?.code, (await second.closed)?.code]).toEqual(['session_ended', 'session_ended'])
    await third.drain()
    expect(await third.closed).toBeUndefined()
  })

  test('two who talk hear everything, in order and once, however fast it is said', async () => {
    const [carol, dave] = await Promise.all([person('carol'), person('dave')])
    const [atCarol, atDave] = [carol.events(), dave.events()]
    const conversation = await introduce(carol, dave)
    const [heard] = await Promise.all([hear(atDave, 4_000), talk(carol, conversation, 4_000)])
    expect(heard).toEqual(Array.from({ length: 4_000 }, (_, index) => index))
    await next(atCarol, 'presence.changed')
    await Promise.all([carol.drain(), dave.drain()])
    for await (const { event } of atCarol) expect(event).toBe('presence.changed')
  }, 60_000)

  test('the largest echo goes through before login, and a larger one is refused without the server', async () => {
    const client = await dial()
    const data = new Uint8Array(1_024).fill(7)
    expect(await client.request('session.echo', { data })).toEqual({ data })
    expect(await rejectionOf(client.request('session.echo', { data: new Uint8Array(1_025) }))).toBe('malformed')
    expect(await client.request('session.echo', { data })).toEqual({ data })
    await client.drain()
  })

  test('a server that stops says so to its clients', async () => {
    await using stopping = await ServerProcess.start({ limits })
    const client = await dial(stopping)
    const events = rejectionOf(client.events().next())
    await stopping.stop()
    expect([(await client.closed)?.code, await events]).toEqual(['stopping', 'stopping'])
    expect(await rejectionOf(client.request('session.ping', {}))).toBe('stopping')
    expect(await rejectionOf(dial(stopping))).toBe('unreachable')
  })

  test('two who talk when the server stops hear that', async () => {
    await using stopping = await ServerProcess.start({ limits })
    const [carol, dave] = [await person('carol', stopping), await person('dave', stopping)]
    const [atCarol, atDave] = [carol.events(), dave.events()]
    await introduce(carol, dave)
    await Promise.all([next(atCarol, 'presence.changed'), next(atDave, 'inbox.entry')])
    const ends = [atCarol, atDave].map(endOf)
    await stopping.stop()
    expect(await Promise.all(ends)).toEqual(['stopping', 'stopping'])
  })

  test('a server that dies is lost', async () => {
    await using dying = await ServerProcess.start({ limits })
    const client = await dial(dying)
    await dying.kill()
    expect((await client.closed)?.code).toBe('connection_lost')
  })
})

function dial({ port, fingerprint }: ServerProcess = server): Promise<Client> {
  return connectNode({ host: '127.0.0.1', port, pin: fingerprint, name: 'test' })
}

async function person(name: string, at?: ServerProcess): Promise<Client> {
  const client = await dial(at)
  await client.request('account.register', { name })
  return client
}

/** The number of the conversation in which the two talk from now on; dave's inbox is open. */
async function introduce(carol: Client, dave: Client): Promise<number> {
  await dave.request('inbox.open', {})
  await carol.request('contact.request', { name: 'dave', id: messageId() })
  return (await dave.request('contact.accept', { name: 'carol' })).conversation
}

/** The next event, which has to be this one. */
async function next(events: AsyncIterableIterator<ParsedEvent>, event: EventName): Promise<ParsedEvent> {
  const step = await events.next()
  expect(step.value).toMatchObject({ event })
  return step.value as ParsedEvent
}

/** With which code events end. */
async function endOf(events: AsyncIterableIterator<ParsedEvent>): Promise<string> {
  try {
    for await (const _event of events);
    return 'plainly'
  } catch (reason) {
    return SealwireError.from(reason).code
  }
}

/** Says numbers, as many at once as a client may have open. */
async function talk(client: Client, conversation: number, total: number): Promise<void> {
  for (let at = 0; at < total; at += 1_000) {
    const bodies = Array.from({ length: 1_000 }, (_, index) => Buffer.from(`${at + index}`))
    await Promise.all(bodies.map((body) => client.request('message.send', { conversation, id: messageId(), body })))
  }
}

async function hear(events: AsyncIterableIterator<ParsedEvent>, total: number): Promise<number[]> {
  const heard: number[] = []
  while (heard.length < total) {
    const { value } = await events.next()
    const said = value as ParsedEvent
    if (said.event === 'inbox.entry' && said.data.entry.kind === 'message')
      heard.push(Number(Buffer.from(said.data.entry.body ?? []).toString()))
  }
  return heard
}
