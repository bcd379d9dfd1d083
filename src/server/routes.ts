// Which function answers which method of the contract. A method without a route, a route without a method and a handler
// that wants or answers something else than its row says do not compile.

import type { Method } from '../protocol/contract/index.ts'
import * as account from './contract/account-methods.ts'
import type { Handler } from './contract/call.ts'
import * as chat from './contract/chat-methods.ts'
import * as device from './contract/device-methods.ts'
import * as directory from './contract/directory-methods.ts'
import * as session from './contract/session-methods.ts'

/** One handler for every method. */
export type Routes = { readonly [M in Method]: Handler<M> }

export const routes: Routes = {
  'session.echo': session.echo,
  'session.ping': session.ping,
  'account.register': account.register,
  'account.login': account.login,
  'account.resume': account.resume,
  'account.password': account.password,
  'account.visibility': account.visibility,
  'device.enrol': device.enrol,
  'device.login': device.login,
  'device.list': device.list,
  'device.revoke': device.revoke,
  'directory.who': directory.who,
  'directory.block': directory.block,
  'directory.unblock': directory.unblock,
  'directory.blocked': directory.blocked,
  'chat.request': chat.request,
  'chat.accept': chat.accept,
  'chat.decline': chat.decline,
  'chat.leave': chat.leave,
  'chat.say': chat.say,
}
