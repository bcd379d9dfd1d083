// Commands that move money and get no answer: real processes, a real server, and relays that lose what it says.

import { afterAll, describe, expect, test } from 'bun:test'
import { renameSync } from 'node:fs'
import { connect as dial, createServer, type Server, type Socket } from 'node:net'
import { connect } from '../../../src/index.ts'
import { Home } from '../../../src/client/home/home.ts'
import { OperatorClient } from '../../../src/cli/operator/client.ts'
import { Ordering } from '../../../src/cli/money/ordering.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { type Code, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { operatorSocketPath } from '../../../src/server/operator/socket-path.ts'
import { CuttingRelay } from '../../support/cutting-relay.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { CliProcess, runCli } from '../cli-process.ts'
import { refused, rejected } from '../home-support.ts'
import { Homes } from '../member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]
await runCli(['admin', 'mint', 'alice', '100', '--data', server.data])
const payee = await connect(bob)
afterAll(async () => {
  await payee.close()
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const uuid = '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a'

describe('a payment whose answer is lost, and no server behind it', () => {
  test('is said to be unknown, with the id under which it is paid once', async () => {
    const relay = await deafWhen(async () => (await payee.payments.balance()).amount !== '0.00')
    moveTo(alice, relay.port)
    const lost = await runCli(['pay', 'bob', '4', '--memo', 'a secret', '--json', '--home', alice])
    const { id, status } = JSON.parse(lost.stdout) as { readonly id: string; readonly status: string }
    expect([lost.exitCode, status]).toEqual([4, 'unknown'])
    expect(lost.stderr).toStartWith('sealwire: it may have been done, and no answer came: ')
    expect(lost.stderr).toContain(`ask again with the same id: sealwire pay bob 4 … --id ${id} (`)
    expect(lost.stderr).not.toContain('secret')
    moveTo(alice, server.port)
    const again = ['pay', 'bob', '4', '--memo', 'a secret', '--json', '--home', alice, '--id', id] as const
    for (const _ of [1, 2]) {
      expect(JSON.parse((await runCli(again)).stdout)).toEqual({ id, status: 'posted', amount: '4.00', unit: 'credits', balance: '96.00' })
    }
    expect((await payee.payments.balance()).amount).toBe('4.00')
  }, 120_000)
})

describe('a payment that a signal ends before its answer', () => {
  test.each([
    ['SIGINT', 130, '3', ''],
    ['SIGTERM', 143, '5', '--json'],
  ] as const)(
    'says at %s that it may have been done, and the id',
    async (signal, exitCode, amount, json) => {
      const before = Number((await payee.payments.balance()).amount)
      const isPaid = async (): Promise<boolean> => Number((await payee.payments.balance()).amount) === before + Number(amount)
      moveTo(alice, (await deafWhen(isPaid, 'silent')).port)
      await using paying = new CliProcess(['pay', 'bob', amount, ...(json === '' ? [] : [json]), '--home', alice])
      while (!(await isPaid())) await new Promise((resolve) => setTimeout(resolve, 50))
      paying.child.kill(signal)
      expect(await paying.ended()).toBe(exitCode)
      expect(paying.stderr).toMatch(/^sealwire: it may have been done, and no answer came: ended by SIG[A-Z]+\. ask again [^\n]+\n$/)
      const id = / --id ([0-9a-f-]{36}) \(/.exec(paying.stderr)?.[1]
      expect(paying.stdout).toBe(json === '' ? '' : `{"id":"${id}","status":"unknown"}\n`)
      moveTo(alice, server.port)
      expect(await runCli(['pay', 'bob', amount, '--id', id ?? '', '--home', alice])).toMatchObject({ exitCode: 0 })
      expect(await isPaid()).toBe(true)
    },
    60_000,
  )

  test('says nothing where no order has left', async () => {
    const dave = await homes.join(server, 'dave')
    const relay = await deafWhen(async () => true, 'silent')
    moveTo(dave, relay.port)
    await using paying = new CliProcess(['pay', 'bob', '1', '--home', dave])
    await relay.met
    paying.child.kill('SIGINT')
    expect([await paying.ended(), paying.stdout, paying.stderr]).toEqual(['SIGINT', '', ''])
  }, 60_000)
})

describe('a payment that never left', () => {
  test('is said to be not paid', async () => {
    const carol = await homes.join(server, 'carol')
    using relay = await CuttingRelay.to(server.port)
    relay.target = undefined
    moveTo(carol, relay.port)
    const { exitCode, stdout, stderr } = await runCli(['pay', 'bob', '4', '--json', '--home', carol])
    expect([exitCode, stdout]).toEqual([4, ''])
    expect(stderr).toStartWith('sealwire: nothing was paid: ')
  }, 120_000)
})

describe('a mint whose answer is lost', () => {
  test('is said to be unknown, with the id under which it is done once', async () => {
    using at = operatorSocketPath(server.data)
    const real = `${at.path}.real`
    renameSync(at.path, real)
    const garbler = garble(real)
    await new Promise<void>((resolve) => garbler.listen(at.path, resolve))
    const lost = await runCli(['admin', 'mint', 'bob', '50', '--data', server.data])
    await new Promise((resolve) => garbler.close(resolve))
    renameSync(real, at.path)
    const id = /: sealwire admin mint bob 50 … --id ([0-9a-f-]{36}) \(/.exec(lost.stderr)?.[1] ?? ''
    expect([lost.exitCode, lost.stdout, id]).toEqual([4, '', expect.stringMatching(/^.{36}$/)])
    const before = (await payee.payments.balance()).amount
    const { exitCode, stdout } = await runCli(['admin', 'mint', 'bob', '50', '--id', id, '--data', server.data])
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`\nid ${id}\n`)])
    expect((await payee.payments.balance()).amount).toBe(before)
    expect((await runCli(['statement', '--json', '--home', bob])).stdout.match(/"kind":"mint"/g)).toHaveLength(1)
  }, 60_000)
})

describe('a mint that a signal ends before its answer', () => {
  test('says that it may have been done, and the id', async () => {
    const before = Number((await payee.payments.balance()).amount)
    const isDone = async (): Promise<boolean> => Number((await payee.payments.balance()).amount) === before + 7
    using at = operatorSocketPath(server.data)
    const real = `${at.path}.real`
    renameSync(at.path, real)
    const garbler = garble(real, '')
    await new Promise<void>((resolve) => garbler.listen(at.path, resolve))
    await using minting = new CliProcess(['admin', 'mint', 'bob', '7', '--data', server.data])
    while (!(await isDone())) await new Promise((resolve) => setTimeout(resolve, 50))
    minting.child.kill('SIGTERM')
    expect([await minting.ended(), minting.stdout]).toEqual([143, ''])
    expect(minting.stderr).toMatch(/^sealwire: it may have been done, [^\n]+: sealwire admin mint bob 7 … --id [0-9a-f-]{36} \([^\n]+\n$/)
    await new Promise((resolve) => garbler.close(resolve))
    renameSync(real, at.path)
  }, 60_000)
})

describe('a mint at a server that stands still', () => {
  test.skipIf(process.platform === 'win32')('is given up in time, as unknown', async () => {
    await using still = await ServerProcess.start()
    const ordering = new Ordering('admin mint', ['bob', '1'], {})
    using operator = new OperatorClient(still.data, { clock: systemClock, limits: resolveLimits({ operatorAnswerMsMax: 1_000 }) })
    process.kill(still.pid, 'SIGSTOP')
    try {
      const error = await rejected(ordering.send(() => operator.call('ledger.mint', { id: ordering.id, name: 'bob', amount: '1' })))
      expect(error.code).toBe('unreachable')
      expect(ordering.ended(error).code).toBe('unknown_outcome')
    } finally {
      process.kill(still.pid, 'SIGCONT')
    }
  })
})

describe('Ordering', () => {
  test.each<readonly [what: string, sent: readonly Code[], last: Code, is: string]>([
    ['lost', ['connection_lost'], 'unreachable', 'unknown'],
    ['lost, then put off', ['connection_lost', 'busy'], 'busy', 'unknown'],
    ['lost, then kept out', ['unknown_outcome'], 'login_refused', 'unknown'],
    ['lost, then refused', ['connection_lost', 'insufficient_funds'], 'insufficient_funds', 'insufficient_funds'],
    ['refused', ['frozen'], 'frozen', 'frozen'],
    ['put off', ['busy'], 'busy', 'nothing was paid: not now'],
    ['never sent', [], 'unreachable', 'nothing was paid: not now'],
    ['not agreed to', [], 'declined', 'declined'],
  ])('tells of one that was %s', async (_what, sent, last, is) => {
    const ordering = new Ordering('pay', ['bob', '1'], {})
    for (const code of sent) await ordering.send(() => Promise.reject(new SealwireError(code, 'not now'))).catch(() => {})
    const error = ordering.ended(new SealwireError(last, 'not now'))
    if (is === 'unknown')
      expect(error).toMatchObject({ code: 'unknown_outcome', hint: expect.stringContaining('sealwire pay bob 1 --id ') })
    else expect([error.code, error.sentence]).toContain(is)
  })

  test('listens to signals only while it may have been carried out', async () => {
    const before = process.listenerCount('SIGINT')
    const ordering = new Ordering('pay', ['bob', '1'], {})
    const after = async (code: Code): Promise<number> => {
      await ordering.send(() => Promise.reject(new SealwireError(code, 'not now'))).catch(() => {})
      return process.listenerCount('SIGINT') - before
    }
    expect([await after('frozen'), await after('connection_lost'), await after('busy'), await after('frozen')]).toEqual([0, 1, 1, 0])
    await ordering.send(() => Promise.resolve())
    expect(process.listenerCount('SIGINT')).toBe(before + 1)
    ordering.told()
    expect(process.listenerCount('SIGINT')).toBe(before)
  })

  test('knows nothing of what was ordered before under an id that was given', async () => {
    const ordering = new Ordering('hold', ["o'neil", '1'], { id: uuid, unit: 'beans' })
    const error = ordering.ended(new SealwireError('unreachable', 'not now'))
    expect([error.code, error.hint]).toEqual(['unknown_outcome', expect.stringContaining(`sealwire hold 'o'\\''neil' 1 … --id ${uuid} (`)])
  })

  test('refuses what no server takes', () => {
    expect(refused(() => new Ordering('pay', [], { memo: 'x'.repeat(201) })).sentence).toBe('--memo has 201 characters, and may have 200')
    expect(refused(() => new Ordering('pay', [], { unit: 'Beans' }))).toMatchObject({
      code: 'usage',
      sentence: '--unit "Beans" is no code of a unit',
    })
    expect(refused(() => new Ordering('pay', [], { id: uuid.replace('-7c', '-4c') })).code).toBe('usage')
  })
})

/** Where this home looks for its server from now on. */
function moveTo(path: string, port: number): void {
  const home = new Home(path)
  const profile = JSON.parse(home.read('profile.json', 65_536) ?? '') as object
  home.write('profile.json', JSON.stringify({ ...profile, server: { host: '127.0.0.1', port } }))
}

/** A relay to the server that brings nothing of what the server says once `isDone`, and ends then, listening and all, unless `silent`. */
async function deafWhen(
  isDone: () => Promise<boolean>,
  how: 'gone' | 'silent' = 'gone',
): Promise<{ readonly port: number; readonly met: Promise<void> }> {
  const sockets = new Set<Socket>()
  const { promise: met, resolve: meet } = Promise.withResolvers<void>()
  const listening = createServer((client) => {
    const behind = dial(server.port, '127.0.0.1')
    for (const socket of [client, behind]) sockets.add(socket.on('error', () => {}))
    client.pipe(behind)
    client.on('close', () => behind.destroy())
    behind.on('close', () => client.destroy())
    let order = Promise.resolve()
    behind.on('data', (bytes) => {
      order = order.then(async () => {
        if (!(await isDone())) return void client.write(bytes)
        meet()
        if (how === 'silent') return
        listening.close()
        for (const socket of sockets) socket.destroy()
      })
    })
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return { port: (listening.address() as { readonly port: number }).port, met }
}

/** Brings requests to the socket at `path`, and in the place of each answer something that is none, or nothing. */
function garble(path: string, answer = 'x'.repeat(64)): Server {
  return createServer((client) => {
    const behind = dial(path)
    for (const socket of [client, behind]) socket.on('error', () => {})
    client.pipe(behind)
    behind.once('data', () => answer !== '' && client.end(answer))
    client.on('close', () => behind.destroy())
  })
}
