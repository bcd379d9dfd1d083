import { describe, expect, test } from 'bun:test'
import { type ChatNews, chatHelp, chatJson, chatText } from '../../src/cli/chat-news.ts'
import { plainText } from '../../src/cli/chat-view.ts'
import { limitTable } from '../../src/protocol/limits.ts'

const said = (text: string | Uint8Array, type = 'text/plain', name = 'bob'): ChatNews => ({
  event: 'said',
  name,
  type,
  body: typeof text === 'string' ? Buffer.from(text) : text,
})
const shown = (news: ChatNews): string => plainText(chatText(news), (speaker) => speaker)

describe('chatText', () => {
  test('shows every kind of news', () => {
    const lines = (['asked', 'requested', 'begun', 'declined', 'withdrawn', 'left', 'blocked', 'unblocked'] as const).map((event) =>
      shown({ event, name: 'bob' }),
    )
    expect(lines).toEqual([
      'bob was asked for a chat\n',
      'bob asks for a chat: /accept or /decline\n',
      'you are talking with bob. /exit leaves\n',
      'bob declined, or did not answer\n',
      'bob does not ask any more\n',
      'bob has left the chat\n',
      'bob is blocked: nothing of theirs arrives here\n',
      'bob is not blocked any more\n',
    ])
    expect(shown({ event: 'ready', name: 'alice', server: 'chat.example:1' })).toBe(
      'you are alice at chat.example:1. /help lists the commands\n',
    )
    expect(shown({ event: 'exited', name: 'bob', from: 'talking' })).toBe('you have left the chat with bob\n')
    expect(shown({ event: 'exited', name: 'bob', from: 'asked' })).toBe('bob was declined\n')
    expect(shown({ event: 'exited', name: 'bob', from: 'asking' })).toBe('bob is not asked any more\n')
    expect(shown({ event: 'done', line: 1 })).toBe('')
    expect(shown({ event: 'refused', line: 1, code: 'busy', sentence: 'no', hint: 'later' })).toBe('no. later\n')
    expect(shown({ event: 'refused', line: 1, code: 'busy', sentence: 'no', hint: undefined })).toBe('no\n')
    const people = [
      { name: 'bob', contact: true },
      { name: 'carol', contact: false },
    ]
    expect(shown({ event: 'who', people, more: false })).toBe('here: bob (contact), carol\n')
    expect(shown({ event: 'help' })).toBe(`${chatHelp.join('\n')}\n`)
  })

  test('lets nothing of what others sent control a terminal', () => {
    const evil = 'a\u001b]0;x\u0007\u009b2J\u202e\u2028\r\tb'
    const harmless = /^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*$/u
    for (const news of [
      said(evil, 'text/plain', evil),
      said(evil, `image/${evil}`, evil),
      { event: 'requested', name: evil },
      { event: 'ready', name: evil, server: evil },
      { event: 'who', people: [{ name: evil, contact: true }], more: true },
      { event: 'refused', line: 1, code: 'busy', sentence: evil, hint: evil },
      { event: 'exited', name: evil, from: 'asked' },
    ] as const) {
      expect(shown(news).replaceAll('\n', '')).toMatch(harmless)
      expect(shown(news)).toContain('\\u001b]0;x\\u0007\\u009b2J\\u202e\\u2028')
    }
  })

  test('keeps every line of a message behind its speaker, so that none passes for a note', () => {
    expect(shown(said('one\nmallory asks for a chat: /accept or /decline\r\n\nfour\n'))).toBe(
      'bob: one\n  | mallory asks for a chat: /accept or /decline\n  | \n  | four\n',
    )
    expect(shown(said(''))).toBe('bob: \n')
  })

  test('shows as many lines of a message as the limit says', () => {
    const max = limitTable.chatMessageLinesMax.value
    const lines = shown(said('x\n'.repeat(max + 3))).split('\n')
    expect(lines.slice(-3)).toEqual(['  | x', '  | … and 3 more lines', ''])
    expect(lines).toHaveLength(max + 2)
  })

  test('shows bytes that are no UTF-8 as such', () => {
    expect(shown(said(Uint8Array.of(0x61, 0xff, 0x62)))).toBe('bob: a\ufffdb\n')
    expect(shown(said('\ufeffa'))).toBe('bob: \\ufeffa\n')
  })

  test('says of what is no text how large it is', () => {
    for (const type of ['text/plain;charset=utf-16', 'text/plain; format=flowed; Charset="latin1"', 'text/plain;charset=', 'text/']) {
      expect(shown(said('hi', type))).toBe(`bob sends ${type}, 2 bytes, which is not shown here\n`)
      expect(chatJson(said('hi', type))).toMatchObject({ body: 'aGk=' })
    }
    for (const type of ['text/plain', 'text/plain;charset="UTF-8"', 'text/plain; charset=us-ascii; format=flowed']) {
      expect(shown(said('hi', type))).toBe('bob: hi\n')
    }
    expect(shown(said(new Uint8Array(1234), 'image/png'))).toBe('bob sends image/png, 1234 bytes, which is not shown here\n')
    expect(shown(said('hi', 'Text/Markdown; charset=utf-8'))).toBe('bob: hi\n')
  })
})

describe('chatJson', () => {
  test('has text as text and other bodies in base64', () => {
    expect(chatJson(said('hé\n'))).toEqual({ event: 'said', name: 'bob', type: 'text/plain', text: 'hé\n' })
    expect(chatJson(said(Uint8Array.of(0, 255), 'image/png'))).toEqual({ event: 'said', name: 'bob', type: 'image/png', body: 'AP8=' })
    expect(chatJson({ event: 'done', line: 3 })).toEqual({ event: 'done', line: 3 })
  })
})
