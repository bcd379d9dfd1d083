// Money on the command line: real processes, a real server that dies, and receipts that are verified without it.

import { afterAll, describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { requestJson } from '../../src/cli/requests.ts'
import { newMessageId } from '../../src/client/index.ts'
import { publicPem } from '../../src/pki/ledger-key.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { type CliOptions, runCli } from './cli-process.ts'
import { Homes } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]
await runCli(['admin', 'mint', 'alice', '100', '--data', server.data])

describe('pay', () => {
  test('moves money once, however often it is said under one id', async () => {
    const id = freshId()
    for (const _ of [1, 2, 3]) {
      const { exitCode, stdout, stderr } = await runCli(['pay', 'bob', '12.50', '--memo', 'lunch', '--json', '--id', id, '--home', alice])
      expect([exitCode, stderr, JSON.parse(stdout)]).toEqual([
        0,
        '',
        { id, status: 'posted', amount: '12.50', unit: 'credits', balance: '87.50' },
      ])
    }
    expect(await run('balance', '--json', '--home', bob)).toEqual({ unit: 'credits', balance: '12.50' })
    expect(await refused('pay', 'bob', '12.51', '--memo', 'lunch', '--json', '--id', id, '--home', alice)).toBe(6)
    expect(await run('balance', '--json', '--home', bob)).toEqual({ unit: 'credits', balance: '12.50' })
  })

  test('from a second device under the same id is told as paid, and nothing else is', async () => {
    const phone = homes.path('phone')
    const [link = ''] = (await runCli(['devices', 'add', '--home', alice])).stdout.split('\n')
    expect(await runCli(['join', link, '--home', phone])).toMatchObject({ exitCode: 0 })
    const id = freshId()
    const words = ['--memo', 'tea', '--id', id, '--json'] as const
    const paid = await run('pay', 'bob', '2', ...words, '--home', alice)
    expect(await run('pay', 'BOB', '2.00', ...words, '--home', phone)).toEqual(paid)
    for (const other of [
      ['bob', '2.01', ...words],
      ['bob', '2', '--id', id],
      ['bob', '2', ...words, '--request', freshId()],
    ]) {
      const { exitCode, stdout, stderr } = await runCli(['pay', ...other, '--home', phone])
      expect([exitCode, stdout]).toEqual([6, ''])
      expect(stderr).toContain('. the id stands for another order, or for this one from another device: look at sealwire statement first')
    }
    expect(await run('balance', '--json', '--home', phone)).toMatchObject({ balance: (paid as { balance: string }).balance })
    await run('refund', 'alice', id, '2', '--json', '--home', bob)
  })

  test.each(['0', '-1', '1e3', '0.001', '05', 'NaN', '٣', '9007199254740993', '18446744073709551616', ''])('refuses %j', async (amount) => {
    const { exitCode, stdout } = await runCli(['pay', '--yes', '--home', alice, '--', 'bob', amount])
    expect([exitCode === 0, stdout]).toEqual([false, ''])
  })

  test('refuses what there is not, and who there is not', async () => {
    expect(await refused('pay', 'bob', '1000', '--yes', '--home', alice)).toBe(6)
    expect(await refused('pay', 'nobody-of-that-name', '1', '--yes', '--home', alice)).toBe(6)
    expect(await refused('pay', 'alice', '1', '--yes', '--home', alice)).toBe(6)
  })

  test('is done once though the server dies under it', async () => {
    const options = { limits: liftedRates, port: await lastingPort() }
    await using mortal = await ServerProcess.start(options)
    using others = new Homes()
    const [carol, dave] = [await others.join(mortal, 'carol'), await others.join(mortal, 'dave')]
    await runCli(['admin', 'mint', 'carol', '10', '--data', mortal.data])
    await mortal.kill()
    const paying = runCli(['pay', 'dave', '4', '--yes', '--home', carol])
    await using _again = await ServerProcess.start({ ...options, data: mortal.data })
    const paid = await paying
    expect([paid.exitCode, paid.stderr]).toEqual([0, ''])
    expect(await run('balance', '--json', '--home', dave)).toEqual({ unit: 'credits', balance: '4.00' })
  })
})

