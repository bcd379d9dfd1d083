// `sealwire audit`: whether the ledger of the server is still the one that was seen before, here or by somebody else.

import { basename } from 'node:path'
import { Command } from 'commander'
import { type AuditOutcome, type AuditParts, auditLedger } from '../client/home/audit.ts'
import { readCheckpoints, tooMany } from '../client/home/checkpoint-list.ts'
import { refuseForked, SeenCheckpoints } from '../client/home/checkpoints.ts'
import type { Home } from '../client/home/home.ts'
import { knownLedgerKey } from '../client/home/ledger-key.ts'
import { systemClock } from '../domain/clock.ts'
import { contradictionIn, momentText, parseLedgerPublicKey, type SignedCheckpoint } from '../pki/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { limitTable } from '../protocol/limits.ts'
import { sameBytes } from '../protocol/same-bytes.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'
import { readFileAtMost } from './terminal/read-file.ts'

interface AuditFlags {
  readonly home?: string
  readonly with?: readonly string[]
  readonly offline?: boolean
  readonly key?: string
  readonly json?: boolean
}

/** A checkpoint, and the file that somebody else has shown it in. */
interface Told {
  readonly checkpoint: SignedCheckpoint
  readonly file: string
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('audit')
    .usage('[OPTIONS]')
    .description('Prove that the ledger of the server still begins with everything that was seen of it before.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--with <file>', 'also with what somebody else shows: a receipt, a checkpoint, a list; may be repeated', gathered)
    .option('--offline', 'ask no server: only compare what was seen and what is shown')
    .option('--key <file>', 'with --with: compare the files alone, by this public key of the ledger; without home and server')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(audit)
}

async function audit(flags: AuditFlags): Promise<void> {
  try {
    await auditBy(flags)
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    if (flags.json === true && code === 'ledger_forked') await writeAll(standardOutput, jsonLine({ good: false, why: sentence }))
    throw reason
  }
}

async function auditBy({ home, with: files = [], offline = false, key, json = false }: AuditFlags): Promise<void> {
  if (key !== undefined) return compareFiles(key, files, json, home)
  const place = findHome(home, process.env)
  refuseForked(place)
  if (offline) return compareHere(place, files, json)
  await withMember(
    place,
    { clock: systemClock, isForMoney: true },
    async ({ client }) => {
      const [known, { server }] = [knownLedgerKey(place), client.welcome]
      if (known === undefined || server === undefined) throw new SealwireError('unavailable', 'this server signs no checkpoints')
      const told = await read(files, known)
      const seen = new SeenCheckpoints(place, known, systemClock)
      const ask: AuditParts['ask'] = (params) => client.request('payment.checkpoint', params)
      const outcome = await auditLedger(
        { seen, server, ask },
        told.map(({ checkpoint }) => checkpoint),
      )
      await writeAll(standardOutput, json ? jsonLine(described(outcome)) : lines(outcome, told))
    },
    { not_found: 'there is nothing to audit yet' },
  )
}

async function compareHere(home: Home, files: readonly string[], json: boolean): Promise<void> {
  const key = knownLedgerKey(home)
  if (key === undefined) {
    throw new SealwireError('key_missing', `${home.pathOf('ledger.pub')} is not there`, { hint: 'audit once without --offline' })
  }
  const seen = new SeenCheckpoints(home, key, systemClock)
  await seen.note((await read(files, key)).map(({ checkpoint }) => checkpoint))
  await writeCompared(
    seen.list().map(({ checkpoint }) => checkpoint),
    json,
  )
}

async function compareFiles(keyFile: string, files: readonly string[], json: boolean, home: string | undefined): Promise<void> {
  if (home !== undefined) throw new SealwireError('usage', '--key and --home exclude each other', { hint: 'choose one' })
  if (files.length === 0) throw new SealwireError('usage', '--key compares files', { hint: 'name them, each with --with FILE' })
  const key = parseLedgerPublicKey((await readFileAtMost(keyFile, keyBytesMax)).toString('utf8'), keyFile)
  const told = await read(files, key)
  const checkpoints = told.map(({ checkpoint }) => checkpoint)
  if (checkpoints.some(({ server }) => !sameBytes(server, checkpoints[0]?.server))) {
    throw new SealwireError('receipt_invalid', 'the files are of different servers', { hint: 'compare those of one server' })
  }
  const contradiction = contradictionIn(checkpoints)
  if (contradiction !== undefined) {
    const found = contradiction.pair.map((one) => told.find(({ checkpoint }) => checkpoint === one)?.file)
    throw new SealwireError('ledger_forked', `the server has shown two histories of its ledger: ${contradiction.why}`, {
      hint: `keep ${[...new Set(found)].join(' and ')}: they prove it to whoever has the public key of the ledger`,
    })
  }
  await writeCompared(checkpoints, json)
}

