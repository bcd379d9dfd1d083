import { afterAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeAll, writeNow } from '../../../src/cli/terminal/descriptor.ts'

const root = mkdtempSync(join(tmpdir(), 'sealwire-descriptor-'))
afterAll(() => rmSync(root, { recursive: true }))

const text = 'x'.repeat(200_000)

describe('writeAll', () => {
  test('writes everything', async () => {
    const path = join(root, 'file')
    const descriptor = openSync(path, 'w')
    await writeAll(descriptor, text)
    await writeAll(descriptor, 'end')
    closeSync(descriptor)
    expect(readFileSync(path, 'utf8')).toBe(`${text}end`)
  })

  test('waits, off the event loop, for a reader that is slow', async () => {
    using pipe = openPipe(constants.O_RDWR)
    let written = false
    const writing = writeAll(pipe.descriptor, text).then(() => {
      written = true
    })
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    expect(written).toBe(false)
    let taken = 0
    while (taken < text.length) {
      await new Promise(setImmediate)
      taken += pipe.read()
    }
    await writing
    expect(taken).toBe(text.length)
  })

  test('asks a non-blocking pipe again until it takes the rest', async () => {
    using pipe = openPipe(constants.O_RDWR | constants.O_NONBLOCK)
    const writing = writeAll(pipe.descriptor, text)
    let taken = 0
    while (taken < text.length) {
      await new Promise(setImmediate)
      taken += pipe.read()
    }
    await writing
    expect(taken).toBe(text.length)
  })

  test('is done when nobody can read any more', async () => {
    const descriptor = openSync(join(root, 'closed'), 'w')
    closeSync(descriptor)
    await writeAll(descriptor, text)
    await writeAll(openSync('/dev/full', 'w'), text)
  })
})

describe('writeNow', () => {
  test('has written everything when it returns', () => {
    const path = join(root, 'now')
    writeNow(openSync(path, 'w'), text)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('gives up on a pipe that nobody reads', () => {
    using pipe = openPipe(constants.O_RDWR | constants.O_NONBLOCK)
    writeNow(pipe.descriptor, text)
    expect(pipe.read()).toBeLessThan(text.length)
  })

  test('does not throw where nothing can be written', () => {
    expect(() => writeNow(openSync('/dev/full', 'w'), text)).not.toThrow()
  })
})

function openPipe(flags: number) {
  const path = join(mkdtempSync(join(root, 'pipe-')), 'pipe')
  spawnSync('mkfifo', [path])
  const descriptor = openSync(path, flags)
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(50_000)
  return {
    descriptor,
    /** Takes what is there, and says how many bytes that were. */
    read(): number {
      try {
        return readSync(reader, buffer)
      } catch {
        return 0
      }
    },
    [Symbol.dispose]() {
      closeSync(reader)
      closeSync(descriptor)
    },
  }
}
