// Files through a server that does not answer, or refuses.

import { describe, expect, test } from 'bun:test'
import { fileChunkBytesMax, type ConversationInfo, type Params, type Result } from '../../src/protocol/contract/index.ts'
import type { Limits } from '../../src/protocol/index.ts'
import { sha256 } from '../support/file-bytes.ts'
import { rejectionOf } from '../support/refusal.ts'
import { DeliveryServer } from './delivery-server.ts'

const info: ConversationInfo = { conversation: 7, kind: 'room', members: 2, state: 'accepted', lastSeq: 0, firstSeq: 1, readSeq: 0 }
const content = new Uint8Array(10 * fileChunkBytesMax).fill(7)
const source = { name: 'report.pdf', size: content.length, read: async (at: number, length: number) => content.slice(at, at + length) }
const reference = { id: new Uint8Array(16), size: content.length, sha256: sha256(content) }

/** A server that has room for one file. */
class FileServer extends DeliveryServer {
  /** How much of it is there. */
  there = 0

  constructor(limits: Partial<Limits> = {}) {
    super(limits, {
      'conversation.find': () => info,
      'file.begin': () => ({ offset: this.there }),
      'file.put': ({ offset, data }: Params<'file.put'>): Result<'file.put'> => ({ offset: (this.there = offset + data.length) }),
      'file.end': () => ({}),
      'file.get': ({ offset, length }: Params<'file.get'>): Result<'file.get'> => ({ data: content.slice(offset, offset + length) }),
    })
  }

  countOf(method: string): number {
    return this.asked.filter((each) => each.method === method).length
  }

  /** Until nothing more of this is asked for. */
  async asksFor(method: string): Promise<number> {
    for (let before = -1; before < this.countOf(method) || before <= 0; await this.settle()) before = this.countOf(method)
    return this.countOf(method)
  }

  /** Lets time pass until it is over. */
  async outcome(work: Promise<unknown>): Promise<string | undefined> {
    let isOver = false
    const outcome = rejectionOf(work.finally(() => (isOver = true)))
    for (let turn = 0; turn < 100 && !isOver; turn++) {
      await this.settle()
      await this.clock.move(this.limits.clientRetryMsMax)
    }
    return outcome
  }
}

describe('a file has no more chunks under way than clientChunksMax', () => {
  test.each([1, 4])('when it is sent (%d)', async (clientChunksMax) => {
    const server = new FileServer({ clientChunksMax })
    const me = server.sealwire()
    const conversation = await me.conversation(7)
    server.refuse = (method) => (method === 'file.put' ? 'silent' : undefined)
    const sent = conversation.sendFile(source)
    expect(await server.asksFor('file.put')).toBe(clientChunksMax)
    server.cut()
    server.refuse = () => undefined
    expect(await server.outcome(sent)).toBe(undefined)
    expect([server.there, server.stored.length]).toEqual([content.length, 1])
    await me.close()
  })

  test.each([1, 4])('when it is read (%d)', async (clientChunksMax) => {
    const server = new FileServer({ clientChunksMax })
    const me = server.sealwire()
    await me.online()
    server.refuse = (method) => (method === 'file.get' ? 'silent' : undefined)
    const read = Array.fromAsync(me.readFile(reference))
    expect(await server.asksFor('file.get')).toBe(clientChunksMax)
    server.refuse = () => undefined
    server.cut()
    expect(await server.outcome(read)).toBe(undefined)
    expect(Buffer.concat(await read).equals(content)).toBe(true)
    await me.close()
  })
})

describe('a file that is sent', () => {
  test.each([
    ['arrives at the eighth try', 7, undefined],
    ['is given up after eight tries without progress', 8, 'rate_limited'],
  ])('%s', async (_, refusals, told) => {
    const server = new FileServer()
    const me = server.sealwire()
    const conversation = await me.conversation(7)
    server.refuse = (method) => (method === 'file.put' && server.countOf('file.begin') <= refusals ? 'rate_limited' : undefined)
    expect(await server.outcome(conversation.sendFile(source))).toBe(told)
    expect(server.countOf('file.begin')).toBe(8)
    await me.close()
  })

  test('that cannot begin is tried as often as any call, and no more', async () => {
    const server = new FileServer()
    const me = server.sealwire()
    const conversation = await me.conversation(7)
    server.refuse = (method) => (method === 'file.begin' ? 'storage_full' : undefined)
    expect(await server.outcome(conversation.sendFile(source))).toBe('storage_full')
    expect(server.countOf('file.begin')).toBe(5)
    await me.close()
  })

  test('is tried for as long as there is progress', async () => {
    const server = new FileServer({ clientChunksMax: 1 })
    const me = server.sealwire()
    const conversation = await me.conversation(7)
    const taken = new Set<number>()
    server.refuse = (method) => {
      if (method !== 'file.put') return undefined
      const tries = server.countOf('file.begin')
      if (taken.has(tries)) return 'rate_limited'
      taken.add(tries)
      return undefined
    }
    expect(await server.outcome(conversation.sendFile(source))).toBe(undefined)
    expect([server.countOf('file.begin'), server.there]).toEqual([10, content.length])
    await me.close()
  })
})
