// What the commands of an operator have in common: their flags, whom they ask, and how they answer.

import { Command } from 'commander'
import { systemClock } from '../../domain/clock.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { findDataFolder } from './data-folder.ts'
import { writeAll } from '../terminal/descriptor.ts'
import { OperatorClient } from './client.ts'
import { suggestion } from '../suggest.ts'

/** The flags that every one of the commands takes. */
export interface OperatorFlags {
  readonly data?: string
  readonly json?: boolean
}

/** Gives a client of the data folder to `use`, and the folder back afterwards. */
export async function withOperator(flags: OperatorFlags, use: (operator: OperatorClient) => Promise<void>): Promise<void> {
  using operator = new OperatorClient(findDataFolder(flags.data, process.env), { clock: systemClock })
  await use(operator)
}

/** A command with the flags that all of them take; `description` is a phrase in lower case. */
export function part(name: string, description: string): Command {
  return new Command(name)
    .description(`${description.charAt(0).toUpperCase()}${description.slice(1)}.`)
    .summary(description)
    .option('--data <dir>', 'data folder of the server (default: ./sealwire-data; SEALWIRE_DATA)')
    .option('--json', 'print JSON, one object a line')
}

/** The same about an account. */
export function named(name: string, description: string): Command {
  return part(name, description).argument('<NAME>', 'of the account')
}

/** A command of commands, `of` by its whole name: a word that is none of them is refused for itself, whatever is behind it. */
export function needsOne(group: Command, of: string, words: string): void {
  group
    .usage('COMMAND [OPTIONS]')
    .argument('[command...]', words)
    .allowUnknownOption()
    .action(([word]: readonly string[]) => {
      throw notOne(
        of,
        word,
        group.commands.map((each) => each.name()),
      )
    })
}

function notOne(of: string, word: string | undefined, names: readonly string[]): SealwireError {
  const help = `sealwire ${of} --help shows what it takes`
  if (word === undefined) return new SealwireError('usage', `${of} needs a command`, { hint: help })
  if (word.startsWith('-')) return new SealwireError('usage', `unknown option '${word}'`, { hint: help })
  return new SealwireError('usage', `unknown command '${of} ${word}'`, { hint: suggestion(word, names, help) })
}

/** A line of JSON. */
export function json(value: object): string {
  return `${JSON.stringify(value)}\n`
}

/** Writes to standard output. */
export async function print(text: string): Promise<void> {
  await writeAll(standardOutput, text)
}

const standardOutput = 1
