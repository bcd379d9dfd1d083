// `sealwire balance`: what one has.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { isNothing } from '../domain/money.ts'
import { writeAll } from './terminal/descriptor.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { unitAdvice } from './money/money.ts'
import { warnForked } from './money/ledger-watch.ts'
import { type Member, withMember } from './member/member.ts'
import { checkUnit } from './money/ordering.ts'

interface BalanceFlags {
  readonly home?: string
  readonly unit?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('balance')
    .usage('[OPTIONS]')
    .description('Tell what you have, a line for each unit.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--unit <code>', 'only this unit')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(async ({ home, unit, json = false }: BalanceFlags) => {
      checkUnit(unit)
      const place = findHome(home, process.env)
      warnForked(place)
      const tell = async ({ client }: Member): Promise<void> => {
        const { balances } = await client.request('payment.balance', unit === undefined ? {} : { unit })
        const lines = balances.map(({ unit: code, balance, held, frozen }) => {
          if (json) return jsonLine({ unit: code, balance, ...(isNothing(held) ? {} : { held }), ...(frozen === true ? { frozen } : {}) })
          const beside = isNothing(held) ? '' : `, ${held} on hold`
          return `${balance} ${code}${beside}${frozen === true ? ' (frozen)' : ''}\n`
        })
        await writeAll(1, lines.join(''))
      }
      await withMember(place, { clock: systemClock }, tell, unit === undefined ? undefined : unitAdvice)
    })
}

const notes = `
Examples:
  sealwire balance
  sealwire balance --json | jq -r .balance`