/** What the files show. @throws {SealwireError} `receipt_invalid` or `usage`, with the file; `usage` for what is more than one audit takes. */
async function read(files: readonly string[], key: Uint8Array): Promise<readonly Told[]> {
  const told: Told[] = []
  for (const file of files) {
    const bytes = await readFileAtMost(file, bytesMax)
    // What is behind that may contradict all of it.
    if (bytes.length > bytesMax)
      throw new SealwireError('usage', `${file} is larger than ${bytesMax} bytes`, { hint: 'show the newest ones' })
    try {
      told.push(...readCheckpoints(bytes, key).map((checkpoint) => ({ checkpoint, file })))
    } catch (cause) {
      const { code, sentence, hint = 'check that it is whole, and of the same server' } = SealwireError.from(cause)
      throw new SealwireError(code, `${file}: ${sentence}`, { cause, hint })
    }
  }
  if (told.length > limitTable.checkpointsKeptMax.value) throw tooMany()
  return told
}

function described({ newest, extended }: AuditOutcome) {
  return { good: true, server: hex(newest.server), ...claim(newest), extends: extended.map(claim) }
}

function claim({ size, at, root }: SignedCheckpoint) {
  return { postings: Number(size), at: momentText(at), root: hex(root) }
}

function lines({ newest, extended }: AuditOutcome, told: readonly Told[]): string {
  const files = told.map(({ checkpoint, file }) => `${relation(newest, checkpoint)}, of ${escapeControls(basename(file))}`)
  const own = extended.filter((each) => !told.some(({ checkpoint }) => sameBytes(checkpoint.cose, each.cose)))
  const [last, ...others] = own.toReversed()
  const seen =
    last === undefined ? [] : [`${relation(newest, last)}, seen before${others.length === 0 ? '' : `, and ${others.length} more`}`]
  return [
    `good: ${postings(newest)} of server ${hex(newest.server)}`,
    ...(extended.length === 0 ? ['nothing was seen before: from now on every later ledger must begin with this one'] : []),
    ...seen,
    ...files,
    '',
  ].join('\n')
}

function relation(newest: SignedCheckpoint, older: SignedCheckpoint): string {
  return newest.size === older.size ? `the same as ${postings(older)}` : `begins with ${postings(older)}`
}

async function writeCompared(checkpoints: readonly SignedCheckpoint[], json: boolean): Promise<void> {
  const inOrder = checkpoints.toSorted((one, other) => Number(one.size - other.size))
  if (json) return writeAll(standardOutput, jsonLine({ good: true, proved: false, compared: inOrder.map(claim) }))
  const last = 'they do not contradict each other; that each extends the one before takes the proof of the server: sealwire audit'
  await writeAll(standardOutput, [...inOrder.map(postings), ...(inOrder.length > 1 ? [last] : []), ''].join('\n'))
}

function postings({ size, at }: SignedCheckpoint): string {
  return `${size} ${size === 1n ? 'posting' : 'postings'}, ${momentText(at)}`
}

function gathered(file: string, files: readonly string[] = []): readonly string[] {
  return [...files, file]
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

const standardOutput = 1
const keyBytesMax = 4_096
const bytesMax = limitTable.checkpointsBytesMax.value

const notes = `
The home keeps the checkpoints that it sees: what the server has signed of its ledger, in receipts
too. An audit has the server prove that its ledger of now begins with each of them. A server that
cannot has shown two histories: the command ends with 5, the home keeps the proof, and pays nobody
until its folder checkpoints is moved away. Two people who compare what they hold find out as well.

Examples:
  sealwire audit
  sealwire audit --with bob.receipt                          bob was shown the same ledger
  sealwire audit --key ledger.pub --with a.receipt --with b.receipt`
