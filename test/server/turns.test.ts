import { describe, expect, test } from 'bun:test'
import { getEventListeners } from 'node:events'
import { SealwireError } from '../../src/protocol/index.ts'
import { Lanes, Turns } from '../../src/server/turns.ts'
import { rejectionOf } from '../support/refusal.ts'

/** An action that goes on until it is told to end, and says when it has begun. */
class Work {
  begun = false
  readonly #end = Promise.withResolvers<void>()

  readonly run = async (): Promise<void> => {
    this.begun = true
    await this.#end.promise
  }

  end(): void {
    this.#end.resolve()
  }
}

describe('Turns', () => {
  test('runs as many at once as it is wide, the others in the order of arrival', async () => {
    const turns = new Turns({ width: 2, waitingMax: 10 })
    const works = Array.from({ length: 4 }, () => new Work())
    const runs = works.map((work) => turns.run(work.run))
    expect(works.map(({ begun }) => begun)).toEqual([true, true, false, false])
    works[1]?.end()
    await runs[1]
    expect(works.map(({ begun }) => begun)).toEqual([true, true, true, false])
    for (const work of works) work.end()
    await Promise.all(runs)
    expect([turns.isIdle, turns.waiting]).toEqual([true, 0])
  })

  test('answers busy when too many wait, at once', async () => {
    const turns = new Turns({ width: 1, waitingMax: 2 })
    const work = new Work()
    const runs = [turns.run(work.run), turns.run(work.run), turns.run(work.run)]
    expect(await rejectionOf(turns.run(work.run))).toBe('busy')
    work.end()
    await Promise.all(runs)
    expect(await turns.run(async () => 'free again')).toBe('free again')
  })

  test('gives the turn on when an action fails, and passes its failure to its caller', async () => {
    const turns = new Turns({ width: 1, waitingMax: 2 })
    const failing = turns.run(() => Promise.reject(new SealwireError('internal', 'internal error')))
    const next = turns.run(async () => 'next')
    expect(await rejectionOf(failing)).toBe('internal')
    expect(await next).toBe('next')
  })

  test('frees the place of one who gives up waiting', async () => {
    const turns = new Turns({ width: 1, waitingMax: 1 })
    const [work, never, later] = [new Work(), new Work(), new Work()]
    const running = turns.run(work.run)
    const controller = new AbortController()
    const waiting = turns.run(never.run, { signal: controller.signal })
    controller.abort()
    expect(await rejectionOf(waiting)).toBe('connection_lost')
    const third = turns.run(later.run)
    work.end()
    later.end()
    await Promise.all([running, third])
    expect([never.begun, later.begun]).toEqual([false, true])
  })

  test('leaves nothing behind at the signal of one whose turn came', async () => {
    const turns = new Turns({ width: 1, waitingMax: 1 })
    const [work, { signal }] = [new Work(), new AbortController()]
    const runs = [turns.run(work.run), turns.run(work.run, { signal })]
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    work.end()
    await Promise.all(runs)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('lets nobody in who has given up already, and says why when the signal does', async () => {
    const turns = new Turns({ width: 1, waitingMax: 1 })
    const work = new Work()
    const signal = AbortSignal.abort(new SealwireError('stopping', 'the server stops'))
    expect(await rejectionOf(turns.run(work.run, { signal }))).toBe('stopping')
    expect([work.begun, turns.isIdle]).toEqual([false, true])
  })

  test('does not stop an action that has begun', async () => {
    const turns = new Turns({ width: 1, waitingMax: 1 })
    const work = new Work()
    const controller = new AbortController()
    const running = turns.run(work.run, { signal: controller.signal })
    controller.abort()
    work.end()
    expect(await rejectionOf(running)).toBeUndefined()
  })
})

describe('Lanes', () => {
  test('lets one key wait for itself only, and forgets a key that nobody uses', async () => {
    const lanes = new Lanes({ width: 1, waitingMax: 1 })
    const works = Array.from({ length: 3 }, () => new Work())
    const [a1, a2, b1] = works as [Work, Work, Work]
    const runs = [lanes.run('__proto__', a1.run), lanes.run('__proto__', a2.run), lanes.run('b', b1.run)]
    expect(works.map(({ begun }) => begun)).toEqual([true, false, true])
    expect(lanes.size).toBe(2)
    expect(await rejectionOf(lanes.run('__proto__', a1.run))).toBe('busy')
    for (const work of works) work.end()
    await Promise.all(runs)
    expect(lanes.size).toBe(0)
  })
})