describe('holds, requests, refunds', () => {
  test('put aside, take, give back, ask', async () => {
    const before = await amountOf(alice)
    const { id: hold } = (await run('hold', 'bob', '20', '--memo', 'deposit', '--json', '--home', alice)) as { id: string }
    expect((await runCli(['balance', '--home', alice])).stdout).toEndWith(', 20.00 on hold\n')
    expect(await run('capture', 'alice', hold, '15', '--json', '--home', bob)).toMatchObject({ status: 'posted', amount: '15.00' })
    for (const [command, more, next] of [
      ['capture', ['5'], 'sealwire statement shows what was taken of it; for more, ask them to put it aside again'],
      ['void', [], 'there is nothing left to do: sealwire statement shows what was taken of it'],
    ] as const) {
      const over = await runCli([command, 'alice', hold, ...more, '--home', bob])
      expect(over).toMatchObject({ exitCode: 6, stdout: '', stderr: `sealwire: the hold has ended. ${next}.\n` })
    }
    expect(await amountOf(alice)).toBe(before - 1_500)
    const { id: asked } = (await run('request', 'alice', '3', '--memo', 'taxi', '--json', '--home', bob)) as { id: string }
    const again = ['request', 'alice', '3', '--memo', 'taxi', '--id', asked, '--json', '--home', bob] as const
    expect(await run(...again)).toMatchObject({ id: asked })
    expect(await run('requests', '--json', '--home', alice)).toMatchObject({ id: asked, from: 'bob', status: 'open' })
    const { id: payment } = (await run('pay', 'bob', '3', '--request', asked, '--json', '--home', alice)) as { id: string }
    expect((await runCli(['requests', '--home', alice])).stdout).toBe('')
    const closed = await runCli(['pay', 'bob', '3', '--request', asked, '--home', alice])
    expect(closed).toMatchObject({ exitCode: 6, stderr: expect.stringContaining('. sealwire requests --all tells what became of it; ') })
    expect(await run('refund', 'alice', payment, '1', '--json', '--home', bob)).toMatchObject({ status: 'posted', amount: '1.00' })
    const tooMuch = await runCli(['refund', 'alice', payment, '2.01', '--home', bob])
    expect(tooMuch).toMatchObject({ exitCode: 6, stdout: '' })
    expect(tooMuch.stderr).toMatch(/^sealwire: only 2\.00 credits can still be refunded\b.*\n$/)
    expect(await amountOf(alice)).toBe(before - 1_700)
    const { id: other } = (await run('hold', 'bob', '5', '--json', '--home', alice)) as { id: string }
    await run('void', 'alice', other, '--json', '--home', bob)
    expect(await amountOf(alice)).toBe(before - 1_700)
    expect((await runCli(['statement', '--csv', '--home', alice])).stdout.split('\r\n')[0]).toBe(
      'posting,at,kind,unit,delta,balance,from,to,memo,id',
    )
  })
})

