// The power goes while people pay each other at a real server: a copy of the image of its disk, taken while it stands still, holds
// only what the file system had handed to the disk. A server that starts on the copy has every payment that was acknowledged,
// answers it as before, carries out once what was not, and proves its ledger.

import { describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from '../../src/client/node.ts'
import type { Result } from '../../src/protocol/contract/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { deviceClient, enrolDevice, type EnrolledDevice } from '../support/device-client.ts'
import { MountedImage } from '../support/mounted-image.ts'
import { newId, noMemo, signedOrder } from '../support/payer.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { mayMount, skipWithout } from '../support/store-contents.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { form } from './form.ts'
import { ignoreEvents } from './plain-client.ts'
import { randomOf, seedOf } from './random.ts'
import { until } from './until.ts'

const skip = skipWithout('the right to mount an image', mayMount(), { skippable: true })
const cuts = form(1, 20)
const lanes = 8
const perLaneMax = 5_000
const minted = 1_000_000_000n

describe.skipIf(skip)('a power cut', () => {
  test(
    `${cuts} cuts lose no acknowledged payment, and double none`,
    async () => {
      const random = randomOf(seedOf('power cuts of payments'))
      const results: Cut[] = []
      for (let cut = 0; cut < cuts; cut++) results.push(await cutPower(random()))
      console.log('power cuts of payments:', JSON.stringify(results))
      expect(results.flatMap(({ wrong }) => wrong)).toEqual([])
      expect(results.every(({ acknowledged, postings }) => acknowledged > 0 && postings >= acknowledged)).toBe(true)
    },
    cuts * 60_000,
  )
})

interface Cut {
  readonly acknowledged: number
  /** In the ledger, before anything is asked again. */
  readonly postings: number
  /** The first of what is wrong. */
  readonly wrong: readonly string[]
}

type Answer = Result<'payment.order'>

/** An order that was sent, and its answer if one came. */
interface Sent {
  readonly order: Uint8Array
  readonly id: Uint8Array
  answer?: Answer
}

interface Paid {
  readonly payer: EnrolledDevice
  readonly sent: readonly Sent[]
}

async function cutPower(moment: number): Promise<Cut> {
  using folder = new StoreFolder()
  const [disk, copy] = [join(folder.path, 'disk'), join(folder.path, 'copy')]
  MountedImage.make(disk, '96M')
  const { payer, sent } = await payUntilCut(disk, copy, moment)
  using mounted = new MountedImage(copy)
  await using server = await start(mounted.path)
  const before = await postingsOf(server)
  const wrong = await askAgain(server, payer, sent)
  const after = await postingsOf(server)
  if (after.length !== 1 + sent.length || new Set(after).size !== after.length)
    wrong.push(`${sent.length} orders made ${after.length} postings`)
  const proved = await runCli(['ledger', 'verify', '--data', server.data])
  if (proved.exitCode !== 0) wrong.push(proved.stderr)
  return { acknowledged: sent.filter(({ answer }) => answer).length, postings: before.length - 1, wrong: wrong.slice(0, 3) }
}

/** Pays for a while and copies the disk as it is at one moment; tells what had been sent and acknowledged before. */
async function payUntilCut(disk: string, copy: string, moment: number): Promise<Paid> {
  using mounted = new MountedImage(disk)
  await using server = await start(mounted.path)
  const payer = await enrolDevice(server, 'alice')
  await enrolDevice(server, 'bob')
  expect((await runCli(['admin', 'mint', 'alice', '10000000', '--data', server.data])).exitCode).toBe(0)
  const sent: Sent[] = []
  const paying = Promise.all(Array.from({ length: lanes }, async () => pay(await deviceClient(server, payer), payer, sent)))
  await until('the first payments', 20_000, () => sent.length >= 2 * lanes)
  // Any moment will do, but the first seconds show little: the file system has not yet much to forget.
  await wait(1_500 + moment * 1_500)
  server.signal('SIGSTOP')
  await stopped(server)
  const known = sent.map((each) => ({ ...each }))
  copyFileSync(disk, copy)
  await server.kill()
  await paying
  return { payer, sent: known }
}

/** One payment after the other, of one minor unit each. */
async function pay(client: Client, { keys }: EnrolledDevice, sent: Sent[]): Promise<void> {
  void ignoreEvents(client)
  const [{ account }, { account: payee }] = [
    await client.request('payment.units', {}),
    await client.request('payment.find', { name: 'bob' }),
  ]
  const server = client.welcome.server ?? new Uint8Array(16)
  for (let at = 0; at < perLaneMax; at++) {
    const common = { server, payer: BigInt(account), payee: BigInt(payee), unit: 'credits', amount: 1n, id: newId(), memoHash: noMemo }
    const order = signedOrder({ kind: 'pay', ...common, expiresAt: BigInt(Date.now() + 600_000) }, { ed25519: keys.ed25519 })
    const each: Sent = { order, id: common.id }
    sent.push(each)
    const answer = await client.request('payment.order', { kind: 'pay', order }).catch(requireLoss)
    if (answer === undefined) return
    each.answer = answer
  }
}

/** Nothing but the end of the server ends the payments. */
function requireLoss(reason: unknown): undefined {
  if (SealwireError.from(reason).code !== 'connection_lost') throw reason
}

/** What is answered otherwise than before, and balances that do not fit. */
async function askAgain(server: ServerProcess, payer: EnrolledDevice, sent: readonly Sent[]): Promise<string[]> {
  await using client = await deviceClient(server, payer)
  const wrong: string[] = []
  for (const { order, id, answer } of sent) {
    const name = Buffer.from(id).toString('hex')
    const found = await client.request('payment.transfer', { id }).catch(() => undefined)
    if (answer !== undefined && !Bun.deepEquals(found, { ...answer, balance: found?.balance })) wrong.push(`lost: ${name}`)
    const again = await client.request('payment.order', { kind: 'pay', order }).catch(() => undefined)
    if (again === undefined || (answer !== undefined && !Bun.deepEquals(again, answer))) wrong.push(`answered otherwise: ${name}`)
  }
  const [balance] = (await client.request('payment.balance', { unit: 'credits' })).balances
  if (balance?.balance.replace('.', '') !== String(minted - BigInt(sent.length))) wrong.push(`a balance of ${balance?.balance}`)
  return wrong
}

/** Ids of all postings. */
async function postingsOf({ data }: ServerProcess): Promise<readonly string[]> {
  const { stdout } = await runCli(['ledger', 'export', '--data', data])
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id)
}

/** A signal takes effect in its own time. */
async function stopped({ pid }: ServerProcess): Promise<void> {
  while (!/^State:\s+T/m.test(await Bun.file(`/proc/${pid}/status`).text())) await wait(1)
}

function start(folder: string): Promise<ServerProcess> {
  const limits = { ...liftedRates, messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000, diskBytesFreeMin: 0 }
  return ServerProcess.start({ data: join(folder, 'data'), limits, flags: ['--mutual-tls', 'optional'] })
}
