// The commands of one message at a time, as scripts use them: real processes, a real server, and what survives its death.

import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectNote } from '../../src/client/home/direct-ways.ts'
import { Home } from '../../src/client/home/home.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { CliProcess, runCli } from './cli-process.ts'
import { Homes, reachNobody, runWith } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]

describe('contacts', () => {
  test('nothing is delivered before they accept, and everything after', async () => {
    expect(await run(['send', 'bob', 'too early', '--home', alice])).toMatchObject({ exitCode: 6, stdout: '' })
    expect(await run(['contacts', 'request', 'bob', 'it is alice', '--home', alice])).toEqual(ok('asked bob\n'))
    expect((await run(['inbox', '--home', bob])).stdout).toEndWith(' alice asks to talk: it is alice\n')
    const asked = await run(['contacts', 'request', 'bob', 'more words', '--home', alice])
    expect(asked).toEqual({
      ...ok('asked bob\n'),
      stderr: 'sealwire: warning: the text was not sent: they were asked before, with what was said then, or nothing\n',
    })
    // Who has asked reads the same line.
    expect((await run(['history', 'bob', '--home', alice])).stdout).toEndWith(' alice asks to talk: it is alice\n')
    expect(JSON.parse((await run(['contacts', '--json', '--home', bob])).stdout)).toMatchObject({ name: 'alice', state: 'asking' })
    expect(await run(['contacts', 'accept', 'alice', '--home', bob])).toEqual(ok('accepted alice\n'))
    expect((await run(['contacts', '--home', alice])).stdout).toBe('bob\n')
    expect((await run(['send', 'bob', 'now', '--home', alice])).exitCode).toBe(0)
  })

  test('what was asked is taken back, and contacts are removed, as both are told', async () => {
    const dora = await homes.join(server, 'dora')
    await run(['contacts', 'request', 'dora', '--home', alice])
    expect(await run(['contacts', 'remove', 'dora', '--home', alice])).toEqual(ok('removed dora\n'))
    expect((await run(['inbox', '--home', dora])).stdout).toMatch(/ alice asks to talk\n.* alice asks to talk no more\n$/)
    const again = await run(['contacts', 'request', 'dora', '--home', alice])
    expect([again.exitCode, again.stderr]).toEqual([
      6,
      expect.stringContaining('less than a day ago they have declined or ended it, or it was taken back'),
    ])
    await run(['contacts', 'request', 'alice', '--home', dora])
    await run(['contacts', 'accept', 'dora', '--home', alice])
    expect(JSON.parse((await run(['contacts', 'remove', 'alice', '--json', '--home', dora])).stdout)).toEqual({
      name: 'alice',
      state: 'removed',
    })
    expect((await run(['inbox', '--home', alice])).stdout).toEndWith(' dora ends that you are contacts\n')
    expect(await run(['send', 'dora', 'hello?', '--home', alice])).toMatchObject({
      exitCode: 6,
      stderr: expect.stringContaining('not agreed'),
    })
    expect(await run(['contacts', 'remove', 'bob', '--home', dora])).toMatchObject({
      exitCode: 6,
      stderr: expect.stringContaining('no contact'),
    })
  })

  test('says what there is nothing to do about', async () => {
    expect(await run(['contacts', 'accept', 'carol', '--home', alice])).toMatchObject({ exitCode: 6, stdout: '' })
    expect(await run(['contacts', 'request', 'nobody-of-that-name', '--home', alice])).toMatchObject({ exitCode: 6 })
    expect(await run(['contacts', 'frobnicate', '--home', alice])).toMatchObject({ exitCode: 2 })
  })
})

