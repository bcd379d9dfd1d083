import { describe, expect, test } from 'bun:test'
import { createPublicKey } from 'node:crypto'
import {
  deviceId,
  ed25519KeyHash,
  makeEnrolment,
  makeKeyStatement,
  makeLoginProof,
  newDeviceKeys,
  openEnrolment,
  spkiHash,
} from '../../../src/pki/index.ts'
import { signCose } from '../../../src/pki/cose-sign1.ts'
import { encodeCbor } from '../../../src/protocol/contract/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { fakeIssue, password, ServerStage, stageServerId } from '../../support/server-stage.ts'

/** The keys of a browser that belongs to nobody yet. */
function blank() {
  const keys = newDeviceKeys()
  const raw = createPublicKey(keys.ed25519).export({ type: 'spki', format: 'der' })
  return { keys, statement: makeKeyStatement(keys, stageServerId), id: deviceId(spkiHash(raw)) }
}

/** An account of this name with a device without a certificate, and the session that has enrolled it. */
async function enrolled(stage: ServerStage, name: string) {
  const device = blank()
  const peer = await stage.member(name)
  await peer.ask('device.enrolKey', { statement: device.statement, label: `of ${name}` })
  return { ...device, peer }
}

/** Another last byte. */
function damaged(bytes: Uint8Array): Uint8Array {
  return bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1)
}

type Keys = ReturnType<typeof newDeviceKeys>

async function proofFor(peer: ContractPeer, keys: Keys): Promise<{ proof: Uint8Array }> {
  const { nonce } = await peer.ask('device.challenge', {})
  return { proof: makeLoginProof({ serverId: stageServerId, nonce }, keys.ed25519) }
}

async function comeBack(stage: ServerStage, keys: Keys, options = {}): Promise<ContractPeer> {
  const peer = await stage.guest(options)
  await peer.ask('device.prove', await proofFor(peer, keys))
  return peer
}

describe('device.link and account.link', () => {
  test('let another installation in, which becomes a device of the same account', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const { secret, expiresAt } = await alice.ask('device.link', {})
    expect([secret.length, expiresAt]).toEqual([16, stage.clock.now() + stage.limits.deviceLinkMs])
    const other = await stage.guest()
    const { name, token } = await other.ask('account.link', { secret })
    expect(name).toBe('alice')
    const device = blank()
    expect(await other.ask('device.enrolKey', { statement: device.statement })).toEqual({ device: device.id })
    expect(await (await stage.guest()).ask('account.resume', { token })).toEqual({ name: 'alice' })
    await comeBack(stage, device.keys)
    expect(await (await stage.guest()).refusal('account.resume', { token })).toBe('login_refused')
  })

  test('are good once, until they expire, and until there is a newer one', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const first = await alice.ask('device.link', {})
    const second = await alice.ask('device.link', {})
    const guest = await stage.guest()
    expect(await guest.refusal('account.link', { secret: first.secret })).toBe('invitation_invalid')
    expect(await guest.refusal('account.link', { secret: second.secret })).toBeUndefined()
    expect(await (await stage.guest()).refusal('account.link', { secret: second.secret })).toBe('invitation_invalid')
    const third = await alice.ask('device.link', {})
    await stage.clock.move(stage.limits.deviceLinkMs)
    expect(await (await stage.guest()).refusal('account.link', { secret: third.secret })).toBe('invitation_expired')
  })

  test('do not let anybody into a banned account, and know no other secret', async () => {
    using stage = new ServerStage()
    const { secret } = await (await stage.member('alice')).ask('device.link', {})
    stage.store('account.ban', { key: 'alice', at: 1n })
    const guest = await stage.guest()
    expect(await guest.refusal('account.link', { secret })).toBe('invitation_invalid')
    expect(await guest.refusal('account.link', { secret: new Uint8Array(16) })).toBe('invitation_invalid')
    expect(await guest.refusal('session.ping', {})).toBeUndefined()
  })
})

