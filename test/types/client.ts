// Compiled by `npm run types`, never run: a method fixes its parameters and its result, an event its data.

import { type Client, connect, type Result } from '../../src/client/index.ts'

export async function uses(client: Client): Promise<void> {
  const { name, token } = await client.request('account.login', { name: 'alice', password: 'correct-horse' })
  const shown: string = name
  const kept: Uint8Array = token
  const people: Result<'directory.who'>['people'] = (await client.request('directory.who', {})).people
  const contact: boolean | undefined = people[0]?.contact
  await client.request('account.register', { name: 'alice' }, { signal: AbortSignal.timeout(1) })

  // @ts-expect-error There is no such method.
  await client.request('account.logout', {})

  // @ts-expect-error A password is needed.
  await client.request('account.login', { name: 'alice' })

  // @ts-expect-error The parameters belong to the method.
  await client.request('account.resume', { password: shown })

  // @ts-expect-error A body is bytes.
  await client.request('message.send', { conversation: 1, id: new Uint8Array(16), body: 'hello' })

  // @ts-expect-error The result belongs to the method.
  const wrong: string = (await client.request('session.ping', {})).name

  // @ts-expect-error What the server said is not for changing.
  client.welcome = { ...client.welcome, features: [] }

  for await (const { event, data } of client.events()) {
    if (event === 'presence.changed') await client.request('contact.accept', { name: data.name })
    // @ts-expect-error Only some events have a name.
    else shown.concat(data.name)
  }
  void [kept, contact, wrong]
}

// @ts-expect-error A client needs a dialler and a clock.
export const client: Promise<Client> = connect({}, {})
