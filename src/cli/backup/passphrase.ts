// The passphrase of a backup: typed at a terminal, or the first line of a file or of standard input. Never an argument and never a
// variable, which every user of the machine could read.

import { createReadStream } from 'node:fs'
import { isatty } from 'node:tty'
import { parsePassword } from '../../domain/password.ts'
import { errorCode } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { resolveLimits } from '../../protocol/limits.ts'
import { commandLine, refuse } from '../options/origin.ts'
import { readPath } from '../options/option-value.ts'
import { InputLines, readPassword } from '../terminal/prompt.ts'
import { unlessAborted } from '../terminal/stop-signal.ts'

/** Where it comes from. */
export interface PassphraseSource {
  /** A file, or `-` for standard input. Default: it is asked for. */
  readonly file: string | undefined
  readonly signal: AbortSignal
}

/** For a backup that is made. @throws {SealwireError} `usage`, also when it is shorter or longer than a password may be. */
export async function newPassphrase(source: PassphraseSource): Promise<string> {
  const text = await read(source, true)
  const { passwordCharactersMin: min, passwordCharactersMax: max } = limits
  try {
    return parsePassword(text, limits)
  } catch (cause) {
    throw new SealwireError('usage', `a passphrase has ${min} to ${max} characters`, { cause, hint: 'choose another one' })
  }
}

/** Of a backup that is there. @throws {SealwireError} `usage`. */
export async function knownPassphrase(source: PassphraseSource): Promise<string> {
  return (await read(source, false)).normalize('NFC')
}

async function read({ file, signal }: PassphraseSource, isNew: boolean): Promise<string> {
  if (file === '-') return unlessAborted(signal, firstLine(process.stdin))
  if (file !== undefined) return unlessAborted(signal, firstLineOf(readPath(file, commandLine('--passphrase-file')), file))
  if (!isatty(standardInput)) {
    throw new SealwireError('usage', 'there is no terminal to ask for the passphrase at', {
      hint: 'name a file that has it: --passphrase-file FILE',
    })
  }
  return readPassword({ what: 'passphrase', isNew, signal })
}

async function firstLineOf(path: string, said: string): Promise<string> {
  try {
    await using lines = new InputLines(createReadStream(path))
    const line = await lines.nextIfAny('passphrase')
    if (line !== undefined) return line
  } catch (reason) {
    const cause = SealwireError.is(reason) ? reason.cause : reason
    if (errorCode(cause) === undefined) throw reason
    throw refuse(commandLine('--passphrase-file'), said, 'cannot be read', hint)
  }
  throw refuse(commandLine('--passphrase-file'), said, 'has no passphrase in its first line', hint)
}

async function firstLine(input: AsyncIterable<Uint8Array>): Promise<string> {
  await using lines = new InputLines(input)
  return await lines.next('passphrase')
}

const hint = 'name a file whose first line is the passphrase'
const limits = resolveLimits()
const standardInput = 0
