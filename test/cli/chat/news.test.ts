import { describe, expect, test } from 'bun:test'
import { chatHelp } from '../../../src/cli/chat/help.ts'
import { type ChatNews, chatJson, chatText, failureNews } from '../../../src/cli/chat/news.ts'
import { plainText } from '../../../src/cli/chat/view.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { paymentType } from '../../../src/protocol/contract/index.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { changed, entry, moneySaid, said } from './entries.ts'

const shown = (news: ChatNews): string =>
  chatText(news)
    .map((text) => plainText(text))
    .join('')
const marks = { own: 'ann', delivered: 4, read: 2 }

describe('chatText', () => {
  test('shows every kind of news', () => {
    const name = 'bob'
    const conversation = 7
    const cases: [ChatNews, string][] = [
      [{ event: 'ready', name, server: 'chat.example:1' }, 'you are bob at chat.example:1. /help lists the commands'],
      [{ event: 'asked', name, conversation }, 'bob was asked to talk; what you type is sent once they accept'],
      [{ event: 'requested', name, conversation }, 'bob asks to talk: /accept or /decline'],
      [{ event: 'accepted', name, conversation }, 'bob is a contact now: /talk bob'],
      [{ event: 'declined', name, conversation }, 'bob declined to talk'],
      [{ event: 'turned-away', name }, 'bob was declined'],
      [{ event: 'begun', conversation, peer: name }, 'you are talking with bob. /exit leaves'],
      [{ event: 'begun', conversation, room: 'the garden' }, 'you are talking in [the garden]. /exit leaves'],
      [{ event: 'exited', conversation, peer: name }, 'you have left bob; what comes is still shown'],
      [{ event: 'did', what: 'reacted', about: 'hello' }, 'reacted to "hello"'],
      [{ event: 'taken-back', count: 0, perhaps: 0 }, 'nothing of what you have said here waits to be sent'],
      [{ event: 'taken-back', count: 1, perhaps: 0 }, 'a line was thrown away'],
      [{ event: 'taken-back', count: 8101, perhaps: 1 }, '8101 lines were thrown away; 1 may be sent already'],
      [{ event: 'did', what: 'deleted', about: `${'x'.repeat(50)}\ny` }, `deleted "${'x'.repeat(39)}…"`],
      [{ event: 'file', state: 'sent', name: 'a.txt' }, 'sent "a.txt"'],
      [{ event: 'older', conversation }, 'there is more that you have not read: /history'],
      [{ event: 'lost' }, 'some of what came was not kept for this device: /history has it'],
      [{ event: 'here', name }, 'bob is here'],
      [{ event: 'gone', name }, 'bob is gone'],
      [{ event: 'typing', name }, 'bob is typing'],
      [{ event: 'disconnected' }, 'connection lost, trying again'],
      [{ event: 'connected' }, 'connected again'],
      [{ event: 'who', people: [{ name, contact: true }], more: false }, 'here: bob (contact)'],
      [{ event: 'contacts', contacts: [], blocked: [] }, 'you have no contacts yet: /talk NAME'],
      [{ event: 'contacts', contacts: [{ name, state: 'accepted', since: 1 }], blocked: [name, 'eve'] }, 'bob (blocked)\neve (blocked)'],
      [{ event: 'contacts', contacts: [{ name, state: 'accepted', since: 1, here: true }], blocked: [] }, 'bob (here)'],
      [{ event: 'contacts', contacts: [{ name, state: 'asking', since: 1 }], blocked: [] }, 'bob (asks you: /accept or /decline)'],
      [{ event: 'rooms', rooms: [] }, 'you are in no room'],
      [{ event: 'parted', name }, 'bob is no contact any more'],
      [{ event: 'removed', name, conversation: 1 }, 'bob has removed you: you are no contacts any more'],
      [{ event: 'withdrawn', name, conversation: 1 }, 'bob does not ask to talk any more'],
      [{ event: 'blocked', name }, 'bob is blocked: nothing of theirs arrives here'],
      [{ event: 'unblocked', name }, 'bob is not blocked any more'],
      [{ event: 'help' }, chatHelp.join('\n')],
      [{ event: 'refused', line: 1, code: 'busy', sentence: 'no', hint: 'later' }, 'no. later'],
      [{ event: 'refused', line: 1, code: 'busy', sentence: 'no', hint: undefined }, 'no'],
      [{ event: 'unsent', text: 'hello', code: 'gone', sentence: 'no', hint: undefined }, 'not sent: "hello": no'],
    ]
    for (const [news, line] of cases) expect(shown(news)).toBe(`${line}\n`)
    expect(shown({ event: 'done', line: 1 })).toBe('')
  })

  test('shows a room with its number, and that one is invited', () => {
    const room = { conversation: 7, kind: 'room', members: 1, lastSeq: 1, firstSeq: 1, readSeq: 0, title: 'x' } as const
    expect(shown({ event: 'rooms', rooms: [{ ...room, state: 'accepted' }] })).toBe('#7 [x] 1 member\n')
    expect(shown({ event: 'rooms', rooms: [{ ...room, state: 'invited', members: 2 }] })).toBe(
      '#7 [x] 2 members, you are invited: /talk joins\n',
    )
  })

  test('shows who asks with what they say', () => {
    const asked = entry({ kind: 'contact', what: 'requested', text: 'it is me', body: Buffer.from('it is me') })
    expect(shown({ event: 'requested', name: 'bob', conversation: 7, entry: asked })).toBe(
      'bob asks to talk: /accept or /decline\nbob: it is me\n',
    )
  })

  test('lets nothing of what others sent control a terminal', () => {
    const evil = 'a\u001b]0;x\u0007\u009b2J\u202e\u2028\r\tb'
    const harmless = /^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*$/u
    const body = Buffer.from(evil)
    for (const news of [
      said(evil, { from: evil }),
      said(evil, {}, evil),
      said(evil, { type: `image/${evil}` }),
      said('', { file: { id: new Uint8Array(16), name: evil, size: 1, sha256: new Uint8Array(32) } }),
      { ...said('yes', { from: evil, replyTo: 1 }), about: evil },
      changed({ kind: 'edit', target: 1, text: evil, body }, evil),
      changed({ kind: 'reaction', target: 1, emoji: evil, on: true }, evil),
      changed({ kind: 'room', title: evil, topic: evil }, undefined, evil),
      changed({ kind: 'member', what: 'invited', about: evil }, undefined, evil),
      { event: 'requested', name: evil, conversation: 7, entry: entry({ text: evil, body }) },
      { event: 'ready', name: evil, server: evil },
      { event: 'who', people: [{ name: evil, contact: true }], more: true },
      { event: 'contacts', contacts: [{ name: evil, state: 'asking', since: 1 }], blocked: [evil] },
      { event: 'refused', line: 1, code: 'busy', sentence: evil, hint: evil },
      { event: 'unsent', text: evil, code: 'busy', sentence: evil, hint: evil },
      { event: 'begun', conversation: 7, peer: evil },
      { event: 'exited', conversation: 7, room: evil },
      { event: 'history', conversation: 7, peer: evil, marks, entries: [entry({ from: evil, text: evil, body })] },
    ] as const) {
      expect(shown(news).replaceAll('\n', '')).toMatch(harmless)
      expect(shown(news)).toMatch(/\\u001b[\])]0;x/)
    }
  })

  test('keeps every line of a message behind its speaker, so that none passes for a note', () => {
    expect(shown(said('one\nmallory asks to talk: /accept or /decline\r\n\nfour\n'))).toBe(
      'bob: one\n  | mallory asks to talk: /accept or /decline\n  | \n  | four\n',
    )
    expect(shown(said(''))).toBe('bob: \n')
    expect(shown(changed({ kind: 'edit', text: 'a\nb', body: Buffer.from('a\nb') }, 'x'))).toBe('bob changed "x" to: a\n  | b\n')
  })

  test('shows what a message answers', () => {
    const answer = said('yes\nno', { replyTo: 3 }, 'garden')
    expect(shown({ ...answer, about: 'one or\nthe other?' })).toBe('[garden] bob answers "one or…": yes\n  | no\n')
    expect(shown(answer)).toBe('[garden] bob answers an earlier message: yes\n  | no\n')
    const file = { id: new Uint8Array([1]), name: 'plan', size: 1, sha256: new Uint8Array(32) }
    expect(shown({ ...said('', { replyTo: 3, file, body: undefined }), about: 'hi' })).toBe(
      'bob answers "hi" with a file: "plan", 1 bytes, 01\n',
    )
    const entries = [entry({ seq: 1, text: 'hi', body: Buffer.from('hi') }), entry({ seq: 2, body: Buffer.from('ho'), replyTo: 1 })]
    expect(shown({ event: 'history', conversation: 7, peer: 'bob', marks, entries })).toBe(
      ['2030-01-02 03:04 bob: hi', '2030-01-02 03:04 bob answers "hi": ho', ''].join('\n'),
    )
  })

  test('shows in which room something is said, whatever its title is', () => {
    expect(shown(said('hello', {}, 'garden'))).toBe('[garden] bob: hello\n')
    expect(shown(said('hello', {}, 'garden] carol: yes ['))).toBe('[garden) carol: yes (] bob: hello\n')
    expect(shown(changed({ kind: 'member', what: 'joined' }, undefined, 'garden'))).toBe('[garden] bob joins\n')
    expect(shown(changed({ kind: 'room', seq: 1, title: 'roses', topic: 'red' }, undefined, 'roses'))).toBe(
      '[roses] bob sets up the room: "roses", "red"\n',
    )
    expect(shown(changed({ kind: 'room', topic: 'white' }, undefined, 'roses'))).toBe('[roses] bob sets the topic: "white"\n')
  })

  test('shows what was changed, and what it was about where that is known', () => {
    expect(shown(changed({ kind: 'delete' }, 'helo'))).toBe('bob deleted "helo"\n')
    expect(shown(changed({ kind: 'delete' }))).toBe('bob deleted an earlier message\n')
    expect(shown(changed({ kind: 'edit' }, 'helo'))).toBe('bob changed "helo"\n')
    expect(shown(changed({ kind: 'reaction', emoji: '👍', on: true }, 'hi'))).toBe('bob reacts with 👍 to "hi"\n')
    expect(shown(changed({ kind: 'reaction', emoji: '👍', on: false }, 'hi'))).toBe('bob took back 👍 to "hi"\n')
    expect(shown(changed({ kind: 'pin', on: true }, 'hi'))).toBe('bob pinned "hi"\n')
  })

  test('says of what is gone nothing that nobody did', () => {
    const gone = (kind: 'reaction' | 'pin' | 'member' | 'edit' | 'delete', about?: string) =>
      shown(changed({ kind, target: 2, deleted: true }, about, '#3'))
    expect(gone('reaction', 'hi')).toBe('[#3] a reaction of bob to "hi", gone since\n')
    expect(gone('pin')).toBe('[#3] something of bob about pinning an earlier message, gone since\n')
    expect(gone('member')).toBe('[#3] something of bob about the room, gone since\n')
    expect(gone('edit', 'hi')).toBe('[#3] bob changed "hi"\n')
    expect(gone('delete', 'hi')).toBe('[#3] bob deleted "hi"\n')
  })

  test('shows what one has said on another device with whom it was said to', () => {
    const own = entry({ from: 'ann', text: 'hi', body: Buffer.from('hi') })
    expect(shown({ event: 'said', entry: own, place: { conversation: 7, peer: 'bob' } })).toBe('ann to bob: hi\n')
    expect(shown({ event: 'said', entry: own, place: { conversation: 8, room: 'garden' }, isMeant: true })).toBe(
      '[garden] ann (to you): hi\n',
    )
  })

  test('shows files, with what goes with them', () => {
    const file = { id: new Uint8Array(16).fill(0xab), name: 'a"b.txt', size: 12, sha256: new Uint8Array(32) }
    const line = `bob sends a file: "a\\"b.txt", 12 bytes, ${'ab'.repeat(16)}\n`
    expect(shown(said('', { file }))).toBe(line)
    expect(shown(said('look', { file }))).toBe(`${line}bob: look\n`)
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
      expect(shown(said('hi', { type }))).toBe(`bob sends ${type}, 2 bytes, which is not shown here\n`)
    }
    for (const type of [
      'text/plain',
      'text/plain;charset="UTF-8"',
      'text/plain; charset=us-ascii; format=flowed',
      'Text/Markdown; charset=utf-8',
    ]) {
      expect(shown(said('hi', { type }))).toBe('bob: hi\n')
    }
  })

  test('shows what was said with its time, and how far it has come', () => {
    const words = (seq: number, from: string, text: string, more = {}) => entry({ seq, from, text, body: Buffer.from(text), ...more })
    const entries = [
      words(1, 'bob', 'hello'),
      words(2, 'ann', 'read'),
      words(3, 'ann', 'arrived', { edited: 1 }),
      words(4, 'bob', 'no', { kind: 'edit', target: 1 }),
      words(5, 'ann', 'sent'),
      entry({ seq: 6, from: 'ann', deleted: true }),
      entry({ seq: 7, kind: 'reaction', target: 5, emoji: '👍', on: true }),
      entry({ seq: 8, from: 'bob', deleted: true }),
      entry({ seq: 9, from: 'bob', deleted: true }),
      entry({ seq: 10, from: 'carol', kind: 'delete', target: 9 }),
      entry({ seq: 11, from: 'ann', kind: 'delete', target: 6 }),
      entry({ seq: 12, from: 'bob', kind: 'reaction', target: 6, deleted: true }),
      entry({ seq: 13, from: 'bob', kind: 'contact', deleted: true }),
    ]
    expect(shown({ event: 'history', conversation: 7, peer: 'bob', marks, entries })).toBe(
      [
        '2030-01-02 03:04 bob: hello',
        '2030-01-02 03:04 ann: read  ✓✓',
        '2030-01-02 03:04 ann (changed): arrived  ✓',
        '2030-01-02 03:04 ann: sent',
        '2030-01-02 03:04 ann deleted what was here',
        '2030-01-02 03:04 bob reacts with 👍 to "sent"',
        '2030-01-02 03:04 a message of bob, deleted',
        '2030-01-02 03:04 a message of bob, deleted by carol',
        '',
      ].join('\n'),
    )
    expect(shown({ event: 'history', conversation: 7, peer: 'bob', marks, entries: [] })).toBe('nothing was said yet\n')
  })
})

