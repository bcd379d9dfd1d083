import { describe, expect, test } from 'bun:test'
import { parseChatLine } from '../../../src/cli/chat/line.ts'
import { refused } from '../home-support.ts'

const parse = (line: string) => parseChatLine(Buffer.from(line))

describe('parseChatLine', () => {
  test('takes what does not begin with a slash as something to say, byte for byte', () => {
    for (const line of ['hello', ' /quit', '', 'ünï', 'a/b']) expect(parse(line)).toEqual({ name: 'say', body: Buffer.from(line) })
    expect(parseChatLine(Uint8Array.of(0xff, 0x00))).toEqual({ name: 'say', body: Uint8Array.of(0xff, 0x00) })
  })

  test('leaves out the carriage return of a line that has one', () => {
    expect(parse('hello\r')).toEqual({ name: 'say', body: Buffer.from('hello') })
    expect(parse('/quit\r')).toEqual({ name: 'quit' })
  })

  test('says a line with a slash when there are two', () => {
    expect(parse('//etc/passwd')).toEqual({ name: 'say', body: Buffer.from('/etc/passwd') })
  })

  test('knows the commands', () => {
    for (const name of ['exit', 'status', 'who', 'contacts', 'rooms', 'delete', 'pin', 'unpin', 'unsend', 'help', 'quit'] as const)
      expect(parse(`/${name} `)).toEqual({ name })
    for (const name of ['remove', 'block', 'unblock', 'talk', 'accept', 'decline'] as const)
      expect(parse(`/${name}  Bob`)).toEqual({ name, who: 'Bob' })
    expect(parse('/ask #12')).toEqual({ name: 'talk', who: '#12' })
    for (const name of ['accept', 'decline'] as const) expect(parse(`/${name}`)).toEqual({ name, who: undefined })
    expect([parse('/history'), parse('/history 200')]).toEqual([
      { name: 'history', count: 20 },
      { name: 'history', count: 200 },
    ])
    expect(parse('/edit two  words')).toEqual({ name: 'edit', text: 'two  words' })
    expect(parse('/react 👍')).toEqual({ name: 'react', emoji: '👍' })
    expect(parse('/reply two  words')).toEqual({ name: 'reply', text: 'two  words' })
    for (const name of ['balance', 'requests'] as const) expect(parse(`/${name}`)).toEqual({ name })
    const lunch = { amount: '5', unit: undefined, memo: 'lunch' }
    expect(parse('/pay 5 for lunch')).toEqual({ name: 'pay', who: undefined, sum: lunch })
    expect(parse('/request bob 5 for lunch')).toEqual({ name: 'request', who: 'bob', sum: lunch })
    expect([parse('/pay'), parse('/pay bob')]).toEqual([
      { name: 'pay', who: undefined, sum: undefined },
      { name: 'pay', who: 'bob', sum: undefined },
    ])
    expect(parse('/file a b.txt')).toEqual({ name: 'file', path: 'a b.txt' })
    expect([parse('/save'), parse('/save a b.txt')]).toEqual([
      { name: 'save', path: undefined },
      { name: 'save', path: 'a b.txt' },
    ])
  })

  test('quotes the beginning of a word that is no command', () => {
    expect(refused(() => parse(`/${'x'.repeat(60_000)}`)).sentence).toBe(`there is no command /${'x'.repeat(39)}…`)
  })

  test.each([
    ['/frobnicate', 'there is no command /frobnicate', '/help lists the commands'],
    ['/acept', 'there is no command /acept', 'did you mean /accept?'],
    ['/', 'there is no command /', '/help lists the commands'],
    ['/ quit', 'there is no command /', '/help lists the commands'],
    ['/ask', '/ask takes one name', '/help lists the commands'],
    ['/block a b', '/block takes one name', '/help lists the commands'],
    ['/accept a b', '/accept takes one name', '/help lists the commands'],
    ['/quit now', '/quit takes nothing more', '/help lists the commands'],
    ['/history 201', '/history takes a number from 1 to 200', '/help lists the commands'],
    ['/history all', '/history takes a number from 1 to 200', '/help lists the commands'],
    ['/edit', '/edit takes what the message says now', '/help lists the commands'],
    ['/react', '/react takes an emoji', '/help lists the commands'],
    ['/reply', '/reply takes what you answer', '/help lists the commands'],
    ['/file', '/file takes a path', '/help lists the commands'],
    [
      '/request',
      '/request takes an amount, and behind for what it is for',
      'for example: /request 5 for lunch, or /request NAME 5 for lunch',
    ],
    [
      '/request bob',
      '/request takes an amount, and behind for what it is for',
      'for example: /request 5 for lunch, or /request NAME 5 for lunch',
    ],
    ['/pay bob lunch', '/pay takes an amount, and behind for what it is for', 'for example: /pay 5 for lunch, or /pay NAME 5 for lunch'],
    ['/__proto__', 'there is no command /__proto__', '/help lists the commands'],
  ])('refuses %s', (line, sentence, hint) => {
    expect(refused(() => parse(line))).toMatchObject({ code: 'usage', sentence, hint })
  })
})
