// What a chat needs of somebody on a server.

import type { Sealwire } from '../../client/index.ts'

export type Talker = Pick<
  Sealwire,
  | 'name'
  | 'state'
  | 'states'
  | 'inbox'
  | 'events'
  | 'failures'
  | 'send'
  | 'request'
  | 'accept'
  | 'decline'
  | 'removeContact'
  | 'conversation'
  | 'conversations'
  | 'contacts'
  | 'call'
  | 'rooms'
  | 'saveFile'
  | 'payments'
  | 'direct'
  | 'handed'
  | 'close'
>
