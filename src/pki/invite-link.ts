// `sealwire://HOST:PORT/#1.PIN.INVITATION`: where a server is, whom to trust there, and the leave to join it, in one line
// that people copy, print and scan. With `sealed://` it is reached through the sealed channel; with `d1` in place of `1` it is
// for one more device of an account that is there. Only one text stands for a link: every base64url is canonical, of one length, and has
// nothing around it, so that a link that lost a character is refused and never half understood. The invitation is a
// secret, and what is wrong with a link may be that it stands in the wrong place: no error repeats any part of a link.

import { createHash, getRandomValues } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { SealwireError } from '../protocol/errors.ts'
import { certificateHost } from './certificate-host.ts'
import { isPin } from './pin.ts'

/** How a server is reached: `sealed` is the sealed channel over TCP. */
export type Transport = 'tls' | 'sealed'

/** What a link says. */
export interface InviteLink {
  /** A DNS name or an IP address as certificates have it, without brackets. */
  readonly host: string
  readonly port: number
  /** How to get there. Default: `tls`. */
  readonly transport?: Transport
  /** The key of the server's authority, or its static key of the sealed channel: `SHA256:…`. */
  readonly pin: string
  /** What whoever has it becomes: an account, or one more device of one. Default: an account. */
  readonly makes?: 'account' | 'device'
  /** 16 bytes. Whoever has them may join. */
  readonly invitation: Uint8Array
}

/**
 * Writes a link.
 * @throws {SealwireError} `link_invalid` for what {@link parseInviteLink} would not read.
 */
export function formatInviteLink({ host, port, transport = 'tls', pin, makes = 'account', invitation }: InviteLink): string {
  const address = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
  const link = `${schemes[transport]}${address}/#${versions[makes]}.${inLink(pin)}.${Buffer.from(invitation).toString('base64url')}`
  parseInviteLink(link)
  return link
}

/**
 * Reads a link; space around it does not count.
 * @throws {SealwireError} `link_invalid`, saying what is wrong and never holding any of the link.
 */
export function parseInviteLink(text: string): Required<InviteLink> {
  const link = text.trim()
  const transport = transports.find((each) => link.startsWith(schemes[each]))
  if (transport === undefined) throw invalid('this is not an invite link', 'an invite link begins with sealwire:// or sealed://')
  if (/\s/.test(link)) throw invalid('the invite link has a space or the end of a line inside it', 'copy it again, as one line')
  const hash = link.indexOf('#')
  if (hash < 0) throw truncated()
  return Object.freeze({ transport, ...parseAddress(link.slice(schemes[transport].length, hash)), ...parseTrust(link.slice(hash + 1)) })
}

/** An invitation that nobody can guess: 16 random bytes. */
export function newInvitation(): Uint8Array {
  return getRandomValues(new Uint8Array(16))
}

/** What a server keeps of an invitation: its SHA-256, 32 bytes. */
export function invitationHash(invitation: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(invitation).digest())
}

function parseAddress(text: string): Pick<InviteLink, 'host' | 'port'> {
  const [, bracketed, name = bracketed, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)\/$/.exec(text) ?? []
  if (name === undefined) throw invalid('the address in the invite link is not HOST:PORT', again)
  const port = /^[1-9]\d{0,4}$/.test(digits ?? '') ? Number(digits) : 0
  if (port < 1 || port > 65_535) throw invalid('the port in the invite link is not a number from 1 to 65535', again)
  const host = hostOf(name)
  if (host === undefined || isIPv6(host) !== (bracketed !== undefined)) {
    throw invalid('the host in the invite link is neither a name nor an address', again)
  }
  return { host, port }
}

function hostOf(text: string): string | undefined {
  // Lower case makes plain letters of some others, such as the sign of the kelvin.
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined
  try {
    return certificateHost(text).value
  } catch {
    // That refusal repeats the text, and tells an operator what to do.
    return undefined
  }
}

/** What stands behind the `#`. */
function parseTrust(text: string): Pick<Required<InviteLink>, 'pin' | 'makes' | 'invitation'> {
  const [written, pinText, invitationText, ...others] = text.split('.')
  const makes = written === versions.device ? 'device' : 'account'
  if (written !== versions[makes] && pinText !== undefined) {
    throw invalid('the invite link is of another version', 'use a newer sealwire, or ask for a link of this one')
  }
  if (pinText === undefined || invitationText === undefined || invitationText.length < invitationCharacters) throw truncated()
  if (others.length > 0 || invitationText.length > invitationCharacters)
    throw invalid('the invite link has something behind its end', again)
  const pin = `SHA256:${pinText.replaceAll('-', '+').replaceAll('_', '/')}`
  if (/[+/]/.test(pinText) || !isPin(pin)) throw invalid('the key in the invite link is damaged', again)
  if (!canonicalInvitation.test(invitationText)) throw invalid('the invitation in the invite link is damaged', again)
  return { pin, makes, invitation: Uint8Array.from(Buffer.from(invitationText, 'base64url')) }
}

/** A pin as a link has it: base64url, and no `SHA256:`, which the version says. */
function inLink(pin: string): string {
  if (!isPin(pin)) throw invalid('the key for the invite link is not a pin', 'write it as SHA256:…')
  return pin.slice('SHA256:'.length).replaceAll('+', '-').replaceAll('/', '_')
}

function truncated(): SealwireError {
  return invalid('the invite link is cut off', again)
}

function invalid(sentence: string, hint: string): SealwireError {
  return new SealwireError('link_invalid', sentence, { hint })
}

const schemes: Readonly<Record<Transport, string>> = { tls: 'sealwire://', sealed: 'sealed://' }
const transports = ['tls', 'sealed'] as const
const versions = { account: '1', device: 'd1' } as const
const invitationCharacters = 22
/** 16 bytes leave four bits of the last character unused; they are zero. */
const canonicalInvitation = /^[A-Za-z0-9_-]{21}[AQgw]$/
const again = 'copy the whole link again, in quotes'
