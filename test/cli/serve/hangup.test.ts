import { expect, test } from 'bun:test'
import { onHangup } from '../../../src/cli/serve/hangup.ts'

test('SIGHUP asks for another look, each time, until it is disposed of', async () => {
  const heard: string[] = []
  const others = process.listenerCount('SIGHUP')
  {
    using _hangup = onHangup(() => heard.push('reload'))
    for (const count of [1, 2]) {
      process.kill(process.pid, 'SIGHUP')
      while (heard.length < count) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  expect(heard).toEqual(['reload', 'reload'])
  expect(process.listenerCount('SIGHUP')).toBe(others)
})