describe('holds', () => {
  test('lists what is put aside on either side, for strangers without its words, until it is over', async () => {
    const erin = await homes.join(server, 'erin')
    expect(await runCli(['holds', '--home', erin])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    const { id } = (await run('hold', 'erin', '2.50', '--memo', 'a \u001b[31mbike', '--json', '--home', alice)) as { id: string }
    const seen = (await runCli(['holds', '--home', erin])).stdout
    expect(seen).toMatch(new RegExp(`^alice has put 2.50 credits aside for erin until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d ${id}\\n$`))
    expect((await runCli(['holds', '--home', alice])).stdout).toEndWith(` ${id}: a \\u001b[31mbike\n`)
    expect(JSON.parse((await runCli(['holds', '--json', '--home', erin])).stdout)).toEqual({
      ...{ id, payer: 'alice', payee: 'erin', amount: '2.50', unit: 'credits', at: expect.any(String), expiresAt: expect.any(String) },
    })
    expect((await runCli(['capture', 'alice', id, '1', '--home', erin])).exitCode).toBe(0)
    expect((await runCli(['holds', '--home', alice])).stdout).toBe('')
  })
})

describe('requests', () => {
  test('are taken back by who asked, turned down by who is asked, over in time, and their words are for those who talk', async () => {
    const ask = async (memo: string) =>
      (await run('request', 'alice', '2', '--memo', memo, '--for', '2h', '--json', '--home', bob)) as {
        id: string
        at: string
        expiresAt: string
      }
    const [first, second] = [await ask('tent'), await ask('stove')]
    const lastsMs = Date.parse(first.expiresAt) - Date.parse(first.at)
    // Counted from the id, which was made a moment before.
    expect([lastsMs <= 7_200_000, lastsMs > 3_600_000]).toEqual([true, true])
    const { stdout } = await runCli(['requests', '--home', alice])
    expect(stdout).toContain(`bob asks alice for 2.00 credits (open) ${first.id}`)
    expect(stdout).not.toContain('tent')
    const refusals = [
      ['cancel', alice, 'you are asked to pay this, and have not asked for it. turn it down with sealwire requests decline'],
      ['decline', bob, 'you have asked for this yourself. take it back with sealwire requests cancel'],
    ] as const
    for (const [word, home, why] of refusals) {
      const { exitCode, stderr } = await runCli(['requests', word, first.id, '--home', home])
      expect([exitCode, stderr]).toEqual([2, `sealwire: ${why} ${first.id}.\n`])
    }
    expect(await run('requests', 'decline', first.id, '--json', '--home', alice)).toMatchObject({ id: first.id, status: 'declined' })
    expect((await runCli(['requests', 'cancel', second.id, '--home', bob])).stdout).toBe(
      `bob asks alice for 2.00 credits (cancelled): stove ${second.id}\n`,
    )
    expect(await refused('requests', 'decline', second.id, '--home', alice)).toBe(6)
    expect(await refused('requests', 'decline', 'x', '--home', alice)).toBe(2)
    expect(await refused('requests', 'forget', '--home', alice)).toBe(2)
    expect(await refused('request', 'alice', '2', '--for', '2y', '--home', bob)).toBe(2)
    expect(await refused('request', 'alice', '2', '--memo', 'x'.repeat(201), '--home', bob)).toBe(2)
    expect(await refused('request', 'alice', '2', '--unit', 'Credits', '--home', bob)).toBe(2)
    expect((await runCli(['requests', '--home', alice])).stdout).toBe('')
  })

  test('are printed too with a time that no calendar has', () => {
    const sums = { unit: 'credits', amount: '1.00', paid: '0.00', status: 'open' } as const
    const line = requestJson({ id: new Uint8Array(16), from: 'bob', to: 'alice', ...sums, at: 0, expiresAt: 8_640_000_000_000_001 })
    expect(JSON.parse(line)).toMatchObject({ at: '1970-01-01T00:00:00.000Z', expiresAt: '8640000000000001 ms' })
  })

  test('tell those who talk what they are for, and those who block nothing', async () => {
    await run('contacts', 'request', 'bob', '--json', '--home', alice)
    await run('contacts', 'accept', 'alice', '--json', '--home', bob)
    const { id } = (await run('request', 'alice', '2', '--memo', 'tent', '--json', '--home', bob)) as { id: string }
    expect((await runCli(['requests', '--home', alice])).stdout).toBe(`bob asks alice for 2.00 credits (open): tent ${id}\n`)
    await run('contacts', 'block', 'bob', '--json', '--home', alice)
    expect((await runCli(['requests', '--home', alice])).stdout).toBe('')
    expect((await runCli(['contacts', '--home', alice])).stdout).toMatch(/^bob \(blocked\)$/m)
    expect((await runCli(['contacts', '--json', '--home', alice])).stdout).toContain('"blocked":true}')
    await run('contacts', 'unblock', 'bob', '--json', '--home', alice)
    expect((await runCli(['requests', 'decline', id, '--home', alice])).stdout).toContain('(declined): tent')
  })
})

describe('what an order is about', () => {
  test('decides the unit, and another one is refused with both', async () => {
    await runCli(['admin', 'unit', 'create', 'beans', '--decimals', '0', '--data', server.data])
    const { id: hold } = (await run('hold', 'bob', '5', '--json', '--home', alice)) as { id: string }
    const { id: payment } = (await run('pay', 'bob', '5', '--json', '--home', alice)) as { id: string }
    const before = await amountOf(bob)
    for (const [command, about, what] of [
      ['capture', hold, 'hold'],
      ['refund', payment, 'payment'],
    ] as const) {
      const { exitCode, stderr } = await runCli([command, 'alice', about, '3', '--unit', 'beans', '--home', bob])
      expect([exitCode, stderr]).toEqual([6, `sealwire: the ${what} is in credits, not in beans. leave --unit out.\n`])
      expect((await runCli([command, '--help'])).stdout).toMatch(new RegExp(`--unit .*\\(default: that of the\\s+${what};`))
    }
    expect(await amountOf(bob)).toBe(before)
    expect(await run('capture', 'alice', hold, '3', '--unit', 'credits', '--json', '--home', bob)).toMatchObject({ amount: '3.00' })
  })

  test('and a unit that is not there, or an id that is none, is told with where to look', async () => {
    for (const [args, code, next] of [
      [['balance', '--unit', 'foo'], 6, 'leave --unit out for the standard one; sealwire balance lists the units that you have'],
      [['pay', 'bob', '1', '--unit', 'foo'], 6, 'leave --unit out for the standard one; sealwire balance lists the units that you have'],
      [
        ['request', 'bob', '1', '--unit', 'foo'],
        6,
        'leave --unit out for the standard one; sealwire balance lists the units that you have',
      ],
      [
        ['split', 'bob=1', 'carol=2', '--unit', 'foo'],
        6,
        'leave --unit out for the standard one; sealwire balance lists the units that you have',
      ],
      [['hold', 'bob', '1', '--unit', 'foo'], 6, 'leave --unit out for the standard one; sealwire balance lists the units that you have'],
      [['statement', '--unit', 'foo'], 6, 'leave --unit out for the standard one; sealwire balance lists the units that you have'],
      [['pay', 'bob', '1', '--request', 'zzz'], 2, 'copy it from sealwire requests'],
    ] as const) {
      const { exitCode, stderr } = await runCli([...args, '--home', alice])
      expect([args, exitCode, stderr]).toEqual([args, code, expect.stringContaining(`. ${next}.\n`)])
    }
  })

  test.each([
    ['capture', ['1'], '--memo'],
    ['void', [], '--memo'],
    ['void', [], '--unit'],
  ] as const)('of %s takes nothing that it would not use', async (command, more, flag) => {
    const { exitCode, stderr } = await runCli([command, 'alice', freshId(), ...more, flag, 'credits', '--home', bob])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`unknown option '${flag}'`)])
  })

  test('says to who put it on hold that time gives it back', async () => {
    const { id } = (await run('hold', 'bob', '1', '--json', '--home', alice)) as { id: string }
    const { exitCode, stderr } = await runCli(['void', 'alice', id, '--home', alice])
    expect([exitCode, stderr]).toEqual([6, 'sealwire: who put it on hold gets it back when its time is over.\n'])
  })
})

