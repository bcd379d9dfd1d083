// session.*: what a connection can be asked without knowing who is on it.

import type { Result } from '../../protocol/contract/index.ts'
import type { Call } from './call.ts'

export function echo({ params }: Call<'session.echo'>): Result<'session.echo'> {
  return { data: params.data }
}

export function ping({ server, session }: Call<'session.ping'>): Result<'session.ping'> {
  session.speaker.pinged()
  return { time: server.clock.now() }
}
