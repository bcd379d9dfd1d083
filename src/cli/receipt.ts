// `sealwire receipt`: the server's signed statement that a transfer is posted, for whoever wants to check it.

import { isatty } from 'node:tty'
import { writeSync } from 'node:fs'
import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { verifyReceipt } from '../pki/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { knownLedgerKey } from '../client/home/ledger-key.ts'
import { findHome } from './member/find-home.ts'
import { readId } from './options/id.ts'
import { keepCheckpoint, warnForked } from './money/ledger-watch.ts'
import { withMember } from './member/member.ts'

interface ReceiptFlags {
  readonly home?: string
  readonly from?: string
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('receipt')
    .usage('[OPTIONS] ID >FILE')
    .description('Write the receipt of a transfer to standard output. sealwire verify FILE checks it, anywhere and offline.')
    .argument('<ID>', 'of the transfer, as pay and statement print it; or the number of its posting')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--from <name>', 'who has ordered it (default: you)')
    .addHelpText('after', notes)
    .action(async (text: string, { home, from }: ReceiptFlags) => {
      const which = whichOf(text, from)
      if (isatty(1)) throw new SealwireError('usage', 'a receipt is no text', { hint: 'write it into a file: sealwire receipt ID >FILE' })
      const parts = { clock: systemClock, isForMoney: true }
      const place = findHome(home, process.env)
      await withMember(
        place,
        parts,
        async ({ client }) => {
          warnForked(place)
          const { receipt } = await client.request('payment.receipt', which)
          for (let at = 0; at < receipt.length; ) at += writeSync(1, receipt, at)
          const key = knownLedgerKey(place)
          if (key !== undefined) await keepCheckpoint(place, key, verifyReceipt(receipt, key).checkpoint)
        },
        advice,
      )
    })
}

/** By an id only orders are found; what the operator has made or ended, and what has expired, has none. */
function whichOf(text: string, from: string | undefined) {
  if (!/^[1-9]\d{0,14}$/.test(text)) return { id: readId(text, 'ID'), ...(from === undefined ? {} : { payer: from }) }
  if (from === undefined) return { posting: Number(text) }
  throw new SealwireError('usage', '--from goes with the id of an order, and a posting has one number for all', { hint: 'leave it out' })
}

const advice = {
  not_found:
    'check the id; of a transfer that somebody else has ordered, say whose: --from NAME; of a mint, a burn and what has expired, name the posting: sealwire statement --json',
}

const notes = `
Examples:
  sealwire receipt 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a >lunch.receipt
  sealwire verify lunch.receipt`
