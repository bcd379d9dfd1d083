// `sealwire visibility`: tells, and changes, who sees one in `who`.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { writeAll } from './terminal/descriptor.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'
import { choice } from './options/option-value.ts'
import { commandLine } from './options/origin.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('visibility')
    .usage('[OPTIONS] [WHO]')
    .description('Tell, or change, who sees that you are connected.')
    .argument('[WHO]', 'everyone, contacts or nobody')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(async (who: string | undefined, { home, json }: { readonly home?: string; readonly json?: boolean }) => {
      const params = who === undefined ? {} : { visibility: readVisibility(who, commandLine('WHO')) }
      const parts = { clock: systemClock }
      const result = await withMember(findHome(home, process.env), parts, ({ client }) => client.request('account.visibility', params))
      await writeAll(1, json === true ? jsonLine(result) : `${result.visibility}\n`)
    })
}

const readVisibility = choice(['everyone', 'contacts', 'nobody'])

const notes = `
At first only contacts see you: those you have talked with. Anybody who knows your name can ask
you for a chat, whatever is set here; /block in a chat keeps somebody away.

Examples:
  sealwire visibility
  sealwire visibility everyone`