describe('news of money', () => {
  const request = {
    id: 'an id',
    from: 'bob',
    to: 'ann',
    unit: 'credits',
    amount: '5.00',
    minor: 500n,
    paid: '0.00',
    paidMinor: 0n,
  } as const
  const open = { ...request, status: 'open', at: Date.UTC(2030, 0, 2), memo: 'tea' } as const
  const payment = { id: 'an id', name: 'bob', amount: '5.00', unit: 'credits', memo: 'tea' } as const
  const money = {
    kind: 'pay',
    from: 'bob',
    to: 'ann',
    amount: '5.00',
    unit: 'credits',
    memo: 'tea',
    id: '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a',
    status: 'posted',
  } as const

  test('is shown in a line', () => {
    const refusal = { code: 'frozen', sentence: 'no', hint: 'ask' } as const
    const held = { unit: 'credits', amount: '5.00', minor: 500n, held: '2.00', heldMinor: 200n, frozen: true }
    const own = entry({ from: 'ann', ...moneySaid({ ...money, from: 'ann', to: 'bob' }) })
    const cases: readonly (readonly [ChatNews, string])[] = [
      [{ event: 'paying', ...payment }, '… sending 5.00 credits to bob ("tea")'],
      [{ event: 'paid', ...payment, balance: '1.00' }, 'paid 5.00 credits to bob ("tea") (an id), 1.00 credits left'],
      [{ event: 'paid', ...payment, memo: undefined }, 'paid 5.00 credits to bob (an id)'],
      [{ event: 'unpaid', ...payment }, 'nothing was paid'],
      [{ event: 'unpaid', ...payment, ...refusal }, 'not paid: 5.00 credits to bob ("tea"): no. ask'],
      [{ event: 'doubtful', ...payment }, 'no answer yet: 5.00 credits to bob ("tea") (an id). The same /pay again pays it once'],
      [{ event: 'billed', request: { ...open, from: 'ann', to: 'bob' } }, 'you asked bob for 5.00 credits (an id): tea'],
      [{ event: 'requests', own: 'ann', requests: [] }, 'no request to pay is open'],
      [{ event: 'requests', own: 'ann', requests: [open] }, 'bob asked you for 5.00 credits (/pay bob pays it): tea'],
      [{ event: 'requests', own: 'bob', requests: [{ ...open, paid: '2.00' }] }, 'you asked ann for 5.00 credits, 2.00 paid: tea'],
      [{ event: 'balance', balances: [held] }, '5.00 credits, 2.00 on hold (frozen)'],
      [said('', moneySaid(money)), 'bob paid you 5.00 credits: tea'],
      [{ event: 'said', entry: own, place: { conversation: 7, peer: 'bob' } }, 'you paid bob 5.00 credits: tea'],
      [
        said('', moneySaid({ ...money, kind: 'request', from: 'ann', to: 'bob' })),
        'bob asked you for 5.00 credits (/pay bob pays it): tea',
      ],
      ...(
        [
          [{ status: 'open', paid: '0.00' }, ' (/pay bob pays it)'],
          [{ status: 'open', paid: '2.00' }, ', 2.00 paid (/pay bob pays it)'],
          [{ status: 'paid', paid: '5.00' }, ' (paid)'],
          [{ status: 'cancelled', paid: '0.00' }, ' (cancelled)'],
        ] as const
      ).map(([now, aside]): [ChatNews, string] => [
        { ...said('', moneySaid({ ...money, kind: 'request', from: 'ann', to: 'bob' })), request: now },
        `bob asked you for 5.00 credits${aside}: tea`,
      ]),
      [said('', { ...moneySaid(money), deleted: true }), 'a message of bob, deleted'],
      [said('', { deleted: true }, 'garden'), '[garden] a message of bob, deleted'],
    ]
    for (const [news, line] of cases) expect(shown(news).replace('\n', '')).toBe(line)
  })

  test('lets nothing of what others sent control a terminal', () => {
    const evil = 'a\u001b]0;x\u0007\u009b2J\u202e\u2028\r\n\tb'
    const due = { id: 'an id', name: evil, amount: '5.00', unit: 'credits', memo: evil }
    for (const news of [
      { event: 'paying', ...due },
      { event: 'paid', ...due },
      { event: 'unpaid', ...due, code: 'gone', sentence: evil, hint: evil },
      { event: 'doubtful', ...due },
      { event: 'billed', request: { ...open, to: evil, memo: evil } },
      { event: 'requests', own: 'ann', requests: [{ ...open, from: evil, memo: evil }] },
      said('', { ...moneySaid({ ...money, from: evil, memo: evil }), from: evil }),
    ] as const) {
      expect(shown(news).slice(0, -1)).toMatch(/^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*$/u)
    }
  })

  test('is an object for programs, with amounts as text', () => {
    expect(JSON.parse(JSON.stringify(chatJson({ event: 'billed', request: open })))).toEqual({
      ...{
        event: 'billed',
        id: 'an id',
        from: 'bob',
        to: 'ann',
        amount: '5.00',
        paid: '0.00',
        unit: 'credits',
        status: 'open',
        memo: 'tea',
      },
      at: '2030-01-02T00:00:00.000Z',
    })
    expect(chatJson({ event: 'requests', own: 'ann', requests: [open] })).toMatchObject({ requests: [{ amount: '5.00' }] })
    const absurd = { ...open, expiresAt: 8_640_000_000_000_001 }
    expect(chatJson({ event: 'requests', own: 'ann', requests: [absurd] })).toMatchObject({
      requests: [{ expiresAt: '8640000000000001 ms' }],
    })
    const balance = { unit: 'credits', amount: '5.00', minor: 500n, held: '0.00', heldMinor: 0n, frozen: false }
    expect(chatJson({ event: 'balance', balances: [balance] })).toEqual({
      event: 'balance',
      balances: [{ unit: 'credits', balance: '5.00' }],
    })
    expect(chatJson(said('', moneySaid(money)))).toMatchObject({ event: 'said', payment: money, type: paymentType })
  })
})

