// A classic client in another language and somebody who speaks the contract talk to each other, whoever asks, and though the
// server is killed meanwhile.

import { expect, test } from 'bun:test'
import { type Client, connectNode } from '../../src/client/node.ts'
import type { ParsedEvent } from '../../src/client/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import type { Entry } from '../../src/protocol/contract/index.ts'
import { messageId } from '../support/device-client.ts'
import { isMissing, startPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'

const limits = { ...liftedRates, messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 }
const skipped = isMissing('python3')
const kills = process.env['SEALWIRE_LONG'] === '1' ? 10 : 2

test.skipIf(skipped)(
  'a classic client and a client of the contract talk to each other, whoever asks',
  async () => {
    await using server = await ServerProcess.start({ limits })
    const ann = await dial(server)
    await ann.request('account.register', { name: 'ann' })
    await ann.request('inbox.open', {})
    const inbox = entries(ann)
    await using python = startPython('classic_meets_contract.py', ['talk', addressOf(server), 'ann'])
    await python.printed('ANSWER')
    expect(await next(inbox)).toMatchObject({ kind: 'contact', from: 'classic', what: 'requested' })
    const { conversation } = await ann.request('contact.accept', { name: 'classic' })
    await answer(ann, inbox, conversation)

    await python.printed('LEFT')
    await say(ann, conversation, 'are you there? ü')
    await ann.request('message.send', { conversation, id: messageId(), type: 'image/png', body: Uint8Array.of(1, 2, 3) })
    await answer(ann, inbox, conversation)
    await python.printed('DONE')
    await say(ann, conversation, 'goodbye')
    expect((await python.finished).code).toBe(0)
    await ann.drain()
    expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  },
  60_000,
)

test.skipIf(skipped)(
  `${kills} kills of the server in the middle of it: what was acknowledged is there once and in order, for both`,
  async () => {
    using folder = new StoreFolder()
    let server = await ServerProcess.start({ data: folder.path, limits })
    try {
      const { token, conversation } = await introduce(server)
      const told: number[] = []
      const heard: string[] = []
      const said: string[] = []
      for (let life = 0; life <= kills; life++) {
        const ann = await dial(server)
        await ann.request('account.resume', { token })
        await using python = startPython('classic_meets_contract.py', ['say', addressOf(server), 'ann', String(life * 1_000)])
        await python.printed('CHAT') // Before, what she says would ring.
        const talking = talk(ann, conversation, life, said)
        await python.printed(`OK ${life * 1_000 + 20}`)
        if (life < kills) await server.kill()
        await talking
        if (life === kills) await say(ann, conversation, 'enough')
        const { output } = await python.finished
        told.push(...Array.from(output.matchAll(/^OK (\d+)$/gm), ([, number]) => Number(number)))
        heard.push(...Array.from(output.matchAll(/^HEARD (.*)$/gm), ([, text = '']) => text))
        if (life < kills) server = await ServerProcess.start({ data: folder.path, limits })
      }
      const stored = (await history(server, token, conversation)).map(({ body = new Uint8Array(0) }) => Buffer.from(body).toString())
      const numbers = stored.filter((text) => text.startsWith('number ')).map((text) => Number(text.slice('number '.length)))
      expect(told.length).toBeGreaterThan(20 * kills)
      expect(new Set(numbers).size).toBe(numbers.length)
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
      expect(numbers).toEqual(expect.arrayContaining(told))
      // What was handed over just before a kill may not have been marked: it comes again, and nothing is missing.
      const texts = stored.filter((text) => text.startsWith('ann '))
      expect(texts).toEqual(expect.arrayContaining(said))
      expect([...new Set(heard)]).toEqual(texts)
    } finally {
      await server[Symbol.asyncDispose]()
    }
  },
  (kills + 1) * 40_000,
)

/** Ann and the classic account, who are contacts from now on. */
async function introduce(server: ServerProcess): Promise<{ token: Uint8Array; conversation: number }> {
  const [ann, classic] = [await dial(server), await dial(server)]
  const { token } = await ann.request('account.register', { name: 'ann' })
  await classic.request('account.register', { name: 'classic', password: 'correct-horse-battery' })
  await classic.request('contact.request', { name: 'ann', id: messageId() })
  const { conversation } = await ann.request('contact.accept', { name: 'classic' })
  await Promise.all([ann.drain(), classic.drain()])
  return { token, conversation }
}

/** Ann says something, again and again, until she has said enough or the server is gone. */
async function talk(ann: Client, conversation: number, life: number, said: string[]): Promise<void> {
  try {
    for (let index = 0; index < 100; index++) {
      const text = `ann ${life}.${index}`
      await say(ann, conversation, text)
      said.push(text)
    }
  } catch (reason) {
    expect(['connection_lost', 'unknown_outcome']).toContain(SealwireError.from(reason).code)
  }
}

async function answer(ann: Client, inbox: AsyncGenerator<Entry>, conversation: number): Promise<void> {
  for (let number = 0; number < 5; number++) {
    const question = await next(inbox)
    expect(question).toMatchObject({ conversation, kind: 'message', from: 'classic', type: 'text/plain' })
    expect(Buffer.from(question.body ?? []).toString()).toBe(`question ${number} ü`)
    await say(ann, conversation, `answer ${number} ü`)
  }
}

function say(ann: Client, conversation: number, text: string): Promise<unknown> {
  return ann.request('message.send', { conversation, id: messageId(), body: new Uint8Array(Buffer.from(text)) })
}

async function history(server: ServerProcess, token: Uint8Array, conversation: number): Promise<Entry[]> {
  const client = await dial(server)
  await client.request('account.resume', { token })
  const all: Entry[] = []
  for (let more = true; more; ) {
    const page = await client.request('message.history', { conversation, after: all.at(-1)?.seq ?? 0, max: 200 })
    all.push(...page.entries)
    more = page.more
  }
  await client.drain()
  return all
}

function dial({ port, fingerprint }: ServerProcess): Promise<Client> {
  return connectNode({ host: '127.0.0.1', port, pin: fingerprint, name: 'test' })
}

async function* entries(client: Client): AsyncGenerator<Entry> {
  for await (const event of client.events() as AsyncIterable<ParsedEvent>) if (event.event === 'inbox.entry') yield event.data.entry
}

async function next(inbox: AsyncGenerator<Entry>): Promise<Entry> {
  const { value, done } = await inbox.next()
  if (done === true) throw new Error('the connection is over')
  return value
}

function addressOf({ port, authority }: ServerProcess): string {
  return `127.0.0.1:${port}:${authority}`
}
