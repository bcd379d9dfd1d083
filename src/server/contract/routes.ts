// Which function answers which method of the contract. A method without a route, a route without a method and a handler
// that wants or answers something else than its row says do not compile.

import type { Method } from '../../protocol/contract/index.ts'
import * as account from './account-methods.ts'
import type { Handler } from './call.ts'
import * as contact from './contact-methods.ts'
import * as conversation from './conversation-methods.ts'
import * as deviceLink from './device-link-methods.ts'
import * as device from './device-methods.ts'
import * as direct from './direct-methods.ts'
import * as directory from './directory-methods.ts'
import * as file from './file-methods.ts'
import * as inbox from './inbox-methods.ts'
import * as message from './message-methods.ts'
import * as payment from './payment-methods.ts'
import * as room from './room-methods.ts'
import * as session from './session-methods.ts'

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
  'device.link': deviceLink.link,
  'account.link': deviceLink.useLink,
  'device.enrolKey': deviceLink.enrolKey,
  'device.challenge': deviceLink.challenge,
  'device.prove': deviceLink.prove,
  'directory.who': directory.who,
  'directory.block': directory.block,
  'directory.unblock': directory.unblock,
  'directory.blocked': directory.blocked,
  'contact.request': contact.request,
  'contact.accept': contact.accept,
  'contact.decline': contact.decline,
  'contact.remove': contact.remove,
  'contact.list': contact.list,
  'conversation.list': conversation.list,
  'conversation.find': conversation.find,
  'conversation.retain': conversation.retain,
  'message.send': message.send,
  'message.edit': message.edit,
  'message.delete': message.remove,
  'message.react': message.react,
  'message.pin': message.pin,
  'message.history': message.history,
  'message.search': message.search,
  'inbox.open': inbox.open,
  'inbox.ack': inbox.ack,
  'mark.read': message.read,
  'presence.typing': conversation.typing,
  'account.privacy': account.privacy,
  'room.create': room.create,
  'room.update': room.update,
  'room.invite': room.invite,
  'room.link': room.link,
  'room.join': room.join,
  'room.leave': room.leave,
  'room.remove': room.remove,
  'room.role': room.role,
  'room.members': room.members,
  'file.begin': file.begin,
  'file.put': file.put,
  'file.end': file.end,
  'file.abandon': file.abandon,
  'file.find': file.find,
  'file.get': file.get,
  'payment.units': payment.units,
  'payment.find': payment.find,
  'payment.balance': payment.balance,
  'payment.order': payment.order,
  'payment.bring': payment.bring,
  'payment.transfer': payment.transfer,
  'payment.request': payment.request,
  'payment.settle': payment.settle,
  'payment.holds': payment.holds,
  'payment.requests': payment.requests,
  'payment.statement': payment.statement,
  'payment.receipt': payment.receipt,
  'payment.checkpoint': payment.checkpoint,
  'direct.listen': direct.listen,
  'direct.offer': direct.offer,
  'direct.devices': direct.devices,
}
