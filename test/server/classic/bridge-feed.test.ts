// What is said in a chat of a classic session with an account of the contract, in both directions.

import { describe, expect, test } from 'bun:test'
import { SealwireError } from '../../../src/protocol/index.ts'
import { again, calm, chat, contacts, exit, findPeer, frames, message, say } from '../../support/bridge-talkers.ts'
import { settle } from '../../support/manual-clock.ts'
import { ServerStage } from '../../support/server-stage.ts'
import { messageId, nextEntries, nextEntry, textOf, words } from '../../support/talkers.ts'

describe('a bridged chat', () => {
  test('shows what is no text as what it is', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await contacts(stage)
    await chat(bob)
    const send = (type: string, body: Uint8Array) => alice.ask('message.send', { conversation, id: messageId(), type, body })
    await send('image/png', new Uint8Array(1_234))
    await send('text/plain; charset=utf-8', words('text'))
    await send('application/x', new Uint8Array(1))
    expect(await frames(bob, 3)).toEqual(['03 alice: [image/png, 1234 bytes]', '03 alice: text', '03 alice: [application/x, 1 byte]'])
  })

  test('leaves changes, and what was deleted unread, out', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await contacts(stage)
    bob.link.terminate()
    const { seq: target } = await say(alice, conversation, 'gone')
    const { seq: first } = await say(alice, conversation, 'frist')
    await alice.ask('message.delete', { conversation, target, id: messageId() })
    await alice.ask('message.edit', { conversation, target: first, id: messageId(), body: words('first') })
    await alice.ask('message.react', { conversation, target: first, id: messageId(), emoji: '👍', on: true })
    const back = await again(stage, 'bob')
    back.send(findPeer, 'alice')
    expect(await frames(back, 2)).toEqual(['04 CHAT', '03 alice: first'])
    await say(alice, conversation, 'second')
    await back.expect('03 alice: second')
  })

  test('refuses what is too large to be stored, and goes on', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await contacts(stage)
    await chat(bob)
    bob.send(message, 'x'.repeat(60_001))
    await bob.expect('05 BADF')
    bob.send(message, 'x'.repeat(60_000))
    await bob.expect('04 OK')
    expect((await nextEntry(alice)).entry.body).toHaveLength(60_000)
  })

  test('says BUSY when too much waits for the other one, FAIL when it cannot be stored, and stores nothing of that', async () => {
    using stage = new ServerStage({ inboxEntriesPerSenderMax: 3 })
    const { alice, bob, conversation } = await contacts(stage)
    await chat(bob)
    // What bob said by accepting waits for alice, too.
    const told: string[] = []
    for (let index = 0; index < 4; index++) {
      bob.send(message, `${index}`)
      told.push(...(await frames(bob, 1)))
    }
    expect(told).toEqual(['04 OK', '04 OK', '05 BUSY', '05 BUSY'])
    await alice.ask('inbox.ack', { seq: 3 })
    stage.before.set('entry.post', () => Promise.reject(new SealwireError('storage_full', 'the disk is full')))
    bob.send(message, 'lost')
    await bob.expect('05 FAIL')
    stage.before.delete('entry.post')
    bob.send(message, 'kept')
    await bob.expect('04 OK')
    const { entries } = await alice.ask('message.history', { conversation })
    expect(entries.slice(2).map(({ body }) => body && Buffer.from(body).toString())).toEqual(['0', '1', 'kept'])
  })

  test('answers OK after the commit, and not before', async () => {
    using stage = new ServerStage()
    const { bob } = await contacts(stage)
    await chat(bob)
    const committed = Promise.withResolvers<void>()
    stage.before.set('entry.post', () => committed.promise)
    bob.send(message, 'wait')
    expect(await bob.arrived()).toEqual([])
    committed.resolve()
    await bob.expect('04 OK')
  })

  test('goes at the pace of a listener who reads slowly: nothing waits in memory, nothing is lost, nothing comes twice', async () => {
    using stage = new ServerStage({ ...calm, outputBytesHigh: 64 * 1024, inboxPageBytes: 64 * 1024 })
    const { alice, bob, conversation } = await contacts(stage)
    await chat(bob)
    bob.link.pause()
    const text = 'm'.repeat(10_000)
    for (let index = 0; index < 100; index++) await say(alice, conversation, `${index} ${text}`)
    expect(bob.near.queuedBytes).toBeLessThan(256 * 1024)
    const before = await alice.ask('conversation.find', { conversation })
    expect(before.peerReadSeq).toBeLessThan(60)
    bob.link.resume()
    const expected = Array.from({ length: 100 }, (_, index) => `03 alice: ${index} ${text}`)
    expect(await frames(bob, 100)).toEqual(expected)
    await say(alice, conversation, 'live again')
    await bob.expect('03 alice: live again')
  })

  test('marks only what was handed over: the rest comes with the next chat', async () => {
    using stage = new ServerStage({ ...calm, outputBytesHigh: 64 * 1024, inboxPageBytes: 64 * 1024 })
    const { alice, bob, conversation } = await contacts(stage)
    await chat(bob)
    bob.link.pause()
    const text = 'm'.repeat(10_000)
    for (let index = 0; index < 50; index++) await say(alice, conversation, `${index} ${text}`)
    bob.link.terminate()
    await settle()
    const { peerReadSeq = 0 } = await alice.ask('conversation.find', { conversation })
    const back = await again(stage, 'bob')
    back.send(findPeer, 'alice')
    const rest = Array.from({ length: 50 - (peerReadSeq - 2) }, (_, index) => `03 alice: ${index + peerReadSeq - 2} ${text}`)
    expect(rest.length).toBeGreaterThan(20)
    expect(await frames(back, rest.length + 1)).toEqual(['04 CHAT', ...rest])
  })

  test('keeps the order of what both say at once', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await contacts(stage)
    await chat(bob)
    const numbers = Array.from({ length: 200 }, (_, index) => index)
    for (const index of numbers) {
      alice.send('message.send', { conversation, id: messageId(), body: words(`${index}`) })
      bob.send(message, `${index}`)
    }
    const heard = await frames(bob, 400)
    expect(heard.filter((frame) => frame.startsWith('03'))).toEqual(numbers.map((index) => `03 alice: ${index}`))
    expect(heard.filter((frame) => frame === '04 OK')).toHaveLength(200)
    const arrived = await nextEntries(alice, 200)
    expect(arrived.map(textOf)).toEqual(numbers.map(String))
  })

  test('counts what was handed over as stored: a classic account alone does not fill its quota', async () => {
    using stage = new ServerStage({ ...calm, inboxEntriesPerSenderMax: 5 })
    const { alice, bob, conversation } = await contacts(stage)
    await chat(bob)
    for (let index = 0; index < 20; index++) {
      await say(alice, conversation, `${index}`)
      await bob.expect(`03 alice: ${index}`)
    }
    bob.link.terminate()
    await settle()
    const refusals = []
    for (let index = 0; index < 7; index++) {
      refusals.push(await alice.refusal('message.send', { conversation, id: messageId(), body: words('x') }))
    }
    expect(refusals.indexOf('quota_exceeded')).toBe(5)
  })

  test('asks the store again when that was busy', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await contacts(stage)
    bob.link.terminate()
    await say(alice, conversation, 'waiting')
    const back = await again(stage, 'bob')
    const failing = Promise.withResolvers<void>()
    stage.before.set('entry.history', async () => {
      stage.before.delete('entry.history')
      failing.resolve()
      throw new SealwireError('busy', 'not now')
    })
    await chat(back)
    await failing.promise
    expect(await back.arrived()).toEqual([])
    await stage.clock.move(1_000)
    await back.expect('03 alice: waiting')
  })

  test('hands nothing over any more once it is over, though the store answers late', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await contacts(stage)
    bob.link.terminate()
    await say(alice, conversation, 'waiting')
    const back = await again(stage, 'bob')
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    stage.before.set('entry.history', () => {
      stage.before.delete('entry.history')
      asked.resolve()
      return answered.promise
    })
    await chat(back)
    await asked.promise
    back.send(exit)
    await back.expect('04 BYE')
    back.send(findPeer, 'alice')
    expect(await frames(back, 2)).toEqual(['04 CHAT', '03 alice: waiting'])
    answered.resolve()
    expect(await back.arrived()).toEqual([])
  })

  test('is slowed down by the rate of the account, like any other', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 10, messagesBurstPerAccountMax: 5, messageDelayMsMax: 1_000 })
    const { bob } = await contacts(stage, 1_000)
    await stage.clock.move(1_000)
    await chat(bob)
    for (let index = 0; index < 30; index++) bob.send(message, `${index}`)
    const heard = await bob.arrived()
    expect(heard).toEqual(Array(4).fill('04 OK'))
    for (let times = 0; times < 40; times++) {
      await stage.clock.move(100)
      heard.push(...(await bob.arrived()))
    }
    expect(heard).toHaveLength(30)
    expect(heard.at(-1)).toBe('05 BUSY')
    expect(heard.filter((frame) => frame === '04 OK').length).toBeLessThan(20)
  })
})
