// `sealwire cert`: what an operator does to the certificate of a server, through the server of the data folder or without it.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { checkOwnCertificate, type OwnTexts, readOwnTexts } from '../pki/own-certificate.ts'
import { tooEarly } from '../pki/index.ts'
import { authorityTooEarly } from '../pki/rotation.ts'
import { SealwireError } from '../protocol/errors.ts'
import { importMax, type OperatorResult, overlapMs, sealedOverlapMs } from '../protocol/operator.ts'
import { certificateJson, certificateText } from './cert/report.ts'
import { issueCommand, listCommand, revokeCommand } from './cert/devices.ts'
import { parseDuration } from './options/duration.ts'
import { writeNow } from './terminal/descriptor.ts'
import { jsonLine } from './terminal/json-line.ts'
import type { OperatorClient } from './operator/client.ts'
import { needsOne, type OperatorFlags, part, print, withOperator } from './operator/command.ts'
import { readPath } from './options/option-value.ts'
import { commandLine } from './options/origin.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  const cert = new Command('cert').description('Look after the certificates of a server and of its devices.').addHelpText('after', notes)
  needsOne(cert, 'cert', 'show, renew, rotate-ca, rotate-sealed, import, issue, list or revoke')
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
  return cert
}

async function show(flags: OperatorFlags): Promise<void> {
  await tell(flags, (operator) => operator.call('certificate.show', {}))
}

async function renew(flags: OperatorFlags): Promise<void> {
  await tell(flags, (operator) => operator.call('certificate.renew', {}))
}

async function rotate(flags: OperatorFlags & { readonly overlap: string }): Promise<void> {
  const overlap = parseDuration(flags.overlap, commandLine('--overlap'), { ...overlapMs, min: 60_000 })
  await tell(flags, async (operator) => {
    // What is replaced is named, so that asking again after a lost answer does not replace the new one too.
    const { authority, overlap: earlier } = await operator.call('certificate.show', {})
    if (earlier !== undefined) throw authorityTooEarly(earlier.until)
    return operator.call('certificate.rotate', { from: authority.fingerprint, overlapMs: overlap })
  })
}

async function rotateSealed(flags: OperatorFlags & { readonly overlap: string }): Promise<void> {
  const overlap = parseDuration(flags.overlap, commandLine('--overlap'), { ...sealedOverlapMs, min: 60_000 })
  await tell(flags, async (operator) => {
    const { sealed } = await operator.call('certificate.show', {})
    if (sealed === undefined) {
      throw new SealwireError('key_missing', 'the server has no key for the sealed channel', { hint: 'start it with --sealed HOST:PORT' })
    }
    if (sealed.next !== undefined) throw tooEarly(sealed.next.until)
    return operator.call('certificate.rotateSealed', { from: sealed.fingerprint, overlapMs: overlap })
  })
}

async function importOwn(certificate: string | undefined, key: string | undefined, flags: OperatorFlags & { readonly remove?: boolean }) {
  if (flags.remove === true) {
    if (certificate !== undefined) throw new SealwireError('usage', '--remove takes no files', { hint: 'leave out CERT and KEY' })
    return tell(flags, (operator) => changing(operator, () => operator.call('certificate.remove', {})))
  }
  if (certificate === undefined || key === undefined) {
    throw new SealwireError('usage', 'import needs a certificate and its key', { hint: 'sealwire cert import CERT KEY' })
  }
  const texts = readPair(certificate, key)
  const { certificate: chain, key: secret } = texts
  return tell(flags, (operator) => changing(operator, () => operator.call('certificate.import', { certificate: chain, key: secret })))
}

/** Warns where the fingerprint is another one behind it. */
async function changing(operator: OperatorClient, use: () => Promise<Certificate>): Promise<Certificate> {
  const before = await operator.call('certificate.show', {})
  const after = await use()
  if (before.fingerprint !== after.fingerprint)
    writeNow(
      standardError,
      `sealwire: warning: clients that know ${before.fingerprint} refuse this server from now on, and need a new link. docs/certificates.md tells why.\n`,
    )
  return after
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

type Certificate = OperatorResult<'certificate.show'>

/** Prints what `use` says of the certificate. */
async function tell(flags: OperatorFlags, use: (operator: OperatorClient) => Promise<Certificate>): Promise<void> {
  await withOperator(flags, async (operator) => {
    const state = await use(operator)
    await print(flags.json === true ? jsonLine(certificateJson(state)) : certificateText(state, systemClock.now()))
  })
}

const standardError = 2

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
