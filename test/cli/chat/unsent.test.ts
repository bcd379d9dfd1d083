import { describe, expect, test } from 'bun:test'
import { Unsent } from '../../../src/cli/chat/unsent.ts'
import { DeliveryServer, textsOf } from '../../client/delivery-server.ts'
import { rejected } from '../home-support.ts'

/** Says things to bob. */
function saying(server: DeliveryServer) {
  const me = server.sealwire()
  const unsent = new Unsent()
  const say = (text: string) => unsent.send((signal) => me.send('bob', text, { signal }))
  return { me, unsent, say }
}

describe('Unsent', () => {
  test('takes back what waits, tells what is on its way apart, and leaves the rest', async () => {
    const server = new DeliveryServer()
    const { me, unsent, say } = saying(server)
    expect(await unsent.takeBack()).toEqual({ count: 0, perhaps: 0 })
    await say('before')
    server.refuse = (method) => (method === 'message.send' ? 'silent' : undefined)
    const waiting = ['on its way', 'two', 'three'].map(say)
    await server.settle()
    expect(await unsent.takeBack()).toEqual({ count: 2, perhaps: 1 })
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined])
    server.refuse = () => undefined
    await say('behind')
    expect(textsOf(server.stored)).toEqual(['before', 'behind'])
    await me.close()
  })

  test('says what to do in words for people when too much waits', async () => {
    const server = new DeliveryServer({ outboxEntriesMax: 2 })
    server.refuseDial = 'unreachable'
    const { me, unsent, say } = saying(server)
    const waiting = ['one', 'two'].map(say)
    expect(await rejected(say('three'))).toMatchObject({
      code: 'busy',
      hint: 'say it again when some of them are sent; /unsend throws them away',
    })
    expect(await unsent.takeBack()).toEqual({ count: 2, perhaps: 0 })
    await Promise.all(waiting)
    await me.close()
  })

  test('is refused as ever what is refused', async () => {
    const server = new DeliveryServer()
    const { me, unsent, say } = saying(server)
    server.refuse = (method) => (method === 'message.send' ? 'not_contact' : undefined)
    expect((await rejected(say('one'))).code).toBe('not_contact')
    await me.close()
    expect((await rejected(say('two'))).code).toBe('unreachable')
    expect(await unsent.takeBack()).toEqual({ count: 0, perhaps: 0 })
  })
})
