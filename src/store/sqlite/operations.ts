// What SQLite does for each operation of the contract, one file a family.

import { accountSteps } from './operations/accounts.ts'
import { deviceSteps } from './operations/devices.ts'
import { invitationSteps } from './operations/invitations.ts'
import { peopleSteps } from './operations/people.ts'
import type { Steps } from './operations/step.ts'
import { serverSteps } from './operations/server.ts'
import { throttleSteps } from './operations/throttles.ts'
import { tokenSteps } from './operations/tokens.ts'

export type { Step, Steps } from './operations/step.ts'

export const steps: Steps = {
  ...accountSteps,
  ...throttleSteps,
  ...invitationSteps,
  ...tokenSteps,
  ...peopleSteps,
  ...deviceSteps,
  ...serverSteps,
}
