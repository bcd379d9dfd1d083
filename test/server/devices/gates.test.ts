import { describe, expect, test } from 'bun:test'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { Flusher, linkPair } from '../../../src/link/index.ts'
import { issueDevice } from '../../../src/pki/device-certificate.ts'
import { newDeviceKeys, spkiHash } from '../../../src/pki/index.ts'
import { type Limits, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { type DeviceProof, DeviceGates } from '../../../src/server/devices/gates.ts'
import type { ConnectedDevice } from '../../../src/server/devices.ts'
import { type Log, silentLog } from '../../../src/server/log.ts'
import { Recorder } from '../../compliance/link.ts'
import { makeCertificate } from '../../support/certificates.ts'
import { ManualClock, settle } from '../../support/manual-clock.ts'

const spki = new Uint8Array(createPublicKey(newDeviceKeys().p256).export({ type: 'spki', format: 'der' }))
const hash = spkiHash(spki)
const { certificate: authority, key } = await makeCertificate({ commonName: 'authority', isAuthority: true, until: 400 })
const { certificate } = await issueDevice(spki, { certificate: authority, key }, Date.now())
const device: ConnectedDevice = { id: 'd', spkiHash: hash }

/** A link at a gate whose answer the test gives. */
function arrive(overrides: Partial<Limits> = {}, shown = certificate, proof: DeviceProof = { certificate: shown }) {
  const limits = resolveLimits(overrides)
  const clock = new ManualClock()
  const [near, far] = linkPair({ limits, flusher: new Flusher(limits, clock) })
  const client = new Recorder()
  far.attach(client)
  const session = new Recorder()
  const begun: ConnectedDevice[] = []
  const asked: Uint8Array[] = []
  const warnings: string[] = []
  const answer = Promise.withResolvers<ConnectedDevice | undefined>()
  const log: Log = { ...silentLog, warning: (event) => void warnings.push(event) }
  const admit = (asking: Uint8Array): Promise<ConnectedDevice | undefined> => {
    asked.push(asking)
    return answer.promise
  }
  const gates = new DeviceGates({ limits, clock, log, devices: { admit, admitKey: admit } })
  near.attach(
    gates.enter({ link: near, connection: 1 }, proof, (connected) => {
      begun.push(connected)
      return session
    }),
  )
  const send = (text: string): void => {
    far.send(Buffer.from(text))
    far.flush()
  }
  return { gates, clock, near, far, client, session, begun, asked, warnings, answer, send }
}

describe('a connection with a device certificate', () => {
  test('is looked up by the key in the certificate, and its session gets what was sent meanwhile, in order', async () => {
    const { answer, asked, begun, session, client, near, send } = arrive()
    send('first ')
    await settle()
    send('second ')
    await settle()
    expect([asked, begun, session.bytesTotal]).toEqual([[hash], [], 0])
    answer.resolve(device)
    await settle()
    send('third')
    await settle()
    expect([begun, session.text]).toEqual([[device], 'first second third'])
    near.send(Buffer.from('hello'))
    near.flush()
    await settle()
    expect(client.text).toBe('hello')
  })

  test('is never looked up by a name: who has the same one in a certificate with another key is another device', async () => {
    const { subject } = new X509Certificate(certificate)
    const other = await makeCertificate({ commonName: subject.replace('CN=', ''), signedBy: { name: 'authority', key } })
    expect(other.certificate.subject).toBe(subject)
    const [one, two] = [arrive(), arrive({}, new Uint8Array(other.certificate.raw))]
    await settle()
    expect([one.asked.length, two.asked.length]).toEqual([1, 1])
    expect(two.asked).not.toEqual(one.asked)
  })

  test('is cut without a byte when the device may not come in', async () => {
    const { answer, begun, session, client, send } = arrive()
    send('data')
    answer.resolve(undefined)
    await settle()
    expect([client.ends, client.bytesTotal, begun, session.bytesTotal]).toEqual([['reset'], 0, [], 0])
  })

  test('is cut when it cannot be looked up, which is logged', async () => {
    const { answer, client, begun, warnings } = arrive()
    answer.reject(new SealwireError('unavailable', 'the store has failed'))
    await settle()
    expect([client.ends, begun, warnings]).toEqual([['reset'], [], ['device not looked up']])
  })

  test('is cut when its certificate cannot be read', async () => {
    const { client, asked } = arrive({}, Uint8Array.of(0x30, 0))
    await settle()
    expect([client.ends, asked]).toEqual([['reset'], []])
  })

  test('is cut when the answer takes too long, and an answer after that begins nothing', async () => {
    const { answer, clock, client, begun } = arrive({ loginMsMax: 500 })
    await clock.move(501)
    answer.resolve(device)
    await settle()
    expect([client.ends, begun, clock.timers]).toEqual([['reset'], [], 0])
  })

  test('is paused meanwhile, so that what it may send is bounded', async () => {
    const { far, answer, session } = arrive()
    for (let times = 0; times < 40; times++) far.send(new Uint8Array(16_384))
    far.flush()
    await settle()
    expect(far.keepsUp).toBe(false)
    answer.resolve(device)
    await session.until(() => session.bytesTotal === 655_360)
  })

  test('is cut when more comes meanwhile than is held, paused or not', async () => {
    const { gates, near, client, begun } = arrive({ heldBytesMax: 65_536 })
    const gate = gates.enter({ link: near, connection: 1 }, { certificate }, (connected) => {
      begun.push(connected)
      return new Recorder()
    })
    for (let times = 0; times < 4; times++) gate.received(new Uint8Array(16_384))
    expect(near.open).toBe(true)
    gate.received(new Uint8Array(1))
    await settle()
    expect([client.ends, begun]).toEqual([['reset'], []])
  })

  test('that hung up meanwhile begins no session', async () => {
    const { far, answer, begun, clock } = arrive()
    far.terminate()
    await settle()
    answer.resolve(device)
    await settle()
    expect([begun, clock.timers]).toEqual([[], 0])
  })

  test('tells its session when it is over', async () => {
    const { far, answer, session } = arrive()
    answer.resolve(device)
    await settle()
    far.terminate()
    await settle()
    expect(session.ends).toEqual(['reset'])
  })

  test('is cut when its device is revoked while it is looked up, and another one is not', async () => {
    const { gates, answer, client, begun } = arrive()
    gates.end(new Uint8Array(32))
    await settle()
    expect(client.ends).toEqual([])
    gates.end(hash)
    answer.resolve(device)
    await settle()
    expect([client.ends, begun]).toEqual([['reset'], []])
  })

  test('is looked up by its static key in the sealed channel', async () => {
    const staticKey = new Uint8Array(32).fill(7)
    const { answer, asked, begun, session, send } = arrive({}, undefined, { staticKey })
    send('hello')
    answer.resolve(device)
    await settle()
    expect([asked, begun, session.text]).toEqual([[staticKey], [device], 'hello'])
  })

  test('is cut when any device is revoked while a static key is looked up, because it may be that one', async () => {
    const { gates, answer, client, begun } = arrive({}, undefined, { staticKey: new Uint8Array(32) })
    gates.end(new Uint8Array(32))
    answer.resolve(device)
    await settle()
    expect([client.ends, begun]).toEqual([['reset'], []])
  })

  test('is cut when the server stops', async () => {
    const { gates, client } = arrive()
    gates.endAll()
    await settle()
    expect(client.ends).toEqual(['reset'])
  })
})
