import { afterAll, describe, expect, test } from 'bun:test'
import { openSealwire } from '../../src/client/home/open-sealwire.ts'
import { messageBodyBytesMax } from '../../src/protocol/contract/index.ts'
import { limitTable } from '../../src/protocol/limits.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { runCli } from './cli-process.ts'
import { Homes, reachNobody, runWith, type } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
afterAll(() => server[Symbol.asyncDispose]())
using homes = new Homes()
let people = 0

/** Two people who have joined, and the one who is there. */
async function pair() {
  const names = [`ann${++people}`, `ben${people}`] as const
  for (const name of names) await homes.join(server, name)
  return names
}

/** The same, who talk with each other already. */
async function friends() {
  const [ann, ben] = await pair()
  await runCli(['contacts', 'request', ben, '--home', homes.path(ann)])
  await runCli(['contacts', 'accept', ann, '--home', homes.path(ben)])
  return [ann, ben] as const
}

describe('chat', () => {
  test('asks, is accepted, talks and leaves', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    await using asking = await homes.chat(ann, ben)
    await asking.printed(new RegExp(`^${ben} was asked to talk; what you type is sent once they accept$`, 'm'))
    type(asking, 'hello', '//slash')
    await there.printed(new RegExp(`^${ann} asks to talk: /accept or /decline$`, 'm'))
    type(there, '/accept')
    await asking.printed(/^you are talking with/m)
    await there.printed(new RegExp(`^${ann}: hello\\n${ann}: /slash$`, 'm'))
    type(there, 'hi', '/who', '/exit')
    await asking.printed(new RegExp(`^${ben}: hi$`, 'm'))
    // Not before it is told who is here: that is asked when `hi` is stored, which the other one may see first.
    await there.printed(new RegExp(`^here: ${ann} \\(contact\\)$`, 'm'))
    asking.child.stdin.end()
    expect([await asking.ended(), asking.stderr]).toEqual([0, ''])
    await there.printed(/^you have left/m)
    type(there, 'hello?', '/frob')
    await there.printed(/^there is no command \/frob\. /m)
    expect(there.stdout).toContain('you are talking with nobody. /talk NAME begins\n')
    there.child.stdin.end()
    expect(await there.ended()).toBe(0)
    expect(there.stderr).toBe('')
  })

  test('leaves out nothing that is unread, however much, for whoever reads it', async () => {
    const [ann, ben] = await friends()
    const messages = Math.ceil(limitTable.chatOutputBytesMax.value / messageBodyBytesMax) + 5
    await using me = await openSealwire(homes.path(ann), {})
    await Promise.all(Array.from({ length: messages }, (_, at) => me.send(ben, `m${at} `.padEnd(messageBodyBytesMax, 'x'))))
    await using reading = await homes.chat(ben, ann)
    await reading.printed(new RegExp(`^${ann}: m${messages - 1} `, 'm'))
    reading.child.stdin.end()
    expect([await reading.ended(), reading.stderr]).toEqual([0, ''])
    expect(reading.stdout.match(new RegExp(`^${ann}: m`, 'gm'))).toHaveLength(messages)
  })

  test('leaves unread what nobody has taken', async () => {
    const [ann, ben] = await friends()
    const [messages, bytes] = [100, 4_000]
    await using me = await openSealwire(homes.path(ann), {})
    await Promise.all(Array.from({ length: messages }, (_, at) => me.send(ben, `m${at} `.padEnd(bytes, 'x'))))
    await using gone = await homes.chat(ben, ann)
    gone.child.stdout.destroy()
    expect(await gone.ended()).toBe(0)
    const { stdout } = await runWith('', ['chat', ann, '--home', homes.path(ben)])
    expect(stdout).toContain(`${ann}: m${messages - 1} `)
  })

  test('holds what is piped in until it is accepted, then stores all of it and ends', async () => {
    const [ann, ben] = await pair()
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`)
    const piped = runWith(lines.join('\n'), ['chat', ben, '--home', homes.path(ann)])
    await using there = await homes.chat(ben)
    await there.printed(/asks to talk/)
    type(there, '/quit')
    expect(await there.ended()).toBe(0)
    await runCli(['contacts', 'accept', ann, '--home', homes.path(ben)])
    expect(await piped).toMatchObject({ exitCode: 0, stderr: '' })
    const { stdout } = await runWith('', ['chat', ann, '--home', homes.path(ben)])
    expect(stdout).toEndWith(lines.map((line) => `${ann}: ${line}\n`).join(''))
    // It is read, and does not come again.
    expect((await runWith('', ['chat', ann, '--home', homes.path(ben)])).stdout).not.toContain('line')
  })

  test('ends when whom it is about declines or does not exist', async () => {
    const [ann, ben] = await pair()
    const args = ['chat', ben, '--home', homes.path(ann)]
    const piped = runWith('hello\n', args)
    await using there = await homes.chat(ben)
    await there.printed(/asks to talk/)
    type(there, '/decline')
    const { stdout, ...rest } = await piped
    expect(rest).toEqual({ exitCode: 6, stderr: `sealwire: ${ben} declined to talk. try again later.\n` })
    expect(stdout).not.toContain('declined')
    expect(await runWith('hello\n', args)).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('they have declined') })
    expect(await runWith('', ['chat', 'nobody-of-that-name', '--home', homes.path(ann)])).toMatchObject({ exitCode: 6 })
    expect(await runWith('', ['chat', 'x\ny', '--home', homes.path(ann)])).toMatchObject({
      exitCode: 6,
      stderr: expect.stringContaining('a name cannot hold'),
    })
    expect(await runWith('', ['chat', '#x', '--home', homes.path(ann)])).toMatchObject({ exitCode: 2, stdout: '' })
    expect(there.stdout).not.toContain('hello')
  })

  test('talks in a room', async () => {
    const [ann, ben] = await friends()
    const made = await runCli(['rooms', 'create', 'the garden', '--json', '--home', homes.path(ann)])
    const room = `#${(JSON.parse(made.stdout) as { conversation: number }).conversation}`
    await runCli(['rooms', 'invite', room, ben, '--home', homes.path(ann)])
    await using there = await homes.chat(ben, room)
    await there.printed(/^you are talking in \[the garden\]\. \/exit leaves$/m)
    expect(await runWith('roses\n', ['chat', room, '--home', homes.path(ann)])).toMatchObject({ exitCode: 0, stderr: '' })
    await there.printed(new RegExp(`^\\[the garden\\] ${ann}: roses$`, 'm'))
  })

  test('lets a program follow it in JSON, with an answer to every line', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben, '--json')
    await using asking = await homes.chat(ann)
    type(asking, `/talk ${ben}`)
    await there.printed(/"requested"/)
    type(there, 'too early', '/accept', 'tab\tand \u009b', '/exit')
    await there.printed(/"line":4/)
    there.child.stdin.end()
    expect(await there.ended()).toBe(0)
    const events: { event: string }[] = there.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.filter(({ event }) => event === 'done' || event === 'refused')).toEqual([
      expect.objectContaining({ event: 'refused', line: 1, code: 'usage' }),
      { event: 'done', line: 2 },
      expect.objectContaining({ event: 'done', line: 3, id: expect.any(String), seq: 3 }),
      { event: 'done', line: 4 },
    ])
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['ready', 'requested', 'begun', 'exited']))
    await asking.printed(/^you are talking with/m)
    await asking.printed(new RegExp(`^${ben}: tab\\\\tand \\\\u009b$`, 'm'))
  })

  test('keeps away whom it blocks, who is not told', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    type(there, `/block ${ann}`)
    await there.printed(/is blocked/)
    await using blocked = await homes.chat(ann, ben)
    await blocked.printed(/was asked to talk/)
    type(there, `/unblock ${ann}`, '/who')
    await there.printed(/^here: /m)
    expect(there.stdout).not.toContain('asks to talk')
  })

  test('says what is piped in as it is with --raw, and needs somebody to say it to', async () => {
    const [ann, ben] = await friends()
    await using there = await homes.chat(ben, ann)
    const piped = runWith('a\n/ x\n/quit\n//b\n', ['chat', '--raw', ben, '--home', homes.path(ann)])
    expect(await piped).toMatchObject({ exitCode: 0, stderr: '' })
    await there.printed(new RegExp(`^${ann}: a\\n${ann}: / x\\n${ann}: /quit\\n${ann}: //b$`, 'm'))
    expect(await runWith('', ['chat', '--raw', '--home', homes.path(ann)])).toMatchObject({
      exitCode: 2,
      stderr: 'sealwire: --raw is for a chat with somebody. say with whom: sealwire chat --raw NAME.\n',
    })
  })

  test('refuses a line that no message can hold', async () => {
    const [ann, ben] = await friends()
    const piped = await runWith(`${'x'.repeat(60_000)}\n${'x'.repeat(60_001)}\n`, ['chat', ben, '--home', homes.path(ann)])
    expect(piped).toMatchObject({
      exitCode: 1,
      stderr: 'sealwire: a message has at most 60000 bytes. say it in several lines.\n',
    })
    expect((await runWith('', ['chat', ann, '--home', homes.path(ben)])).stdout).toContain(`${ann}: ${'x'.repeat(60_000)}\n`)
  })

  test('goes on when the server has gone and is back, and ends in order while it is away', async () => {
    const options = { limits: liftedRates, port: await lastingPort() }
    await using other = await ServerProcess.start(options)
    using elsewhere = new Homes()
    await elsewhere.join(other, 'ann')
    await using ann = await elsewhere.chat('ann')
    await other.stop()
    await ann.printed(/^connection lost, trying again$/m)
    await using _again = await ServerProcess.start({ ...options, data: other.data })
    await ann.printed(/^connected again$/m)
    ann.child.stdin.end()
    expect([await ann.ended(), ann.stderr]).toEqual([0, ''])
  })

  test('ends with a server that is not there at the beginning', async () => {
    reachNobody(await homes.join(server, 'astray'))
    const { exitCode, stdout, stderr } = await runWith('hello\n', ['chat', 'ben', '--home', homes.path('astray')])
    expect([exitCode, stdout]).toEqual([4, ''])
    expect(stderr).toMatch(/^sealwire: [^\n]*\n$/)
  })

  test('can be there several times in one home', async () => {
    const [ann, ben] = await friends()
    await using one = await homes.chat(ben)
    await using other = await homes.chat(ben, ann)
    const piped = ['first', 'second'].map((line) => runWith(`${line}\n`, ['chat', ben, '--home', homes.path(ann)]))
    for (const { exitCode } of await Promise.all(piped)) expect(exitCode).toBe(0)
    for (const chat of [one, other]) for (const line of ['first', 'second']) await chat.printed(new RegExp(`^${ann}: ${line}$`, 'm'))
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('ends in order on %s, and says what is not sent', async (signal) => {
    const [ann, ben] = await pair()
    await using idle = await homes.chat(ben)
    idle.child.kill(signal)
    expect([await idle.ended(), idle.stderr]).toEqual([0, ''])
    await using asking = await homes.chat(ann, ben, '--json')
    type(asking, '/who', 'hello')
    await asking.printed(/"line":1/)
    await asking.printed(/"asked"/)
    // The next line is taken as soon as the one before is answered.
    asking.child.kill(signal)
    const code = await asking.ended()
    if (code !== 0) expect([code, asking.stderr]).toEqual([6, expect.stringContaining('has not accepted yet')])
  })

  test('ends when nobody reads any more', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    there.child.stdout.destroy()
    await runCli(['contacts', 'request', ben, '--home', homes.path(ann)])
    // Its first line finds no reader.
    expect(await there.ended()).toBe(0)
  })
})
