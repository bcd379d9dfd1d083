import { afterAll, describe, expect, test } from 'bun:test'
import { resolveBenchConfig } from '../../src/cli/bench.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { CliProcess, runCli } from './cli-process.ts'
import { Homes, inviteLink } from './member-support.ts'

const server = await ServerProcess.start({ registration: 'invite', limits: { ...liftedRates, messagesPerSecondPerAccountMax: 1_000_000 } })
afterAll(() => server[Symbol.asyncDispose]())
using homes = new Homes()

interface Told {
  readonly connect: { readonly count: number; readonly p50Ms: number; readonly mostMs: number }
  readonly ping: { readonly count: number; readonly p50Ms: number; readonly p99Ms: number }
  readonly messages: {
    readonly accepted: number
    readonly perSecond: number
    readonly p50Ms: number
    readonly p999Ms: number
    readonly heldBack?: { readonly after: number; readonly perSecond: number }
    readonly refused?: { readonly code: string }
  }
  readonly stays: { readonly accounts: readonly string[]; readonly messages: number; readonly bytes: number }
}

async function bench(...args: readonly string[]): Promise<Told> {
  const { exitCode, stdout, stderr } = await runCli(['bench', '--seconds', '1', '--json', ...args])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout) as Told
}

describe('bench', () => {
  test('measures as accounts that an invite link makes, and says what stays', async () => {
    const { connect, ping, messages, stays } = await bench(await inviteLink(server, '--uses', '2'), '--accounts', '2', '--size', '100')
    expect(connect.count).toBe(4)
    expect(connect.mostMs).toBeGreaterThanOrEqual(connect.p50Ms)
    expect(ping.count).toBeGreaterThan(0)
    expect(ping.p99Ms).toBeGreaterThanOrEqual(ping.p50Ms)
    expect(messages.accepted).toBeGreaterThan(16)
    expect(messages.p999Ms).toBeGreaterThanOrEqual(messages.p50Ms)
    expect(messages.p50Ms).toBeGreaterThan(0)
    expect(stays.accounts).toHaveLength(2)
    expect(stays).toMatchObject({ messages: messages.accepted, bytes: 100 * messages.accepted })
  })

  test('leaves no room and no other trace in the account of a home', async () => {
    const home = homes.path('alice')
    const { exitCode } = await runCli(['join', await inviteLink(server), '--name', 'alice', '--home', home])
    expect(exitCode).toBe(0)
    const { exitCode: code, stdout } = await runCli(['bench', '--home', home, '--seconds', '1', '--senders', '2'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^connect {3}p50 .*: 2 logged in\nping .*\nmessages {2}\d+ a second, .*2 × 4 under way, 64 B\nstays {5}\d+ messages \(\d+ B\) in a room that nobody is in\n$/,
    )
    expect((await runCli(['rooms', '--home', home])).stdout).not.toContain('sealwire bench')
  })

  test('leaves in order when it is told to stop', async () => {
    const home = homes.path('carol')
    expect((await runCli(['join', await inviteLink(server), '--name', 'carol', '--home', home])).exitCode).toBe(0)
    await using cli = new CliProcess(['bench', '--home', home, '--seconds', '60'])
    await cli.printed(/^ping /m)
    cli.child.kill('SIGINT')
    expect(await cli.ended()).toBe(0)
    expect(cli.stdout).toMatch(/^messages .*\nstays /m)
    expect((await runCli(['rooms', '--home', home])).stdout).not.toContain('sealwire bench')
  })

  test('tells that a server holds an account back, and which limits do', async () => {
    const limits = { ...liftedRates, messagesPerSecondPerAccountMax: 2, messagesBurstPerAccountMax: 200 }
    await using strict = await ServerProcess.start({ registration: 'invite', limits })
    const { messages } = await bench(strict.invite, '--senders', '1', '--depth', '2', '--seconds', '4')
    expect(messages.heldBack?.after).toBeWithin(10, 200)
    expect(messages.heldBack?.perSecond).toBeLessThan(20)
    expect(messages.perSecond).toBeGreaterThan(messages.heldBack?.perSecond ?? 0)
  })

  test('ends its messages with what the server refuses', async () => {
    await using small = await ServerProcess.start({
      registration: 'invite',
      limits: { ...liftedRates, storedBytesPerAccountMax: 1_048_576 },
    })
    const link = await inviteLink(small)
    const { exitCode, stdout } = await runCli(['bench', link, '--size', '16384', '--seconds', '8'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^limited {3}quota_exceeded: .* \(serve --limit storedBytesPerAccountMax=\)$/m)
  })

  test('needs a link that is good for as many accounts', async () => {
    const { exitCode, stderr } = await runCli(['bench', await inviteLink(server), '--accounts', '2', '--seconds', '1'])
    expect(exitCode).toBe(6)
    expect(stderr).toContain('sealwire invite --uses N')
  })

  test('needs somebody who has joined, or a link', async () => {
    const { exitCode, stderr } = await runCli(['bench', '--home', homes.path('nobody')])
    expect(exitCode).toBe(2)
    expect(stderr).toStartWith(`sealwire: nobody has joined a server from ${homes.path('nobody')}. `)
  })
})

describe('resolveBenchConfig', () => {
  const resolve = (flags: object) => resolveBenchConfig(undefined, flags, {})

  test('measures for ten seconds with four times four messages', () => {
    expect(resolve({})).toMatchObject({ senders: 4, depth: 4, durationMs: 10_000, bodyBytes: 64, accounts: 1, json: false })
  })

  test.each([
    [{ senders: '33' }, '--senders "33" is not a whole number from 1 to 32'],
    [{ seconds: '61' }, '--seconds "61" is not a whole number from 1 to 60'],
    [{ seconds: '1.5' }, '--seconds "1.5" is not a whole number from 1 to 60'],
    [{ depth: '0' }, '--depth "0" is not a whole number from 1 to 32'],
    [{ size: '16385' }, '--size "16385" is not a whole number from 1 to 16384'],
    [{ accounts: '2' }, '--pin and --accounts are for LINK and HOST:PORT'],
  ])('refuses %o', (flags, sentence) => {
    expect(() => resolve(flags)).toThrow(expect.objectContaining({ code: 'usage', sentence }))
  })

  test('needs the fingerprint of a server that is not known', () => {
    expect(() => resolveBenchConfig('chat.example:5555', { home: homes.path('nobody') }, {})).toThrow(
      expect.objectContaining({ code: 'usage', sentence: 'without a link the fingerprint of the server is needed' }),
    )
  })
})
