// Compiled by `npm run types`, never run: methods and routes belong together, and a handler to its method's row.

import type { Handler } from '../../src/server/contract/call.ts'
import { type Routes, routes } from '../../src/server/contract/routes.ts'

export const complete: Routes = { ...routes }

const { 'message.send': send, ...allButOne } = routes

// @ts-expect-error Every method has a route.
export const missing: Routes = allButOne

// @ts-expect-error There is no method of that name.
export const extra: Routes = { ...allButOne, 'message.send': send, 'message.shout': send }

// @ts-expect-error A misspelt route is none.
export const misspelt: Routes = { ...allButOne, 'message.sned': send }

export const right: Handler<'message.send'> = ({ account, params }) => {
  const body: Uint8Array = params.body
  const type: string | undefined = params.type
  return { conversation: body.length, seq: account.name.length, at: type?.length ?? 0 }
}

// @ts-expect-error A parameter is what its schema says.
export const wrongParameter: Handler<'session.echo'> = ({ params }: { params: { data: string } }) => ({
  data: new Uint8Array(params.data.length),
})

// @ts-expect-error A result is what its schema says.
export const wrongResult: Handler<'session.ping'> = () => ({ time: 'noon' })

// @ts-expect-error A result has every field.
export const emptyResult: Handler<'session.ping'> = () => ({})

// @ts-expect-error Before login there is no account.
export const accountTooEarly: Handler<'account.login'> = ({ account }) => ({ name: account.name, token: new Uint8Array(32) })

// @ts-expect-error Nor where a login may be missing.
export const accountPerhaps: Handler<'session.ping'> = ({ account }) => ({ time: account.name.length })

// @ts-expect-error A route of one method does not answer another.
export const swapped: Routes = { ...routes, 'contact.request': routes['contact.accept'] }