describe('statement', () => {
  test('says from whom money on hold comes back: not from oneself', async () => {
    for (const settle of [
      ['capture', 'alice'],
      ['void', 'alice'],
    ] as const) {
      const { id } = (await run('hold', 'bob', '2', '--json', '--home', alice)) as { id: string }
      await runCli([...settle, id, ...(settle[0] === 'capture' ? ['1.50'] : []), '--home', bob])
      const back = settle[0] === 'capture' ? '0.50' : '2.00'
      const { stdout } = await runCli(['statement', '--home', alice])
      expect(stdout.split('\n')[0]).toContain(` +${back} credits ${settle[0]} back from bob (`)
    }
  })

  test('lets no memo control a terminal, or look like what stands before it', async () => {
    const memo = '\u001b[31mred\u001b[0m (9.00 left)\u202e'
    const { id, balance } = (await run('pay', 'bob', '0.01', '--memo', memo, '--json', '--home', alice)) as { id: string; balance: string }
    const shown = String.raw`\u001b[31mred\u001b[0m (9.00 left)\u202e`
    const [csv, text] = [await runCli(['statement', '--csv', '--home', alice]), await runCli(['statement', '--home', alice])]
    expect(csv.stdout.split('\r\n')[1]).toEndWith(`,alice,bob,${shown},${id}`)
    expect(text.stdout.split('\n')[0]).toEndWith(` -0.01 credits pay to bob (${balance} left) ${id}: ${shown}`)
  })

  test.each(['statement', 'balance', 'hold'])('of %s a code of a unit has a form', async (command) => {
    const { exitCode, stderr } = await runCli([
      command,
      ...(command === 'hold' ? ['bob', '1'] : []),
      '--unit',
      'Two words',
      '--home',
      alice,
    ])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--unit "Two words" is no code of a unit')])
  })
})

describe('the key of the ledger', () => {
  test('is there from the first day, and another one is told by whatever connects and stops money', async () => {
    const dora = await homes.join(server, 'dora')
    const own = `${dora}/ledger.pub`
    expect(readFileSync(own)).toEqual(readFileSync(`${server.data}/ledger.pub`))
    rmSync(own)
    expect((await runCli(['who', '--home', dora])).stderr).toBe('')
    expect(readFileSync(own)).toEqual(readFileSync(`${server.data}/ledger.pub`))
    writeFileSync(own, publicPem(newLedgerKey()))
    for (const command of ['who', 'balance', 'inbox', 'statement']) {
      const { exitCode, stderr } = await runCli([command, '--home', dora])
      expect([exitCode, stderr]).toEqual([
        0,
        expect.stringMatching(/^sealwire: warning: .*the server shows another ledger key than before/),
      ])
    }
    for (const command of [['pay', 'bob', '1'], ['audit']]) {
      const { exitCode, stderr } = await runCli([...command, '--home', dora])
      expect([exitCode, stderr]).toEqual([5, expect.stringMatching(/^sealwire: the server shows another ledger key than before/)])
    }
  })
})

