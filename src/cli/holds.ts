// `sealwire holds`: what one has put aside, and what is put aside for one.

import { Command } from 'commander'
import { formatMessageId } from '../client/outbox/message-id.ts'
import { rawHoldPages } from '../client/payments/pages.ts'
import { systemClock } from '../domain/clock.ts'
import { momentText } from '../pki/index.ts'
import type { Result } from '../protocol/contract/index.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { warnForked } from './money/ledger-watch.ts'
import { sumWords } from './money/words.ts'
import { withMember } from './member/member.ts'

type Hold = Result<'payment.holds'>['holds'][number]

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('holds')
    .usage('[OPTIONS]')
    .description('List what you have put aside and what is put aside for you, newest first.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(holds)
}

async function holds({ home, json = false }: { readonly home?: string; readonly json?: boolean }): Promise<void> {
  const place = findHome(home, process.env)
  warnForked(place)
  await withMember(place, { clock: systemClock }, async ({ client }) => {
    const write = json ? holdJson : holdLine
    for await (const page of rawHoldPages((params) => client.request('payment.holds', params))) await writeAll(1, page.map(write).join(''))
  })
}

/** What somebody has written stands last, so that nothing in it can pass for what we say. */
function holdLine({ id, payer = '', payee = '', amount, unit, expiresAt = 0, memo = '' }: Hold): string {
  const until = `until ${momentText(expiresAt).slice(0, 16).replace('T', ' ')}`
  const what = memo === '' ? '' : `: ${escapeControls(memo)}`
  const sum = sumWords({ amount, unit })
  return `${escapeControls(payer)} has put ${sum} aside for ${escapeControls(payee)} ${until} ${formatMessageId(id)}${what}\n`
}

function holdJson({ id, payer, payee, amount, unit, at, expiresAt = 0, memo }: Hold): string {
  return jsonLine({ id: formatMessageId(id), payer, payee, amount, unit, memo, at: momentText(at), expiresAt: momentText(expiresAt) })
}

const notes = `
Whom it is for takes it with capture, or lets it go back with void; at that moment, in UTC, it
goes back by itself.

Examples:
  sealwire holds
  sealwire capture alice 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a 12.50`
