// What SQLite does for each operation of the contract, one file a family.

import { accountSteps } from './operations/accounts.ts'
import { conversationSteps } from './operations/conversations.ts'
import { deviceSteps } from './operations/devices.ts'
import { entrySteps } from './operations/entries.ts'
import { inboxSteps } from './operations/inboxes.ts'
import { invitationSteps } from './operations/invitations.ts'
import { peopleSteps } from './operations/people.ts'
import { contactSteps } from './operations/contacts.ts'
import { deviceLinkSteps } from './operations/device-links.ts'
import { fileSteps } from './operations/files.ts'
import { ledgerCheckpointSteps } from './operations/ledger-checkpoints.ts'
import { ledgerOrderSteps } from './operations/ledger-order.ts'
import { ledgerHeldSteps } from './operations/ledger-held.ts'
import { ledgerRequestSteps } from './operations/ledger-requests.ts'
import { ledgerStateSteps } from './operations/ledger-state.ts'
import { ledgerStatementSteps } from './operations/ledger-statement.ts'
import { ledgerUnitSteps } from './operations/ledger-units.ts'
import { ledgerVerifySteps } from './operations/ledger-verify.ts'
import { privacySteps } from './operations/privacy.ts'
import { roomEntrySteps } from './operations/room-entry.ts'
import { roomMemberSteps } from './operations/room-members.ts'
import { roomSteps } from './operations/rooms.ts'
import { searchSteps } from './operations/search.ts'
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
  ...contactSteps,
  ...deviceLinkSteps,
  ...fileSteps,
  ...ledgerUnitSteps,
  ...ledgerOrderSteps,
  ...ledgerHeldSteps,
  ...ledgerRequestSteps,
  ...ledgerStatementSteps,
  ...ledgerCheckpointSteps,
  ...ledgerStateSteps,
  ...ledgerVerifySteps,
  ...privacySteps,
  ...roomEntrySteps,
  ...roomMemberSteps,
  ...roomSteps,
  ...searchSteps,
  ...entrySteps,
  ...inboxSteps,
  ...conversationSteps,
}
