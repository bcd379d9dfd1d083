import { describe, expect, test } from 'bun:test'
import { deviceId, makeEnrolment, newDeviceKeys, openEnrolment } from '../../src/pki/index.ts'
import type { Entry } from '../../src/protocol/contract/index.ts'
import type { ConnectedDevice } from '../../src/server/devices.ts'
import type { ContractPeer } from '../support/contract-peer.ts'
import { newFileId } from '../support/file-bytes.ts'
import { ServerStage, stageServerId } from '../support/server-stage.ts'

/** Somebody on a device, with an open inbox. */
async function reader(stage: ServerStage, name: string): Promise<ContractPeer> {
  const enrolment = makeEnrolment(newDeviceKeys(), stageServerId)
  const { spkiHash } = openEnrolment(enrolment, stageServerId)
  const device: ConnectedDevice = { id: deviceId(spkiHash), spkiHash }
  await (await stage.member(name)).ask('device.enrol', enrolment)
  const peer = await stage.guest({ device })
  await peer.ask('device.login', {})
  await peer.ask('inbox.open', {})
  return Object.assign(peer, { name })
}

/** What the next entry in an inbox says. */
async function heard(peer: ContractPeer): Promise<unknown> {
  const [, , data] = await peer.next(([kind, event]) => kind === 'event' && event === 'inbox.entry')
  return data
}

describe('what happens in a room', () => {
  test('reaches every open inbox at once, that of who is concerned too', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const bob = await reader(stage, 'bob')
    const { conversation } = await alice.ask('room.create', { id: newFileId(), title: 'Garden' })
    await bob.ask('room.join', { secret: (await alice.ask('room.link', { conversation })).secret })
    await alice.ask('room.update', { conversation, topic: 'what grows' })
    expect(await heard(bob)).toMatchObject({ entry: { conversation, kind: 'room', from: 'alice', topic: 'what grows' } })
    await alice.ask('room.role', { conversation, name: 'bob', role: 'moderator' })
    expect(await heard(bob)).toMatchObject({ entry: { kind: 'member', what: 'role', about: 'bob', role: 'moderator' } })
    await alice.ask('room.remove', { conversation, name: 'bob' })
    expect(await heard(bob)).toMatchObject({ entry: { kind: 'member', what: 'removed', about: 'bob' } })
  })

  test('says nothing of what was before, when that is changed, to who came later and is here', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const [bob, dave] = [await reader(stage, 'bob'), await reader(stage, 'dave')]
    const { conversation } = await alice.ask('room.create', { id: newFileId(), title: 'Garden', history: 'joined' })
    const { secret } = await alice.ask('room.link', { conversation })
    await bob.ask('room.join', { secret })
    const said = { conversation, type: 'text/plain', body: Buffer.from('before') }
    const { seq: target } = await alice.ask('message.send', { ...said, id: newFileId() })
    await dave.ask('room.join', { secret })
    await alice.ask('message.edit', { ...said, id: newFileId(), target })
    const edit = async (peer: ContractPeer) => {
      for (;;) {
        const { entry } = (await heard(peer)) as { readonly entry: Entry }
        if (entry.kind === 'edit') return { target: entry.target, body: entry.body && Buffer.from(entry.body).toString() }
      }
    }
    expect([await edit(bob), await edit(dave)]).toEqual([
      { target, body: 'before' },
      { target, body: undefined },
    ])
  })

  test('carries the device of who did it', async () => {
    using stage = new ServerStage()
    const bob = await reader(stage, 'bob')
    const { conversation } = await bob.ask('room.create', { id: newFileId(), title: 'Shed' })
    const { entries } = await bob.ask('message.history', { conversation })
    expect(entries).toMatchObject([{ kind: 'room', from: 'bob', device: expect.any(String) }])
  })
})
