// A client of the sealed channel in another language, written from its page, against the real server. What no end takes is in test/hostile.

import { describe, expect, test } from 'bun:test'
import { isMissing, pythonWith, startPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
/** So that a connection that only waits for more is not taken for one that was refused. */
const limits = { ...liftedRates, handshakeMsMax: 60_000, loginMsMax: 60_000, channelKeyFramesMax: 8 }

describe.skipIf(isMissing('python3-cryptography'))('a client written from the page of the sealed channel', () => {
  test('does over both versions all that the page has, and the server logs no error', async () => {
    await using server = await ServerProcess.start({ limits, flags: ['--sealed', '127.0.0.1:0', '--sealed-v1'] })
    const { address, pin } = sealedPlace(server.stdout)
    const flags = ['--v1', ...(verbose ? ['--verbose'] : [])]
    await using client = startPython('sealed_client.py', [...flags, address, pin], '', pythonWith('cryptography'))
    const { code, output } = await client.finished
    if (code !== 0 || verbose) console.error(output)
    expect(code).toBe(0)
    expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
    expect(server.isRunning).toBe(true)
  }, 60_000)
})

function sealedPlace(stdout: string): { readonly address: string; readonly pin: string } {
  const address = /^sealwire listening on sealed:\/\/(\S+)$/m.exec(stdout)?.[1]
  const pin = /^sealed fingerprint (\S+)$/m.exec(stdout)?.[1]
  if (address === undefined || pin === undefined) throw new Error(`the server does not speak the sealed channel: ${stdout}`)
  return { address, pin }
}
