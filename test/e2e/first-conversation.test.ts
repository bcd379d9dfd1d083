// The README's first conversation, played with real processes from the README's own text.

import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMissing, nodeBinary } from '../support/python.ts'
import { Play, type PlayOptions, readBlocks, type Step } from '../support/readme-play.ts'

const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const readme = readBlocks(text)

describe('the README', () => {
  test('shows a server, two who join, a request, its acceptance, and a conversation', () => {
    expect([...readme.keys()]).toEqual(['server', 'alice', 'bob'])
    const commands = [...readme.values()].flat(2).flatMap((step) => ('run' in step ? [step.run] : []))
    expect(
      commands.map((command) => /^npm (ci|start)$|^npm run --silent sealwire -- (join|chat|invite) ?/.exec(command)?.slice(1, 3)),
    ).toEqual([
      ['ci', undefined],
      ['start', undefined],
      [undefined, 'join'],
      [undefined, 'chat'],
      [undefined, 'invite'],
      [undefined, 'join'],
      [undefined, 'chat'],
    ] as string[][])
    const typed = [...readme.values()].flat(2).flatMap((step) => ('type' in step ? [step.type] : []))
    expect(typed).toEqual(expect.arrayContaining(['/accept', '/exit', '/quit']))
  })

  test('is what happens, with npm, as it is written', () => play({}), 60_000)

  test('is what happens at terminals', () => play({ server: process.execPath, clients: process.execPath, terminal: true }), 60_000)

  test.each([
    ['what is said', 'bob: hello alice', 'bob: hello everybody'],
    ['what a command prints', 'joined sealwire://127.0.0.1:5555 as alice', 'alice has joined'],
    ['what is printed beside', 'next: npm run --silent sealwire -- chat [NAME]\n', ''],
    ['a command', 'chat alice --home ~/bob', 'chat alice --house ~/bob'],
  ])('is not played when it is wrong about %s', async (_, right, wrong) => {
    expect(text.includes(right)).toBe(true)
    await using stage = new Play({ server: process.execPath, clients: process.execPath })
    const failed = await stage.play(readBlocks(text.replace(right, wrong))).then(
      () => 'it was played',
      (reason: unknown) => String(reason),
    )
    expect(failed).toMatch(/^Error: (alice|bob) cannot /)
  })

  test.skipIf(isMissing('SEALWIRE_NODE'))(
    'is what happens with the server on Node and the clients on Bun',
    () => play({ server: nodeBinary, clients: process.execPath }),
    60_000,
  )

  test.skipIf(isMissing('SEALWIRE_NODE'))(
    'is what happens with the server on Bun and the clients on Node',
    () => play({ server: process.execPath, clients: nodeBinary }),
    60_000,
  )
})

async function play(options: PlayOptions): Promise<void> {
  await using stage = new Play(options)
  await stage.play(withTenMessages(readme))
  for (const path of ['.sealwire/profile.json', 'bob/profile.json', 'sealwire-data/ca.crt']) {
    expect([path, existsSync(join(stage.folder, path))]).toEqual([path, true])
  }
  expect(await stage.stopServer()).toBe(0)
}

/** The README shows two messages; before Bob leaves, eight more go to and fro. */
function withTenMessages(terminals: ReadonlyMap<string, Step[][]>): Map<string, Step[][]> {
  const longer = new Map([...terminals].map(([name, blocks]) => [name, blocks.map((steps) => [...steps])]))
  const insert = (name: string, before: Step, steps: readonly Step[]): void => {
    const block = longer.get(name)?.at(-1) ?? []
    const at = block.findIndex((step) => JSON.stringify(step) === JSON.stringify(before))
    if (at < 0) throw new Error(`${name} has no ${JSON.stringify(before)}`)
    block.splice(at, 0, ...steps)
  }
  const words = ['three', 'five', 'seven', 'nine'].map((odd, index) => [odd, ['four', 'six', 'eight', 'ten'][index]] as const)
  insert(
    'bob',
    { type: '/exit' },
    words.flatMap(([odd, even]) => [{ type: odd }, { see: `alice: ${even}` }]),
  )
  insert(
    'alice',
    { see: 'bob has left the chat' },
    words.flatMap(([odd, even]) => [{ see: `bob: ${odd}` }, { type: `${even}` }]),
  )
  return longer
}
