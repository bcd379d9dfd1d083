import { describe, expect, test } from 'bun:test'
import { type JoinFlags, readJoinRequest, readTarget } from '../../../src/cli/join/request.ts'
import { formatInviteLink } from '../../../src/pki/index.ts'
import { pinOf, refused, rejected } from '../home-support.ts'

const pin = pinOf('A')
const invitation = Uint8Array.from({ length: 16 }, (_, index) => index)
const link = formatInviteLink({ host: 'chat.example', port: 5555, pin, invitation })

describe('readTarget', () => {
  test('reads a link', () => {
    const target = { server: { host: 'chat.example', port: 5555 }, transport: 'tls', pin, makes: 'account', invitation } as const
    expect(readTarget(` ${link}\n`, undefined)).toEqual(target)
    expect(readTarget(link, pin)).toEqual(target)
    expect(readTarget(link.replace('sealwire', 'sealed'), undefined)).toEqual({ ...target, transport: 'sealed' })
  })

  test('reads an address with a pin', () => {
    const target = { server: { host: '::1', port: 5555 }, pin, invitation: undefined }
    expect(readTarget('[::1]:5555', pin)).toEqual({ ...target, transport: 'tls' })
    expect(readTarget('sealed://[::1]:5555', pin)).toEqual({ ...target, transport: 'sealed' })
  })

  test.each<[string, string | undefined, string]>([
    [link, pinOf('B'), 'the link has another fingerprint than --pin'],
    ['chat.example:5555', undefined, 'without a link the fingerprint of the server is needed'],
    ['chat.example:5555', 'SHA256:x', '--pin "SHA256:x" is not a fingerprint'],
    ['sealed://chat.example:1337', undefined, 'without a link the fingerprint of the server is needed'],
    ['sealed://chat.example', pin, 'this is neither an invite link nor HOST:PORT'],
    ['chat.example:0', pin, 'this is neither an invite link nor HOST:PORT'],
    ['chat.example', pin, 'this is neither an invite link nor HOST:PORT'],
  ])('refuses %s with the pin %s', (text, other, sentence) => {
    expect(refused(() => readTarget(text, other))).toMatchObject({ code: 'usage', sentence })
  })

  test('never repeats any part of a link, whole or cut anywhere', () => {
    const secret = link.slice(link.lastIndexOf('.') + 1)
    for (let at = 0; at < link.length; at++) {
      for (const part of [link.slice(at + 1), link.slice(0, at)]) {
        const { code, message, hint } = refused(() => readTarget(part, undefined))
        expect(['usage', 'link_invalid']).toContain(code)
        for (let from = 0; from + 6 <= secret.length; from++) expect(`${message} ${hint}`).not.toContain(secret.slice(from, from + 6))
      }
    }
  })
})

describe('readJoinRequest', () => {
  test('reads the link, then the password from standard input', async () => {
    expect(await read('-', { passwordStdin: true }, `${link}\ncorrect-horse\n`)).toMatchObject({ invitation, password: 'correct-horse' })
    expect(await read('-', {}, link)).toMatchObject({ invitation, password: undefined, login: false })
    expect(await read(link, { passwordStdin: true, login: true }, 'correct-horse')).toMatchObject({
      password: 'correct-horse',
      login: true,
    })
  })

  test('reads nothing where nothing is to be read', async () => {
    expect(await readJoinRequest(link, { name: 'alice' }, unreadable())).toMatchObject({ name: 'alice', password: undefined })
    expect((await rejected(readJoinRequest('nonsense', { name: 'alice', passwordStdin: true }, unreadable()))).code).toBe('usage')
  })

  test('says what is missing on standard input', async () => {
    expect((await rejected(read('-', {}, ''))).sentence).toBe('no invite link was given')
    expect((await rejected(read('-', { passwordStdin: true }, `${link}\n`))).sentence).toBe('no password was given')
  })

  test('tells a name that no account can have before anything is read', async () => {
    for (const name of ['a b', 'x\ny', '']) {
      expect((await rejected(readJoinRequest('-', { name }, unreadable()))).code).toBe('usage')
    }
  })

  test('does not take a link and a password from a keyboard', async () => {
    expect(await rejected(read('-', { login: true }, link))).toMatchObject({ code: 'usage' })
  })
})

function read(text: string, flags: Partial<JoinFlags>, input: string) {
  return readJoinRequest(
    text,
    { name: 'alice', ...flags },
    (async function* () {
      yield Buffer.from(input)
    })(),
  )
}

function unreadable(): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      throw new TypeError('it was read')
    },
  }
}
