import { describe, expect, test } from 'bun:test'
import { Acknowledgements } from '../../../src/client/inbox/acknowledgements.ts'
import type { LoggedIn } from '../../../src/client/uplink.ts'

describe('what the server is told', () => {
  test('is one place at a time, and then everything that was stored meanwhile', async () => {
    const { acknowledgements, told, answer } = make()
    for (const place of [1, 2, 3]) acknowledgements.acknowledge(place)
    expect(told).toEqual([1])
    await answer()
    expect(told).toEqual([1, 3])
    await answer()
    expect([acknowledgements.place, acknowledgements.known]).toEqual([3, 3])
  })

  test('begins anew when its places do, whatever answer is still under way', async () => {
    const { acknowledgements, told, answer } = make()
    acknowledgements.acknowledge(900)
    acknowledgements.rewind()
    await answer()
    expect([acknowledgements.place, acknowledgements.known]).toEqual([undefined, 0])
    acknowledgements.acknowledge(7)
    expect(told).toEqual([900, 7])
    await answer()
    expect(acknowledgements.known).toBe(7)
  })

  test('leaves nothing out that is stored in the moment in which an answer comes', async () => {
    for (let after = 0; after < 8; after++) {
      const { acknowledgements, told, answer } = make()
      acknowledgements.acknowledge(1)
      const answered = answer()
      for (let i = 0; i < after; i++) await Promise.resolve()
      acknowledgements.acknowledge(2)
      await answered
      expect(told).toEqual([1, 2])
    }
  })

  test('begins anew for another device', () => {
    const { acknowledgements, session } = make()
    acknowledgements.begin(50)
    expect(acknowledgements.place).toBe(50)
    acknowledgements.online(session('tablet'))
    expect([acknowledgements.place, acknowledgements.known]).toEqual([undefined, 0])
  })

  test('is told by the next connection when one did not bring it', async () => {
    const { acknowledgements, told, answer, session } = make()
    acknowledgements.acknowledge(4)
    await answer(new Error('the connection was lost'))
    expect(acknowledgements.known).toBe(0)
    acknowledgements.online(session('laptop'))
    await answer()
    expect([told, acknowledgements.known]).toEqual([[4, 4], 4])
  })
})

/** A server that answers when it is asked to. */
function make() {
  const acknowledgements = new Acknowledgements()
  const told: number[] = []
  const waiting: { readonly resolve: (answer: object) => void; readonly reject: (reason: Error) => void }[] = []
  const client = {
    request(_method: string, { seq }: { readonly seq: number }): Promise<object> {
      told.push(seq)
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
  }
  const session = (device: string): LoggedIn => ({ client: client as unknown as LoggedIn['client'], name: 'alice', device })
  const answer = async (reason?: Error): Promise<void> => {
    const request = waiting.shift()
    if (reason === undefined) request?.resolve({})
    else request?.reject(reason)
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
  acknowledgements.online(session('laptop'))
  return { acknowledgements, told, answer, session }
}
