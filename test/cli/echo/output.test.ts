import { afterAll, describe, expect, test } from 'bun:test'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EchoOutput } from '../../../src/cli/echo/output.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-output-'))
afterAll(() => rmSync(folder, { recursive: true }))
const limits = resolveLimits({ echoOutputBytesMax: 65_536 })
const half = 'x'.repeat(32_768)

describe('EchoOutput', () => {
  test('writes everything, in order', async () => {
    const path = join(folder, 'file')
    const descriptor = openSync(path, 'w')
    const output = new EchoOutput(descriptor, limits, systemClock)
    output.write('one\n')
    await output.drained()
    output.write('zwei ü\n')
    output.write('three\n')
    await output.drained()
    closeSync(descriptor)
    expect(readFileSync(path, 'utf8')).toBe('one\nzwei ü\nthree\n')
  })

  test.each([
    ['waits in the system', constants.O_RDWR],
    ['is told that it is full', constants.O_RDWR | constants.O_NONBLOCK],
  ])('takes a bounded amount for a pipe that nobody reads, and hands it over when somebody does (%s)', async (_how, flags) => {
    const path = join(folder, `pipe-${flags}`)
    execFileSync('mkfifo', [path])
    // Opened both ways, so that no end waits for the other to be opened.
    const pipe = openSync(path, flags)
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const output = new EchoOutput(pipe, limits, systemClock)
    let taken = 0
    // The pipe itself holds some of it: what is under way and what waits are bounded together.
    while (output.write(half) && taken < 1_000_000) {
      taken += half.length
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(taken).toBeGreaterThanOrEqual(65_536)
    expect(taken).toBeLessThan(1_000_000)
    expect(output.write('x'.repeat(40_000))).toBe(false)
    let read = 0
    for (let left = taken; left > 0; left = taken - read) {
      read += readSome(reader, Math.min(left, 4096))
      await new Promise(setImmediate)
    }
    await output.drained()
    expect(output.closed).toBe(false)
    for (const descriptor of [pipe, reader]) closeSync(descriptor)
  })

  test('goes on when the output is closed, and says that it is', async () => {
    const descriptor = openSync(join(folder, 'closed'), 'w')
    closeSync(descriptor)
    const output = new EchoOutput(descriptor, limits, systemClock)
    expect(output.closed).toBe(false)
    for (let line = 0; line < 10; line++) {
      expect(output.write(half)).toBe(true)
      await output.drained()
    }
    expect(output.closed).toBe(true)
  })
})

function readSome(pipe: number, bytesMax: number): number {
  try {
    return readSync(pipe, Buffer.alloc(bytesMax))
  } catch {
    return 0 // A pipe that does not wait says that nothing is there yet.
  }
}
