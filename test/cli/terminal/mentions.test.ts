import { expect, test } from 'bun:test'
import { isMeant, mentionsIn } from '../../../src/cli/terminal/mentions.ts'
import { encodeCbor } from '../../../src/protocol/contract/cbor.ts'
import { limitTable } from '../../../src/protocol/limits.ts'

test.each<[string, readonly string[]]>([
  ['@bob', ['bob']],
  ['are you there, @bob? and @Dora.', ['bob', 'Dora']],
  ['@bob @BOB (@bob)', ['bob']],
  ['@r2-d2, @a.b_c and @münchen', ['r2-d2', 'a.b_c', 'münchen']],
  ['write to alice@example.org, not to a.@b or @@c', []],
  ['@ 5, @. @- at @', []],
  [`@${'x'.repeat(33)} @${'y'.repeat(32)}`, ['y'.repeat(32)]],
])('mentionsIn(%p)', (text, names) => {
  expect(mentionsIn(text)).toEqual(names)
})

test('mentionsIn has as many names as a message may', () => {
  expect(mentionsIn(Array.from({ length: 60 }, (_, index) => `@u${index}`).join(' '))).toHaveLength(50)
})

test('mentionsIn has no more than goes with a message, however long the names are', () => {
  const mentions = mentionsIn(Array.from({ length: 60 }, (_, index) => `@${'漢'.repeat(30)}${10 + index}`).join(' '))
  const bytes = encodeCbor({ replyTo: Number.MAX_SAFE_INTEGER, mentions: [...mentions] }).length
  expect([bytes > limitTable.messageDataBytesMax.value - 200, bytes <= limitTable.messageDataBytesMax.value]).toEqual([true, true])
})

test('isMeant, however the name is cased', () => {
  expect([isMeant({ mentions: ['Bob'] }, 'bob'), isMeant({ mentions: ['carol'] }, 'bob'), isMeant({}, 'bob')]).toEqual([true, false, false])
})
