// The checker finds what it should find: journals of a sound run, each with one thing wrong.

import { beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isMissing } from '../support/python.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { check, type Verdict } from './checker.ts'

type Line = Record<string, unknown>
type Files = Map<string, Line[]>

const texts = ['one', 'two', 'three', 'four', 'five', 'six']
const skip = isMissing('python3')
let sound: Files

beforeAll(() => {
  sound = journals()
})

describe.skipIf(skip)('the checker', () => {
  test('finds nothing wrong with a sound run, and counts it', async () => {
    const { problems, first, ...counts } = await checked(sound)
    expect(first).toEqual([])
    expect(problems).toEqual({})
    expect(counts).toEqual({ intended: 12, acknowledged: 12, deliveries: 6 * 3 + 6 * 4, arrived: 42, history: 21 })
  })

  test.each<[string, string, (files: Files) => void]>([
    ['once', 'a message that is missing at one device', (files) => inbox(files, 'bob/1').splice(3, 1)],
    ['once', 'a message that is missing everywhere', (files) => without(files, idOf(2))],
    ['once', 'the last message, missing', (files) => inbox(files, 'carol/0').splice(-1, 1)],
    ['once', 'a message that is missing on the other device of who said it', (files) => inbox(files, 'alice/1').splice(0, 1)],
    [
      'once',
      'a message that came back to who said it',
      (files) => inbox(files, 'alice/0').push({ ...arrival(files, 'alice/1', 0), position: 99 }),
    ],
    ['once', 'entries that were lost', (files) => inbox(files, 'bob/0').unshift({ lost: 3 })],
    ['once', 'a refusal', (files) => sent(files, 'alice/0').push({ refuse: idOf(0), code: 'busy' })],
    ['twice', 'a message that comes twice', (files) => inbox(files, 'bob/0').push({ ...arrival(files, 'bob/0', 1), position: 99 })],
    ['twice', 'a message that comes twice at once', (files) => inbox(files, 'bob/0').splice(2, 0, arrival(files, 'bob/0', 1))],
    [
      'twice',
      'a message that was stored twice',
      (files) => inbox(files, 'bob/0').push({ ...arrival(files, 'bob/0', 1), position: 99, seq: 99 }),
    ],
    ['twice', 'an inbox that goes back', (files) => swap(inbox(files, 'bob/0'), 1, 2, 'seq')],
    ['order', 'two that changed places at one device', (files) => swap(inbox(files, 'carol/0'), 1, 2, 'position')],
    ['order', 'a conversation with another order at one device', (files) => swap(inbox(files, 'carol/0'), 1, 2, 'position', 'seq')],
    ['order', 'a sender whose order was not kept', (files) => swap(sent(files, 'alice/0'), 0, 2)],
    ['order', 'an acknowledgement for another place', (files) => Object.assign(sent(files, 'alice/0')[1] ?? {}, { seq: 50 })],
    ['words', 'a text that was altered', (files) => Object.assign(inbox(files, 'bob/0')[1] ?? {}, { text: 'altered' })],
    ['words', 'a text that was put under another name', (files) => Object.assign(inbox(files, 'bob/0')[1] ?? {}, { from: 'carol' })],
    ['words', 'a message in the wrong conversation', (files) => Object.assign(inbox(files, 'bob/0')[1] ?? {}, { conversation: 2 })],
    [
      'unsaid',
      'a message that nobody said',
      (files) => inbox(files, 'bob/0').push({ ...arrival(files, 'bob/0', 1), position: 99, seq: 99, id: 'other' }),
    ],
    ['once', 'what has arrived without ever being acknowledged', (files) => sent(files, 'alice/0').splice(1, 1)],
    ['history', 'a history without what was acknowledged', (files) => history(files, 'carol/0').splice(-1, 1)],
    ['history', 'a history with a gap', (files) => history(files, 'carol/0').splice(2, 1)],
    ['history', 'a history with another order', (files) => swap(history(files, 'carol/0'), 1, 2, 'seq')],
    ['words', 'a history with other words', (files) => Object.assign(history(files, 'carol/0')[3] ?? {}, { text: 'altered' })],
  ])('finds (%s) %s', async (rule, _, spoil) => {
    const files: Files = structuredClone(sound)
    spoil(files)
    expect(Object.keys((await checked(files)).problems)).toContain(rule)
  })

  test('leaves out a line whose end was cut off', async () => {
    using folder = written(sound)
    const path = join(folder.path, 'bob/0/inbox.jsonl')
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"position": 10`)
    expect((await check(folder.path)).problems).toEqual({})
  })
})

/** Alice, on two devices, says things to bob, who has two as well, and in a room with carol. */
function journals(): Files {
  const files: Files = new Map()
  const add = (path: string, line: Line): void => void files.set(path, [...(files.get(path) ?? []), line])
  const members = { 1: ['bob/0', 'bob/1', 'alice/1'], 2: ['bob/0', 'bob/1', 'alice/1', 'carol/0'] }
  let position = 0
  for (const [index, text] of [...texts, ...texts].entries()) {
    const conversation = index < texts.length ? 1 : 2
    const seq = (index % texts.length) + 2
    const entry = { conversation, seq, kind: 'message', id: idOf(index), from: 'alice', text }
    add('alice/0/sent.jsonl', { intend: idOf(index), to: conversation === 1 ? 'bob' : 2, text })
    add('alice/0/sent.jsonl', { ack: idOf(index), conversation, seq })
    position++
    for (const device of members[conversation]) add(`${device}/inbox.jsonl`, { position, ...entry })
    for (const [device, sees] of [
      ['alice/0', true],
      ['carol/0', conversation === 2],
    ] as const) {
      if (!sees) continue
      if (seq === 2) add(`${device}/history.jsonl`, { ...entry, seq: 1, kind: 'member', id: `first ${conversation}` })
      add(`${device}/history.jsonl`, entry)
    }
  }
  return files
}

function written(files: Files): StoreFolder {
  const folder = new StoreFolder()
  const conversations = [
    { conversation: 1, kind: 'direct', members: ['alice', 'bob'] },
    { conversation: 2, kind: 'room', members: ['alice', 'bob', 'carol'] },
  ]
  writeFileSync(join(folder.path, 'plan.json'), JSON.stringify({ conversations, devices: { alice: 2, bob: 2, carol: 1 } }))
  for (const [path, lines] of files) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true })
    writeFileSync(join(folder.path, path), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }
  return folder
}

async function checked(files: Files): Promise<Verdict> {
  using folder = written(files)
  return await check(folder.path)
}

function idOf(index: number): string {
  return `id ${index}`
}

const inbox = (files: Files, device: string): Line[] => linesOf(files, `${device}/inbox.jsonl`)
const sent = (files: Files, device: string): Line[] => linesOf(files, `${device}/sent.jsonl`)
const history = (files: Files, device: string): Line[] => linesOf(files, `${device}/history.jsonl`)
const arrival = (files: Files, device: string, index: number): Line => ({ ...inbox(files, device)[index] })

function linesOf(files: Files, path: string): Line[] {
  const lines = files.get(path) ?? []
  files.set(path, lines)
  return lines
}

/** From every inbox. */
function without(files: Files, id: string): void {
  for (const [path, lines] of files)
    if (path.endsWith('inbox.jsonl'))
      files.set(
        path,
        lines.filter((line) => line['id'] !== id),
      )
}

/** Two lines change places, but keep these fields where they are. */
function swap(lines: Line[], one: number, other: number, ...kept: readonly string[]): void {
  const [a, b] = [{ ...lines[one] }, { ...lines[other] }]
  for (const field of kept) [a[field], b[field]] = [b[field], a[field]]
  lines[one] = b
  lines[other] = a
}
