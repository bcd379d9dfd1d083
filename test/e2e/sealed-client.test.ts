// A client of the sealed channel in another language, written from its page, against the real server; and what no end takes.

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'bun:test'
import { runPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const sealed = ['--sealed', '127.0.0.1:0']
/** So that a connection that only waits for more is not taken for one that was refused. */
const patient = { ...liftedRates, handshakeMsMax: 60_000, loginMsMax: 60_000 }

describe.skipIf(isCryptographyMissing())('a client written from the page of the sealed channel', () => {
  test('does over both versions all that the page has', async () => {
    await using server = await ServerProcess.start({ limits: { ...patient, channelKeyFramesMax: 8 }, flags: [...sealed, '--sealed-v1'] })
    await expectAllRows('sealed_client.py', server, '--v1')
  }, 60_000)

  test('learns nothing from a server to which it sends what no end takes', async () => {
    await using server = await ServerProcess.start({ limits: patient, flags: sealed })
    await expectAllRows('sealed_negative.py', server)
  }, 120_000)

  test('nor over version 1, where that is spoken', async () => {
    await using server = await ServerProcess.start({ limits: patient, flags: [...sealed, '--sealed-v1'] })
    await expectAllRows('sealed_negative.py', server, '--v1', '--only', 'v1')
  }, 60_000)
})

/** Runs a program against the sealed address of a server, which logs no error meanwhile. */
async function expectAllRows(program: string, server: ServerProcess, ...flags: readonly string[]): Promise<void> {
  const { address, pin } = sealedPlace(server.stdout)
  const { code, output } = await runPython(program, [...flags, ...(verbose ? ['--verbose'] : []), address, pin])
  if (code !== 0 || verbose) console.error(output)
  expect(code).toBe(0)
  expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  expect(server.isRunning).toBe(true)
}

function sealedPlace(stdout: string): { readonly address: string; readonly pin: string } {
  const address = /^sealwire listening on sealed:\/\/(\S+)$/m.exec(stdout)?.[1]
  const pin = /^sealed fingerprint (\S+)$/m.exec(stdout)?.[1]
  if (address === undefined || pin === undefined) throw new Error(`the server does not speak the sealed channel: ${stdout}`)
  return { address, pin }
}

/** python3-cryptography is a Debian package of its own. */
function isCryptographyMissing(): boolean {
  if (spawnSync('python3', ['-c', 'import cryptography']).status === 0) return false
  if (process.env['CI'] === 'true') throw new Error('this machine lacks python3-cryptography')
  console.warn('SKIPPED: this machine lacks python3-cryptography')
  return true
}
