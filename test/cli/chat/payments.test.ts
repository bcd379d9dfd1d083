// Money in a chat, through a real server: asked for, paid once, and told as it is.

import { afterAll, describe, expect, test } from 'bun:test'
import { chatJson, type ChatNews, chatText } from '../../../src/cli/chat/news.ts'
import { ChatPayments } from '../../../src/cli/chat/payments.ts'
import { PendingPayments } from '../../../src/cli/money/pending-payments.ts'
import { plainLines } from '../../../src/cli/chat/text.ts'
import { Home } from '../../../src/client/home/home.ts'
import { type Sealwire, newMessageId } from '../../../src/client/index.ts'
import { readPayment } from '../../../src/client/payments/message.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { encodeCbor, paymentType } from '../../../src/protocol/contract/index.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { CuttingRelay } from '../../support/cutting-relay.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { Chatter, People } from './people.ts'
import { runCli } from '../cli-process.ts'
import { rejected } from '../home-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const people = new People(server)
afterAll(async () => {
  await people[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Two who talk with each other at terminals; the first one has 100 credits. */
async function richPair(from = people) {
  const [ann, ben] = await from.pair()
  await mint(ann)
  const [payer, payee] = [chatter(ann, from), chatter(ben, from)]
  const ended = [payer.run(ben.name, { terminal: true }), payee.run(ann.name, { terminal: true })]
  await Promise.all([payer.told('begun'), payee.told('begun')])
  const quit = async (): Promise<void> => {
    for (const each of [payer, payee]) each.type('/quit')
    await Promise.all(ended)
  }
  return { ann, ben, payer, payee, quit }
}

function chatter(me: Sealwire, from = people): Chatter {
  return new Chatter(me, from.homes.path(me.name))
}

async function mint({ name }: Pick<Sealwire, 'name'>): Promise<void> {
  expect((await runCli(['admin', 'mint', name, '100', '--data', server.data])).exitCode).toBe(0)
}

/** Resolves when it was told so often. */
async function toldTimes(chat: Chatter, event: 'unpaid' | 'paid', times: number): Promise<void> {
  await chat.told(event, () => chat.events.filter((one) => one === event).length >= times)
}

/** Everything that a chat has told about money, as lines. */
function linesOf(chat: Chatter): readonly string[] {
  const told = chat.news.filter(({ event }) => /^(said|paying|paid|unpaid|doubtful|billed|requests|balance)$/.test(event))
  return told.flatMap((news) => chatText(news).flatMap((text) => plainLines(text)))
}

async function balanceOf(me: Sealwire): Promise<string> {
  return (await me.payments.balance()).amount
}

async function postings(me: Sealwire): Promise<number> {
  return (await Array.fromAsync(me.payments.statement())).length
}

describe('requests to pay', () => {
  test('are listed, and looked among, as many as there is room for, the newest', async () => {
    const [ann, ben] = await people.pair()
    const questions: string[] = []
    const news: ChatNews[] = []
    const ask = async (question: string): Promise<boolean> => {
      questions.push(question)
      return false
    }
    const pending = new PendingPayments(new Home(people.homes.path(ann.name)), ann.name)
    const payments = new ChatPayments({ me: ann, pending, clock: systemClock, tell: (one) => news.push(one), ask })
    await ben.payments.request(ann.name, '1')
    const others = Array.from({ length: limitTable.chatRequestsLookedMax.value - 1 }, (_, at) => `${at + 2}`)
    await Promise.all(others.map((amount) => ann.payments.request(ben.name, amount)))
    await payments.pay(ben.name, undefined)
    expect(questions).toEqual([`Pay 1.00 credits to ${ben.name}? [y/N] `])
    await ann.payments.request(ben.name, '1000')
    expect(await rejected(payments.pay(ben.name, undefined))).toMatchObject({ code: 'not_found' })
    await payments.requests()
    const told = news.flatMap((one) => (one.event === 'requests' ? one.requests : []))
    expect(told).toHaveLength(limitTable.chatRequestsMax.value)
    expect(told[0]).toMatchObject({ amount: '1000.00' })
  })
})

describe('/pay', () => {
  test('asks, pays once the answer is yes, and both are told', async () => {
    const { ann, ben, payer, payee, quit } = await richPair()
    payer.type('/pay 5 for lunch')
    await payer.told('unpaid')
    expect(payer.questions).toEqual([`Pay 5.00 credits to ${ben.name} ("lunch")? [y/N] `])
    for (const no of ['n', '', 'no', 'yes please', 'yy']) {
      payer.answer = () => no
      payer.type('/pay 5 for lunch')
      await toldTimes(payer, 'unpaid', payer.questions.length + 1)
    }
    expect([payer.questions.length, await balanceOf(ben)]).toEqual([6, '0.00'])
    payer.answer = () => ' Yes'
    payer.type(`/pay ${ben.name.toUpperCase()} 5 credits for lunch`)
    const { id } = await payer.told('paid')
    await payee.told('said')
    expect(linesOf(payer).slice(-2)).toEqual([
      `… sending 5.00 credits to ${ben.name} ("lunch")`,
      `paid 5.00 credits to ${ben.name} ("lunch") (${id}), 95.00 credits left`,
    ])
    expect(linesOf(payee)).toEqual([`${ann.name} paid you 5.00 credits: lunch`])
    expect(await ann.payments.transfer(id)).toMatchObject({ status: 'posted', amount: '5.00', payee: ben.name })
    expect(new PendingPayments(new Home(people.homes.path(ann.name)), ann.name).list()).toEqual([])
    payer.type('/balance', '/history 1')
    await payer.told('history')
    expect(linesOf(payer).at(-1)).toBe('95.00 credits')
    expect(chatText(await payer.told('history'))[0]?.lines[0]).toMatch(new RegExp(`you paid ${ben.name} 5\\.00 credits: lunch`))
    await quit()
  })

  test('says in plain words what is refused, before the question or behind it', async () => {
    const { ann, ben, payer, quit } = await richPair()
    payer.answer = () => 'y'
    payer.type('/pay 1000')
    await payer.told('unpaid')
    payer.type('/pay 0', '/pay 5 lunch', '/pay nobody-of-that-name 5', '/pay', `/pay 5 for ${'x'.repeat(201)}`, '/exit', '/pay 5')
    await payer.told('refused', ({ line }) => line === 8)
    const refusals = payer.news.flatMap((one) => (one.event === 'refused' ? [`${one.line} ${one.code}`] : []))
    expect(refusals).toEqual(['2 amount_invalid', '3 not_found', '4 not_found', '5 not_found', '6 usage', '8 usage'])
    expect(await payer.told('unpaid')).toMatchObject({ code: 'insufficient_funds', hint: '/balance tells what there is' })
    expect([await balanceOf(ann), await balanceOf(ben), payer.questions.length]).toEqual(['100.00', '0.00', 1])
    await quit()
  })

  test('pays what was asked for, in a chat or with sealwire pay', async () => {
    const { ann, ben, payer, payee, quit } = await richPair()
    payer.answer = () => 'y'
    payee.type('/request 12.50 for tickets', '/requests')
    await payer.told('said')
    expect(linesOf(payer)).toEqual([`${ben.name} asked you for 12.50 credits (/pay ${ben.name} pays it): tickets`])
    const { request } = await payee.told('billed')
    expect(linesOf(payee)[0]).toBe(`you asked ${ann.name} for 12.50 credits (${request.id}): tickets`)
    await ann.payments.payRequest(request, { amount: '2.50' })
    payer.type('/requests', '/pay')
    await payer.told('paid')
    expect(linesOf(payer)[1]).toBe(`${ben.name} asked you for 12.50 credits, 2.50 paid (/pay ${ben.name} pays it): tickets`)
    expect(payer.questions).toEqual([`Pay 10.00 credits to ${ben.name} ("tickets")? [y/N] `])
    expect(await Array.fromAsync(ben.payments.requests({ all: true }))).toMatchObject([{ status: 'paid', paid: '12.50' }])
    expect([await balanceOf(ann), await balanceOf(ben)]).toEqual(['87.50', '12.50'])
    await quit()
  })

  test('of what was asked for before, a chat that begins tells what became of it', async () => {
    const [ann, ben] = await people.pair()
    await mint(ann)
    const memos = ['paid', 'in part', 'taken back', 'turned down', 'open']
    const ask = (memo: string) => ben.payments.request(ann.name, '3', { memo })
    await ann.payments.payRequest(await ask('paid'))
    await ann.payments.payRequest(await ask('in part'), { amount: '1' })
    await ben.payments.cancel((await ask('taken back')).id)
    await ann.payments.decline((await ask('turned down')).id)
    await ask('open')
    const chat = chatter(await people.open(ann.name))
    const running = chat.run(ben.name, { terminal: true })
    await chat.told('said', ({ entry }) => readPayment(entry)?.memo === 'open')
    const ways = [' (paid)', `, 1.00 paid (/pay ${ben.name} pays it)`, ' (cancelled)', ' (declined)', ` (/pay ${ben.name} pays it)`]
    const lines = linesOf(chat).filter((line) => line.startsWith(`${ben.name} asked you`))
    expect(lines).toEqual(memos.map((memo, at) => `${ben.name} asked you for 3.00 credits${ways[at]}: ${memo}`))
    expect(chat.news.map(chatJson)).toContainEqual(expect.objectContaining({ event: 'said', requestStatus: 'paid' }))
    chat.type('/quit')
    await running
  })

  test('needs somebody who can be asked: not in a pipe, not in JSON, and in a room a name', async () => {
    const [ann, ben] = await people.pair()
    await mint(ann)
    const piped = chatter(ann)
    piped.answer = () => 'y'
    piped.type('/pay 5 for lunch', 'y', '/balance', `/request ${ben.name} 1 for tea`)
    piped.over()
    expect((await rejected(piped.run(ben.name))).hint).toBe('sealwire pay pays somebody')
    const json = chatter(await people.open(ann.name))
    json.type(`/pay ${ben.name} 5`, 'y', '/balance', `/request ${ben.name} 1 for tea`)
    json.over()
    await json.run(undefined, { json: true })
    expect(json.news.flatMap((one) => (one.event === 'refused' ? [one.code] : []))).toEqual(['usage', 'usage'])
    expect(linesOf(json).slice(0, 1)).toEqual(['100.00 credits'])
    expect(json.questions).toEqual([])
    const inRoom = chatter(await people.open(ann.name))
    const room = await ben.rooms.create('the garden')
    await ben.rooms.invite(room.number, ann.name)
    inRoom.type('/pay 5', '/quit')
    await inRoom.run(room.number, { terminal: true })
    expect(await inRoom.told('refused')).toMatchObject({ code: 'usage', hint: 'say who it is: /pay NAME 5 for lunch' })
    expect(await balanceOf(ben)).toBe('0.00')
  })
})

describe('what a message says of money', () => {
  test('is said by the server alone: what somebody makes up is refused, and nobody is told of it', async () => {
    const { ann, ben, payer, payee, quit } = await richPair()
    const { id } = await ann.payments.pay(ben.name, '5', { memo: 'old' })
    await payee.told('said')
    const account = (await ann.call('payment.units', {})).account
    for (const [amount, paid] of [
      ['500.00', newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))],
      ['5.00', id],
    ] as const) {
      const idBytes = Uint8Array.from(Buffer.from(paid.replaceAll('-', ''), 'hex'))
      const body = encodeCbor(['pay', ann.name, ben.name, 'credits', amount, 'new', account, idBytes, 'posted'])
      expect((await rejected(ann.send(ben.name, { body, type: paymentType }))).code).toBe('not_permitted')
    }
    payer.type('that was it')
    await payee.heard('that was it')
    expect(linesOf(payee)).toEqual([`${ann.name} paid you 5.00 credits: old`, `${ann.name}: that was it`])
    await quit()
  })

  test('is shown as deleted once its author has deleted it; the money stays where it is', async () => {
    const { ann, ben, payee, quit } = await richPair()
    await ann.payments.pay(ben.name, '5', { memo: 'old' })
    const { entry } = await payee.told('said')
    await (await ann.conversation(ben.name)).delete(entry.seq)
    await payee.told('changed')
    // The deletion is shown in its message, and does not count.
    payee.type('/history 1')
    const lines = chatText(await payee.told('history')).flatMap((text) => plainLines(text))
    expect(lines).toEqual([expect.stringMatching(new RegExp(` ${ann.name} deleted what was here$`))])
    expect(await balanceOf(ben)).toBe('5.00')
    await quit()
  })
})

describe('a connection that is cut', () => {
  test('behind the commit: it is found out what became of it, and it is paid once', async () => {
    using relay = await CuttingRelay.to(server.port)
    await using cut = new People({ port: relay.port, fingerprint: server.fingerprint })
    const { ann, ben, payer, payee, quit } = await richPair(cut)
    const before = await ledgerSize()
    payer.answer = () => {
      relay.muteFrom(orderBytes)
      return 'y'
    }
    payer.type('/pay 5 for lunch')
    await payer.told('paying')
    await ledgerGrows(before)
    expect(payer.events).not.toContain('paid')
    relay.cut()
    const { id } = await payer.told('paid')
    await payee.told('said')
    expect(linesOf(payee)).toEqual([`${ann.name} paid you 5.00 credits: lunch`])
    expect([await balanceOf(ann), await balanceOf(ben), await postings(ben)]).toEqual(['95.00', '5.00', 1])
    expect(await ann.payments.transfer(id)).toMatchObject({ status: 'posted' })
    expect(await ledgerSize()).toBe(before + 1)
    await quit()
  })

  test('until the end: it is kept, and the next chat tells that it was paid', async () => {
    using relay = await CuttingRelay.to(server.port)
    await using cut = new People({ port: relay.port, fingerprint: server.fingerprint })
    const [ann, ben] = await cut.pair()
    await mint(ann)
    const chat = chatter(ann, cut)
    const running = chat.run(ben.name, { terminal: true })
    await chat.told('begun')
    const before = await ledgerSize()
    chat.answer = () => {
      relay.muteFrom(orderBytes)
      return 'y'
    }
    chat.type('/pay 5 for lunch')
    const { id } = await chat.told('paying')
    await ledgerGrows(before)
    relay.target = undefined
    relay.cut()
    await chat.told('disconnected')
    chat.type('/quit')
    expect((await rejected(running)).code).toBe('unknown_outcome')
    expect(chat.events).toContain('doubtful')
    expect(pendingOf(ann, cut).list()).toMatchObject([{ id, name: ben.name, amount: '5.00' }])
    relay.target = server.port
    const next = chatter(await cut.open(ann.name), cut)
    const again = next.run(undefined, { terminal: true })
    expect(await next.told('paid')).toMatchObject({ id })
    expect([await ledgerSize(), pendingOf(ann, cut).list()]).toEqual([before + 1, []])
    next.type('/quit')
    await again
  })

  test('and a crash before anything was sent: the same again is paid once, under the id of before', async () => {
    const [ann, ben] = await people.pair()
    await mint(ann)
    const pending = pendingOf(ann)
    const id = newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))
    pending.add({ id, name: ben.name, amount: '5.00', unit: 'credits', memo: 'lunch' })
    const long = newMessageId(Date.now() - 26 * 3_600_000, (bytes) => crypto.getRandomValues(bytes))
    pending.add({ id: long, name: ben.name, amount: '7.00', unit: 'credits' })
    const chat = chatter(ann)
    chat.answer = () => 'y'
    const running = chat.run(ben.name, { terminal: true })
    expect(await chat.told('unpaid')).toMatchObject({ id: long, code: 'expired' })
    expect(await chat.told('doubtful')).toMatchObject({ id })
    chat.type('/pay 6 for lunch')
    expect((await chat.told('paid')).id).not.toBe(id)
    chat.type('/pay 5 for lunch')
    await chat.told('paid', (news) => news.id === id)
    expect(chat.questions).toEqual([
      `Pay 6.00 credits to ${ben.name} ("lunch")? [y/N] `,
      `Pay 5.00 credits to ${ben.name} ("lunch")? It was asked for before and has no answer yet; it is paid once. [y/N] `,
    ])
    expect([await balanceOf(ben), await postings(ben), pending.list()]).toEqual(['11.00', 2, []])
    chat.type('/quit')
    await running
  })
})

function pendingOf({ name }: Pick<Sealwire, 'name'>, from = people): PendingPayments {
  return new PendingPayments(new Home(from.homes.path(name)), name)
}

async function ledgerGrows(before: number): Promise<void> {
  while ((await ledgerSize()) === before) await new Promise(setImmediate)
}

/** How many postings there are. */
async function ledgerSize(): Promise<number> {
  const { exitCode, stdout } = await runCli(['ledger', 'export', '--data', server.data])
  expect(exitCode).toBe(0)
  return stdout.split('\n').length
}

/** A signed order has more; what is asked before it has less. */
const orderBytes = 200
