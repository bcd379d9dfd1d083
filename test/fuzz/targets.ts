// What is fuzzed, and with how many inputs in every run of the tests.

import type { FuzzTarget } from './target.ts'
import { bodiesTarget } from './targets/bodies.ts'
import { certificatesTarget } from './targets/certificates.ts'
import { channelTarget } from './targets/channel.ts'
import { configurationTarget } from './targets/configuration.ts'
import { framesTarget } from './targets/frames.ts'
import { invitesTarget } from './targets/invites.ts'
import { paymentsTarget } from './targets/payments.ts'
import { webTarget } from './targets/web.ts'

export interface TargetRow {
  readonly make: () => FuzzTarget
  readonly inputs: number
}

const million = 1_000_000

export const targets: readonly TargetRow[] = [
  { make: () => framesTarget(), inputs: million },
  { make: () => bodiesTarget(), inputs: million },
  { make: () => channelTarget(), inputs: million },
  { make: () => paymentsTarget(), inputs: million },
  { make: () => invitesTarget(), inputs: million },
  { make: () => configurationTarget(), inputs: million },
  { make: () => certificatesTarget(), inputs: million / 10 },
  { make: () => webTarget(), inputs: million / 10 },
]
