import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { formatInviteLink, type InviteLink, invitationHash, newInvitation, parseInviteLink, type Transport } from '../../src/pki/index.ts'
import { SealwireError } from '../../src/protocol/errors.ts'
import { inspect } from 'node:util'

const pin = `SHA256:${Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index))
  .toString('base64')
  .slice(0, 43)}`
const invitation = Uint8Array.from({ length: 16 }, (_, index) => index)
const pinText = '__79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA'
const invitationText = 'AAECAwQFBgcICQoLDA0ODw'
const sealedExample = `sealed://chat.example:1337/#1.${pinText}.${invitationText}`
const example = `sealwire://chat.example:5555/#1.${pinText}.${invitationText}`

describe('formatInviteLink', () => {
  test('writes address, version, pin and invitation', () => {
    expect(formatInviteLink({ host: 'chat.example', port: 5555, pin, invitation })).toBe(example)
    expect(formatInviteLink({ host: '::1', port: 1, pin, invitation })).toStartWith('sealwire://[::1]:1/#1.')
    expect(formatInviteLink({ host: 'chat.example', port: 1337, transport: 'sealed', pin, invitation })).toBe(sealedExample)
  })

  test.each<[string, Partial<InviteLink>]>([
    ['a host with a space', { host: 'a b' }],
    ['a wildcard', { host: '*.example' }],
    ['port 0', { port: 0 }],
    ['a port over 65535', { port: 65_536 }],
    ['half a port', { port: 0.5 }],
    ['a pin without its prefix', { pin: pin.slice(7) }],
    ['a pin that is too short', { pin: pin.slice(0, -1) }],
    ['a short invitation', { invitation: invitation.subarray(1) }],
    ['a long invitation', { invitation: new Uint8Array(17) }],
  ])('refuses %s', (_, part) => {
    expect(refused(() => formatInviteLink({ host: 'chat.example', port: 5555, pin, invitation, ...part })).code).toBe('link_invalid')
  })
})

