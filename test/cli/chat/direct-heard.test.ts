import { expect, test } from 'bun:test'
import { shownEarlier } from '../../../src/cli/chat/direct-heard.ts'
import { messageKey } from '../../../src/client/direct/heard.ts'
import { wordsHash } from '../../../src/client/direct/words.ts'
import { FileHeard } from '../../../src/client/home/heard-files.ts'
import { parseMessageId } from '../../../src/client/outbox/message-id.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { resolveLimits } from '../../../src/protocol/limits.ts'
import { entry } from './entries.ts'
import { temporaryHome } from '../home-support.ts'

test('shownEarlier knows what a program of this home and account was told directly, and nothing else of that id', async () => {
  using stage = temporaryHome()
  const said = entry({ seq: 9 })
  const id = parseMessageId(said.id)
  expect((await shownEarlier(stage.home, 'ann'))(said)).toBe(false)
  await using heard = new FileHeard(stage.home, { name: 'ann', clock: systemClock, limits: resolveLimits() })
  await heard.add({ key: messageKey({ ...said, id }), conversation: said.conversation, device: 'd1', hash: wordsHash(said) })
  const isShown = await shownEarlier(stage.home, 'ann')
  expect([isShown(said), isShown({ ...said, id })]).toEqual([true, true])
  expect([
    isShown({ ...said, from: 'carol' }),
    isShown({ ...said, conversation: 8 }),
    isShown({ ...said, body: Buffer.from('other') }),
  ]).toEqual([false, false, false])
  expect((await shownEarlier(stage.home, 'ben'))(said)).toBe(false)
})
