import { describe, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

describe('sealwire/client', () => {
  test('is at most 60 kB in a browser, and needs nothing that only other runtimes have', async () => {
    const entrypoints = [fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))]
    const { success, outputs } = await Bun.build({ entrypoints, target: 'browser', minify: true })
    expect([success, outputs.length]).toEqual([true, 1])
    const text = (await outputs[0]?.text()) ?? ''
    expect(/\b(node|bun):[a-z]/.test(text)).toBe(false)
    const bytes = gzipSync(text, { level: 9 }).length
    console.log(`sealwire/client: ${bytes} bytes gzipped`)
    expect(bytes).toBeLessThanOrEqual(60_000)
  })
})
