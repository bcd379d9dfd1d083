// The README's first conversation, played with real processes from the README's own text, and one whose server dies in the middle.

import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Homes, type } from '../cli/member-support.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { isMissing, nodeBinary } from '../support/python.ts'
import { Play, type PlayOptions, readBlocks, type Step } from '../support/readme-play.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const readme = readBlocks(text)
/** Many programs start one after the other, and those that wait for a server wait longer each time: a busy machine has taken a minute. */
const testMsMax = 240_000

describe('the README', () => {
  test('shows a server, two who join, a request, its acceptance, and what waits for who has left', () => {
    expect([...readme.keys()]).toEqual(['server', 'alice', 'bob'])
    const commands = [...readme.values()].flat(2).flatMap((step) => ('run' in step ? [step.run] : []))
    expect(
      commands.map((command) => /^npm (ci|start)$|^npm run --silent sealwire -- (join|chat|invite) ?/.exec(command)?.slice(1, 3)),
    ).toEqual([
      ['ci', undefined],
      ['start', undefined],
      [undefined, 'join'],
      [undefined, 'chat'],
      [undefined, 'chat'],
      [undefined, 'invite'],
      [undefined, 'join'],
      [undefined, 'chat'],
    ] as string[][])
    const typed = [...readme.values()].flat(2).flatMap((step) => ('type' in step ? [step.type] : []))
    expect(typed).toEqual(expect.arrayContaining(['/accept', '/quit']))
  })

  test('is what happens, with npm, as it is written', () => play({}), testMsMax)

  test('is what happens at terminals', () => play({ server: process.execPath, clients: process.execPath, terminal: true }), testMsMax)

  test.each([
    ['what is said', 'bob: hello alice', 'bob: hello everybody'],
    ['what a command prints', 'joined sealwire://127.0.0.1:5555 as alice', 'alice has joined'],
    ['what is printed beside', 'next: npm run --silent sealwire -- chat [NAME]\n', ''],
    ['what waits', 'bob: see you tomorrow', 'bob: see you today'],
    ['a command', 'chat alice --home ~/bob', 'chat alice --house ~/bob'],
  ])(
    'is not played when it is wrong about %s',
    async (_, right, wrong) => {
      expect(text.includes(right)).toBe(true)
      await using stage = new Play({ server: process.execPath, clients: process.execPath })
      const failed = await stage.play(readBlocks(text.replace(right, wrong))).then(
        () => 'it was played',
        (reason: unknown) => String(reason),
      )
      expect(failed).toMatch(/^Error: (alice|bob) cannot /)
    },
    testMsMax,
  )

  test.skipIf(isMissing('SEALWIRE_NODE'))(
    'is what happens with the server on Node and the clients on Bun',
    () => play({ server: nodeBinary, clients: process.execPath }),
    testMsMax,
  )

  test.skipIf(isMissing('SEALWIRE_NODE'))(
    'is what happens with the server on Bun and the clients on Node',
    () => play({ server: process.execPath, clients: nodeBinary }),
    testMsMax,
  )
})

describe('a conversation', () => {
  test('loses nothing and repeats nothing when its server is killed in the middle', () => survive(process.execPath), testMsMax)

  test.skipIf(isMissing('SEALWIRE_NODE'))('nor when the server runs on Node', () => survive(nodeBinary), testMsMax)
})

async function play(options: PlayOptions): Promise<void> {
  await using stage = new Play(options)
  await stage.play(withTenMessages(readme))
  for (const path of ['.sealwire/profile.json', 'bob/profile.json', 'sealwire-data/ca.crt']) {
    expect([path, existsSync(join(stage.folder, path))]).toEqual([path, true])
  }
  expect(await stage.stopServer()).toBe(0)
}

/** The README shows two messages; before Alice leaves, eight more go to and fro. */
function withTenMessages(terminals: ReadonlyMap<string, Step[][]>): Map<string, Step[][]> {
  const longer = new Map([...terminals].map(([name, blocks]) => [name, blocks.map((steps) => [...steps])]))
  const insert = (name: string, before: Step, steps: readonly Step[]): void => {
    const isBefore = (step: Step): boolean => JSON.stringify(step) === JSON.stringify(before)
    const block = longer.get(name)?.find((each) => each.some(isBefore))
    if (block === undefined) throw new Error(`${name} has no ${JSON.stringify(before)}`)
    block.splice(block.findIndex(isBefore), 0, ...steps)
  }
  const words = ['three', 'five', 'seven', 'nine'].map((odd, index) => [odd, ['four', 'six', 'eight', 'ten'][index]] as const)
  insert(
    'bob',
    { type: 'see you tomorrow', prompt: 'alice> ' },
    words.flatMap(([odd, even]) => [{ type: odd }, { see: `alice: ${even}` }]),
  )
  insert(
    'alice',
    { type: '/quit', prompt: 'bob> ' },
    words.flatMap(([odd, even]) => [{ see: `bob: ${odd}` }, { type: `${even}` }]),
  )
  return longer
}

/** Two who talk while their server is killed, three times, and started again with what is on its disk. */
async function survive(runtime: string): Promise<void> {
  const options = { limits: liftedRates, runtime, port: await lastingPort() }
  await using first = await ServerProcess.start(options)
  using homes = new Homes()
  for (const name of ['ann', 'ben']) await homes.join(first, name)
  await using ann = await homes.chat('ann')
  await using ben = await homes.chat('ben', 'ann')
  await ann.printed(/^ben asks to talk/m)
  type(ann, '/accept')
  await ben.printed(/^you are talking with ann/m)
  let server = first
  await using _last = { [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  for (let round = 1; round <= 3; round++) {
    type(ann, `ann before ${round}`)
    type(ben, `ben before ${round}`)
    await ben.printed(new RegExp(`^ann: ann before ${round}$`, 'm'))
    // While these are on their way.
    type(ann, `ann during ${round}`)
    type(ben, `ben during ${round}`)
    await server.kill()
    for (const chat of [ann, ben]) await chat.printed(new RegExp(`(connection lost[^]*){${round}}`))
    type(ann, `ann after ${round}`)
    type(ben, `ben after ${round}`)
    server = await ServerProcess.start({ ...options, data: first.data })
    await ben.printed(new RegExp(`^ann: ann after ${round}$`, 'm'))
    await ann.printed(new RegExp(`^ben: ben after ${round}$`, 'm'))
  }
  for (const chat of [ann, ben]) {
    chat.child.stdin.end()
    expect([await chat.ended(), chat.stderr]).toEqual([0, ''])
  }
  const said = (name: string): string[] =>
    [1, 2, 3].flatMap((round) => ['before', 'during', 'after'].map((when) => `${name} ${when} ${round}`))
  for (const [chat, other] of [[ann, 'ben'] as const, [ben, 'ann'] as const]) {
    expect([...chat.stdout.matchAll(new RegExp(`^${other}: (.*)$`, 'gm'))].map(([, words]) => words)).toEqual(said(other))
  }
}
