import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sealwire } from '../../../src/client/index.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { lastingPort } from '../../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { Chatter, People } from './people.ts'
import { rejected } from '../home-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const people = new People(server)
afterAll(async () => {
  await people[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

describe('runChat', () => {
  test('in a pipe, has stored every line when it ends, whether the other one is here or not', async () => {
    const [ann, ben] = await people.pair()
    const [annName, benName] = [ann.name, ben.name]
    await ben.close()
    const chat = new Chatter(ann)
    chat.type('one', '//two', '', 'four')
    chat.over()
    await chat.run(benName)
    const later = new Chatter(await people.open(benName))
    const reading = later.run(annName)
    await later.heard('four')
    later.over()
    await reading
    expect(later.said).toEqual(['one', '/two', '', 'four'])
  })

  test('in a pipe, holds the first line until who is asked accepts', async () => {
    const [ann, ben] = await people.pair(false)
    const chat = new Chatter(ann)
    chat.type('hello', 'again')
    chat.over()
    const running = chat.run(ben.name)
    await chat.told('asked')
    const there = new Chatter(ben)
    const being = there.run(undefined)
    await there.told('requested')
    expect(there.said).toEqual([])
    there.type('/accept')
    await running
    expect(chat.events).toEqual(['asked', 'begun', 'done', 'done'])
    await there.heard('again')
    expect(there.said).toEqual(['hello', 'again'])
    there.over()
    await being
  })

  test.each([false, true])('in a pipe, ends when who is asked declines (json: %p)', async (json) => {
    const [ann, ben] = await people.pair(false)
    const chat = new Chatter(ann)
    chat.type('hello')
    const running = rejected(chat.run(ben.name, { json }))
    await chat.told('asked')
    await ben.decline(ann.name)
    expect(await running).toMatchObject({ code: 'declined', sentence: `${ben.name} declined to talk` })
    expect(chat.events).toEqual(json ? ['asked', 'declined', 'refused'] : ['asked'])
  })

  test('in a pipe about somebody, ends with the first line that is refused', async () => {
    const [ann, ben] = await people.pair()
    for (const [line, code] of [
      ['/frob', 'usage'],
      ['x'.repeat(60_001), 'message_too_large'],
      ['/edit nothing was said', 'not_found'],
    ] as const) {
      const chat = new Chatter(await people.open(ann.name))
      chat.type(line, 'never')
      expect((await rejected(chat.run(ben.name, { json: true }))).code).toBe(code)
      expect(chat.news.at(-1)).toMatchObject({ event: 'refused', line: 1, code })
    }
    expect(await rejected(new Chatter(await people.open(ann.name)).run('nobody-of-that-name'))).toMatchObject({ code: 'not_found' })
  })

  test('says how to pipe in what begins with a slash, and takes every line with raw', async () => {
    const [ann, ben] = await people.pair()
    const chat = new Chatter(ann)
    chat.type('/ x')
    expect((await rejected(chat.run(ben.name))).hint).toBe('to say a line that begins with /, write // or give --raw')
    const raw = new Chatter(await people.open(ann.name))
    raw.type('/ x', '/quit', '//y\r')
    raw.over()
    await raw.run(ben.name, { raw: true })
    const reader = new Chatter(ben)
    const reading = reader.run(ann.name)
    await reader.heard('//y\r')
    expect(reader.said).toEqual(['/ x', '/quit', '//y\r'])
    reader.over()
    await reading
  })

  test('without a name, goes on after a refusal and answers every line', async () => {
    const [ann, ben] = await people.pair()
    const chat = new Chatter(ann)
    chat.type('to whom', '/frob', '/accept', `/talk ${ben.name}`, 'hello', '/exit', '/exit', '/file /etc/hostname', '/quit', 'more')
    await chat.run(undefined, { json: true })
    const answers = chat.news.filter(({ event }) => event === 'done' || event === 'refused')
    expect(answers.map((one) => [one.event, 'line' in one && one.line, 'code' in one ? one.code : undefined])).toEqual([
      ['refused', 1, 'usage'],
      ['refused', 2, 'usage'],
      ['refused', 3, 'no_request'],
      ['done', 4, undefined],
      ['done', 5, undefined],
      ['done', 6, undefined],
      ['refused', 7, 'usage'],
      ['refused', 8, 'usage'],
      ['done', 9, undefined],
    ])
    expect(answers[4]).toMatchObject({ id: expect.stringMatching(/-7/), seq: 3 })
  })

  test('at a terminal, holds what is typed before they accept, in order', async () => {
    const [ann, ben] = await people.pair(false)
    const chat = new Chatter(ann)
    const running = chat.run(ben.name, { terminal: true })
    chat.type('one', 'two', '/help', 'three')
    await chat.told('done', ({ line }) => line === 4)
    await ben.accept(ann.name)
    await chat.told('begun')
    chat.type('four', '/quit')
    await running
    const there = new Chatter(ben)
    const reading = there.run(ann.name)
    await there.heard('four')
    expect(there.said).toEqual(['one', 'two', 'three', 'four'])
    there.over()
    await reading
  })

  test('at a terminal, says at the end what was not sent, as nobody has accepted', async () => {
    const [ann, ben] = await people.pair(false)
    const chat = new Chatter(ann)
    const max = limitTable.chatHeldLinesMax.value
    chat.type(...Array.from({ length: max + 1 }, (_, index) => `line ${index}`), '/quit')
    expect(await rejected(chat.run(ben.name, { terminal: true }))).toMatchObject({
      code: 'not_contact',
      sentence: `${max} lines are not sent: ${ben.name} has not accepted yet`,
    })
    expect(chat.news.filter(({ event }) => event === 'refused')).toMatchObject([{ line: max + 1, code: 'busy' }])
    // Asking once more asks nothing new, and what they do not accept is told.
    const again = new Chatter(await people.open(ann.name))
    const running = again.run(ben.name, { terminal: true })
    again.type('hello')
    await again.told('done')
    await ben.decline(ann.name)
    expect(await again.told('unsent')).toMatchObject({ text: 'hello', code: 'declined' })
    again.type('/quit')
    await running
  })

  test('at a terminal, throws away what nobody has accepted yet', async () => {
    const [ann, ben] = await people.pair(false)
    const chat = new Chatter(ann)
    const running = chat.run(ben.name, { terminal: true })
    chat.type('one', 'two', '/unsend')
    expect(await chat.told('taken-back')).toEqual({ event: 'taken-back', count: 2, perhaps: 0 })
    await ben.accept(ann.name)
    await chat.told('begun')
    chat.type('three', '/quit')
    await running
    expect(chat.events).not.toContain('unsent')
    expect(await readBy(ben, ann.name, 'three')).toEqual(['three'])
  })

  test('at a terminal, tells who is here, goes and types', async () => {
    const [ann, ben] = await people.pair()
    const chat = new Chatter(ann)
    const running = chat.run(ben.name, { terminal: true })
    await chat.told('here')
    await (await ben.conversation(ann.name)).typing()
    await chat.told('typing')
    const live = ben.events()
    chat.onTyping()
    chat.onTyping()
    for await (const { event } of live) if (event === 'presence.typing') break
    await ben.close()
    await chat.told('gone')
    chat.type('/quit')
    await running
  })

  test('sends a file at a terminal', async () => {
    const [ann, ben] = await people.pair()
    const path = join(people.homes.parent, 'notes.txt')
    writeFileSync(path, 'some notes')
    const chat = new Chatter(ann)
    const running = chat.run(ben.name, { terminal: true })
    await chat.told('begun')
    chat.type(`/file ${path}`, '/file /there/is/no/such/file')
    await chat.told('file', ({ state }) => state === 'sent')
    expect(await chat.told('unsent')).toMatchObject({ text: '/there/is/no/such/file' })
    chat.type('/quit')
    await running
    const there = new Chatter(ben)
    const reading = there.run(ann.name)
    expect((await there.told('said')).entry.file).toMatchObject({ name: 'notes.txt', size: 10 })
    there.over()
    await reading
  })

  test('saves the last file at a terminal, and nothing over what is there', async () => {
    const [ann, ben] = await people.pair()
    const [path, copy] = ['sent.txt', 'saved.txt'].map((name) => join(people.homes.parent, name)) as [string, string]
    writeFileSync(path, 'some notes')
    await (await ann.conversation(ben.name)).sendFile(path)
    const chat = new Chatter(ben)
    const running = chat.run(ann.name, { terminal: true })
    await chat.told('said')
    chat.type(`/save ${copy}`)
    expect(await chat.told('file', ({ state }) => state === 'saved')).toEqual({ event: 'file', state: 'saved', name: copy })
    expect(readFileSync(copy, 'utf8')).toBe('some notes')
    chat.type(`/save ${copy}`, `/save ${join(copy, 'below')}`)
    expect(await chat.told('refused')).toMatchObject({ code: 'usage', hint: 'say where to: /save PATH' })
    expect(await chat.told('unsaved')).toMatchObject({ name: join(copy, 'below'), code: 'data_unusable' })
    chat.type('/quit')
    await running
  })

  test('ends when it is to stop, and when nobody reads any more', async () => {
    const [ann, ben] = await people.pair()
    const stopped = new Chatter(ann)
    const running = stopped.run(ben.name)
    await stopped.told('begun')
    stopped.stop.abort()
    await running
    const unread = new Chatter(await people.open(ann.name))
    unread.closed = true
    unread.type('one', 'two')
    await unread.run(ben.name)
    expect(unread.events.filter((event) => event === 'done')).toHaveLength(1)
  })

  test('acknowledges what it is showing when it ends, so that nothing else of the home shows it again', async () => {
    const [ann, ben] = await people.pair()
    const chat = new Chatter(ann)
    const taken = Promise.withResolvers<void>()
    chat.drained = () => taken.promise
    const running = chat.run(undefined)
    await chat.told('accepted')
    chat.over()
    await new Promise((resolve) => setTimeout(resolve, 100)) // A chat that did not wait would be gone by then.
    taken.resolve()
    await running
    await ben.send(ann.name, 'hello')
    const later = await people.open(ann.name)
    expect((await later.inbox().next()).value).toMatchObject({ text: 'hello' })
  })
})

describe('a server that is frozen', () => {
  test('does not hold up the end of a chat for as long as a request may take', async () => {
    await using frozen = await ServerProcess.start({ limits: liftedRates })
    await using others = new People(frozen)
    const [ann, ben] = await others.pair()
    const chat = new Chatter(ann)
    const running = chat.run(ben.name, { terminal: true })
    await chat.told('begun')
    frozen.signal('SIGSTOP')
    chat.type('not any more', '/quit')
    const begun = performance.now()
    expect(await rejected(running)).toMatchObject({ code: 'connection_lost', message: '[connection_lost] a line is not sent yet' })
    expect(performance.now() - begun).toBeLessThan(limitTable.clientRequestMsMax.value)
    await frozen.kill()
  }, 60_000)
})

describe('a server that is killed', () => {
  test('gets nothing of what was thrown away while it was not there', async () => {
    const options = { limits: liftedRates, port: await lastingPort() }
    await using mortal = await ServerProcess.start(options)
    await using others = new People(mortal)
    const [ann, ben] = await others.pair()
    const chat = new Chatter(ann)
    const running = chat.run(ben.name, { terminal: true })
    await chat.told('begun')
    await mortal.kill()
    await chat.told('disconnected')
    chat.type('one', 'two', '/unsend')
    expect(await chat.told('taken-back')).toMatchObject({ count: 2, perhaps: 0 })
    chat.type('/quit')
    await running
    expect(chat.events).not.toContain('unsent')
    await using again = await ServerProcess.start({ ...options, data: mortal.data })
    const later = new Chatter(await others.open(ann.name))
    later.type('three')
    later.over()
    await later.run(ben.name)
    expect(await readBy(ben, ann.name, 'three')).toEqual(['three'])
    expect(again.isRunning).toBe(true)
  }, 60_000)

  test('is waited for: what is typed meanwhile is sent once, and what is left is told and sent by the next chat', async () => {
    const options = { limits: liftedRates, port: await lastingPort() }
    await using mortal = await ServerProcess.start(options)
    await using others = new People(mortal)
    const [ann, ben] = await others.pair()
    const [annName, benName] = [ann.name, ben.name]
    const at = new Chatter(ann)
    const atTerminal = at.run(benName, { terminal: true })
    const to = new Chatter(ben)
    const inPipe = to.run(annName)
    await Promise.all([at.told('begun'), to.told('begun')])
    await mortal.kill()
    await Promise.all([at.told('disconnected'), to.told('disconnected')])
    at.type('one', '/who', 'two')
    to.type('three', 'four')
    expect(await at.told('refused')).toMatchObject({ line: 2, code: 'unreachable' })
    await at.told('done', ({ line }) => line === 3)
    const restart = { ...options, data: mortal.data }
    {
      await using second = await ServerProcess.start(restart)
      // The next line of a pipe is read when the one before is stored, and known to be.
      const isDone = to.told('done', ({ line }) => line === 2)
      await Promise.all([at.told('connected'), to.told('connected'), at.heard('four'), to.heard('two'), isDone])
      expect([at.said, to.said]).toEqual([
        ['three', 'four'],
        ['one', 'two'],
      ])
      await second.kill()
    }
    await Promise.all(
      [at, to].map((chat) => chat.told('disconnected', (news) => chat.news.indexOf(news) > chat.events.indexOf('connected'))),
    )
    at.type('left')
    to.type('held')
    await at.told('done', ({ line }) => line === 4)
    at.type('/quit')
    expect(await rejected(atTerminal)).toMatchObject({
      code: 'connection_lost',
      // The answer to the line before may have died with the server, and then it is sent once more.
      sentence: expect.stringMatching(/^(a line is|2 lines are) not sent yet$/),
    })
    to.stop.abort()
    expect(await rejected(inPipe)).toMatchObject({ code: 'connection_lost' })
    await using third = await ServerProcess.start(restart)
    const [annAgain, benAgain] = [await others.open(annName), await others.open(benName)]
    const [later, other] = [new Chatter(annAgain), new Chatter(benAgain)]
    const running = [later.run(benName), other.run(annName)]
    await Promise.all([later.heard('held'), other.heard('left')])
    for (const chat of [later, other]) chat.over()
    await Promise.all(running)
    // What was shown to a run that could not say so any more is shown again, in the same order; nothing was sent twice.
    expect(['three', 'four', 'held'].join()).toEndWith(later.said.join())
    expect(['one', 'two', 'left'].join()).toEndWith(other.said.join())
    expect(third.isRunning).toBe(true)
  }, 60_000)
})

/** What somebody reads of another one in a chat, until these words come. */
async function readBy(me: Sealwire, from: string, last: string): Promise<readonly (string | undefined)[]> {
  const there = new Chatter(me)
  const reading = there.run(from)
  await there.heard(last)
  there.over()
  await reading
  return there.said
}
