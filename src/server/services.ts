// The services with which people find each other and talk, put together: for a server, and for tests of a server without
// sockets. Whatever one of them tells another is named here.

import type { Clock, Randomness } from '../domain/index.ts'
import type { Limits } from '../protocol/index.ts'
import type { Store } from '../store/index.ts'
import type { Accounts } from './accounts.ts'
import { Audience } from './messages/audience.ts'
import { Bridge } from './classic/bridge.ts'
import { Chats } from './classic/chats.ts'
import { Contacts } from './people/contacts.ts'
import { Conversations } from './messages/conversations.ts'
import { Direct } from './direct.ts'
import { doubtful } from './messages/doubtful-store.ts'
import type { Files } from './files.ts'
import { Housekeeping } from './housekeeping.ts'
import { Inboxes } from './messages/inboxes.ts'
import { Indexer } from './messages/indexer.ts'
import type { LedgerSigner } from './money/ledger-signer.ts'
import type { Log } from './log.ts'
import { Marks } from './messages/marks.ts'
import { Messages } from './messages.ts'
import { Money } from './money.ts'
import { Names } from './accounts/names.ts'
import { People } from './people.ts'
import { PresenceNews } from './people/presence-news.ts'
import { Presence } from './people/presence.ts'
import { Rooms } from './rooms.ts'
import type { VerifySignature } from './money/signatures.ts'

/** What the services work with; whoever made the parts closes them. */
export interface ServicesParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
  readonly accounts: Accounts
  readonly files: Files
  readonly serverId: Uint8Array
  /** Default: the server keeps no ledger. */
  readonly ledger?: LedgerSigner | undefined
  /** For the ids of entries that the server makes. Default: that of the runtime. */
  readonly fill?: Randomness | undefined
  /** How signatures of orders are checked. Default: away from the event loop. */
  readonly verify?: VerifySignature | undefined
}

/** What sessions use of them. */
export interface Services {
  readonly presence: Presence
  readonly people: People
  readonly audience: Audience
  readonly names: Names
  readonly chats: Chats
  readonly bridge: Bridge
  readonly inboxes: Inboxes
  readonly messages: Messages
  readonly contacts: Contacts
  readonly conversations: Conversations
  readonly marks: Marks
  readonly rooms: Rooms
  readonly direct: Direct
  readonly money: Money | undefined
  /** Wants the sessions to have ended; resolves when nothing is being written any more. */
  close(): Promise<void>
}

export function startServices(parts: ServicesParts): Services {
  const { clock, log, limits, files, accounts, serverId, ledger: signer, fill, verify } = parts
  const store = doubtful(parts.store, clock, () => {
    inboxes.doubt()
    indexer.wake()
  })
  const audience = new Audience()
  const news = new PresenceNews(audience)
  const presence = new Presence(clock, limits, news)
  const people = new People({ presence, news, store, clock, log, contactsPerAccountMax: limits.contactsPerAccountMax })
  const inboxes = new Inboxes({ limits, store })
  const indexer = new Indexer({ store, clock, log, limits })
  // Nobody waits for it: what is not removed now is removed with the next start.
  const freed = (ids: readonly Uint8Array[]): void => void files.remove(ids)
  const housekeeping = new Housekeeping({ store, clock, log, limits, freed })
  const chats = new Chats({
    ...{ presence, clock, limits },
    met: (one, other) => {
      bridge.met(one, other)
      people.met(one, other)
    },
  })
  const marks = new Marks({ store, clock, limits, audience })
  const messages = new Messages({
    ...{ store, clock, inboxes, freed },
    posted: () => indexer.wake(),
    said: (posted, entry) => bridge.said(posted, entry),
  })
  const contacts = new Contacts({
    ...{ store, clock, fill, inboxes, people },
    asked: (me, peer) => bridge.asked(me, peer),
    answered: (me, peer, accept) => bridge.answered(me, peer, accept),
  })
  const bridge: Bridge = new Bridge({ store, clock, fill, log, limits, presence, people, chats, contacts, messages, marks })
  const money = signer && new Money({ store, clock, log, limits, audience, messages, serverId, signer, verify })
  // What the last run left.
  indexer.wake()
  return {
    ...{ presence, people, audience, inboxes, chats, bridge, messages, contacts, marks, money },
    names: new Names({ accounts, store, peersRememberedMax: limits.peersRememberedMax }),
    conversations: new Conversations({ store, clock, limits, people, freed }),
    direct: new Direct({ store, clock, directWatchedMax: limits.directWatchedMax }),
    rooms: new Rooms({ store, clock, fill, people, inboxes, files }),
    close: async () => {
      presence[Symbol.dispose]()
      await Promise.all([housekeeping.close(), indexer.close(), people.close(), bridge.close(), money?.close()])
    },
  }
}