describe('a link for another device', () => {
  test('goes with every device that is revoked, and with the password', async () => {
    using stage = new ServerStage()
    const { keys, id } = await enrolled(stage, 'alice')
    const stolen = await comeBack(stage, keys)
    const { secret } = await stolen.ask('device.link', {})
    const owner = await stage.guest()
    await owner.ask('account.login', { name: 'alice', password })
    await owner.ask('device.revoke', { device: id })
    expect(await (await stage.guest()).refusal('account.link', { secret })).toBe('invitation_invalid')
    const thief = await stage.guest()
    await thief.ask('account.login', { name: 'alice', password })
    const { secret: last } = await thief.ask('device.link', {})
    await owner.ask('account.password', { current: password, next: `${password} and more` })
    expect(await (await stage.guest()).refusal('account.link', { secret: last })).toBe('invitation_invalid')
  })
})

describe('device.enrolKey', () => {
  test('again with the same keys changes the label, for the device itself too, and for no other one', async () => {
    using stage = new ServerStage()
    const { keys, id, statement, peer } = await enrolled(stage, 'alice')
    const back = await comeBack(stage, keys)
    expect(await back.ask('device.enrolKey', { statement, label: 'renewed' })).toEqual({ device: id })
    expect((await back.ask('device.list', {})).devices).toMatchObject([{ device: id, label: 'renewed', here: true }])
    for (const session of [peer, back]) {
      expect(await session.refusal('device.enrolKey', { statement: blank().statement })).toBe('enrolment_invalid')
    }
  })

  test("refuses somebody else's keys, other servers, other hashes, small-order keys, and what is no statement", async () => {
    using stage = new ServerStage()
    const { keys, statement } = await enrolled(stage, 'alice')
    const bob = await stage.member('bob')
    const smallOrder = new Uint8Array(32)
    const forged = encodeCbor([
      Buffer.concat([Buffer.from('a20127045820', 'hex'), smallOrder]),
      {},
      encodeCbor([stageServerId, ed25519KeyHash(smallOrder), smallOrder, smallOrder]),
      new Uint8Array(64),
    ])
    const statements = [
      statement,
      makeKeyStatement(newDeviceKeys(), new Uint8Array(16)),
      makeEnrolment(newDeviceKeys(), stageServerId).statement,
      signCose(encodeCbor([stageServerId, new Uint8Array(32)]), 'sealwire/enrol/1', keys.ed25519),
      forged,
      new Uint8Array(512),
    ]
    for (const each of statements) expect(await bob.refusal('device.enrolKey', { statement: each })).toBe('enrolment_invalid')
  })
})

