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
  ...privacySteps,
  ...roomEntrySteps,
  ...roomMemberSteps,
  ...roomSteps,
  ...searchSteps,
  ...entrySteps,
  ...inboxSteps,
  ...conversationSteps,
}
