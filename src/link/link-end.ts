// What the end of a link means to whoever dialled it, in words for people.

import type { LinkEnd } from './link.ts'

/** Why a connection is over, as the side that dialled tells it. */
export const linkEnds: Readonly<Record<LinkEnd, string>> = {
  ended: 'the server ended the connection',
  truncated: 'communication error: the connection was cut off',
  reset: 'communication error: the connection was reset',
  corrupt: 'communication error: what came had been changed on its way',
  refused: 'the server wants a client certificate that it knows',
  slow_consumer: 'communication error: the server does not take what is sent',
  closed: 'the connection is closed',
  terminated: 'the connection was cut',
}
