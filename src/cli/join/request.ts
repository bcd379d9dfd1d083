// What `join` is told, by its flags and on standard input. What somebody typed in place of a link may be a part of one, so no
// error repeats it.

import { parseName } from '../../domain/index.ts'
import { isPin, parseInviteLink, type Transport } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { resolveLimits } from '../../protocol/limits.ts'
import type { JoinRequest, JoinTarget } from '../../client/home/join.ts'
import { type Endpoint, parseEndpoint } from '../options/endpoint.ts'
import { commandLine, refuse } from '../options/origin.ts'
import { InputLines, readPassword } from '../terminal/prompt.ts'

export type { JoinRequest } from '../../client/home/join.ts'

/** The flags as they were typed. */
export interface JoinFlags {
  /** Not needed with a link for one more device. */
  readonly name?: string
  readonly home?: string
  readonly pin?: string
  readonly passwordStdin?: boolean
  readonly login?: boolean
  readonly json?: boolean
}

/**
 * Reads what is on the command line, then what is to be read from `stdin` or typed. `contact` finds the pin of a server of which
 * nothing but the address was said; without it that is refused.
 * @throws {SealwireError} `usage`, also for a name that no account can have; `link_invalid`; what `contact` throws.
 */
export async function readJoinRequest(
  link: string,
  flags: JoinFlags,
  stdin: AsyncIterable<Uint8Array>,
  contact?: (server: Endpoint, transport: Transport) => Promise<string>,
): Promise<JoinRequest> {
  const { pin, passwordStdin = false, login = false } = flags
  if (flags.name !== undefined) checkName(flags.name)
  else if (!isLink(link) && link !== '-') throw nameless()
  if (link === '-' && login && !passwordStdin) {
    throw new SealwireError('usage', 'the link and the password cannot both be typed', {
      hint: 'give both on standard input, with --password-stdin',
    })
  }
  // A wrong link is told before anything is read.
  const given =
    link === '-' ? undefined : readTarget(link, pin ?? (isLink(link) ? undefined : await contact?.(readServer(link), transportOf(link))))
  if (given !== undefined && !passwordStdin) {
    return { ...given, name: nameFor(given, flags), login, password: login ? await readPassword() : undefined }
  }
  await using lines = new InputLines(stdin)
  const target = given ?? readTarget(await lines.next('invite link'), pin)
  return { ...target, name: nameFor(target, flags), login, password: passwordStdin ? await lines.next('password') : undefined }
}

/** A link for one more device says whose it is. */
function nameFor({ makes }: JoinTarget, { name, login = false, passwordStdin = false }: JoinFlags): string {
  if (makes !== 'device') {
    if (name !== undefined) return name
    throw nameless()
  }
  if (name === undefined && !login && !passwordStdin) return ''
  throw new SealwireError('usage', 'this link is for one more device of an account that is there', {
    hint: 'leave --name, --login and --password-stdin out',
  })
}

/**
 * An invite link, or HOST:PORT with a pin; `sealed://HOST:PORT` leads through the sealed channel.
 * @throws {SealwireError} `usage`, `link_invalid`; neither holds any of `text`.
 */
export function readTarget(text: string, pin: string | undefined): JoinTarget {
  if (isLink(text)) {
    const { host, port, transport, pin: linkPin, makes, invitation } = parseInviteLink(text)
    if (pin !== undefined && pin !== linkPin) {
      throw new SealwireError('usage', 'the link has another fingerprint than --pin', {
        hint: 'leave --pin out, or ask the operator which is right',
      })
    }
    return { server: { host, port }, transport, pin: linkPin, makes, invitation }
  }
  const server = readServer(text)
  const transport = transportOf(text)
  if (pin === undefined) {
    throw new SealwireError('usage', 'without a link the fingerprint of the server is needed', {
      hint: 'ask the operator for an invite link, or give --pin SHA256:…',
    })
  }
  if (!isPin(pin)) throw refuse(commandLine('--pin'), pin, 'is not a fingerprint', 'write it as the server prints it: SHA256:…')
  return { server, transport, pin, invitation: undefined }
}

function nameless(): SealwireError {
  return new SealwireError('usage', 'an account needs a name', { hint: 'add --name NAME' })
}

/** A name that no account can have is told before anybody is asked. */
function checkName(name: string): void {
  try {
    parseName(name, resolveLimits())
  } catch (cause) {
    throw new SealwireError('usage', SealwireError.from(cause).sentence, { cause, hint: 'choose another name' })
  }
}

/** An address has neither of these characters, unless it says that it is one of the sealed channel. */
function isLink(text: string): boolean {
  return /[/#]/.test(text) && sealedAddress(text) === undefined
}

function transportOf(address: string): Transport {
  return sealedAddress(address) === undefined ? 'tls' : 'sealed'
}

/** What stands in `sealed://HOST:PORT`; undefined for anything else. */
function sealedAddress(text: string): string | undefined {
  return /^sealed:\/\/([^/#]+)$/.exec(text)?.[1]
}

function readServer(text: string): Endpoint {
  try {
    const server = parseEndpoint(sealedAddress(text) ?? text, commandLine('LINK'))
    if (server.port > 0) return server
  } catch {
    // That refusal repeats the text.
  }
  throw new SealwireError('usage', 'this is neither an invite link nor HOST:PORT', { hint: 'copy the whole link again, in quotes' })
}
