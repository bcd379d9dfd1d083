import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemClock } from '../../../src/domain/clock.ts'
import { stopOnSignals } from '../../../src/cli/terminal/stop-signal.ts'

describe('stopOnSignals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('is aborted by %s', async (name) => {
    using stop = stopOnSignals({ clock: systemClock })
    const aborted = once(stop.signal, 'abort')
    expect(stop.signal.aborted).toBe(false)
    process.kill(process.pid, name)
    await aborted
    // The same Ctrl-C comes from the terminal and from the launcher: the second one must not end this process.
    process.kill(process.pid, name)
    await new Promise(setImmediate)
  })

  test('listens to nothing any more when it is disposed', () => {
    const before = process.listenerCount('SIGTERM')
    stopOnSignals({ clock: systemClock })[Symbol.dispose]()
    expect(process.listenerCount('SIGTERM')).toBe(before)
  })

  test('lets a Ctrl-C that comes a second time not end a command that has ended in order', async () => {
    const source = new URL('../../../src/cli/terminal/stop-signal.ts', import.meta.url).href
    const script = `
      import { once } from 'node:events'
      import { stopOnSignals } from '${source}'
      {
        using stop = stopOnSignals({ clock: { monotonic: () => 0 } })
        const aborted = once(stop.signal, 'abort')
        process.kill(process.pid, 'SIGINT')
        await aborted
      }
      process.kill(process.pid, 'SIGINT')
      await new Promise(setImmediate)
      console.log('in order')
    `
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    expect(await new Response(child.stdout).text()).toBe('in order\n')
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(0)
  })

  test('lets a later Ctrl-C end the process', async () => {
    const source = new URL('../../../src/cli/terminal/stop-signal.ts', import.meta.url).href
    // Its clock goes a second further each time it is asked.
    const script = `
      import { stopOnSignals } from '${source}'
      let now = 0
      const { signal } = stopOnSignals({ clock: { monotonic: () => (now += 1000) } })
      signal.addEventListener('abort', () => console.log('stopping'))
      setInterval(() => {}, 1000)
      console.log('ready')
    `
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const chunk of child.stdout) {
      expect(String(chunk)).toMatch(/^(ready|stopping)\n$/)
      child.kill('SIGINT')
    }
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(130)
  })
})