describe('device.prove', () => {
  test('makes the session one of the device, whose revocation ends it', async () => {
    using stage = new ServerStage()
    const { keys, id } = await enrolled(stage, 'alice')
    const back = await stage.guest()
    expect(await back.ask('device.prove', await proofFor(back, keys))).toEqual({ name: 'alice', device: id })
    const { devices } = await back.ask('device.list', {})
    expect(devices).toMatchObject([{ device: id, here: true, usedAt: stage.clock.now() }])
    const revoked = stage.store('device.revoke', { id, at: 1n })
    if (revoked !== undefined) stage.context.endDevice(revoked, new SealwireError('session_ended', 'revoked'))
    expect(await back.next()).toMatchObject(['fault', null, 'session_ended', 'revoked'])
    const again = await stage.guest()
    expect(await again.refusal('device.prove', await proofFor(again, keys))).toBe('login_refused')
  })

  test('takes the Ed25519 key of a device with a certificate too, until that expires', async () => {
    using stage = new ServerStage({}, { issue: async (spki) => ({ ...(await fakeIssue(spki)), notAfter: 1_060_000 }) })
    const keys = newDeviceKeys()
    const enrolment = makeEnrolment(keys, stageServerId)
    await (await stage.member('alice')).ask('device.enrol', enrolment)
    const id = deviceId(openEnrolment(enrolment, stageServerId).spkiHash)
    const back = await stage.guest()
    expect(await back.ask('device.prove', await proofFor(back, keys))).toEqual({ name: 'alice', device: id })
    await stage.clock.move(60_000)
    const late = await stage.guest()
    expect(await late.refusal('device.prove', await proofFor(late, keys))).toBe('login_refused')
  })

  test('wants a nonce of this connection, once, within its time', async () => {
    using stage = new ServerStage({ loginMsMax: 600_000 })
    const { keys } = await enrolled(stage, 'alice')
    const [one, other] = [await stage.guest(), await stage.guest()]
    const good = await proofFor(one, keys)
    expect(await other.refusal('device.prove', good)).toBe('login_refused')
    await other.ask('device.challenge', {})
    expect(await other.refusal('device.prove', good)).toBe('login_refused')
    // A refused proof has used its nonce up.
    const spent = await proofFor(other, keys)
    expect(await other.refusal('device.prove', { proof: new Uint8Array(10) })).toBe('login_refused')
    expect(await other.refusal('device.prove', spent)).toBe('login_refused')
    const late = await proofFor(other, keys)
    await stage.clock.move(stage.limits.deviceChallengeMsMax + 1)
    expect(await other.refusal('device.prove', late)).toBe('login_refused')
    expect(await other.refusal('device.prove', await proofFor(other, keys))).toBeUndefined()
  })

  test('refuses another server, another purpose, other fields, another signature, and unknown keys', async () => {
    using stage = new ServerStage({ loginMsMax: 600_000 })
    const { keys } = await enrolled(stage, 'alice')
    const peer = await stage.guest()
    const proofs = [
      (nonce: Uint8Array) => makeLoginProof({ serverId: new Uint8Array(16), nonce }, keys.ed25519),
      (nonce: Uint8Array) => signCose(encodeCbor([stageServerId, nonce]), 'sealwire/enrol/1', keys.ed25519),
      (nonce: Uint8Array) => signCose(encodeCbor([stageServerId, nonce, 1]), 'sealwire/login/1', keys.ed25519),
      (nonce: Uint8Array) => signCose(nonce, 'sealwire/login/1', keys.ed25519),
      (nonce: Uint8Array) => damaged(makeLoginProof({ serverId: stageServerId, nonce }, keys.ed25519)),
      (nonce: Uint8Array) => makeLoginProof({ serverId: stageServerId, nonce }, newDeviceKeys().ed25519),
    ]
    const sentences = new Set<unknown>()
    for (const make of proofs) {
      const { nonce } = await peer.ask('device.challenge', {})
      const id = peer.send('device.prove', { proof: make(nonce) })
      const [kind, answered, code, sentence] = await peer.next()
      expect([kind, answered, code]).toEqual(['fault', id, 'login_refused'])
      sentences.add(sentence)
    }
    expect(sentences.size).toBe(1)
  })

  test('is refused to a banned account, and when the account is banned while it is under way', async () => {
    using stage = new ServerStage()
    const { keys } = await enrolled(stage, 'alice')
    const peer = await stage.guest()
    stage.store('account.ban', { key: 'alice', at: 1n })
    expect(await peer.refusal('device.prove', await proofFor(peer, keys))).toBe('account_banned')
    stage.store('account.unban', { key: 'alice' })
    stage.before.set('device.use', async () => {
      stage.store('account.ban', { key: 'alice', at: 1n })
      stage.context.endSessions('alice', new SealwireError('session_ended', 'banned'))
    })
    expect(await peer.refusal('device.prove', await proofFor(peer, keys))).toBe('account_banned')
  })

  test('finds a connection whose device is revoked in the very moment of its login', async () => {
    using stage = new ServerStage()
    const { keys, id } = await enrolled(stage, 'alice')
    const peer = await stage.guest()
    const proof = await proofFor(peer, keys)
    stage.context.endSessions('alice', new SealwireError('session_ended', 'nobody of the account is here'))
    // Between the answer of the store and the first place among the sessions.
    let revoked = false
    stage.before.set('people.relations', async () => {
      if (revoked) return
      revoked = true
      const owner = stage.store('device.revoke', { id, at: 1n })
      if (owner !== undefined) stage.context.endDevice(owner, new SealwireError('session_ended', 'revoked'))
    })
    peer.send('device.prove', proof)
    expect(await peer.next(([kind]) => kind !== 'event')).toMatchObject(['fault', null, 'session_ended', 'revoked'])
    expect(revoked).toBe(true)
  })

  test('does not let a device pass for another one on its connection', async () => {
    using stage = new ServerStage()
    const { keys } = await enrolled(stage, 'alice')
    const bob = await enrolled(stage, 'bob')
    const raw = createPublicKey(bob.keys.ed25519).export({ type: 'spki', format: 'der' })
    const peer = await stage.guest({ device: { id: bob.id, spkiHash: spkiHash(raw) } })
    expect(await peer.refusal('device.prove', await proofFor(peer, keys))).toBe('login_refused')
    expect(await peer.refusal('device.prove', await proofFor(peer, bob.keys))).toBeUndefined()
  })

  test('keeps a device alive that comes now and then, and lets one expire that does not', async () => {
    using stage = new ServerStage({ deviceKeyMs: 600_000 })
    const { keys, id } = await enrolled(stage, 'alice')
    for (let visit = 0; visit < 3; visit++) {
      await stage.clock.move(400_000)
      const back = await comeBack(stage, keys)
      const { devices } = await back.ask('device.list', {})
      expect(devices).toMatchObject([{ device: id, label: 'of alice', expiresAt: stage.clock.now() + 600_000 }])
    }
    await stage.clock.move(600_000)
    const late = await stage.guest()
    expect(await late.refusal('device.prove', await proofFor(late, keys))).toBe('login_refused')
  })
})

