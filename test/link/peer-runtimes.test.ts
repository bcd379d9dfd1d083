// A device on Node and a device on Bun.

import { describe, expect, test } from 'bun:test'
import { systemClock } from '../../src/domain/index.ts'
import { Flusher } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { Recorder } from '../compliance/link.ts'
import { deviceOf } from '../support/client-certificates.ts'
import { folderOf, PeerProgram } from '../support/peer-process.ts'
import { dialBob, expecting, makePeers, refusalOf, TestPeer } from '../support/peers.ts'
import { isMissing } from '../support/python.ts'

const peers = await makePeers()
const { authority, alice, bob } = peers
const limits = resolveLimits({})
const context = { limits, flusher: new Flusher(limits, systemClock) }

describe.skipIf(isMissing('SEALWIRE_NODE'))('a device on Bun', () => {
  test('dials one on Node, and is dialled by it', async () => {
    using folder = folderOf(peers, bob, alice)
    await using node = new PeerProgram(script, folder.path, 'listen')
    const link = await dialBob(peers, await node.port(), context)
    const recorder = new Recorder()
    link.attach(recorder)
    await recorder.until(() => recorder.text === 'hello')
    link.send(Buffer.from('hello to you'))
    await node.printed('accepted heard hello to you.')
    link.terminate()

    using bun = await TestPeer.start(peers)
    using asAlice = folderOf(peers, alice, bob)
    bun.greeting = 'hello'
    await using dialler = new PeerProgram(script, asAlice.path, 'dial', String(bun.port))
    await dialler.printed('dialled heard hello.')
    bun.accepted[0]?.link.close()
    expect([await dialler.finished, dialler.output]).toEqual([0, expect.stringMatching(/ended\.\n$/)])
  })

  test('is refused by one on Node, and refuses it, without a byte', async () => {
    const other = await deviceOf(authority)
    using folder = folderOf(peers, bob, other)
    await using node = new PeerProgram(script, folder.path, 'listen')
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
    using asAlice = folderOf(peers, alice, bob)
    await using dialler = new PeerProgram(script, asAlice.path, 'dial', String(bun.port))
    expect([await dialler.finished, dialler.output]).toEqual([0, 'ended.\n'])
    expect([bun.accepted.length, await bun.refusal()]).toEqual([0, `handshake client_certificate ${notExpected}`])
  })
})

const script = 'peer-program.ts'
const notExpected = '[untrusted] the certificate of the other device is of a device that is not expected here'
