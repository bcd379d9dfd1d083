import { describe, expect, test } from 'bun:test'
import { limitTable } from '../../../../src/protocol/limits.ts'
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

  test.each([1, 10, 1_000])(
    'what waited for the only device that had a place waits for nobody when that is revoked: steps of %d',
    (step) => {
      using stage = new Stage(2, { inboxEntriesPerSenderMax: 25, inboxStepEntriesMax: step }, { devices: 0 })
      stage.befriend([1n, 2n])
      stage.run('device.enrol', { spkiHash: new Uint8Array(32), id: 'lost', accountId: 2n, label: '', at: 1n, expiresAt: 9n })
      open(stage, 'lost')
      for (let index = 0; index < 25; index++) stage.say(1n, 1n, 'x')
      expect(stage.codeOf(() => stage.say(1n, 1n, 'x'))).toBe('quota_exceeded')
      expect(open(stage, 'new').ackedSeq).toBe(25n)
      stage.run('device.revoke', { id: 'lost', at: 1n })
      for (let seq = 26n; seq < 56n; seq++) {
        expect(stage.codeOf(() => stage.say(1n, 1n, 'y'))).toBeUndefined()
        acknowledgeAll(stage, 'new', seq)
      }
      expect(waiting(stage)).toEqual([])
      // Nothing is left that would count against who speaks.
      for (let index = 0; index < 25; index++) stage.say(1n, 1n, 'z')
      expect(stage.codeOf(() => stage.say(1n, 1n, 'z'))).toBe('quota_exceeded')
    },
  )

  test('a device that was revoked gets no place any more, nor does a token that is gone', () => {
    using stage = talking()
    stage.run('device.enrol', { spkiHash: new Uint8Array(32), id: 'd2.3', accountId: 2n, label: '', at: 1n, expiresAt: 9n })
    expect(stage.codeOf(() => open(stage, 'd2.3'))).toBeUndefined()
    stage.run('device.revoke', { id: 'd2.3', at: 1n })
    expect(stage.codeOf(() => open(stage, 'd2.3'))).toBe('device_required')
    const hash = new Uint8Array(32).fill(7)
    const installation = `t-${'07'.repeat(10)}`
    expect(stage.codeOf(() => open(stage, installation))).toBe('device_required')
    stage.run('token.create', { hash, accountId: 2n, at: 1n })
    expect([stage.codeOf(() => open(stage, installation)), open(stage, installation).ackedSeq]).toEqual([undefined, 0n])
    stage.run('token.delete', { hash })
    expect(stage.codeOf(() => open(stage, installation))).toBe('device_required')
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
    // The inbox of the author has been emptied since.
    for (const entries of [0n, 1n, 1n]) expect(stage.run('inbox.expire', { before: 3_500n, max: 1n })).toEqual({ entries, more: true })
    expect(stage.run('inbox.expire', { before: 3_500n, max: 9n })).toEqual({ entries: 0n, more: false })
    expect(waiting(stage)).toEqual([3n, 4n])
    expect(open(stage, 'd2.1').lostSeq).toBeUndefined()
    expect(open(stage, 'd2.2')).toEqual({ lastSeq: 4n, ackedSeq: 0n, lostSeq: 2n })
    expect(open(stage, 'd2.2')).toEqual({ lastSeq: 4n, ackedSeq: 0n, lostSeq: 2n })
    expect(open(stage, 'd2.2', 2n)).toEqual({ lastSeq: 4n, ackedSeq: 2n, lostSeq: undefined })
  })

  test('an inbox of which everything was acknowledged is looked at once more, and again when something comes', () => {
    using stage = talking()
    stage.at = 1_000n
    stage.say(1n, 1n, '1')
    for (const device of ['d2.1', 'd2.2']) acknowledge(stage, device, 1n)
    for (const device of ['d1.1', 'd1.2']) stage.run('inbox.ack', { accountId: 1n, device, seq: 1n, at: 1n })
    stage.at = 2_000n
    stage.say(1n, 1n, '2')
    const expire = (before: bigint, max: bigint) => stage.run('inbox.expire', { before, max })
    // Both are counted as old until somebody has looked.
    expect(expire(1_500n, 1n)).toEqual({ entries: 0n, more: true })
    expect(expire(1_500n, 1n)).toEqual({ entries: 0n, more: true })
    expect(expire(1_500n, 1n)).toEqual({ entries: 0n, more: false })
    expect(expire(2_500n, 9n)).toEqual({ entries: 2n, more: false })
    expect(expire(9_999n, 9n)).toEqual({ entries: 0n, more: false })
    stage.at = 3_000n
    stage.say(1n, 1n, '3')
    expect(expire(3_000n, 9n)).toEqual({ entries: 0n, more: false })
    expect(expire(3_001n, 9n)).toEqual({ entries: 2n, more: false })
  })

  test('a step looks at no more than housekeepingInboxesMax of them, and the steps leave none out', () => {
    const accounts = limitTable.housekeepingInboxesMax.value + 5
    using stage = new Stage(accounts, {}, { devices: 1 })
    const others = Array.from({ length: accounts - 1 }, (_, index) => BigInt(index + 2))
    const room = stage.room(1n)
    stage.admit(room, 1n, ...others)
    for (const accountId of [1n, ...others]) {
      const { lastSeq: seq } = stage.run('inbox.read', { accountId, after: 0n, max: 1n, bytesMax: 1n })
      stage.run('inbox.ack', { accountId, device: `d${accountId}.1`, seq, at: 1n })
    }
    const expire = (before: bigint) => stage.run('inbox.expire', { before, max: 500n })
    // Nothing waits in any of them, and of no more than that many it is known after one step.
    expect([expire(1_500n), expire(1_500n), expire(1_500n)]).toEqual([true, false, false].map((more) => ({ entries: 0n, more })))
    stage.at = 2_000n
    stage.say(1n, room, '1')
    expect(expire(1_500n)).toEqual({ entries: 0n, more: false })
    const first = expire(2_500n)
    expect(first).toEqual({ entries: BigInt(limitTable.housekeepingInboxesMax.value), more: true })
    expect(expire(2_500n)).toEqual({ entries: BigInt(others.length) - first.entries, more: false })
  })

  test('what comes after a clock was put right is old in its time', () => {
    using stage = talking()
    for (const [at, words] of [
      [9_000n, '1'],
      [1_000n, '2'],
    ] as const) {
      stage.at = at
      stage.say(1n, 1n, words)
    }
    const expire = (before: bigint) => stage.run('inbox.expire', { before, max: 9n }).entries
    expect([expire(1_000n), expire(2_000n), expire(9_999n)]).toEqual([0n, 4n, 0n])
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

  test('the first device of an account is told what left before there was one, until it has gone on; a further one is not', () => {
    using stage = new Stage(2, { inboxEntriesMax: 10 }, { devices: 0 })
    stage.befriend([1n, 2n])
    const room = stage.room(1n)
    stage.admit(room, 1n, 2n)
    for (let index = 0; index < 24; index++) stage.say(1n, room, 'x')
    const { lastSeq, lostSeq = 0n } = open(stage, 'first')
    expect(waiting(stage)[0]).toBe(lostSeq + 1n)
    expect(lostSeq).toBe(lastSeq - 10n)
    expect(open(stage, 'first').lostSeq).toBe(lostSeq)
    expect(open(stage, 'second')).toEqual({ lastSeq, ackedSeq: lastSeq, lostSeq: undefined })
    acknowledge(stage, 'first', lastSeq - 5n)
    expect([open(stage, 'first').lostSeq, waiting(stage).length]).toEqual([undefined, 5])
  })

  test.each([0n, 1n])('of a restored store nothing was lost before the first device, where nothing was: life %d', (lives) => {
    using stage = new Stage(2, {}, { devices: 0 })
    stage.befriend([1n, 2n])
    stage.run('server.setBack', { lives, skipped: 0n })
    stage.say(1n, 1n, 'x')
    expect(open(stage, 'first')).toMatchObject({ ackedSeq: lives << 32n, lostSeq: undefined })
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

  test('who was removed from a room, or came later, reads nothing in their inbox of what a message was changed to since', () => {
    using stage = new Stage(3)
    const room = stage.room(1n)
    stage.admit(room, 1n, 2n)
    const { seq: target } = stage.say(1n, room, 'first')
    stage.say(1n, room, 'other')
    const edit = (words: string, of = target) => stage.say(1n, room, words, { kind: 'edit', target: of })
    expect(edit('second').wordless).toBeUndefined()
    expect(wordsIn(stage, 2n)).toEqual(['second', 'other', 'second'])
    stage.run('room.remove', { ...stage.act(1n), conversationId: room, peerId: 2n })
    // What was said while they were there waits as it was.
    expect(wordsIn(stage, 2n)).toEqual(['other', 'second'])
    edit('third')
    expect(wordsIn(stage, 2n)).toEqual(['other'])
    stage.admit(room, 1n, 2n, 3n)
    expect(edit('fourth').wordless).toEqual([2n, 3n])
    expect([wordsIn(stage, 2n), wordsIn(stage, 3n)]).toEqual([['other'], []])
    for (const page of [{}, { after: 0n }]) {
      const edits = stage
        .run('entry.history', { accountId: 3n, conversationId: room, ...bounds, ...page })
        .entries.filter(({ kind }) => kind === 'edit')
      expect(edits).toMatchObject([{ target, type: undefined, body: undefined }])
    }
    const { seq } = stage.say(1n, room, 'later')
    edit('changed', seq)
    expect(wordsIn(stage, 3n)).toEqual(['changed', 'changed'])
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

/** What is said in the entries of an inbox, where one may see it. */
function wordsIn(stage: Stage, accountId: bigint): readonly string[] {
  const { entries } = stage.run('inbox.read', { accountId, after: 0n, ...bounds })
  return entries.flatMap(({ entry: { body } }) => (body === undefined ? [] : [new TextDecoder().decode(body)]))
}

const bounds = { max: 100n, bytesMax: 100_000n }
