// The page about money, played with real processes from its own text.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { Play, readBlocks } from '../support/readme-play.ts'

const text = readFileSync(new URL('../../docs/payments.md', import.meta.url), 'utf8')

test('what docs/payments.md shows is what happens', async () => {
  await using stage = new Play({ server: process.execPath, clients: process.execPath })
  const blocks = readBlocks(text)
  expect([...blocks.keys()]).toEqual(['server', 'join', 'operator', 'alice', 'bob', 'paying', 'check'])
  await stage.play(blocks)
  expect(await stage.stopServer()).toBe(0)
}, 60_000)

test('and not when it shows something else', async () => {
  await using stage = new Play({ server: process.execPath, clients: process.execPath })
  const failed = await stage.play(readBlocks(text.replace('95.00 credits left', '94.00 credits left'))).then(
    () => 'it was played',
    (reason: unknown) => String(reason),
  )
  expect(failed).toMatch(/^Error: alice cannot /)
}, 60_000)
