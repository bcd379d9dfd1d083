import { afterAll, describe, expect, test } from 'bun:test'
import { connect } from '../../src/client/node-sdk.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { runCli } from './cli-process.ts'
import { Homes } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]

describe('retain', () => {
  test('tells how long a conversation is kept, deletes what is older, and keeps it for ever again', async () => {
    await using me = await connect(alice)
    await using peer = await connect(bob)
    await me.request('bob')
    await peer.accept('alice')
    await me.send('bob', 'gone soon')
    expect(await run('bob')).toEqual({ exitCode: 0, stdout: 'kept for ever\n', stderr: '' })
    expect((await run('bob', '30d')).stdout).toBe('kept for 30d; 0 entries deleted, 0 bytes freed\n')
    expect((await run('bob')).stdout).toBe('kept for 30d\n')
    // The shortest that programs may say: by now the message is older.
    const conversation = await me.conversation('bob')
    await Bun.sleep(1_100)
    expect(await conversation.retain(1_000)).toMatchObject({ entries: 3, freedBytes: expect.any(Number) })
    expect((await run('bob')).stdout).toBe('kept for 1 s\n')
    expect(JSON.parse((await run(`#${conversation.number}`, '--json')).stdout)).toEqual({
      ...{ conversation: conversation.number, retentionMs: 1_000 },
    })
    expect(JSON.parse((await run('bob', 'forever', '--json')).stdout)).toEqual({
      ...{ conversation: conversation.number, retentionMs: null, deleted: 0, freedBytes: 0 },
    })
    expect((await run('bob')).stdout).toBe('kept for ever\n')
  })

  test('is for the owner of a room', async () => {
    await using peer = await connect(bob)
    const { number } = await peer.rooms.create('garden')
    await peer.rooms.invite(number, 'alice')
    await using me = await connect(alice)
    await me.rooms.join(number)
    expect(await run(`#${number}`, '1d')).toMatchObject({
      exitCode: 6,
      stdout: '',
      stderr: expect.stringContaining('ask the owner of the room'),
    })
  })

  test.each([
    [['bob', '30s'], 'sealwire: HOW-LONG "30s" is not a duration. write a number of minutes, hours or days, such as 30m, 12h or 7d.\n'],
    [['bob', 'ever'], 'sealwire: HOW-LONG "ever" is not a duration. write a number of minutes, hours or days, such as 30m, 12h or 7d.\n'],
    [['#0', '30m'], 'sealwire: NAME "#0" is no conversation. write # and its number, as sealwire rooms lists it.\n'],
  ])('refuses %p before anybody is asked', async (args, stderr) => {
    expect(await run(...args)).toEqual({ exitCode: 2, stdout: '', stderr })
  })

  test('is as it was when two are contacts no more', async () => {
    await homes.join(server, 'dave')
    await using me = await connect(alice)
    await me.request('dave')
    await me.removeContact('dave')
    expect(await run('dave', '1d')).toEqual({
      ...{ exitCode: 6, stdout: '' },
      stderr: 'sealwire: they have not agreed to talk. only who is a contact changes it: sealwire contacts request NAME.\n',
    })
    expect((await run('dave')).stdout).toBe('kept for ever\n')
  })

  test('says whom one has never talked with', async () => {
    await homes.join(server, 'carol')
    expect(await run('carol', '1d')).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('you have never talked with them') })
  })
})

function run(...args: readonly string[]) {
  return runCli(['retain', ...args, '--home', alice])
}
