// The operator's certificate is replaced again and again under a flood of handshakes, by real files and real signals; the
// clients share no code with the server. CI does it ten times, the long form a hundred times.

import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { CertificatePairs } from '../support/certificate-pairs.ts'
import { OpensslFolder } from '../support/openssl.ts'
import { isMissing, nodeBinary, startPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const isLong = process.env['SEALWIRE_LONG'] === '1'
const reloads = isLong ? 100 : 10
/**
 * In the short form the heap of the flood of handshakes still grows by itself; the long form finds what each reload keeps. On Node
 * handshakes alone, without any reload, take 170 MB until they take no more, so there it only finds what is larger.
 */
const bytesGrownMax = (runtime: string | undefined): number => (runtime !== undefined ? 256 : isLong ? 32 : 96) * 1024 * 1024
setDefaultTimeout(reloads * 12_000 + 60_000)

describe('a certificate that is replaced under a flood of handshakes', () => {
  for (const [name, runtime, needs] of [
    ['on Bun', undefined, []],
    ['on Node', nodeBinary, ['SEALWIRE_NODE']],
  ] as const) {
    test.skipIf(isMissing('python3', '/proc', ...needs))(`fails no handshake and drops no connection, ${name}`, async () => {
      await replaceUnderFlood(runtime)
    })
  }
})

async function replaceUnderFlood(runtime: string | undefined): Promise<void> {
  using made = new OpensslFolder()
  const pairs = new CertificatePairs(made)
  pairs.put()
  const flags = ['--cert', pairs.certificate, '--key', pairs.key]
  const limits = { ...liftedRates, certificateWatchMs: 50 }
  await using server = await ServerProcess.start({ flags, limits, ...(runtime === undefined ? {} : { runtime }) })
  const over = made.file('over')
  await using crowd = startPython('certificate_reload.py', ['--until', over, `localhost:${server.port}:${pairs.authority}`])
  await crowd.printed('READY')
  await replace(server, pairs, 2) // Whatever grows only once has grown by then.
  const before = { descriptors: server.descriptors, bytes: server.residentBytes }
  await replace(server, pairs, Math.floor(reloads / 2))
  await keepThroughTruncation(server, pairs)
  await replace(server, pairs, Math.ceil(reloads / 2))
  const after = { descriptors: server.descriptors, bytes: server.residentBytes }
  writeFileSync(over, '')
  const { code, output } = await crowd.finished
  const [said] = /^\{.*\}$/m.exec(output) ?? ['{}']
  if (process.env['SEALWIRE_VERBOSE'] === '1') console.error(said, before, after)
  expect(code).toBe(0)
  const { certificates, ...figures } = JSON.parse(said) as Record<string, unknown>
  // Whatever failed or was dropped would be counted beside these.
  expect(figures).toEqual({ handshakes: expect.any(Number), answers: expect.any(Number), failures: [] })
  expect(certificates).toBeGreaterThan(reloads / 2)
  expect(server.stderr).not.toContain('handshakes failed')
  expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  expect(Math.abs(after.descriptors - before.descriptors)).toBeLessThan(20)
  expect(after.bytes - before.bytes).toBeLessThan(bytesGrownMax(runtime))
}

/** Each new pair is shown before the next one comes: some by SIGHUP, some because the files have changed. */
async function replace(server: ServerProcess, pairs: CertificatePairs, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const serial = pairs.put()
    if (index % 2 === 0) server.signal('SIGHUP')
    await until(() => pairs.shown(server.port) === serial)
  }
}

/** A key that is half written, as a full disk or a copy under way leaves it. */
async function keepThroughTruncation(server: ServerProcess, pairs: CertificatePairs): Promise<void> {
  const serial = pairs.shown(server.port)
  const whole = readFileSync(pairs.key, 'utf8')
  // Not only the head of the line: one that told of a pair half replaced may still be on its way here.
  const refusal = `the key ${pairs.key} cannot be read as a private key`
  for (const signal of [false, true]) {
    const refusals = timesSaid(server, refusal)
    writeFileSync(pairs.key, whole.slice(0, signal ? 100 : 150))
    if (signal) server.signal('SIGHUP')
    await until(() => timesSaid(server, refusal) > refusals)
    expect(server.stderr).toContain('certificate not reloaded')
    expect(pairs.shown(server.port)).toBe(serial)
  }
  writeFileSync(pairs.key, whole)
}

function timesSaid(server: ServerProcess, text: string): number {
  return server.stderr.split(text).length - 1
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it never happened')
    await Bun.sleep(5)
  }
}
