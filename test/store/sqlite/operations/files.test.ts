import { describe, expect, test } from 'bun:test'
import { hashOf } from '../../../compliance/store-subject.ts'
import { Stage } from './stage.ts'

const [alice, bob, carol] = [1n, 2n, 3n]

/** What announces a file of alice in the conversation 1. */
function announced(stage: Stage, other: { conversationId?: bigint; size?: bigint } = {}) {
  return { ...stage.act(alice), conversationId: 1n, name: 'n', size: 10n, sha256: hashOf('content'), ...other }
}

describe('file.begin', () => {
  test('answers what is known when it is announced again, and refuses another file under its id', () => {
    using stage = new Stage(2)
    stage.befriend([alice, bob])
    const file = announced(stage)
    const known = stage.run('file.begin', file)
    expect(known).toMatchObject({ ownerId: alice, conversationId: 1n, name: 'n', size: 10n, whole: false, sent: false })
    stage.run('file.whole', file)
    expect(stage.run('file.begin', { ...file, at: 9_999n })).toEqual({ ...known, whole: true })
    for (const other of [{ size: 11n }, { name: 'm' }, { sha256: hashOf('x') }, { accountId: bob }]) {
      expect(stage.codeOf(() => stage.run('file.begin', { ...file, ...other }))).toBe('conflict')
    }
  })

  test('is for who may speak there', () => {
    using stage = new Stage(3)
    const { conversationId } = stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    const room = stage.room(bob, { announcement: true })
    stage.admit(room, bob, alice)
    const begin = (id: bigint) => stage.codeOf(() => stage.run('file.begin', announced(stage, { conversationId: id })))
    expect([begin(conversationId), begin(room), begin(99n)]).toEqual(['not_contact', 'not_permitted', 'not_found'])
  })

  test('counts number and bytes of an account', () => {
    using stage = new Stage(2, { filesPerAccountMax: 2, fileBytesPerAccountMax: 30 })
    stage.befriend([alice, bob])
    const begin = (size: bigint) => {
      const file = announced(stage, { size })
      return [stage.codeOf(() => stage.run('file.begin', file)), file] as const
    }
    expect([begin(31n)[0], begin(20n)[0], begin(11n)[0]]).toEqual(['quota_exceeded', undefined, 'quota_exceeded'])
    const [, last] = begin(10n)
    expect(begin(0n)[0]).toBe('quota_exceeded')
    expect([stage.run('file.abandon', last), stage.run('file.abandon', last)]).toEqual([true, false])
    expect(begin(0n)[0]).toBeUndefined()
  })
})

describe('file.find', () => {
  test('finds it for its owner, and for others once a message that they see has it', () => {
    using stage = new Stage(3)
    const room = stage.room(alice)
    stage.admit(room, alice, bob)
    const file = announced(stage, { conversationId: room })
    stage.run('file.begin', file)
    stage.run('file.whole', file)
    const finders = () => [alice, bob, carol].filter((accountId) => stage.run('file.find', { accountId, id: file.id }) !== undefined)
    expect(finders()).toEqual([alice])
    const { seq } = stage.say(alice, room, 'look', { file: file.id })
    stage.admit(room, alice, carol)
    expect(finders()).toEqual([alice, bob])
    expect(stage.run('file.abandon', file)).toBe(false)
    const deleted = stage.run('entry.post', { ...stage.act(alice), conversationId: room, kind: 'delete', target: seq })
    expect([deleted.files, finders()]).toEqual([[file.id], []])
  })

  test('does not find what somebody sends whom the account blocks', () => {
    using stage = new Stage(2)
    stage.befriend([alice, bob])
    stage.run('block.add', { accountId: bob, blockedId: alice, at: 1n })
    const file = announced(stage)
    stage.run('file.begin', file)
    stage.run('file.whole', file)
    stage.say(alice, 1n, 'look', { file: file.id })
    expect(stage.run('file.find', { accountId: bob, id: file.id })).toBeUndefined()
  })
})

test('file.whole is for the owner of a file that is known', () => {
  using stage = new Stage(2)
  stage.befriend([alice, bob])
  const file = announced(stage)
  expect(stage.codeOf(() => stage.run('file.whole', file))).toBe('not_found')
  stage.run('file.begin', file)
  expect(stage.codeOf(() => stage.run('file.whole', { accountId: bob, id: file.id }))).toBe('not_found')
})

test('file.expire forgets what was never sent, the oldest first, and file.known knows the others', () => {
  using stage = new Stage(2)
  stage.befriend([alice, bob])
  const files = [1, 2, 3, 4].map(() => {
    stage.at++
    const file = announced(stage)
    stage.run('file.begin', file)
    stage.run('file.whole', file)
    return file
  })
  const ids = files.map(({ id }) => id)
  stage.say(alice, 1n, 'look', { file: ids[0] })
  const expire = () => stage.run('file.expire', { before: files[3]?.at ?? 0n, max: 1n })
  expect([expire(), expire(), expire()]).toEqual([[ids[1]], [ids[2]], []] as never)
  expect(stage.run('file.known', { ids })).toEqual([ids[0], ids[3]] as never)
})
