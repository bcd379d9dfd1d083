import { describe, expect, test } from 'bun:test'
import { printInbox } from '../../../src/cli/inbox/print.ts'
import { DeliveryServer } from '../../client/delivery-server.ts'

describe('an inbox that is printed', () => {
  test('tells what left it before this device had it, prints what is left, and ends', async () => {
    const server = stage(['one', 'two', 'three'])
    server.lost = 2
    expect(await server.print()).toEqual(['left', 'three'])
    expect(server.acked).toBe(3)
  })

  test('ends also where all that waited was lost', async () => {
    const server = stage(['one', 'two'])
    server.lost = 2
    expect(await server.print()).toEqual(['left'])
    expect(server.acked).toBe(2)
  })

  test.each([
    ['was lost', ['one', 'left', 'four']],
    ['another command of this home has', ['one', 'four']],
  ])('prints each entry once where some leave meanwhile that %s', async (how, lines) => {
    const server = stage(['one', 'two', 'three', 'four'])
    server.gone.add(2).add(3)
    server.whenOpened = (times) => {
      if (times < 2) return
      if (how === 'was lost') server.lost = 3
      else server.acked = 3
    }
    expect(await server.print()).toEqual([...lines])
    expect(server.acked).toBe(4)
  })
})

class PrintedServer extends DeliveryServer {
  #opened = 0
  whenOpened: (times: number) => void = () => {}

  override readonly refuse = (method: string): undefined => {
    if (method === 'inbox.open') this.whenOpened(++this.#opened)
  }

  /** What is told, in order. */
  async print(): Promise<readonly string[]> {
    const lines: string[] = []
    const { signal } = new AbortController()
    const { client } = await this.login(signal)
    await printInbox(client, {
      follow: false,
      signal,
      own: 'alice',
      isShown: () => false,
      left: () => lines.push('left'),
      print: async ({ body }) => void lines.push(new TextDecoder().decode(body)),
    })
    client.close()
    return lines
  }
}

function stage(texts: readonly string[]): PrintedServer {
  const server = new PrintedServer()
  for (const text of texts) server.receive(text)
  return server
}
