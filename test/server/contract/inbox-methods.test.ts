import { expect, test } from 'bun:test'
import { SealwireError } from '../../../src/protocol/index.ts'
import { ServerStage } from '../../support/server-stage.ts'
import { here, introduce, messageId, nextEntry, talker, words } from '../../support/talkers.ts'

test('an inbox is opened also where there is no room to acknowledge all that the device has', async () => {
  using stage = new ServerStage({ inboxStepEntriesMax: 1 })
  const bob = talker(stage, 'bob')
  const [alice, first] = [await here(stage, talker(stage, 'alice')), await here(stage, bob)]
  const conversation = await introduce(alice, first)
  for (let count = 0; count < 3; count++) await alice.ask('message.send', { conversation, id: messageId(), body: words('hello') })
  const { lastSeq, ackedSeq } = await first.ask('inbox.open', {})
  stage.before.set('inbox.ack', () => Promise.reject(new SealwireError('storage_full', 'there is no room to store it')))
  const again = await here(stage, bob)
  const place = lastSeq - 1
  expect(await again.ask('inbox.open', { after: place })).toEqual({ ackedSeq: place, lastSeq })
  expect([ackedSeq, (await nextEntry(again)).seq]).toEqual([0, lastSeq])
})
