// `sealwire verify`: whether a receipt is good. It asks nobody: the receipt and the public key of the ledger are enough.

import { join } from 'node:path'
import { Command } from 'commander'
import { formatMessageId } from '../client/outbox/message-id.ts'
import { formatAmount } from '../domain/money.ts'
import { amountOf, momentText, parseLedgerPublicKey, type Receipt, readLedgerPublicKey, verifyReceipt } from '../pki/index.ts'
import { receiptBytesMax } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { findDataFolder } from './operator/data-folder.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { keepCheckpoint } from './money/ledger-watch.ts'
import { readFileAtMost } from './terminal/read-file.ts'

interface VerifyFlags {
  readonly key?: string
  readonly home?: string
  readonly data?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('verify')
    .usage('[OPTIONS] FILE')
    .description('Verify a receipt. No server is asked.')
    .argument('<FILE>', 'the receipt; - reads it from standard input')
    .option('--key <file>', 'public key of the ledger: ledger.pub of the server, PEM or 64 hexadecimal digits')
    .option('--home <dir>', 'of the server that was joined from this home (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--data <dir>', 'of the server with this data folder')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(verify)
}

async function verify(file: string, flags: VerifyFlags): Promise<void> {
  const receipt = await readFileAtMost(file, receiptBytesMax)
  const key = await keyOf(flags)
  let good: Receipt
  try {
    good = verifyReceipt(receipt, key)
  } catch (reason) {
    const error = SealwireError.from(reason)
    if (flags.json === true && error.code === 'receipt_invalid') await print(jsonLine({ good: false, why: error.sentence }))
    throw error.code === 'receipt_invalid' ? bad(error) : error
  }
  // What is kept in the home of somebody who has joined is for the audits of that home.
  if (flags.key === undefined && flags.data === undefined) await keepCheckpoint(findHome(flags.home, process.env), key, good.checkpoint)
  await print(flags.json === true ? jsonLine(described(good)) : lines(good))
}

/** The key that the flags name; one flag at most. */
async function keyOf({ key, home, data }: VerifyFlags): Promise<Uint8Array> {
  if ([key, home, data].filter((flag) => flag !== undefined).length > 1) {
    throw new SealwireError('usage', '--key, --home and --data name different keys', { hint: 'give one of them' })
  }
  if (key !== undefined) return parseLedgerPublicKey((await readFileAtMost(key, keyBytesMax)).toString('utf8'), key)
  const folder = data === undefined ? findHome(home, process.env).path : findDataFolder(data, process.env)
  const known = readLedgerPublicKey(folder)
  if (known !== undefined) return known
  throw new SealwireError('key_missing', `${join(folder, 'ledger.pub')} is not there`, {
    hint: 'name the public key of the ledger with --key FILE; the server has it as ledger.pub in its data folder',
  })
}

function described({ server, posting, hash, checkpoint, device, heldFor }: Receipt) {
  const { seq, at, kind, unit, decimals, legs, ref, signer, id, memo } = posting
  return {
    good: true,
    server: hex(server),
    posting: Number(seq),
    at: momentText(at),
    kind,
    unit,
    amount: formatAmount(kind === 'capture' ? takenBy(posting) : amountOf(posting), decimals),
    ...(ref === undefined ? {} : { settles: Number(ref) }),
    ...(heldFor === undefined ? {} : { heldFor: Number(heldFor) }),
    signer: Number(signer),
    id: formatMessageId(id),
    ...(memo === undefined ? {} : { memo }),
    legs: legs.map(({ ledgerAccount, holder, delta }) => ({
      ledgerAccount: Number(ledgerAccount),
      account: Number(holder),
      delta: formatAmount(delta, decimals),
    })),
    hash: hex(hash),
    checkpoint: { postings: Number(checkpoint.size), root: hex(checkpoint.root), at: momentText(checkpoint.at) },
    ...(device === undefined ? {} : { device: hex(device) }),
  }
}

/** What whoever captures gets; the rest of the hold goes back. */
function takenBy({ legs, signer }: Receipt['posting']): bigint {
  return legs.find(({ holder }) => holder === signer)?.delta ?? 0n
}

function lines(receipt: Receipt): string {
  const { server, posting, amount, kind, unit, at, legs, id, signer, checkpoint, memo, heldFor } = described(receipt)
  const own = holding.has(kind) ? 'on hold' : 'the operator'
  const who = (account: number): string => (account === 0 ? own : `account ${account}`)
  return [
    `good: posting ${posting} of server ${server}, ${at}`,
    `${kind} ${amount} ${unit}${heldFor === undefined ? '' : ` for ${who(heldFor)}`}`,
    ...(memo === undefined ? [] : [`for ${memo}`]),
    ...legs.map(({ account, delta }) => `  ${who(account).padEnd(20)} ${delta.padStart(20)}`),
    `ordered by ${who(signer)} as ${id}`,
    `below the root of ${checkpoint.postings} postings, ${checkpoint.at}`,
  ]
    .map((line) => `${escapeControls(line)}\n`)
    .join('')
}

function bad(error: SealwireError): SealwireError {
  const hint = 'check that the file is whole, and that the key is that of the server which gave it'
  return new SealwireError('receipt_invalid', `the receipt is not good: ${error.sentence}`, { cause: error, hint })
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

async function print(text: string): Promise<void> {
  await writeAll(standardOutput, text)
}

/** Kinds in which the operator's own account is the one for what is put aside. */
const holding: ReadonlySet<string> = new Set(['hold', 'capture', 'void', 'expire'])
const standardOutput = 1
const keyBytesMax = 4_096

const notes = `
A good receipt proves that the payment is in the ledger of the server, for good: what it
moved, who ordered it, and below which signed root of the ledger it is. It exits with 5 when
the receipt is not good. Receipts come from payment.receipt, or: sealwire receipt ID

Examples:
  sealwire verify lunch.receipt           with the key of the server that was joined
  sealwire verify lunch.receipt --key ledger.pub --json`
