// What a server says of itself in Welcome.

import { contractVersion, echoBytesMax, messageBodyBytesMax, type Welcome } from '../../protocol/contract/index.ts'
import type { ServerContext } from '../context.ts'
import type { Speaker } from '../dialect.ts'

export function welcome({ accounts, clock, devices, limits, mutualTls }: ServerContext, { joinOnly }: Pick<Speaker, 'joinOnly'>): Welcome {
  const { frameBodyBytesMax, frameUnauthenticatedBytesMax, contractEnvelopeBytesMax } = limits
  return {
    version: contractVersion,
    time: clock.now(),
    server: devices.serverId,
    limits: {
      bodyBytesMax: frameBodyBytesMax,
      echoBytesMax: Math.min(echoBytesMax, frameUnauthenticatedBytesMax, frameBodyBytesMax - contractEnvelopeBytesMax),
      messageBodyBytesMax: Math.min(messageBodyBytesMax, frameBodyBytesMax - sendEnvelopeBytes),
    },
    features: [
      `registration-${accounts.registration}`,
      ...(mutualTls !== 'off' && devices.canEnrol ? ['device-login'] : []),
      ...(joinOnly ? ['join-only'] : []),
    ],
  }
}

/** What message.send takes beside its body, without mentions, at most. */
const sendEnvelopeBytes = 535
