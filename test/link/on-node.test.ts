// The tests of what Node runs of this folder, once more, on Node. What they need of bun:test is in test/support/node.

import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isMissing, nodeBinary } from '../support/python.ts'

const files = [
  'buffered-link',
  'client-certificate-dial',
  'peer-possession',
  'sealed/dial',
  'sealed/link',
  'sealed/listen',
  'tls',
  'tls/node-dial',
  'tls/node-listen',
  'tls/peer-tls',
  'tls/pin',
  'websocket/link',
  'websocket/listen',
] as const

describe.skipIf(isMissing('SEALWIRE_NODE'))('on Node', () => {
  test.each(files)('%s does what it does on Bun', async (file) => {
    const { output, code } = await runOnNode(fileURLToPath(new URL(`${file}.test.ts`, import.meta.url)))
    expect([code, output]).toEqual([0, expect.stringMatching(/^# pass [1-9]\d*$/m)])
  })
})

/** Standard output, standard error, and how it ended. */
function runOnNode(file: string): Promise<{ output: string; code: number | null }> {
  const hooks = new URL('../support/node/hooks.ts', import.meta.url).href
  const child = spawn(nodeBinary, ['--test-reporter=tap', '--import', hooks, file], { stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  let output = ''
  const collect = (text: string): void => void (output += text)
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('exit', kill)
      resolve({ output, code })
    })
  })
}