describe('where device certificates are required', () => {
  const web = { joinOnly: true, mayProve: true }

  test('a browser joins, and becomes whole by its proof alone', async () => {
    using stage = new ServerStage({}, { mutualTls: 'required' })
    const browser = await stage.guest(web)
    await browser.ask('account.register', { name: 'alice', password })
    expect(await browser.refusal('directory.who', {})).toBe('joining_only')
    const { keys, statement } = blank()
    await browser.ask('device.enrolKey', { statement })
    expect(await browser.refusal('directory.who', {})).toBe('joining_only')
    const back = await comeBack(stage, keys, web)
    expect(await back.refusal('directory.who', {})).toBeUndefined()
    await stage.clock.move(stage.limits.joinMsMax + 1)
    for (const session of stage.sessions) session.sweep(stage.clock.monotonic())
    expect(await back.refusal('session.ping', {})).toBeUndefined()
  })

  test('a proof that comes to nothing leaves a connection for joining only', async () => {
    using stage = new ServerStage({ sessionsPerAccountMax: 1 }, { mutualTls: 'required' })
    const { keys, peer } = await enrolled(stage, 'alice')
    expect(await peer.refusal('session.ping', {})).toBeUndefined()
    const browser = await stage.guest(web)
    expect(await browser.refusal('device.prove', await proofFor(browser, keys))).toBe('busy')
    await browser.ask('account.register', { name: 'mallory', password })
    expect(await browser.refusal('directory.who', {})).toBe('joining_only')
  })

  test('a proof is refused at the address for joining', async () => {
    using stage = new ServerStage({}, { mutualTls: 'required' })
    const peer = await stage.guest({ joinOnly: true })
    expect(await peer.refusal('device.challenge', {})).toBe('joining_only')
    expect(await peer.refusal('device.prove', { proof: new Uint8Array(1) })).toBe('joining_only')
  })
})
