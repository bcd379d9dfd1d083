// `sealwire cert`: what an operator does to the certificate of a server, through the server of the data folder or without it.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { checkOwnCertificate, type OwnTexts, readOwnTexts } from '../pki/own-certificate.ts'
import { tooEarly } from '../pki/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { importMax, type OperatorResult, overlapMs, sealedOverlapMs } from '../protocol/operator.ts'
import { certificateJson, certificateText } from './cert-report.ts'
import { findDataFolder } from './data-folder.ts'
import { writeAll } from './descriptor.ts'
import { issueCommand, listCommand, revokeCommand } from './cert-devices.ts'
import { parseDuration } from './duration.ts'
import { jsonLine } from './json-line.ts'
import { OperatorClient } from './operator-client.ts'
import { readPath } from './option-value.ts'
import { commandLine } from './origin.ts'
import { suggestion } from './suggest.ts'

/** The flags that every one of the commands takes. */
interface CertFlags {
  readonly data?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  const cert = new Command('cert')
    .usage('COMMAND [OPTIONS]')
    .description('Look after the certificates of a server and of its devices.')
    .argument('[command]', 'show, renew, rotate-ca, rotate-sealed, import, issue, list or revoke')
    .addHelpText('after', notes)
    .action((word: string | undefined) => {
      throw notOne(word, names)
    })
  cert.addCommand(part('show', 'show the certificate, and until when it is good').action(show))
  cert.addCommand(part('renew', 'renew the certificate now').action(renew))
  cert.addCommand(
    part('rotate-ca', 'replace the authority; clients follow for as long as the overlap lasts')
      .option('--overlap <duration>', 'how long those who know the old key find the new one: 12h, 30d; at most 90d', '30d')
      .action(rotate),
  )
  cert.addCommand(
    part('rotate-sealed', 'replace the key of the sealed channel; clients follow for as long as the overlap lasts')
      .option('--overlap <duration>', 'how long the old key stays good: 12h, 30d; at most 30d', '30d')
      .action(rotateSealed),
  )
  cert.addCommand(
    part('import', 'take a certificate of your own, now and for later starts')
      .argument('[CERT]', 'the chain in PEM, the certificate of the server first')
      .argument('[KEY]', 'its private key in PEM')
      .option('--remove', "forget the imported one: back to the server's own authority")
      .action(importOwn),
  )
  for (const each of [issueCommand(), listCommand(), revokeCommand()]) cert.addCommand(each)
  const names = cert.commands.map((each) => each.name())
  return cert
}

async function show(flags: CertFlags): Promise<void> {
  await withOperator(flags, (operator) => operator.call('certificate.show', {}))
}

async function renew(flags: CertFlags): Promise<void> {
  await withOperator(flags, (operator) => operator.call('certificate.renew', {}))
}

async function rotate(flags: CertFlags & { readonly overlap: string }): Promise<void> {
  const overlap = parseDuration(flags.overlap, commandLine('--overlap'), { ...overlapMs, min: 60_000 })
  await withOperator(flags, async (operator) => {
    // What is replaced is named, so that asking again after a lost answer does not replace the new one too.
    const { authority } = await operator.call('certificate.show', {})
    return operator.call('certificate.rotate', { from: authority.fingerprint, overlapMs: overlap })
  })
}

async function rotateSealed(flags: CertFlags & { readonly overlap: string }): Promise<void> {
  const overlap = parseDuration(flags.overlap, commandLine('--overlap'), { ...sealedOverlapMs, min: 60_000 })
  await withOperator(flags, async (operator) => {
    const { sealed } = await operator.call('certificate.show', {})
    if (sealed === undefined) {
      throw new SealwireError('key_missing', 'the server has no key for the sealed channel', { hint: 'start it with --sealed HOST:PORT' })
    }
    if (sealed.next !== undefined) throw tooEarly(sealed.next.until)
    return operator.call('certificate.rotateSealed', { from: sealed.fingerprint, overlapMs: overlap })
  })
}

async function importOwn(certificate: string | undefined, key: string | undefined, flags: CertFlags & { readonly remove?: boolean }) {
  if (flags.remove === true) {
    if (certificate !== undefined) throw new SealwireError('usage', '--remove takes no files', { hint: 'leave out CERT and KEY' })
    return withOperator(flags, (operator) => operator.call('certificate.remove', {}))
  }
  if (certificate === undefined || key === undefined) {
    throw new SealwireError('usage', 'import needs a certificate and its key', { hint: 'sealwire cert import CERT KEY' })
  }
  const texts = readPair(certificate, key)
  return withOperator(flags, (operator) => operator.call('certificate.import', { certificate: texts.certificate, key: texts.key }))
}

/** Checked here too, where the files have names. */
function readPair(certificate: string, key: string): OwnTexts {
  const texts = readOwnTexts({ certificate: readPath(certificate, commandLine('CERT')), key: readPath(key, commandLine('KEY')) })
  checkOwnCertificate(texts, systemClock.now())
  const isTooLong = texts.certificate.length > importMax.certificate || texts.key.length > importMax.key
  if (isTooLong)
    throw new SealwireError('certificate_invalid', 'the files are too large', { hint: 'leave out what is no part of the chain' })
  return texts
}

async function withOperator(
  flags: CertFlags,
  use: (operator: OperatorClient) => Promise<OperatorResult<'certificate.show'>>,
): Promise<void> {
  using operator = new OperatorClient(findDataFolder(flags.data, process.env), { clock: systemClock })
  const state = await use(operator)
  await writeAll(standardOutput, flags.json === true ? jsonLine(certificateJson(state)) : certificateText(state, systemClock.now()))
}

function part(name: string, description: string): Command {
  return new Command(name)
    .description(`${description.charAt(0).toUpperCase()}${description.slice(1)}.`)
    .summary(description)
    .option('--data <dir>', 'data folder of the server (default: ./sealwire-data; SEALWIRE_DATA)')
    .option('--json', 'print a JSON object')
}

function notOne(word: string | undefined, names: readonly string[]): SealwireError {
  const help = 'sealwire cert --help shows what it takes'
  if (word === undefined) return new SealwireError('usage', 'cert needs a command', { hint: help })
  return new SealwireError('usage', `unknown command 'cert ${word}'`, { hint: suggestion(word, names, help) })
}

const standardOutput = 1

const notes = `
The commands act through the server that runs in the data folder, or by themselves when none
does. A server that runs shows the new certificate to the next connection; those that are
open stay. docs/certificates.md tells the whole life of a certificate.

Examples:
  sealwire cert show
  sealwire cert renew --data /srv/sealwire
  sealwire cert rotate-ca --overlap 60d
  sealwire cert rotate-sealed
  sealwire cert import fullchain.pem privkey.pem`
