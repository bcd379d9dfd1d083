import { afterAll, describe, expect, test } from 'bun:test'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { CliProcess } from './cli-process.ts'
import { Homes, runWith, type } from './member-support.ts'

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

describe('chat', () => {
  test('asks, is accepted, talks and leaves', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    await using asking = await homes.chat(ann, ben)
    await there.printed(new RegExp(`^${ann} asks for a chat: /accept or /decline$`, 'm'))
    type(there, '/accept')
    await asking.printed(/^you are talking with/m)
    type(asking, 'hello', '//slash')
    await there.printed(new RegExp(`^${ann}: hello\\n${ann}: /slash$`, 'm'))
    type(there, 'hi', '/who', '/exit')
    await asking.printed(new RegExp(`^${ben}: hi$`, 'm'))
    // The other side has left before the end of our input: what follows would be said to nobody.
    expect(await asking.ended()).toBe(6)
    expect(asking.stderr).toBe(`sealwire: ${ben} has left the chat. try again later.\n`)
    await there.printed(/^you have left the chat with/m)
    expect(there.stdout).toContain(`here: ${ann} (contact)\n`)
    type(there, 'hello?', '/frob')
    await there.printed(/^there is no command \/frob\. /m)
    expect(there.stdout).toContain('you are in no chat. /ask NAME asks somebody for a chat\n')
    there.child.stdin.end()
    expect(await there.ended()).toBe(0)
    expect(there.stderr).toBe('')
  })

  test('holds what is piped in until it is accepted, then says all of it and ends', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`)
    const piped = runWith(lines.join('\n'), ['chat', ben, '--home', homes.path(ann)])
    await there.printed(/asks for a chat/)
    type(there, '/accept')
    expect(await piped).toMatchObject({ exitCode: 0, stderr: '' })
    await there.printed(/has left the chat/)
    expect(there.stdout).toContain(lines.map((line) => `${ann}: ${line}\n`).join(''))
  })

  test('ends when whom it is about declines or is not here', async () => {
    const [ann, ben] = await pair()
    const args = ['chat', ben, '--home', homes.path(ann)]
    expect(await runWith('hello\n', args)).toMatchObject({
      exitCode: 6,
      stderr: 'sealwire: nobody of that name is here. check the name, or wait until they are here.\n',
    })
    await using there = await homes.chat(ben)
    const piped = runWith('hello\n', args)
    await there.printed(/asks for a chat/)
    type(there, '/decline')
    const { stdout, ...rest } = await piped
    expect(rest).toEqual({ exitCode: 6, stderr: `sealwire: ${ben} declined, or did not answer. try again later.\n` })
    expect(stdout).not.toContain('declined')
    const impossible = await runWith('', ['chat', 'x\ny', '--home', homes.path(ann)])
    expect(impossible.stderr).toBe('sealwire: a name cannot hold a control character, an invisible or an unknown one. check the name.\n')
    expect(there.stdout).not.toContain('hello')
  })

  test('lets a program follow it in JSON, with an answer to every line', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben, '--json')
    await using asking = await homes.chat(ann)
    type(asking, `/ask ${ben}`)
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
      expect.objectContaining({ event: 'refused', line: 1, code: 'not_in_chat' }),
      { event: 'done', line: 2 },
      { event: 'done', line: 3 },
      { event: 'done', line: 4 },
    ])
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['ready', 'requested', 'begun', 'exited']))
    await asking.printed(/has left the chat/)
    expect(asking.stdout).toContain(`${ben}: tab\\tand \\u009b\n`)
  })

  test('keeps away whom it blocks, who is not told', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    type(there, `/block ${ann}`)
    await there.printed(/is blocked/)
    const args = ['chat', ben, '--home', homes.path(ann)]
    const blocked = await runWith('', args)
    expect(blocked).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('nobody of that name is here') })
    type(there, `/unblock ${ann}`)
    await there.printed(/is not blocked any more/)
    const again = runWith('hello\n', args)
    await there.printed(/asks for a chat/)
    type(there, '/accept')
    expect((await again).exitCode).toBe(0)
  })

  test('says what is piped in as it is with --raw, and needs somebody to say it to', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    const piped = runWith('a\n/ x\n/quit\n//b\n', ['chat', '--raw', ben, '--home', homes.path(ann)])
    await there.printed(/asks for a chat/)
    type(there, '/accept')
    expect(await piped).toMatchObject({ exitCode: 0, stderr: '' })
    await there.printed(/has left the chat/)
    expect(there.stdout).toContain(`${ann}: a\n${ann}: / x\n${ann}: /quit\n${ann}: //b\n`)
    expect(await runWith('', ['chat', '--raw', '--home', homes.path(ann)])).toMatchObject({
      exitCode: 2,
      stderr: 'sealwire: --raw is for a chat with somebody. say with whom: sealwire chat --raw NAME.\n',
    })
  })

  test('refuses a line that no message can hold', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    const piped = runWith(`${'x'.repeat(65_000)}\n${'x'.repeat(65_001)}\n`, ['chat', ben, '--home', homes.path(ann)])
    await there.printed(/asks for a chat/)
    type(there, '/accept')
    expect(await piped).toMatchObject({
      exitCode: 1,
      stderr: 'sealwire: a message has at most 65000 bytes. say it in several lines.\n',
    })
    await there.printed(/has left the chat/)
    expect(there.stdout).toContain(`${ann}: ${'x'.repeat(65_000)}\n`)
  })

  test('tells at once that the server has gone, in one line', async () => {
    await using other = await ServerProcess.start({ limits: liftedRates })
    using elsewhere = new Homes()
    await elsewhere.join(other, 'ann')
    await using ann = await elsewhere.chat('ann')
    await other.stop()
    expect(await ann.ended()).toBe(4)
    expect(ann.stderr).toBe('sealwire: the server is stopping. try again when the server is back.\n')
  })

  test('tells that the connection was lost', async () => {
    await using other = await ServerProcess.start({ limits: liftedRates })
    using elsewhere = new Homes()
    await elsewhere.join(other, 'ann')
    await using ann = await elsewhere.chat('ann')
    await other.kill()
    expect(await ann.ended()).toBe(4)
    expect(ann.stderr).toMatch(/^sealwire: [^\n]*connection[^\n]*\n$/)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('ends in order on %s', async (signal) => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    await using asking = await homes.chat(ann, ben)
    await there.printed(/asks for a chat/)
    asking.child.kill(signal)
    expect(await asking.ended()).toBe(0)
    await there.printed(/does not ask any more/)
  })

  test('ends when nobody reads any more', async () => {
    const [ann, ben] = await pair()
    await using there = await homes.chat(ben)
    there.child.stdout.destroy()
    await using asking = new CliProcess(['chat', ben, '--home', homes.path(ann)])
    // Its first line finds no reader.
    expect(await there.ended()).toBe(0)
    expect(await asking.ended()).toBe(6)
  })
})
