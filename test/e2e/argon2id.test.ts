// A server whose library for password hashes has no build for the platform, as after an install without optional packages.
// Its loader takes the build from a variable of the environment, which names none here.

import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMissing, nodeBinary } from '../support/python.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

describe('without the build of Argon2id for the platform', () => {
  test(
    'a server on Bun says what is missing and what to do, and makes nothing, not even its log',
    () => refusesToStart(process.execPath),
    60_000,
  )

  test.skipIf(isMissing('SEALWIRE_NODE'))('so does one on Node', () => refusesToStart(nodeBinary), 60_000)

  test('other commands work', () => {
    expect(run(process.execPath, 'serve', '--help')).toMatchObject({ status: 0, stderr: '' })
    expect(run(process.execPath, '--version')).toMatchObject({ status: 0, stderr: '' })
  }, 60_000)
})

function refusesToStart(runtime: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-argon2id-'))
  try {
    const data = join(folder, 'data')
    const { status, stdout, stderr } = run(runtime, 'serve', '--data', data, '--listen', '127.0.0.1:0')
    const sentence = `the build of @node-rs/argon2 for ${process.platform}-${process.arch} is missing or does not load`
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toBe(`sealwire: ${sentence}. install again on this machine with npm ci, without --omit=optional.\n`)
    expect(readdirSync(folder)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(runtime: string, ...args: readonly string[]) {
  const env = { PATH: process.env['PATH'], NAPI_RS_NATIVE_LIBRARY_PATH: join(tmpdir(), 'no-such-library.node') }
  return spawnSync(runtime, [main, ...args], { encoding: 'utf8', env, timeout: 50_000 })
}
