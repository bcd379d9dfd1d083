import { describe, expect, test } from 'bun:test'
import { longestRetryMs, Retries, SilenceWatch } from '../../src/client/retry.ts'
import { SealwireError } from '../../src/protocol/errors.ts'
import { resolveLimits } from '../../src/protocol/limits.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { DeliveryServer } from './delivery-server.ts'

const limits = resolveLimits()

test('the longest wait doubles with each failure, up to half a minute', () => {
  expect([0, 1, 2, 5, 6, 7, 5_000].map((failures) => longestRetryMs(limits, failures))).toEqual([
    500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000,
  ])
})

describe('the wait before the next try', () => {
  test('is a random part of the longest', () => {
    const retries = new Retries({ clock: new ManualClock(), limits, random: () => 0.25 })
    expect([retries.nextMs(), retries.nextMs(), retries.nextMs(), retries.failures]).toEqual([125, 250, 500, 3])
  })

  test('is short again after a connection that has lasted, and not after one that was cut at once', () => {
    const retries = new Retries({ clock: new ManualClock(10_000), limits, random: () => 1 })
    const waits = [9_501, 9_501, 9_500, Infinity, 9_000].map((since) => {
      retries.wasOpen(since)
      return retries.nextMs()
    })
    expect(waits).toEqual([500, 1_000, 500, 1_000, 500])
  })
})

describe('a connection that is watched', () => {
  test('is closed 10 s after the first ping that is not answered, however often it is looked at', async () => {
    const server = new DeliveryServer()
    const { client } = await server.login(new AbortController().signal)
    using watch = new SilenceWatch(client, server)
    watch.ping()
    await server.settle()
    server.refuse = () => 'silent'
    const isClosed = client.closed.then(() => true)
    const look = async (): Promise<boolean> => Promise.race([isClosed, Promise.resolve(false)])
    watch.ping()
    await server.clock.move(9_999)
    watch.ping()
    expect([server.asked.length, await look()]).toEqual([2, false])
    await server.clock.move(1)
    expect(await look()).toBe(true)
  })

  test('is pinged when this client has said nothing for long, however much it hears', async () => {
    const clock = new ManualClock(0)
    const pings: number[] = []
    const client = {
      saidAt: clock.monotonic(),
      get heardAt() {
        return clock.monotonic()
      },
      request: async () => {
        pings.push((client.saidAt = clock.monotonic()))
        return { time: 0 } as never
      },
      close: () => {},
    }
    using _watch = new SilenceWatch(client, { clock, limits })
    for (let ms = 0; ms < 3.5 * limits.clientIdleMsMax; ms += 1_000) await clock.move(1_000)
    expect(pings).toEqual([1, 2, 3].map((count) => count * limits.clientIdleMsMax))
  })

  test('lives on when a ping was refused: that was an answer too', async () => {
    const clock = new ManualClock()
    const closed: number[] = []
    const refuse = (): Promise<never> => Promise.reject(new SealwireError('rate_limited', 'too many requests'))
    const client = { heardAt: clock.monotonic(), saidAt: Infinity, request: refuse, close: () => void closed.push(clock.monotonic()) }
    using watch = new SilenceWatch(client, { clock, limits })
    watch.ping()
    await clock.move(1)
    client.heardAt = clock.monotonic()
    await clock.move(limits.clientIdleMsMax + limits.clientPingMsMax - 1)
    expect(closed).toEqual([])
    // The next one was not heard.
    await clock.move(1)
    expect(closed).toHaveLength(1)
  })

  test('is left alone when it is watched no more, also by a ping that is answered later', async () => {
    const server = new DeliveryServer()
    const { client } = await server.login(new AbortController().signal)
    const watch = new SilenceWatch(client, server)
    watch.ping()
    await server.settle()
    const whileWatched = server.clock.timers
    watch.ping()
    watch[Symbol.dispose]()
    watch.ping()
    await server.settle()
    expect([server.asked.length, server.clock.timers]).toEqual([2, whileWatched - 1])
    client.close()
  })
})
