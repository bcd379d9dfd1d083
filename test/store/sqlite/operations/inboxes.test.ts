import { describe, expect, test } from 'bun:test'
import { Stage } from './stage.ts'

describe('inbox', () => {
  test('an entry leaves when every device has it; delivered is what one of them has', () => {
    using stage = talking()
    const ids = ['1', '2', '3'].map((words) => stage.say(1n, 1n, words).seq)
    expect(ids).toEqual([1n, 2n, 3n])
    expect(acknowledge(stage, 'd2.1', 2n)).toEqual([{ conversationId: 1n, seq: 2n }])
    expect(stage.run('conversation.find', { accountId: 1n, id: 1n })?.peerDeliveredSeq).toBe(2n)
    expect(waiting(stage)).toEqual([1n, 2n, 3n])
    // The other device tells nothing new, but lets go.
    expect(acknowledge(stage, 'd2.2', 1n)).toEqual([])
    expect(waiting(stage)).toEqual([2n, 3n])
    expect(acknowledge(stage, 'd2.2', 3n)).toEqual([{ conversationId: 1n, seq: 3n }])
    expect(waiting(stage)).toEqual([3n])
    expect(acknowledge(stage, 'd2.1', 3n)).toEqual([])
    expect(waiting(stage)).toEqual([])
    stage.say(1n, 1n, '4')
    expect(waiting(stage)).toEqual([4n])
  })

  test('a number before what was acknowledged changes nothing, nor does an unknown device; one behind the end is refused', () => {
    using stage = talking()
    for (const words of ['1', '2', '3']) stage.say(1n, 1n, words)
    expect(stage.codeOf(() => acknowledge(stage, 'd2.1', 4n))).toBe('conflict')
    expect([stage.codeOf(() => open(stage, 'd2.1', 4n)), stage.codeOf(() => open(stage, 'new', 4n))]).toEqual(['conflict', 'conflict'])
    expect(acknowledge(stage, 'nobody', 1n)).toEqual([])
    acknowledge(stage, 'd2.1', 2n)
    expect(acknowledge(stage, 'd2.1', 1n)).toEqual([])
    expect(open(stage, 'd2.1')).toEqual({ lastSeq: 3n, ackedSeq: 2n, lostSeq: undefined })
  })

  test('much is acknowledged in steps, after which everything is as if it had been one', () => {
    const acks = [
      ['d2.1', 37n],
      ['d2.2', 12n],
      ['d2.1', 80n],
      ['d2.2', 81n],
      ['d2.1', 95n],
      ['late', 120n],
      ['d2.2', 120n],
      ['d2.1', 120n],
    ] as const
    const stateAfter = (inboxStepEntriesMax: number) => {
      using stage = talking({ inboxStepEntriesMax })
      for (let index = 0; index < 95; index++) stage.say(1n, 1n, 'x')
      const states: unknown[] = []
      let most = 0
      for (const [device, seq] of acks) {
        // A new device begins at the end, ahead of what any other has stored.
        if (device === 'late') {
          for (let index = 95; index < 110; index++) stage.say(1n, 1n, 'y')
          open(stage, device)
          for (let index = 110; index < 120; index++) stage.say(1n, 1n, 'z')
        }
        most = Math.max(most, acknowledgeAll(stage, device, seq))
        const { peerDeliveredSeq } = stage.run('conversation.find', { accountId: 1n, id: 1n }) ?? {}
        states.push([peerDeliveredSeq, open(stage, device)])
      }
      states.push(waiting(stage))
      return { states, most }
    }
    const [inSteps, atOnce] = [stateAfter(7), stateAfter(1_000)]
    expect(inSteps.states).toEqual(atOnce.states)
    expect([inSteps.most > 3, atOnce.most]).toEqual([true, 1])
  })

  test('what a device that is gone kept waiting leaves in steps', () => {
    using stage = talking({ inboxStepEntriesMax: 10 })
    stage.run('device.enrol', { spkiHash: new Uint8Array(32), id: 'd2.2', accountId: 2n, label: '', at: 1n, expiresAt: 9n })
    for (let index = 0; index < 25; index++) stage.say(1n, 1n, 'x')
    acknowledgeAll(stage, 'd2.1', 24n)
    expect(waiting(stage)).toHaveLength(25)
    stage.run('device.revoke', { id: 'd2.2', at: 1n })
    expect(waiting(stage)).toHaveLength(15)
    acknowledgeAll(stage, 'd2.1', 25n)
    stage.say(1n, 1n, 'y')
    acknowledgeAll(stage, 'd2.1', 26n)
    expect(waiting(stage)).toEqual([])
  })

  test('one acknowledgement covers many conversations', () => {
    using stage = new Stage(4)
    stage.befriend([1n, 2n], [2n, 3n], [2n, 4n])
    for (const [accountId, id] of [
      [1n, 1n],
      [3n, 2n],
      [4n, 3n],
      [1n, 1n],
    ] as const)
      stage.say(accountId, id, 'x')
    expect(acknowledge(stage, 'd2.1', 4n)).toEqual([
      { conversationId: 1n, seq: 2n },
      { conversationId: 2n, seq: 1n },
      { conversationId: 3n, seq: 1n },
    ])
  })

  test('a new device begins at the end, the first one of an account with all that waits, either where it says', () => {
    using stage = new Stage(2, {}, { devices: 0 })
    stage.befriend([1n, 2n])
    for (const words of ['1', '2', '3']) stage.say(1n, 1n, words)
    expect(open(stage, 'first')).toEqual({ lastSeq: 3n, ackedSeq: 0n, lostSeq: undefined })
    expect(open(stage, 'second')).toEqual({ lastSeq: 3n, ackedSeq: 3n, lostSeq: undefined })
    expect(open(stage, 'first', 2n)).toEqual({ lastSeq: 3n, ackedSeq: 2n, lostSeq: undefined })
    expect(open(stage, 'first', 1n)).toEqual({ lastSeq: 3n, ackedSeq: 2n, lostSeq: undefined })
    expect(waiting(stage)).toEqual([3n])
  })

  test('what waits for no device any more leaves with the device that is revoked', () => {
    using stage = talking()
    const spkiHash = new Uint8Array(32)
    stage.run('device.enrol', { spkiHash, id: 'd2.2', accountId: 2n, label: '', at: 1n, expiresAt: 9n })
    for (const words of ['1', '2']) stage.say(1n, 1n, words)
    acknowledge(stage, 'd2.1', 2n)
    expect(waiting(stage)).toEqual([1n, 2n])
    stage.run('device.revoke', { id: 'd2.2', at: 1n })
    expect(waiting(stage)).toEqual([])
  })

  test('pages by number and by bytes', () => {
    using stage = talking()
    for (let index = 0; index < 5; index++) stage.say(1n, 1n, 'x'.repeat(100))
    const page = (after: bigint, max: bigint, bytesMax: bigint) => {
      const { entries, lastSeq } = stage.run('inbox.read', { accountId: 2n, after, max, bytesMax })
      return [entries.map(({ inboxSeq }) => Number(inboxSeq)), Number(lastSeq)]
    }
    expect(page(0n, 2n, 10_000n)).toEqual([[1, 2], 5])
    expect(page(1n, 9n, 250n)).toEqual([[2, 3], 5])
    expect(page(1n, 9n, 1n)).toEqual([[2], 5])
    expect(page(5n, 9n, 9n)).toEqual([[], 5])
  })

  test('what has waited too long leaves, and devices that lacked it are told so until they have gone on', () => {
    using stage = talking()
    for (const words of ['1', '2', '3', '4']) {
      stage.at += 1_000n
      stage.say(1n, 1n, words)
    }
    acknowledge(stage, 'd2.1', 3n)
    for (const device of ['d1.1', 'd1.2']) stage.run('inbox.ack', { accountId: 1n, device, seq: 4n, at: 1n })
    expect(stage.run('inbox.expire', { before: 3_500n, max: 1n })).toBe(1n)
    expect(stage.run('inbox.expire', { before: 3_500n, max: 9n })).toBe(1n)
    expect(stage.run('inbox.expire', { before: 3_500n, max: 9n })).toBe(0n)
    expect(waiting(stage)).toEqual([3n, 4n])
    expect(open(stage, 'd2.1').lostSeq).toBeUndefined()
    expect(open(stage, 'd2.2')).toEqual({ lastSeq: 4n, ackedSeq: 0n, lostSeq: 2n })
    expect(open(stage, 'd2.2')).toEqual({ lastSeq: 4n, ackedSeq: 0n, lostSeq: 2n })
    expect(open(stage, 'd2.2', 2n)).toEqual({ lastSeq: 4n, ackedSeq: 2n, lostSeq: undefined })
  })

  test('what has left counts against no quota', () => {
    using stage = talking({ inboxEntriesPerSenderMax: 2 })
    for (const words of ['1', '2']) stage.say(1n, 1n, words)
    expect(stage.codeOf(() => stage.say(1n, 1n, '3'))).toBe('quota_exceeded')
    stage.run('inbox.expire', { before: 9_999n, max: 9n })
    expect(stage.codeOf(() => stage.say(1n, 1n, '3'))).toBeUndefined()
  })

  test('a device that was away while another one stored holds at most inboxEntriesMax', () => {
    using stage = talking({ inboxEntriesMax: 10 })
    for (let index = 1n; index <= 25n; index++) {
      stage.say(1n, 1n, 'x')
      acknowledge(stage, 'd2.1', index)
    }
    expect(waiting(stage)).toHaveLength(10)
    expect(open(stage, 'd2.2')).toEqual({ lastSeq: 25n, ackedSeq: 0n, lostSeq: 15n })
    expect(open(stage, 'd2.1')).toEqual({ lastSeq: 25n, ackedSeq: 25n, lostSeq: undefined })
  })

  test('to whom the account blocks it shows nothing of what it stores and reads since', () => {
    using stage = talking()
    for (const words of ['1', '2', '3']) stage.say(1n, 1n, words)
    acknowledge(stage, 'd2.1', 1n)
    stage.run('mark.read', { accountId: 2n, conversationId: 1n, seq: 2n })
    stage.run('block.add', { accountId: 2n, blockedId: 1n, at: 1n })
    const shown = () => {
      const { peerReadSeq, peerDeliveredSeq } = stage.run('conversation.find', { accountId: 1n, id: 1n }) ?? {}
      return { peerReadSeq, peerDeliveredSeq }
    }
    expect(shown()).toEqual({ peerReadSeq: 2n, peerDeliveredSeq: 2n })
    expect(acknowledge(stage, 'd2.1', 3n)).toEqual([])
    expect(stage.run('mark.read', { accountId: 2n, conversationId: 1n, seq: 3n, settles: true })?.readSeq).toBe(3n)
    expect(shown()).toEqual({ peerReadSeq: 2n, peerDeliveredSeq: 2n })
    expect(stage.run('conversation.find', { accountId: 2n, id: 1n })?.readSeq).toBe(3n)
    stage.run('block.remove', { accountId: 2n, blockedId: 1n })
    stage.say(1n, 1n, '4')
    acknowledge(stage, 'd2.1', 4n)
    expect(shown()).toEqual({ peerReadSeq: 3n, peerDeliveredSeq: 4n })
  })
})

/** Two accounts in the direct conversation 1. */
function talking(limits: ConstructorParameters<typeof Stage>[1] = {}): Stage {
  const stage = new Stage(2, limits)
  stage.befriend([1n, 2n])
  return stage
}

function acknowledge(stage: Stage, device: string, seq: bigint) {
  return stage.run('inbox.ack', { accountId: 2n, device, seq, at: 1n }).delivered
}

/** As the server does: as many steps as it takes. Answers how many. */
function acknowledgeAll(stage: Stage, device: string, seq: bigint): number {
  for (let steps = 1; ; steps++) if (!stage.run('inbox.ack', { accountId: 2n, device, seq, at: 1n }).more) return steps
}

function open(stage: Stage, device: string, after?: bigint) {
  return stage.run('inbox.open', { accountId: 2n, device, after, at: 1n })
}

function waiting(stage: Stage): readonly bigint[] {
  return stage.run('inbox.read', { accountId: 2n, after: 0n, max: 100n, bytesMax: 100_000n }).entries.map(({ inboxSeq }) => inboxSeq)
}