describe('receipt', () => {
  test('is verified without the server, and not when any bit of it is another', async () => {
    const { id } = (await run('pay', 'bob', '0.01', '--json', '--home', alice)) as { id: string }
    const path = homes.path('receipt')
    writeFileSync(path, await bytesOf(['receipt', id, '--home', alice]))
    expect(await runCli(['verify', path, '--home', alice])).toMatchObject({ exitCode: 0, stderr: '' })
    const bytes = readFileSync(path)
    const flipped = homes.path('flipped')
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
    writeFileSync(flipped, bytes)
    expect((await runCli(['verify', flipped, '--home', alice])).exitCode).not.toBe(0)
    expect(await runCli(['ledger', 'verify', '--data', server.data])).toMatchObject({ exitCode: 0 })
  })

  test('of a mint comes by the number of its posting', async () => {
    const { id } = (await run('admin', 'mint', 'bob', '7', '--json', '--data', server.data)) as { id: string }
    const told = await runCli(['receipt', id, '--home', bob])
    expect([told.exitCode, told.stderr]).toEqual([6, expect.stringContaining('name the posting: sealwire statement --json')])
    const { stdout } = await runCli(['statement', '--json', '--home', bob])
    const { posting } = JSON.parse(stdout.split('\n').find((line) => line.includes(id)) ?? '{}') as { posting: number }
    const path = homes.path('mint')
    writeFileSync(path, await bytesOf(['receipt', String(posting), '--home', bob]))
    expect(await run('verify', path, '--json', '--home', bob)).toMatchObject({ kind: 'mint', amount: '7.00', id })
    expect(await runCli(['receipt', String(posting), '--from', 'alice', '--home', bob])).toMatchObject({ exitCode: 2 })
  })

  test('of a capture says what was taken, not what was put aside', async () => {
    const { id: hold } = (await run('hold', 'bob', '5', '--json', '--home', alice)) as { id: string }
    const { id } = (await run('capture', 'alice', hold, '3', '--json', '--home', bob)) as { id: string }
    const path = homes.path('capture')
    writeFileSync(path, await bytesOf(['receipt', hold, '--home', alice]))
    const { stdout } = await runCli(['verify', path, '--home', bob])
    expect(stdout).toMatch(/^hold 5.00 credits for account \d+\n {2}account \d+ +-5.00\n {2}on hold +5.00$/m)
    writeFileSync(path, await bytesOf(['receipt', id, '--home', bob]))
    expect(await run('verify', path, '--json', '--home', bob)).toMatchObject({ kind: 'capture', amount: '3.00' })
  })
})

test('what no account gets is refused while the server runs too', async () => {
  const { exitCode, stderr } = await runCli(['admin', 'limit', '--credit', '5', '--data', server.data])
  expect([exitCode, stderr]).toEqual([2, 'sealwire: credit is granted to an account, not to all. name the account.\n'])
})

/** 32 bytes of nobody. */
function newLedgerKey(): Uint8Array {
  return new Uint8Array(Buffer.from(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'))
}

function freshId(): string {
  return newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))
}

/** The object that a command prints that succeeds. */
async function run(...args: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await runCli(args)
  expect([exitCode, stderr]).toEqual([0, ''])
  return stdout === '' ? undefined : (JSON.parse(stdout) as unknown)
}

async function refused(...args: readonly string[]): Promise<number | NodeJS.Signals | null> {
  const { exitCode, stdout } = await runCli(args)
  expect(stdout).toBe('')
  return exitCode
}

/** In hundredths. */
async function amountOf(home: string): Promise<number> {
  const { balance } = (await run('balance', '--unit', 'credits', '--json', '--home', home)) as { balance: string }
  return Number(balance.replace('.', ''))
}

/** What a command writes that is no text. */
async function bytesOf(args: readonly string[], options?: CliOptions): Promise<Uint8Array> {
  const { CliProcess } = await import('./cli-process.ts')
  await using cli = new CliProcess(args, options)
  const chunks: Buffer[] = []
  cli.child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  expect(await cli.ended()).toBe(0)
  return new Uint8Array(Buffer.concat(chunks))
}
