// `sealwire who`: who is here, of those that one may see.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('who')
    .usage('[OPTIONS]')
    .description('List who is connected: your contacts, and those who show themselves to everyone.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(async ({ home, json }: { readonly home?: string; readonly json?: boolean }) => {
      const parts = { clock: systemClock }
      const who = await withMember(findHome(home, process.env), parts, ({ client }) => client.request('directory.who', {}))
      await writeAll(
        1,
        json === true
          ? jsonLine(who)
          : whoLines(who)
              .map((line) => `${line}\n`)
              .join(''),
      )
    })
}

/** What directory.who answers. */
export interface Who {
  readonly people: readonly { readonly name: string; readonly contact: boolean }[]
  readonly more: boolean
}

/** A line for each, for people. */
export function whoLines({ people, more }: Who): readonly string[] {
  const lines = people.map(({ name, contact }) => (contact ? `${escapeControls(name)} (contact)` : escapeControls(name)))
  if (lines.length === 0) return ['nobody is here']
  return more ? [...lines, 'and more'] : lines
}

const notes = `
Whoever you have talked with is a contact. sealwire visibility says who sees you.

Examples:
  sealwire who
  sealwire who --json | jq -r '.people[].name'`
