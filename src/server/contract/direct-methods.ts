// direct.*: how two clients find each other for a link of their own.

import type { Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import { isLinkLocal, plainAddress } from '../../protocol/literal-address.ts'
import type { AccountCall, Call } from './call.ts'

export function listen({ account, params, session, server }: Call<'direct.listen'>): Result<'direct.listen'> {
  requireHere(session)
  server.direct.listen(account, requireDevice(account), params.on)
  const address = addressForOthers(session.speaker.address)
  const authorities = server.devices.authorities()
  return { ...(address === undefined ? {} : { address }), ...(authorities.length === 0 ? {} : { authorities: [...authorities] }) }
}

export function offer({ account, params: { to, ...offered }, server }: Call<'direct.offer'>): Result<'direct.offer'> {
  return { told: server.direct.offer(account, requireDevice(account), server.accounts.keyOf(to), offered) }
}

export async function devices({ account, params, session, server }: Call<'direct.devices'>): Promise<Result<'direct.devices'>> {
  requireHere(session)
  return { devices: await server.direct.devicesOf(account, server.accounts.keyOf(params.name)) }
}

/** What waited behind a message may be begun when the session has left already: nobody would ever forget it. */
function requireHere({ speaker }: Call<'direct.listen'>['session']): void {
  if (speaker.signal.aborted) throw new SealwireError('connection_lost', 'the session is over')
}

/** A session that came with a token is of an installation that has no certificate to show, whatever it has enrolled since. */
function requireDevice({ device, tokenHash }: AccountCall<'direct.offer'>['account']): string {
  if (device !== undefined && tokenHash === undefined) return device
  throw new SealwireError('device_required', 'only a device that has logged in as one makes direct links')
}

/** None on a link that is no socket, and none that means something on one network card only. */
function addressForOthers(address: string): string | undefined {
  const plain = plainAddress(address)
  return plain === undefined || isLinkLocal(plain) ? undefined : plain
}
