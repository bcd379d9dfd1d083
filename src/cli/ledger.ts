// `sealwire ledger`: all that ever moved, and the proof that it adds up.

import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { formatMessageId } from '../client/outbox/message-id.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { OperatorResult } from '../protocol/operator.ts'
import { escapeControls } from './terminal/escape.ts'
import { json, needsOne, type OperatorFlags, part, print, withOperator } from './operator/command.ts'

type Exported = OperatorResult<'ledger.export'>['postings'][number]

/** The command, as program.ts loads it. */
export function command(): Command {
  const ledger = new Command('ledger').description('Export or verify the ledger of a server.').addHelpText('after', notes)
  needsOne(ledger, 'ledger', 'export or verify')
  ledger.addCommand(
    part('export', 'print every posting, as lines of JSON').option('--csv', 'print CSV, a line for each account').action(exportAll),
  )
  ledger.addCommand(part('verify', 'recompute everything from the first posting').action(verify))
  return ledger
}

async function exportAll(flags: OperatorFlags & { readonly csv?: boolean }): Promise<void> {
  if (flags.csv === true && flags.json === true) throw new SealwireError('usage', '--csv and --json exclude each other')
  await withOperator(flags, async (operator) => {
    if (flags.csv === true) await print(`${columns.join(',')}\r\n`)
    for (let after = 0, isMore = true; isMore; ) {
      const { postings, more } = await operator.call('ledger.export', { after })
      await print(postings.map(flags.csv === true ? csvLines : jsonLines).join(''))
      after = postings.at(-1)?.posting ?? after
      isMore = more && postings.length > 0
    }
  })
}

async function verify(flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const job = new Uint8Array(randomBytes(16))
    let answer = await operator.call('ledger.verify', { job })
    while (!answer.done) answer = await operator.call('ledger.verify', { job })
    const { rows, fault } = answer
    if (flags.json === true) await print(json({ good: fault === undefined, rows, ...(fault === undefined ? {} : { fault }) }))
    if (fault !== undefined) {
      throw new SealwireError('data_unusable', `${fault.row} is not what it must be: ${fault.what}`, {
        hint: 'nobody can pay now: restore the data folder from a backup, and verify it',
      })
    }
    if (flags.json !== true) await print(`good: ${rows} rows, from the first posting to the last\n`)
  })
}

function jsonLines({ at, id, row, hash, ...rest }: Exported): string {
  return json({ ...rest, at: new Date(at).toISOString(), id: formatMessageId(id), row: hex(row), hash: hex(hash) })
}

/** RFC 4180: a line for each account that a posting moves something of. */
function csvLines({ posting, at, kind, unit, settles, id, signer, legs, hash }: Exported): string {
  const lines = legs.map(({ ledgerAccount, account, name = '', delta }) => {
    const fields = [posting, new Date(at).toISOString(), kind, unit, settles ?? '', formatMessageId(id), signer]
    return `${[...fields, ledgerAccount, account, quoted(name), delta, hex(hash)].join(',')}\r\n`
  })
  return lines.join('')
}

function quoted(text: string): string {
  return `"${escapeControls(text).replaceAll('"', '""')}"`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

const columns = ['posting', 'at', 'kind', 'unit', 'settles', 'id', 'signer', 'ledger_account', 'account', 'name', 'delta', 'hash']

const notes = `
The commands act through the server that runs in the data folder, or by themselves when none
does. The sum of all deltas of a ledger account is its balance; that of a unit is always zero.

Examples:
  sealwire ledger export > ledger.jsonl
  sealwire ledger export --csv > ledger.csv
  sealwire ledger verify --data /srv/sealwire`
