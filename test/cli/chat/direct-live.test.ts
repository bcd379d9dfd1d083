// Two real chats with direct links between them, through a real server, which goes away and comes back.

import { expect, test } from 'bun:test'
import { connect } from '../../../src/client/node-sdk.ts'
import { lastingPort } from '../../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { Chatter, People } from './people.ts'
import { type CliProcess, runCli } from '../cli-process.ts'
import { Homes, type } from '../member-support.ts'

interface Told {
  readonly event: string
  readonly id?: string
  readonly text?: string
  readonly seq?: number
}

/** Of a server that comes back. */
const options = async () => ({ limits: liftedRates, port: await lastingPort() })

/** A server, and the homes of two who have agreed to talk. */
async function friends() {
  const stack = new AsyncDisposableStack()
  const here = await options()
  const server = stack.use(await ServerProcess.start(here))
  const homes = stack.use(new Homes())
  const [ann, ben] = [await homes.join(server, 'ann'), await homes.join(server, 'ben')]
  await runCli(['contacts', 'request', 'ben', '--home', ann])
  await runCli(['contacts', 'accept', 'ann', '--home', ben])
  const again = () => ServerProcess.start({ ...here, data: server.data })
  return { server, again, homes, ann, ben, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** What is said on a link is taken there once both know how far the other one has read: so something is said until it is. */
async function linked(...chats: readonly CliProcess[]): Promise<void> {
  await Promise.all(chats.map((chat) => chat.printed(/"event":"way","name":"...","way":"direct"/)))
  for (const chat of chats) {
    for (let line = 1; !chat.stdout.includes('"event":"delivered"'); line++) {
      type(chat, 'before')
      await chat.printed(new RegExp(`"event":"done","line":${line}\\D`))
    }
  }
}

test('two chats talk directly while the server is away, and everything is in its place when it is back', async () => {
  await using stage = await friends()
  const { server, homes, ann, ben } = stage
  await using one = await homes.chat('ann', 'ben', '--json', '--direct')
  await using other = await homes.chat('ben', 'ann', '--json', '--direct')
  await linked(one, other)
  expect((await runCli(['status', '--home', ann])).stdout).toContain('\ndirect   ben: direct\n')
  await server.kill()
  await Promise.all([one, other].map((chat) => chat.printed(/"event":"disconnected"/)))
  type(one, 'one')
  await other.printed(/"text":"one"/)
  type(other, 'two')
  await one.printed(/"text":"two"/)
  await Promise.all([one, other].map((chat) => chat.printed(/"event":"disconnected"[^]*"event":"delivered"/)))
  expect(told(other, 'said').at(-1)).toMatchObject({ text: 'one', seq: 0, way: 'direct' })
  await using _second = await stage.again()
  const later = ['placed', 'done'].map((event) => new RegExp(`"event":"disconnected"[^]*"event":"${event}"`))
  await Promise.all([one, other].flatMap((chat) => later.map((pattern) => chat.printed(pattern))))
  for (const chat of [one, other]) chat.child.stdin.end()
  expect([await one.ended(), await other.ended(), one.stderr, other.stderr]).toEqual([0, 0, '', ''])
  for (const [chat, text] of [
    [one, 'two'],
    [other, 'one'],
  ] as const) {
    const said = told(chat, 'said').filter((each) => each.text !== 'before')
    expect(said).toMatchObject([{ text }])
    expect(told(chat, 'placed').filter(({ id }) => id === said[0]?.id)).toMatchObject([{ seq: expect.any(Number) }])
  }
  // Nothing comes again, neither out of the inbox nor as unread.
  for (const home of [ann, ben]) expect((await runCli(['inbox', '--home', home])).stdout).toBe('')
  expect(await nextChat(homes, 'ann', 'ben')).not.toMatch(/one|two/)
  expect(await nextChat(homes, 'ben', 'ann')).not.toMatch(/one|two/)
  expect((await runCli(['history', 'ben', '--home', ann])).stdout.match(/: (one|two)$/gm)).toHaveLength(2)
  expect((await runCli(['status', '--home', ann])).stdout).toContain('\ndirect   off\n')
}, 120_000)

/** ben's chat, which has ended, was told `one` directly; the server has that now, and `two`. */
async function toldBefore(stage: Awaited<ReturnType<typeof friends>>): Promise<AsyncDisposable> {
  const { server, homes } = stage
  await using stack = new AsyncDisposableStack()
  const one = stack.use(await homes.chat('ann', 'ben', '--json', '--direct'))
  await using other = await homes.chat('ben', 'ann', '--json', '--direct')
  await linked(one, other)
  await server.kill()
  await Promise.all([one, other].map((chat) => chat.printed(/"event":"disconnected"/)))
  type(one, 'one')
  await other.printed(/"text":"one"/)
  await one.printed(/"event":"disconnected"[^]*"event":"delivered"/)
  other.child.stdin.end()
  expect(await other.ended()).toBe(0)
  expect(told(other, 'said').at(-1)).toMatchObject({ text: 'one', seq: 0 })
  stack.use(await stage.again())
  await one.printed(/"event":"connected"[^]*"event":"done"/)
  type(one, 'two')
  await one.printed(/"event":"connected"[^]*"event":"done"[^]*"event":"done"/)
  return stack.move()
}

test('what came directly is not shown again by the programs after it, when the server has it at last', async () => {
  await using stage = await friends()
  await using _told = await toldBefore(stage)
  const shown = await nextChat(stage.homes, 'ben', 'ann')
  expect(shown).toMatch(/^ann: two$/m)
  expect(shown).not.toContain('one')
  const { stdout } = await runCli(['inbox', '--home', stage.ben])
  expect(stdout).not.toContain('one')
}, 120_000)

test('what came directly does not come again to a program without direct links', async () => {
  await using stage = await friends()
  await using _told = await toldBefore(stage)
  await using me = await connect(stage.ben)
  const { value } = await me.inbox().next()
  expect(value).toMatchObject({ text: 'two', way: 'relayed' })
}, 120_000)

test('a payment that is handed over is told as what it is, and as settled by both when it is', async () => {
  await using stage = await handingOver()
  const { ann, ben, payer, payee } = stage
  expect(await payer.told('doubtful')).toMatchObject({ name: ben.name, amount: '5.00', sentence: expect.stringContaining('worth nothing') })
  expect((await payee.told('held')).order).toMatchObject({ from: ann.name, amount: '5.00', state: 'unsettled' })
  await using _second = await stage.again()
  await payee.told('held', ({ order }) => order.state === 'settled')
  await payer.told('paid')
  expect((await ben.payments.balance()).amount).toBe('5.00')
  await stage.quit()
}, 120_000)

test('a payment that was handed over is settled by the next program of the payee, which has no direct links', async () => {
  await using stage = await handingOver()
  const { people, ann, ben, payee } = stage
  await payee.told('held')
  await stage.quit()
  await using later = await people.open(ben.name, { offline: true })
  const chat = new Chatter(later, people.homes.path(ben.name))
  const running = chat.run(ann.name, { terminal: true })
  await using _second = await stage.again()
  for (const state of ['unsettled', 'settled']) await chat.told('held', ({ order }) => order.state === state && order.minor === 500n)
  expect((await later.payments.balance()).amount).toBe('5.00')
  chat.type('/quit')
  await running
}, 120_000)

/** Two who talk directly, and a payment that is handed over because their server is gone. */
async function handingOver() {
  const here = await options()
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await ServerProcess.start(here))
  const people = stack.use(new People(server))
  const [ann, ben] = await people.pair(true, { direct: true })
  await runCli(['admin', 'mint', ann.name, '100', '--data', server.data])
  const [payer, payee] = [new Chatter(ann, people.homes.path(ann.name)), new Chatter(ben, people.homes.path(ben.name))]
  payer.answer = () => 'y'
  const running = [payer.run(ben.name, { terminal: true }), payee.run(ann.name, { terminal: true })]
  await Promise.all([payer, payee].map((chat) => chat.told('way', ({ way }) => way === 'direct')))
  // What an order between them needs is asked for when the link comes up, and what is asked later is answered later.
  for (const [me, peer] of [
    [ann, ben],
    [ben, ann],
  ] as const) {
    await me.call('direct.devices', { name: peer.name })
    await me.payments.units()
  }
  await server.kill()
  await Promise.all([payer, payee].map((chat) => chat.told('disconnected')))
  payer.type('/pay 5 for lunch')
  const quit = async (): Promise<void> => {
    for (const chat of [payer, payee]) chat.type('/quit')
    await Promise.allSettled(running)
  }
  const again = (): Promise<ServerProcess> => ServerProcess.start({ ...here, data: server.data })
  const stage = stack.move()
  return { people, ann, ben, payer, payee, quit, again, [Symbol.asyncDispose]: () => stage.disposeAsync() }
}

/** What a chat prints that only looks, without direct links. */
async function nextChat(homes: Homes, name: string, peer: string): Promise<string> {
  await using later = await homes.chat(name, peer)
  later.child.stdin.end()
  expect([await later.ended(), later.stderr]).toEqual([0, ''])
  return later.stdout
}

/** What a chat has told of a kind. */
function told(chat: CliProcess, event: string): readonly Told[] {
  const lines = chat.stdout.trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Told).filter((one) => one.event === event)
}
