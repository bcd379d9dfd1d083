// A device on Node and a device on Bun.

import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/domain/index.ts'
import { Flusher } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { Recorder } from '../compliance/link.ts'
import type { Signer } from '../support/certificates.ts'
import { deviceOf, keyHash } from '../support/client-certificates.ts'
import type { PeerProgramFile } from '../support/peer-program.ts'
import { dialBob, expecting, makePeers, refusalOf, shownBy, TestPeer } from '../support/peers.ts'
import { isMissing, nodeBinary } from '../support/python.ts'

const peers = await makePeers()
const { authority, alice, bob } = peers
const limits = resolveLimits({})
const context = { limits, flusher: new Flusher(limits, systemClock) }

describe.skipIf(isMissing('SEALWIRE_NODE'))('a device on Bun', () => {
  test('dials one on Node, and is dialled by it', async () => {
    using folder = folderOf(bob, alice)
    await using node = new Program(folder.path, 'listen')
    const link = await dialBob(peers, await node.port(), context)
    const recorder = new Recorder()
    link.attach(recorder)
    await recorder.until(() => recorder.text === 'hello')
    link.send(Buffer.from('hello to you'))
    await node.printed('accepted heard hello to you.')
    link.terminate()

    using bun = await TestPeer.start(peers)
    using asAlice = folderOf(alice, bob)
    bun.greeting = 'hello'
    await using dialler = new Program(asAlice.path, 'dial', String(bun.port))
    await dialler.printed('dialled heard hello.')
    bun.accepted[0]?.link.close()
    expect([await dialler.finished, dialler.output]).toEqual([0, expect.stringMatching(/ended\.\n$/)])
  })

  test('is refused by one on Node, and refuses it, without a byte', async () => {
    const other = await deviceOf(authority)
    using folder = folderOf(bob, other)
    await using node = new Program(folder.path, 'listen')
    const port = await node.port()
    const link = await dialBob(peers, port, context)
    const recorder = new Recorder()
    link.attach(recorder)
    link.send(Buffer.from('a secret'))
    await recorder.until(() => recorder.ends.length > 0)
    await node.printed(`refused handshake client_certificate ${notExpected}.`)
    expect([recorder.bytesTotal, node.output.includes('opened'), node.output.includes('secret')]).toEqual([0, false, false])
    expect(await refusalOf(dialBob({ ...peers, bob: other }, port, context))).toBe(notExpected)

    using bun = await TestPeer.start(peers)
    bun.greeting = 'hello'
    bun.verify = expecting(peers, other)
    using asAlice = folderOf(alice, bob)
    await using dialler = new Program(asAlice.path, 'dial', String(bun.port))
    expect([await dialler.finished, dialler.output]).toEqual([0, 'ended.\n'])
    expect([bun.accepted.length, await bun.refusal()]).toEqual([0, `handshake client_certificate ${notExpected}`])
  })
})

function folderOf(own: Signer, expected: Signer): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'sealwire-peer-'))
  const hashes = [keyHash(expected.certificate)]
  const file: PeerProgramFile = { identity: shownBy(own), authority: authority.certificate.toString(), expected: hashes }
  writeFileSync(join(path, 'peers.json'), JSON.stringify(file), { mode: 0o600 })
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

/** test/support/peer-program.ts on Node, killed with its scope. */
class Program implements AsyncDisposable {
  readonly finished: Promise<number | null>
  readonly #kill: () => void
  output = ''
  #isOver = false
  #wake: (() => void) | undefined

  constructor(...args: readonly string[]) {
    const child = spawn(nodeBinary, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => this.#heard(text))
    this.#kill = () => void child.kill('SIGKILL')
    process.once('exit', this.#kill)
    this.finished = new Promise((resolve) =>
      child.once('close', (code) => {
        process.off('exit', this.#kill)
        this.#isOver = true
        this.#heard('')
        resolve(code)
      }),
    )
  }

  async printed(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.#isOver) throw new Error(`it ended before it said ${text}:\n${this.output}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Where it listens. */
  async port(): Promise<number> {
    await this.printed('.\n')
    return Number(/listening (\d+)/.exec(this.output)?.[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill()
    await this.finished
  }

  #heard(text: string): void {
    this.output += text
    this.#wake?.()
  }
}

const script = fileURLToPath(new URL('../support/peer-program.ts', import.meta.url))
const notExpected = '[untrusted] the certificate of the other device is of a device that is not expected here'
