import { describe, expect, test } from 'bun:test'
import { Apart } from '../../../src/server/session/apart.ts'

describe('Apart', () => {
  test('lets the next request wait only behind the last that may be under way', async () => {
    const apart = new Apart(2)
    const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    expect(apart.idle()).toBeUndefined()
    expect(apart.add(one.promise)).toBeUndefined()
    const full = apart.add(two.promise)
    expect(full).toBeInstanceOf(Promise)
    let isIdle = false
    const idle = apart.idle()?.then(() => (isIdle = true))
    two.resolve()
    await full
    expect(isIdle).toBe(false)
    one.resolve()
    await idle
    expect(apart.idle()).toBeUndefined()
  })
})