describe('send and inbox', () => {
  test('what was sent is printed once, in order, with what programs need', async () => {
    const sent = []
    for (const text of ['one', 'two\nlines', 'trois \u001b[31m']) {
      sent.push(JSON.parse((await run(['send', 'bob', text, '--json', '--home', alice])).stdout) as { id: string })
    }
    expect(sent[0]).toMatchObject({ conversation: 1, status: 'accepted' })
    const { stdout } = await run(['inbox', '--json', '--home', bob])
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.slice(-3).map(({ id, text, from }) => [id, text, from])).toEqual([
      [sent[0]?.id, 'one', 'alice'],
      [sent[1]?.id, 'two\nlines', 'alice'],
      [sent[2]?.id, 'trois \u001b[31m', 'alice'],
    ])
    expect(stdout).not.toContain('\u001b')
    expect(await run(['inbox', '--home', bob])).toEqual(ok(''))
    expect((await run(['history', 'alice', '--max', '1', '--home', bob])).stdout).toEndWith(' alice: trois \\u001b[31m\n')
    expect((await run(['history', 'alice', '--home', bob])).stdout).toContain(' alice: two\n  lines\n')
  })

  test('the same id is sent once, and other words under it are refused', async () => {
    const id = '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a'
    for (const _ of [1, 2]) expect(await run(['send', 'bob', 'paid', '--id', id, '--home', alice])).toEqual(ok(`sent ${id}\n`))
    expect(await run(['send', 'bob', 'unpaid', '--id', id, '--home', alice])).toMatchObject({ exitCode: 6, stdout: '' })
    const { stdout } = await run(['inbox', '--home', bob])
    expect(stdout.match(/ alice: paid\n/g)).toHaveLength(1)
  })

  test('what cannot be sent is refused before anything happens', async () => {
    for (const args of [
      ['send', 'bob', 'x', '--id', '01936b1e-7a7c-4c4e-8a51-0f3c2d1e4b5a'],
      ['send', 'bob', 'x', '--timeout', '0'],
      ['send', '#zero', 'x'],
      ['history', 'bob', '--max', 'all'],
      ['rooms', 'join', 'not-a-word'],
    ]) {
      expect(await run([...args, '--home', alice])).toMatchObject({ exitCode: 2, stdout: '' })
    }
    const { exitCode, stderr } = await run(['send', 'bob', 'x'.repeat(60_001), '--home', alice])
    expect([exitCode, stderr]).toEqual([
      1,
      'sealwire: a message has at most 60000 bytes. send it as a file: sealwire file send NAME PATH.\n',
    ])
  })

  test('what is nothing, and what is no text, is not sent', async () => {
    const refused = (stderr: string) => ({ exitCode: 2, stdout: '', stderr: `sealwire: ${stderr}.\n` })
    const say = 'say something: sealwire send NAME TEXT'
    expect(await run(['send', 'bob', '', '--home', alice])).toEqual(refused(`TEXT is empty. ${say}`))
    const piped = ['send', 'bob', '-', '--home', alice]
    expect(await runWith('', piped)).toEqual(refused(`standard input is empty. ${say}`))
    const asFile = 'send it as a file: sealwire file send NAME PATH'
    expect(await runWith(Uint8Array.of(0x61, 0xff, 0x62), piped)).toEqual(refused(`standard input is no text in UTF-8. ${asFile}`))
    expect(await runWith('x'.repeat(60_001), piped)).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await runWith('Grüße\n', piped)).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await run(['inbox', '--home', bob])).stdout).toMatch(/^\S+ \S+ alice: Grüße\n$/)
  })

  test('an inbox that follows prints what comes, to several at once', async () => {
    await using follower = new CliProcess(['inbox', '--follow', '--home', bob])
    await using other = new CliProcess(['inbox', '--follow', '--json', '--home', bob])
    // One device has one place: what the one has acknowledged before the other looks is not for the other any more.
    const isTold = (): boolean => / alice: for followers\n/.test(follower.stdout) && /"text":"for followers"/.test(other.stdout)
    while (!isTold()) await run(['send', 'bob', 'for followers', '--home', alice])
    follower.child.kill('SIGTERM')
    expect(await follower.ended()).toBe(0)
  })

  test('an inbox that follows goes on when its server is back', async () => {
    const data = mkdtempSync(join(tmpdir(), 'sealwire-follow-'))
    using _data = { [Symbol.dispose]: () => rmSync(data, { recursive: true, force: true }) }
    const options = { data, limits: liftedRates, port: await lastingPort() }
    await using first = await ServerProcess.start(options)
    using people = new Homes()
    const [ann, ben] = [await people.join(first, 'ann'), await people.join(first, 'ben')]
    await run(['contacts', 'request', 'ben', 'it is ann', '--home', ann])
    await run(['contacts', 'accept', 'ann', '--home', ben])
    await run(['send', 'ben', 'before', '--home', ann])
    await using follower = new CliProcess(['inbox', '--follow', '--home', ben])
    await follower.printed(/ ann: before\n/)
    await first.kill()
    await follower.printed(/warning: the connection is made again: .*\n/, 'stderr')
    expect(follower.stderr).toMatch(/^sealwire: warning: the connection is made again: [^.]+\.\n$/)
    await using _second = await ServerProcess.start(options)
    expect((await run(['send', 'ben', 'afterwards', '--home', ann])).exitCode).toBe(0)
    await follower.printed(/ ann: afterwards\n/)
    follower.child.kill('SIGTERM')
    expect(await follower.ended()).toBe(0)
  })
})

