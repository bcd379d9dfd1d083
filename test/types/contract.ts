// Compiled by `npm run types`, never run: methods and events fix what they carry, and every method has its route.

import {
  encodeEvent,
  encodeRequest,
  encodeResult,
  type EventData,
  isMethod,
  type Method,
  type Params,
  type ParsedEvent,
  type Result,
} from '../../src/protocol/contract/index.ts'
import type { Call, Handler } from '../../src/server/contract/call.ts'
import { type Routes, routes } from '../../src/server/contract/routes.ts'

// Requests.
encodeRequest(1, 'session.ping', {})
encodeRequest(1, 'account.register', { name: 'alice', invitation: undefined })
// @ts-expect-error There is no such method.
encodeRequest(1, 'session.pong', {})
// @ts-expect-error The greeting is no request.
encodeRequest(1, 'session.hello', { versions: [1] })
// @ts-expect-error An event is no method.
encodeRequest(1, 'mark.changed', {})
// @ts-expect-error A parameter is missing.
encodeRequest(1, 'account.login', { name: 'alice' })
// @ts-expect-error A parameter has the wrong type: a body is bytes.
encodeRequest(1, 'message.send', { conversation: 1, id: new Uint8Array(16), body: 'hello' })
// @ts-expect-error There is no such parameter.
encodeRequest(1, 'device.list', { name: 'bob' })
// @ts-expect-error The parameter belongs to another method.
encodeRequest(1, 'account.resume', { password: 'correct-horse-battery' })
// @ts-expect-error Only these words.
encodeRequest(1, 'account.visibility', { visibility: 'all' })

// Results.
encodeResult(1, 'session.ping', { time: 0 })
// @ts-expect-error A field is missing.
encodeResult(1, 'account.login', { name: 'alice' })
// @ts-expect-error A field has the wrong type: times are numbers.
encodeResult(1, 'session.ping', { time: 0n })

// Events.
encodeEvent('presence.changed', { name: 'bob', here: true })
// @ts-expect-error There is no such event.
encodeEvent('message.sang', {})
// @ts-expect-error A field is missing.
encodeEvent('presence.typing', { name: 'bob' })

export function narrows(event: ParsedEvent, word: string): string {
  if (event.event === 'presence.changed') return event.data.name
  // @ts-expect-error Not every event has a name.
  const name: string = event.data.name
  // @ts-expect-error Not every text is a method.
  const method: Method = word
  return isMethod(word) ? encodeRequest.name + name + method : ''
}

// What is optional may be left out, and is not there by itself.
export const params: Params<'account.password'> = { next: 'correct-horse-battery' }
// @ts-expect-error The password of today may be missing.
export const current: string = params.current
export const data: EventData<'mark.changed'> = { conversation: 1, name: 'bob' }
export const result: Result<'directory.who'> = { people: [{ name: 'bob', contact: true }], more: false }

// Routes.
const { 'message.send': _send, ...allButOne } = routes
// @ts-expect-error A method without a route.
export const incomplete: Routes = allButOne
// @ts-expect-error A route without a method.
export const superfluous: Routes = { ...routes, 'session.pong': routes['session.ping'] }
// @ts-expect-error A route that answers something else than its method says.
export const confused: Routes = { ...routes, 'session.ping': () => ({ time: 'noon' }) }

export const handler: Handler<'message.send'> = ({ account, params: { body } }) => {
  const length: number = body.length
  // @ts-expect-error There is no such parameter.
  void [account, length, params.text]
  return { conversation: 1, seq: 1, at: 0 }
}

export function beforeLogin(call: Call<'session.echo'>): unknown {
  // @ts-expect-error Before login there is no account.
  return call.account
}
