// One more device of an account: its link, what it sees, and that the link is good once.

import { afterAll, expect, test } from 'bun:test'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { runCli } from './cli-process.ts'
import { Homes, runWith } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})

test('a second device joins with a link, and what the one sends appears on the other', async () => {
  const [alice, bob, phone] = [await homes.join(server, 'alice'), await homes.join(server, 'bob'), homes.path('phone')]
  await runCli(['contacts', 'request', 'bob', '--home', alice])
  await runCli(['contacts', 'accept', 'alice', '--home', bob])
  await runCli(['send', 'bob', 'before the phone', '--home', alice])
  const added = await runCli(['devices', 'add', '--home', alice])
  expect(added.stdout).toMatch(/^sealwire:\/\/127\.0\.0\.1:\d+\/#d1\..+\ngood once, until \d\d:\d\d UTC: sealwire join LINK, there\n$/)
  const [link = ''] = added.stdout.split('\n')
  expect(await runCli(['join', link, '--name', 'alice', '--home', phone])).toMatchObject({ exitCode: 2, stdout: '' })
  expect((await runWith(`${link}\n`, ['join', '-', '--home', phone])).stdout).toStartWith('joined sealwire://')
  expect((await runCli(['devices', '--home', phone])).stdout.trim().split('\n')).toHaveLength(2)
  expect((await runCli(['history', 'bob', '--home', phone])).stdout).toEndWith(' alice: before the phone\n')
  await runCli(['inbox', '--home', phone])
  await runCli(['send', 'bob', 'from the desk', '--home', alice])
  expect((await runCli(['history', 'bob', '--max', '1', '--home', phone])).stdout).toEndWith(' alice: from the desk\n')
  expect((await runCli(['status', '--json', '--home', phone])).stdout).toContain('"waiting":1')
  expect(await runCli(['join', link, '--home', homes.path('thief')])).toMatchObject({ exitCode: 6, stdout: '' })
})

test('a home that no more devices fit beside is told how to make room', async () => {
  await using full = await ServerProcess.start({ limits: { ...liftedRates, devicesPerAccountMax: 1 } })
  const dave = await homes.join(full, 'dave')
  const [link = ''] = (await runCli(['devices', 'add', '--no-qr', '--home', dave])).stdout.split('\n')
  const { stdout, stderr } = await runWith(`${link}\n`, ['join', '-', '--home', homes.path('watch')])
  expect(stdout).toStartWith('joined sealwire://')
  expect(stderr).toContain(
    'warning: this home was not enrolled as a device: the account has too many devices. sealwire devices lists them, and devices revoke makes room',
  )
})