describe('chatJson', () => {
  test('has what was said as inbox --json has it, and where', () => {
    expect(JSON.parse(JSON.stringify(chatJson(said('hé\n'))))).toEqual({
      event: 'said',
      id: '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a',
      conversation: 7,
      from: 'bob',
      text: 'hé\n',
      sentAt: '2030-01-02T03:04:05.000Z',
      seq: 3,
      name: 'bob',
    })
    expect(chatJson(said(Uint8Array.of(0, 255), { type: 'image/png' }, 'x'))).toMatchObject({ type: 'image/png', body: 'AP8=', room: 'x' })
    expect(chatJson({ event: 'done', line: 3 })).toEqual({ event: 'done', line: 3 })
  })

  test('has other news with names and numbers', () => {
    expect(chatJson({ event: 'begun', conversation: 7, peer: 'bob' })).toEqual({ event: 'begun', conversation: 7, name: 'bob' })
    expect(chatJson({ event: 'exited', conversation: 7, room: 'x' })).toEqual({ event: 'exited', conversation: 7, room: 'x' })
    expect(chatJson({ event: 'requested', name: 'bob', conversation: 7, entry: entry({ text: 'hi' }) })).toEqual({
      event: 'requested',
      name: 'bob',
      conversation: 7,
      text: 'hi',
    })
    expect(chatJson({ event: 'history', conversation: 7, peer: 'bob', marks, entries: [entry()] })).toMatchObject({
      name: 'bob',
      deliveredSeq: 4,
      readSeq: 2,
      entries: [{ seq: 3 }],
    })
  })
})

test('failureNews tells what an earlier run could not send', () => {
  const reason = new SealwireError('not_contact', 'they do not talk')
  const params = { to: 'bob', id: new Uint8Array(16), body: Buffer.from('hello') }
  expect(failureNews({ id: 'an id', params, reason })).toEqual({
    event: 'unsent',
    id: 'an id',
    text: 'hello',
    code: 'not_contact',
    sentence: 'they do not talk',
    hint: undefined,
  })
})

test('the help of a chat fits into 80 columns', () => {
  expect(chatHelp.filter((line) => line.length > 79)).toEqual([])
})
