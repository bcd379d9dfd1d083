import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemClock } from '../../../src/domain/clock.ts'
import { endSignalOf, stoppable, stopOnSignals, unlessAborted } from '../../../src/cli/terminal/stop-signal.ts'
import { exitCodeOf } from '../../../src/cli/report.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'

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

  test('says with its reason which signal it was, however that is wrapped', async () => {
    using stop = stopOnSignals({ clock: systemClock })
    const aborted = once(stop.signal, 'abort')
    process.kill(process.pid, 'SIGTERM')
    await aborted
    expect(stop.signal.reason).toMatchObject({ code: 'stopping', sentence: 'ended by SIGTERM' })
    const wrapped = new SealwireError('unreachable', 'the dial was given up', { cause: stop.signal.reason })
    expect([endSignalOf(wrapped), exitCodeOf(wrapped)]).toEqual(['SIGTERM', 143])
    expect(endSignalOf(new SealwireError('stopping', 'ended by SIGTERM', { cause: 'SIGTERM' }))).toBeUndefined()
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

describe('stoppable', () => {
  const halfWay = { how: 'nothing was made', next: 'run the same command again' }
  const ends = async (run: (signal: AbortSignal) => Promise<void>): Promise<SealwireError> =>
    SealwireError.from(await stoppable(systemClock, halfWay, run).catch((reason: unknown) => reason))

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends what %s has stopped with %d, and says how it stands and what to do', async (name, exitCode) => {
    const error = await ends(async (signal) => {
      process.kill(process.pid, name)
      await unlessAborted(signal, new Promise(() => {}))
    })
    expect(error).toMatchObject({ sentence: `ended by ${name}: nothing was made`, hint: 'run the same command again' })
    expect(exitCodeOf(error)).toBe(exitCode)
  })

  test('leaves as it is what has failed for another reason, though a signal came', async () => {
    const error = await ends(async (signal) => {
      const aborted = once(signal, 'abort')
      process.kill(process.pid, 'SIGTERM')
      await aborted
      throw new SealwireError('storage_full', 'the disk is full')
    })
    expect([error.sentence, exitCodeOf(error)]).toEqual(['the disk is full', 3])
  })
})

describe('unlessAborted', () => {
  test('hands over what the work resolves with, and what it rejects with', async () => {
    const { signal } = new AbortController()
    expect(await unlessAborted(signal, Promise.resolve(1))).toBe(1)
    expect(await unlessAborted(signal, Promise.reject(new Error('odd'))).catch(String)).toBe('Error: odd')
  })

  test('does not wait for work that nobody wants any more', async () => {
    const stop = new AbortController()
    stop.abort(new SealwireError('stopping', 'enough'))
    const rejected = unlessAborted(stop.signal, new Promise(() => {})).catch((reason: unknown) => reason)
    expect(await rejected).toMatchObject({ sentence: 'enough' })
  })
})
