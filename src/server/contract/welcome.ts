// What a server says of itself in Welcome.

import { contractVersion, echoBytesMax, messageBodyBytesMax, type Welcome } from '../../protocol/contract/index.ts'
import type { ServerContext } from '../context.ts'
import type { Speaker } from '../session/dialect.ts'
import type { Money } from '../money.ts'

export function welcome(
  { accounts, clock, devices, limits, money, mutualTls }: ServerContext,
  { joinOnly }: Pick<Speaker, 'joinOnly'>,
): Welcome {
  const { frameBodyBytesMax, frameUnauthenticatedBytesMax, contractEnvelopeBytesMax } = limits
  const makesDevices = mutualTls !== 'off' && devices.canEnrol
  return {
    version: contractVersion,
    time: clock.now(),
    server: devices.serverId,
    ...ledgerOf(money, devices.serverId),
    limits: {
      bodyBytesMax: frameBodyBytesMax,
      echoBytesMax: Math.min(echoBytesMax, frameUnauthenticatedBytesMax, frameBodyBytesMax - contractEnvelopeBytesMax),
      messageBodyBytesMax: Math.min(messageBodyBytesMax, frameBodyBytesMax - sendEnvelopeBytes),
    },
    features: [
      `registration-${accounts.registration}`,
      ...(makesDevices ? ['device-login'] : []),
      ...(joinOnly ? ['join-only'] : makesDevices ? ['direct'] : []),
    ],
  }
}

function ledgerOf(money: Money | undefined, serverId: Uint8Array): Pick<Welcome, 'ledger'> {
  const certificate = money?.signer.certificate(serverId)
  return money === undefined || certificate === undefined ? {} : { ledger: { key: money.signer.publicKey, certificate } }
}

/** What message.send takes beside its body, without mentions, at most. */
const sendEnvelopeBytes = 535
