// What people copy and paste: invite links of both transports, for accounts and for devices, the words of links into rooms, and
// addresses. Each is one text for one meaning, or it is refused in words that repeat nothing of it: part of it is a secret.

import { secretOf } from '../../../src/cli/rooms.ts'
import { formatEndpoint, readEndpoint } from '../../../src/client/home/endpoint.ts'
import { formatInviteLink, parseInviteLink } from '../../../src/pki/invite-link.ts'
import type { Chance } from '../chance.ts'
import { type Behaviour, type FuzzTarget, must, refusedAs, wordsOf } from '../target.ts'

/** What reads an invite link. */
export type LinkReader = typeof parseInviteLink

/** Inputs are texts. The first byte says what is read: mostly an invite link. `parse`: the reader of links under test. */
export function invitesTarget(parse: LinkReader = parseInviteLink): FuzzTarget {
  return {
    name: 'invites',
    words: wordsOf([
      'sealwire://',
      'sealed://',
      '/#1.',
      '/#d1.',
      '#',
      '.',
      ':',
      '[::1]',
      '5555',
      ' ',
      '\n',
      '%',
      '\u212a',
      '\ufeff',
      '1',
      'd1',
      '=',
      '-',
      '_',
    ]),
    bytesMax: 4_096,
    generate: (chance) => {
      const kind = chance.pick([0, 0, 0, 0, 0, 0, 1, 2] as const)
      const text = kind === 0 ? linkOf(chance) : kind === 1 ? base64url(chance, 16) : `${hostOf(chance)}:${portOf(chance)}`
      return Uint8Array.of(kind, ...new TextEncoder().encode(text))
    },
    run: (input) => {
      const text = new TextDecoder().decode(input.subarray(1))
      const kind = (input[0] ?? 0) % 8
      if (kind === 1) return readWord(text)
      return kind === 2 ? readAddress(text) : readLink(parse, text)
    },
  }
}

function readLink(parse: LinkReader, text: string): Behaviour {
  let link: ReturnType<LinkReader>
  try {
    link = parse(text)
  } catch (reason) {
    const { message, sentence, hint = '' } = refusedAs(reason, invalid)
    must(!repeats(`${message} ${hint}`, text), 'a refusal repeats nothing of a link')
    return `-link: ${sentence}`
  }
  const written = formatInviteLink(link)
  // The host may have been written in other letters; a link has no other freedom.
  must(sameBut(written, text.trim()), 'a link has one text, but for the letters of the host')
  must(Object.is(formatInviteLink(parse(written)), written), 'what is written is read as it was')
  must(link.invitation.length === 16 && link.port >= 1 && link.port <= 65_535 && link.pin.length === 50, 'a link is whole')
  return `+link: ${link.transport} for ${link.makes === 'device' ? 'a device' : 'an account'} at ${/[:.]/.exec(link.host)?.[0] ?? 'a name'}`
}

/** Behind the address nothing may be another letter. */
function sameBut(written: string, text: string): boolean {
  const [host = '', rest] = apart(written)
  const [otherHost = '', otherRest] = apart(text)
  return rest === otherRest && (host === otherHost.toLowerCase() || host.includes('['))
}

function apart(link: string): readonly string[] {
  const at = link.indexOf('/#')
  return [link.slice(0, at).replace(/:\d+$/, ''), `${/:\d+$/.exec(link.slice(0, at))?.[0] ?? ''}${link.slice(at)}`]
}

/** Whether eight characters in a row of the link's end, where its secret is, are in the sentence. */
function repeats(sentence: string, text: string): boolean {
  for (let at = Math.max(0, text.length - 30); at + 8 <= text.length; at++) {
    const piece = text.slice(at, at + 8)
    if (/^[\w-]{8}$/.test(piece) && sentence.includes(piece) && !ownWords.includes(piece)) return true
  }
  return false
}

function readWord(text: string): Behaviour {
  try {
    const secret = secretOf(text)
    must(secret.length === 16 && Buffer.from(secret).toString('base64url') === text, 'a secret has one text')
    return '+word of a room'
  } catch (reason) {
    return `-word: ${refusedAs(reason, invalid).sentence}`
  }
}

function readAddress(text: string): Behaviour {
  const read = readEndpoint(text)
  if ('fault' in read) return `-address ${read.fault}`
  must(Object.is(formatEndpoint(read), text), 'an address has one text')
  return `+address with ${text.startsWith('[') ? 'brackets' : 'none'}`
}

function linkOf(chance: Chance): string {
  const scheme = chance.pick(['sealwire://', 'sealed://', 'sealwire://', 'sealed://', 'https://', ''])
  const version = chance.oneIn(12) ? chance.pick(['2', 'd2', '', '01', '1d']) : chance.pick(['1', 'd1'])
  const around = chance.oneIn(8) ? chance.pick([' ', '\n', '\t ', '\u00a0', '\ufeff']) : ''
  const [pin, invitation] = [base64url(chance, 32), base64url(chance, chance.oneIn(12) ? chance.between(0, 40) : 16)]
  return `${around}${scheme}${hostOf(chance)}:${portOf(chance)}/#${version}.${pin}.${invitation}${around}`
}

function base64url(chance: Chance, bytes: number): string {
  return Buffer.from(chance.bytes(bytes)).toString('base64url')
}

function portOf(chance: Chance): string {
  return chance.oneIn(8) ? chance.pick(['0', '65536', '05555', '', '-1', '1e3', ' 5555', '99999999999']) : String(chance.between(1, 65_535))
}

function hostOf(chance: Chance): string {
  return chance.pick(hosts)
}

const hosts = [
  ...['chat.example', 'Chat.Example', 'localhost', 'xn--bcher-kva.example', 'a-b.c', 'a'.repeat(63), `${'a'.repeat(63)}.${'b'.repeat(63)}`],
  ...['127.0.0.1', '192.0.2.1', '[::1]', '[2001:db8::1]', '[2001:DB8:0::1]', '[::ffff:192.0.2.1]'],
  ...[
    '-a',
    'a-',
    'a..b',
    '*.example',
    '256.1.1.1',
    '1.2.3',
    '::1',
    '[fe80::1%eth0]',
    '[::1',
    'b\u00fccher.example',
    '\u212a.example',
    '',
    'a b',
  ],
]
const invalid = new Set(['link_invalid'])
/** What our own sentences say, so that a link made of these words is no finding. */
const ownWords = 'sealwire:// sealed:// invitation sentence another version damaged whole beginning quotes neither address truncated'
