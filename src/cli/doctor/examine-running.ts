// What the server that runs in a data folder says of itself: it knows files that only its own command line names.

import { systemClock } from '../../domain/clock.ts'
import { OperatorClient } from '../operator/client.ts'
import { fault, type Finding } from './finding.ts'

/** What the running server of a folder finds wrong with its certificate. @throws {SealwireError} what {@link OperatorClient} throws. */
export async function examineRunning(folder: string): Promise<readonly Finding[]> {
  using operator = new OperatorClient(folder, { clock: systemClock })
  const { problem } = await operator.call('certificate.show', {})
  if (problem === undefined) return []
  const next = 'mend the files: the server reads them again by itself, and at once after SIGHUP'
  return [fault('foreign_certificate_unsound', 'the server does not use the certificate that it was given last', problem, next)]
}