describe('rooms and search', () => {
  test('a room has one order for all, and its words are found', async () => {
    const { conversation } = JSON.parse((await run(['rooms', 'create', 'the garden', '--json', '--home', alice])).stdout) as {
      conversation: number
    }
    const room = `#${conversation}`
    expect(await run(['rooms', 'invite', room, 'bob', '--home', alice])).toEqual(ok(`invited bob to ${room}\n`))
    expect((await run(['rooms', '--home', bob])).stdout).toContain(`(you are invited: rooms join ${conversation})`)
    expect(await run(['rooms', 'join', `${conversation}`, '--home', bob])).toEqual(ok(`joined ${room}\n`))
    await run(['send', room, 'who waters the tomatoes', '--home', bob])
    await run(['send', room, 'I do', '--home', alice])
    const [one, other] = await Promise.all([alice, bob].map((home) => run(['history', room, '--max', '2', '--home', home])))
    expect(one?.stdout).toBe(other?.stdout ?? '')
    expect(one?.stdout).toMatch(/ bob: who waters the tomatoes\n.* alice: I do\n$/)
    // Indexed behind the acknowledgement.
    let found = await run(['search', 'tomatoes', '--home', alice])
    while (found.stdout === '') found = await run(['search', 'tomatoes', '--home', alice])
    expect(found.stdout).toEndWith(' [the garden] bob: who waters the tomatoes\n')
    await run(['send', 'bob', 'no more tomatoes', '--home', alice])
    let said = await run(['search', 'more tomatoes', '--home', alice])
    while (said.stdout === '') said = await run(['search', 'more tomatoes', '--home', alice])
    expect(said.stdout).toEndWith(' alice to bob: no more tomatoes\n')
    expect((await run(['search', 'more tomatoes', '--home', bob])).stdout).toEndWith(' alice: no more tomatoes\n')
    const finds = (await run(['search', 'tomatoes', '--json', '--home', alice])).stdout.trim().split('\n')
    expect(finds.map((line) => (JSON.parse(line) as { conversation: number }).conversation)).toEqual([1, conversation])
    expect(await run(['search', 'cucumber', '--home', alice])).toMatchObject({ exitCode: 0, stdout: '', stderr: 'nothing was found\n' })
    expect(await run(['rooms', 'remove', room, 'alice', '--home', bob])).toMatchObject({ exitCode: 6 })
    expect(await run(['rooms', 'members', room, '--home', bob])).toEqual(ok('alice (owner)\nbob\n'))
    expect(await run(['rooms', 'leave', room, '--home', bob])).toEqual(ok(`left ${room}\n`))
    expect(await run(['history', room, '--home', bob])).toMatchObject({ exitCode: 6 })
  })

  test('the command that a link is joins, also with a word that begins with -', async () => {
    const made = (await run(['rooms', 'create', 'the shed', '--json', '--home', alice])).stdout
    const { conversation } = JSON.parse(made) as { conversation: number }
    const link = await run(['rooms', 'link', `${conversation}`, '--home', alice])
    expect(link).toEqual(ok(expect.stringMatching(/^sealwire rooms join \w[\w-]{21}\n$/)))
    const words = link.stdout.trim().split(' ').slice(1)
    expect(await run([...words, '--home', bob])).toEqual(ok(`joined #${conversation}\n`))
    // A server makes no such word any more, and those of before are read.
    expect(await run(['rooms', 'join', '--home', bob, '--', '-'.padEnd(22, 'A')])).toMatchObject({ exitCode: 6, stdout: '' })
  })

  test('what no server takes is refused before anything is sent, and whoever is not there is told from a room that is not', async () => {
    const nowhere = homes.path('nowhere')
    for (const [args, line] of [
      [['rooms', 'create', ''], 'TITLE "" is empty. write what the room is called.'],
      [['rooms', 'create', 'x'.repeat(81)], 'TITLE has 81 characters, and may have 80. write a shorter one.'],
      [['rooms', 'create', 'x', '--topic', 'x'.repeat(401)], '--topic has 401 characters, and may have 400. write a shorter one.'],
      [['rooms', 'topic', '3', 'x'.repeat(401)], 'TEXT has 401 characters, and may have 400. write a shorter one.'],
      [['search', ''], 'TEXT "" has no word. write a word that the message has.'],
      [['search', 'x'.repeat(201)], 'TEXT has 201 characters, and may have 200. write fewer words.'],
    ] as const) {
      // Nobody has joined from there: nothing can be sent.
      expect(await run([...args, '--home', nowhere])).toEqual({ exitCode: 2, stdout: '', stderr: `sealwire: ${line}\n` })
    }
    await homes.join(server, 'erin')
    const longest = ['rooms', 'create', 'x'.repeat(80), '--topic', 'x'.repeat(400), '--json', '--home', alice]
    const { conversation } = JSON.parse((await run(longest)).stdout) as { conversation: number }
    expect(await run(['rooms', 'topic', `${conversation}`, 'y'.repeat(400), '--home', alice])).toMatchObject({ exitCode: 0 })
    expect(await run(['search', 'x'.repeat(200), '--home', alice])).toMatchObject({ exitCode: 0, stdout: '' })
    for (const [args, line] of [
      [['invite', `${conversation}`, 'nobody'], 'there is no account of that name. sealwire contacts lists whom you can invite.'],
      [['invite', '9999', 'bob'], 'there is no such room. sealwire rooms lists those that you are in.'],
      [['invite', '9999', 'nobody'], 'there is no such room. sealwire rooms lists those that you are in.'],
      [['invite', `${conversation}`, 'erin'], 'only contacts can be invited. ask them first with sealwire contacts request NAME, or'],
      [
        ['remove', `${conversation}`, 'nobody'],
        `there is no account of that name. sealwire rooms members ${conversation} lists who is there.`,
      ],
      [['role', `${conversation}`, 'bob', 'member'], `there is no such member. sealwire rooms members ${conversation} lists who is there.`],
    ] as const) {
      const { exitCode, stderr } = await run(['rooms', ...args, '--home', alice])
      expect([args, exitCode, stderr]).toEqual([args, 6, expect.stringContaining(line)])
    }
    await run(['rooms', 'leave', `${conversation}`, '--home', alice])
  }, 60_000)

  test('an inbox says in which room something was said, and of a message that is gone nothing that nobody did', async () => {
    await run(['inbox', '--home', bob])
    const { conversation } = JSON.parse((await run(['rooms', 'create', 'the [shed]', '--json', '--home', alice])).stdout) as {
      conversation: number
    }
    await run(['rooms', 'invite', `${conversation}`, 'bob', '--home', alice])
    await run(['rooms', 'join', `${conversation}`, '--home', bob])
    for (const to of [`#${conversation}`, 'bob']) await run(['send', to, `words for ${to}`, '--home', alice])
    const lines = await linesOf(bob)
    expect(lines).toEqual(['[the (shed)] alice invites bob', `[the (shed)] alice: words for #${conversation}`, 'alice: words for bob'])

    await run(['send', `#${conversation}`, 'too late', '--home', alice])
    await run(['rooms', 'leave', `${conversation}`, '--home', bob])
    await run(['rooms', 'leave', `${conversation}`, '--home', alice])
    expect(await linesOf(bob)).toEqual([`#${conversation} a message of alice, deleted`])
  })

  test('an inbox tells what has changed of a room, and of one that is gone no joining that never was', async () => {
    await run(['inbox', '--home', bob])
    const { conversation } = JSON.parse((await run(['rooms', 'create', 'the pond', '--json', '--home', alice])).stdout) as {
      conversation: number
    }
    await run(['rooms', 'invite', `${conversation}`, 'bob', '--home', alice])
    await run(['rooms', 'join', `${conversation}`, '--home', bob])
    for (const topic of ['frogs', '']) await run(['rooms', 'topic', `${conversation}`, topic, '--home', alice])
    expect(await linesOf(bob)).toEqual([
      '[the pond] alice invites bob',
      '[the pond] alice sets the topic: "frogs"',
      '[the pond] alice takes the topic away',
    ])
    await run(['rooms', 'role', `${conversation}`, 'bob', 'moderator', '--home', alice])
    await run(['rooms', 'topic', `${conversation}`, 'toads', '--home', alice])
    for (const home of [bob, alice]) await run(['rooms', 'leave', `${conversation}`, '--home', home])
    const lines = await linesOf(bob)
    expect(lines).toEqual(lines.map(() => `#${conversation} something of alice about the room, gone since`))
    expect(lines).toHaveLength(2)
  })

  test('status tells what waits', async () => {
    const status = JSON.parse((await run(['status', '--json', '--home', bob])).stdout) as Record<string, unknown>
    expect(status).toMatchObject({ name: 'bob', pin: server.fingerprint, asking: [], direct: { on: false, ways: [] } })
    const { stdout } = await run(['status', '--home', bob])
    expect(stdout).toStartWith('you      bob\n')
    expect(stdout).toEndWith('\ndirect   off\n')
  })

  test('status tells how a chat of this home talks with whom', async () => {
    using note = new DirectNote(new Home(bob))
    expect((await run(['status', '--home', bob])).stdout).toEndWith('\ndirect   on, with nobody yet\n')
    const ways = [
      { name: 'alice', way: 'direct' },
      { name: 'ca\u001brol', way: 'relayed', why: 'unreachable' },
    ] as const
    note.write(ways)
    expect((await run(['status', '--home', bob])).stdout).toEndWith('\ndirect   alice: direct · ca\\u001brol: relayed (no way there)\n')
    expect(JSON.parse((await run(['status', '--json', '--home', bob])).stdout)).toMatchObject({ direct: { on: true, ways } })
  })
})