describe('parseInviteLink', () => {
  test('reads a link, and space around it does not count', () => {
    for (const text of [example, ` \t${example}\r\n`]) {
      expect(parseInviteLink(text)).toEqual({ host: 'chat.example', port: 5555, transport: 'tls', pin, makes: 'account', invitation })
    }
    expect(parseInviteLink(sealedExample)).toEqual({
      host: 'chat.example',
      port: 1337,
      transport: 'sealed',
      pin,
      makes: 'account',
      invitation,
    })
    expect(parseInviteLink(example.replace('#1.', '#d1.')).makes).toBe('device')
  })

  test.each([
    ['CHAT.Example:5555', 'chat.example'],
    ['127.0.0.1:5555', '127.0.0.1'],
    ['[::1]:5555', '::1'],
    ['[2001:DB8:0:0::7]:5555', '2001:db8::7'],
  ])('gives the host of %s as %s', (address, host) => {
    expect(parseInviteLink(example.replace('chat.example:5555', address)).host).toBe(host)
  })

  test('reads back every link that it writes', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const transports = fc.constantFrom<Transport>('tls', 'sealed')
    const kinds = fc.constantFrom<'account' | 'device'>('account', 'device')
    const host = fc.constantFrom('localhost', 'chat.example', 'xn--bcher-kva.example', '192.0.2.1', '::1', '2001:db8::7', 'fe80::1')
    fc.assert(
      fc.property(
        host,
        fc.integer({ min: 1, max: 65_535 }),
        transports,
        kinds,
        bytes(32),
        bytes(16),
        (name, port, transport, makes, hash, secret) => {
          const link = {
            host: name,
            port,
            transport,
            makes,
            pin: `SHA256:${Buffer.from(hash).toString('base64').slice(0, 43)}`,
            invitation: secret,
          }
          expect(parseInviteLink(formatInviteLink(link))).toEqual(link)
        },
      ),
    )
  })

  test.each([
    ['', 'this is not an invite link'],
    ['hello', 'this is not an invite link'],
    [`https://chat.example:5555/#1.${pinText}.${invitationText}`, 'this is not an invite link'],
    [example.replace('sealwire', 'SEALWIRE'), 'this is not an invite link'],
    [`1.${pinText}.${invitationText}`, 'this is not an invite link'],
    [`join ${example}`, 'this is not an invite link'],
    [example.replace('sealwire', 'Sealed'), 'this is not an invite link'],
    ['sealed://', 'the invite link is cut off'],
    [example.slice(0, 60) + '\n' + example.slice(60), 'the invite link has a space or the end of a line inside it'],
    [`${example} ${example}`, 'the invite link has a space or the end of a line inside it'],
    ['sealwire://chat.example:5555/', 'the invite link is cut off'],
    ['sealwire://chat.example:5555/#', 'the invite link is cut off'],
    ['sealwire://chat.example:5555/#1', 'the invite link is cut off'],
    [`sealwire://chat.example:5555/#1.${pinText}`, 'the invite link is cut off'],
    [`sealwire://chat.example:5555/#1.${pinText}.`, 'the invite link is cut off'],
    [example.slice(0, -1), 'the invite link is cut off'],
    [`${example}A`, 'the invite link has something behind its end'],
    [`${example}==`, 'the invite link has something behind its end'],
    [`${example}.x`, 'the invite link has something behind its end'],
    [example.replace('#1.', '#2.'), 'the invite link is of another version'],
    [example.replace('#1.', '#.'), 'the invite link is of another version'],
    [example.replace('#1.', '#01.'), 'the invite link is of another version'],
    [example.replace(':5555', ''), 'the address in the invite link is not HOST:PORT'],
    [example.replace('5555/#', '5555#'), 'the address in the invite link is not HOST:PORT'],
    [example.replace('5555/#', '5555/path#'), 'the address in the invite link is not HOST:PORT'],
    [example.replace('chat.example', '::1'), 'the address in the invite link is not HOST:PORT'],
    [example.replace('5555', '0'), 'the port in the invite link is not a number from 1 to 65535'],
    [example.replace('5555', '65536'), 'the port in the invite link is not a number from 1 to 65535'],
    [example.replace('5555', '05555'), 'the port in the invite link is not a number from 1 to 65535'],
    [example.replace('5555', ''), 'the port in the invite link is not a number from 1 to 65535'],
    [example.replace('chat.example', ''), 'the host in the invite link is neither a name nor an address'],
    [example.replace('chat.example', 'me@chat.example'), 'the host in the invite link is neither a name nor an address'],
    [example.replace('chat.example', '127.0.0.300'), 'the host in the invite link is neither a name nor an address'],
    [example.replace('chat.example', '[127.0.0.1]'), 'the host in the invite link is neither a name nor an address'],
    [example.replace('chat.example', '[fe80::1%eth0]'), 'the host in the invite link is neither a name nor an address'],
    [example.replace('chat.example', '\u212a.example'), 'the host in the invite link is neither a name nor an address'],
    [example.replace(pinText, pinText.slice(1)), 'the key in the invite link is damaged'],
    [example.replace(pinText, pinText.replace('_', '/')), 'the key in the invite link is damaged'],
    // The last character of each holds unused bits, which have to be zero.
    [example.replace(pinText, `${pinText.slice(0, -1)}B`), 'the key in the invite link is damaged'],
    [`${example.slice(0, -1)}x`, 'the invitation in the invite link is damaged'],
    [`${example.slice(0, -2)}+w`, 'the invitation in the invite link is damaged'],
  ])('refuses %p: %s', (text, sentence) => {
    const error = refused(() => parseInviteLink(text))
    expect([error.code, error.sentence]).toEqual(['link_invalid', sentence])
    expect(error.hint?.length ?? 0).toBeGreaterThan(10)
  })

  test('refuses a link that is cut off anywhere, at its end or at its beginning', () => {
    for (let length = 0; length < example.length; length++) {
      expect(refused(() => parseInviteLink(example.slice(0, length))).code).toBe('link_invalid')
      expect(refused(() => parseInviteLink(example.slice(length + 1))).code).toBe('link_invalid')
    }
  })

  test('takes one text for a link and no other: every changed character is refused or says something else', () => {
    fc.assert(
      fc.property(fc.nat(example.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const changed = example.slice(0, at) + character + example.slice(at + 1)
        const parsed = outcome(() => parseInviteLink(changed))
        if (SealwireError.is(parsed)) return
        // Case of a host is the one thing that a link leaves open.
        expect(formatInviteLink(parsed as InviteLink)).toBe(changed.trim().replace(/(?<=\/\/)[^:]*/, (host) => host.toLowerCase()))
      }),
      { numRuns: 2000 },
    )
  })

  test('ends with link_invalid for any text that is no link', () => {
    const near = fc
      .array(
        fc.constantFrom(
          'sealwire://',
          'sealed://',
          'chat.example',
          ':5555',
          '/',
          '#',
          '1',
          '.',
          pinText,
          invitationText,
          '[',
          ']',
          '::1',
          ' ',
          '\0',
          'ä',
        ),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          near,
          near.map((text) => `sealwire://${text}`),
        ),
        (text) => {
          const parsed = outcome(() => parseInviteLink(text))
          if (SealwireError.is(parsed)) expect(parsed.code).toBe('link_invalid')
          else expect(parsed).toHaveProperty('invitation')
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('never repeats the invitation, wherever in the text it stands', () => {
    const texts = [
      `sealwire://${invitationText}:5555/#1.${pinText}.`,
      `sealwire://h:${invitationText}/#1.${pinText}.`,
      `sealwire://${invitationText}/#`,
      `sealwire://h:1/#${invitationText}.${pinText}.1`,
      `sealwire://h:1/#1.${invitationText}.${invitationText}`,
      `${example}x`,
      `sealed://${invitationText}`,
      invitationText,
    ]
    for (const text of texts) {
      const error = refused(() => parseInviteLink(text))
      expect(inspect(error, { depth: 10 }).replace(error.stack ?? '', '') + error.message + error.hint).not.toInclude(
        invitationText.slice(0, 8),
      )
      expect(error.cause).toBeUndefined()
    }
  })
})

describe('newInvitation', () => {
  test('makes 16 bytes that are never the same', () => {
    const made = new Set(Array.from({ length: 100 }, () => Buffer.from(newInvitation()).toString('hex')))
    expect(made.size).toBe(100)
    expect([...made].every((text) => text.length === 32)).toBe(true)
  })
})

describe('invitationHash', () => {
  test('is the SHA-256 of the invitation', () => {
    expect(Buffer.from(invitationHash(invitation))).toEqual(createHash('sha256').update(invitation).digest())
  })
})

function refused(action: () => unknown): SealwireError {
  const reason = outcome(action)
  if (SealwireError.is(reason)) return reason
  throw new TypeError(`it was not refused: ${String(reason)}`)
}

function outcome(action: () => unknown): unknown {
  try {
    return action()
  } catch (reason) {
    if (SealwireError.is(reason)) return reason
    throw reason
  }
}
