// What a server says of itself in Welcome.

import { chatBodyBytesMax, contractVersion, echoBytesMax, type Welcome } from '../../protocol/contract/index.ts'
import { frameBodyBytesLimit } from '../../protocol/index.ts'
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
      chatBodyBytesMax: Math.min(chatBodyBytesMax, frameBodyBytesMax - sayEnvelopeBytes),
    },
    features: [
      `registration-${accounts.registration}`,
      ...(mutualTls !== 'off' && devices.canEnrol ? ['device-login'] : []),
      ...(joinOnly ? ['join-only'] : []),
    ],
  }
}

/** What chat.say may take beside its body. */
const sayEnvelopeBytes = frameBodyBytesLimit - chatBodyBytesMax
