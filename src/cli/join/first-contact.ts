// The first connection to a server of which nobody has said more than the address. Whose key it shows only a person can find
// out, by asking the operator in another way; so it is shown, and the person answers. A program is not asked: it would say yes.
// Nothing but a handshake is sent before the answer, and the connection after it is held to the key that was shown.

import { SealwireError } from '../../protocol/errors.ts'
import type { Transport } from '../../pki/index.ts'
import { isPin } from '../../pki/pin.ts'
import { limitTable } from '../../protocol/limits.ts'
import { writeNow } from '../terminal/descriptor.ts'
import { type Endpoint, formatEndpoint } from '../options/endpoint.ts'
import { shownFingerprints } from '../fingerprint.ts'
import type { Home } from '../../client/home/home.ts'
import { KnownServers } from '../../client/home/known-servers.ts'

/** The terminal of the person: standard input as the process has it. */
export type Terminal = Pick<NodeJS.ReadStream, 'isTTY' | 'on' | 'off' | 'pause' | 'resume'>

/**
 * The pin by which `server` is to be known: the one that it is known by, else the one that it shows, when the person at the
 * terminal says that it is right.
 * @throws {SealwireError} `usage` when it is not known and nobody is there to ask; `untrusted` when the answer is no, or another
 * fingerprint; `unreachable`; and what `KnownServers` throws.
 */
export async function firstContact(
  server: Endpoint,
  home: Home,
  terminal: Terminal = process.stdin,
  transport: Transport = 'tls',
): Promise<string> {
  const known = new KnownServers(home).pinOf(server)
  if (known !== undefined) return known
  const place = formatEndpoint(server)
  if (!terminal.isTTY) {
    throw new SealwireError('usage', `${place} is not known here, and there is no terminal to ask whether its fingerprint is right`, {
      hint: 'ask the operator for an invite link, or for the fingerprint, and give it with --pin SHA256:…',
    })
  }
  const [pin, before] = await shownFingerprints(server, transport)
  say(`${place} is not known here. This is its fingerprint, and nothing has verified it:\n\n  ${pin}\n\n`)
  say('Compare it with what the operator says, who must have told you in another way than over this connection.\n')
  return await confirm(place, pin, before, terminal)
}

/** The pin that was confirmed. While an authority is replaced the operator may have said the one before: the dial follows it. */
async function confirm(place: string, pin: string, before: string | undefined, terminal: Terminal): Promise<string> {
  for (let asked = 0; asked < asksMax; asked++) {
    const answer = await ask('Is it the same? Type yes or no, or paste the fingerprint that the operator gave you: ', terminal)
    if (answer === pin || answer.toLowerCase() === 'yes') return pin
    if (answer === before) return before
    if (isPin(answer)) throw anotherKey(place, pin, answer)
    if (answer === '' || answer.toLowerCase() === 'no') break
    say('That is neither yes nor no, and no fingerprint, which begins with SHA256: and has 43 characters more.\n')
  }
  throw new SealwireError('untrusted', `the fingerprint of ${place} was not confirmed, and nothing was sent`, {
    hint: 'ask the operator for an invite link, which has the fingerprint in it',
  })
}

function anotherKey(place: string, shown: string, expected: string): SealwireError {
  return new SealwireError('untrusted', `${place} has another key: expected ${expected}, seen ${shown}`, {
    hint: 'somebody may be in the middle: tell the operator; nothing was sent',
  })
}

/** A line as it is typed; the terminal edits and shows it. An end of the input is an empty one. */
async function ask(question: string, terminal: Terminal): Promise<string> {
  say(question)
  const { promise, resolve } = Promise.withResolvers<string>()
  let typed = ''
  const received = (bytes: Buffer): void => {
    typed = `${typed}${bytes.toString('utf8')}`.slice(0, lineMax)
    if (/[\r\n]/.test(typed) || typed.length === lineMax) resolve(typed)
  }
  const ended = (): void => resolve('')
  terminal.on('data', received).on('end', ended).on('error', ended).resume()
  try {
    return (await promise).split(/[\r\n]/, 1)[0]?.trim() ?? ''
  } finally {
    terminal.off('data', received).off('end', ended).off('error', ended).pause()
  }
}

function say(text: string): void {
  writeNow(process.stderr.fd, text)
}

const asksMax = 3
const lineMax = limitTable.inputLineBytesMax.value
