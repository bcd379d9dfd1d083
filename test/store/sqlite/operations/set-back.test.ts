import { describe, expect, test } from 'bun:test'
import { newAccount } from '../../../compliance/store-subject.ts'
import { Stage } from './stage.ts'

const life = 2n ** 32n
const next = { lives: 1n, skipped: 1_000_000n }

describe('server.setBack', () => {
  test('what waits in an inbox waits behind every place that was given away since, and a device that names one is told', () => {
    using stage = talking()
    for (const words of ['1', '2', '3']) stage.say(1n, 1n, words)
    stage.run('inbox.ack', { accountId: 2n, device: 'd2.1', seq: 2n, at: 1n })
    stage.run('server.setBack', next)
    expect(places(stage)).toEqual([1n, 2n, 3n].map((seq) => life + seq))
    // It had stored more before the server was set back, and more than there is: both say so.
    for (const after of [3n, 1_000n, life + 4n]) expect(stage.codeOf(() => open(stage, 'd2.1', after))).toBe('conflict')
    expect(open(stage, 'd2.1')).toEqual({ lastSeq: life + 3n, ackedSeq: life + 2n, lostSeq: undefined })
    expect(open(stage, 'd2.1', life + 2n)).toMatchObject({ ackedSeq: life + 2n })
    // Late acknowledgements of the time before change nothing.
    expect(stage.run('inbox.ack', { accountId: 2n, device: 'd2.1', seq: 3n, at: 1n })).toEqual({ delivered: [], more: false })
    stage.say(1n, 1n, '4')
    expect(places(stage).at(-1)).toBe(life + 4n)
    stage.run('inbox.ack', { accountId: 2n, device: 'd2.1', seq: life + 4n, at: 1n })
    stage.run('inbox.ack', { accountId: 2n, device: 'd2.2', seq: life + 4n, at: 1n })
    expect(places(stage)).toEqual([])
  })

  test('an inbox that was empty begins a new life too, and each time is another one', () => {
    using stage = talking()
    stage.run('server.setBack', next)
    stage.run('server.setBack', next)
    stage.say(1n, 1n, '1')
    expect(places(stage)).toEqual([2n * life + 1n])
    for (const after of [1n, life, life + 7n]) expect(stage.codeOf(() => open(stage, 'd2.1', after))).toBe('conflict')
    expect(open(stage, 'd2.1')).toEqual({ lastSeq: 2n * life + 1n, ackedSeq: 2n * life, lostSeq: undefined })
  })

  test('numbers of accounts and conversations are not given away again', () => {
    using stage = talking()
    stage.run('server.setBack', next)
    expect(stage.run('account.create', newAccount('late')).id).toBe(1_000_003n)
    expect(stage.room(1n)).toBe(1_000_002n)
    using empty = new Stage(0)
    empty.run('server.setBack', next)
    expect(empty.run('account.create', newAccount('first')).id).toBe(1_000_001n)
  })
})

/** Two accounts in the direct conversation 1. */
function talking(): Stage {
  const stage = new Stage(2)
  stage.befriend([1n, 2n])
  return stage
}

function open(stage: Stage, device: string, after?: bigint) {
  return stage.run('inbox.open', { accountId: 2n, device, after, at: 1n })
}

function places(stage: Stage): readonly bigint[] {
  return stage.run('inbox.read', { accountId: 2n, after: 0n, max: 100n, bytesMax: 100_000n }).entries.map(({ inboxSeq }) => inboxSeq)
}