describe('a server that is gone', () => {
  test('is waited for, and the message is there once', async () => {
    const options = { limits: liftedRates, port: await lastingPort() }
    await using mortal = await ServerProcess.start(options)
    using others = new Homes()
    const [carol, dave] = [await others.join(mortal, 'carol'), await others.join(mortal, 'dave')]
    await run(['contacts', 'request', 'dave', '--home', carol])
    await run(['contacts', 'accept', 'carol', '--home', dave])
    await mortal.kill()
    const sending = run(['send', 'dave', 'through a death', '--timeout', '60', '--home', carol])
    await using _again = await ServerProcess.start({ ...options, data: mortal.data })
    expect((await sending).exitCode).toBe(0)
    expect((await run(['inbox', '--home', dave])).stdout.match(/ carol: through a death\n/g)).toHaveLength(1)
  })

  test('and does not come back is given up in time, and nothing stays behind', async () => {
    const before = readFileSync(`${alice}/profile.json`, 'utf8')
    const astray = await homes.join(server, 'astray')
    reachNobody(astray)
    const { exitCode, stdout, stderr } = await run(['send', 'bob', 'x', '--timeout', '1', '--home', astray])
    expect([exitCode, stdout]).toEqual([4, ''])
    expect(stderr).toMatch(/^sealwire: .*\n$/)
    expect(readFileSync(`${alice}/profile.json`, 'utf8')).toBe(before)
    // What is known here is told all the same.
    using _note = new DirectNote(new Home(astray))
    const status = await run(['status', '--home', astray])
    expect([status.exitCode, status.stdout.split('\n').map((line) => line.split(/ +/)[0])]).toEqual([
      4,
      ['you', 'server', 'pin', 'direct', ''],
    ])
    expect(status.stdout).toContain(':1, not reached\n')
    const told = JSON.parse((await run(['status', '--json', '--home', astray])).stdout) as object
    expect(told).toEqual({
      name: 'astray',
      server: 'sealwire://127.0.0.1:1',
      pin: server.fingerprint,
      direct: { on: true, ways: [] },
    })
  })
})

/** What is new, without when it was. */
async function linesOf(home: string): Promise<readonly string[]> {
  const { stdout } = await run(['inbox', '--home', home])
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.slice('2030-01-02 03:04 '.length)]))
}

function run(args: readonly string[]) {
  return runCli(args)
}

function ok(stdout: string) {
  return { exitCode: 0, stdout, stderr: '' }
}
