import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '../../src/client/node.ts'
import { openLedgerCertificate, verifyReceipt } from '../../src/pki/index.ts'
import type { PayOrder, Result } from '../../src/protocol/contract/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { deviceClient, enrolDevice, type EnrolledDevice } from '../support/device-client.ts'
import { newId, noMemo, signedOrder } from '../support/payer.ts'
import { ServerProcess } from '../support/server-process.ts'

const flags = ['--mutual-tls', 'optional']
const rounds = 6

/** Somebody with money at a server process. */
interface Member {
  readonly device: EnrolledDevice
  readonly account: bigint
  readonly serverId: Uint8Array
}

async function joined(server: ServerProcess, name: string): Promise<Member> {
  const device = await enrolDevice(server, name)
  await using client = await deviceClient(server, device)
  const { account } = await client.request('payment.units', {})
  return { device, account: BigInt(account), serverId: client.welcome.server ?? new Uint8Array(16) }
}

function payment({ account: payer, serverId: server }: Member, payee: Member, amount: bigint, id = newId()): PayOrder {
  const expiresAt = BigInt(Date.now() + 600_000)
  return { kind: 'pay', server, payer, payee: payee.account, unit: 'credits', amount, id, expiresAt, memoHash: noMemo }
}

async function admin(server: { readonly data: string }, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli([...args, '--data', server.data])
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}

/** Sends an order; the answer, or undefined when the connection ended without one. */
async function attempt(client: Client, order: Uint8Array): Promise<Result<'payment.order'> | undefined> {
  try {
    return await client.request('payment.order', { kind: 'pay', order })
  } catch (reason) {
    if (['connection_lost', 'unknown_outcome'].includes(SealwireError.from(reason).code)) return undefined
    throw reason
  }
}

/** What the independent script says of a receipt. */
function judgeByPython(receipt: string, key: string): unknown {
  const python = ['python3', '/usr/bin/python3'].find((path) => spawnSync(path, ['-c', 'import cryptography']).status === 0)
  if (python === undefined && process.env['CI'] !== 'true') return void console.warn('SKIPPED: python3-cryptography is not installed')
  const script = fileURLToPath(new URL('../python/verify_receipt.py', import.meta.url))
  return JSON.parse(spawnSync(python ?? 'python3', ['-B', script, key, receipt], { encoding: 'utf8' }).stdout)
}

interface Exported {
  readonly posting: number
  readonly id: string
  readonly legs: readonly { readonly name?: string; readonly delta: string }[]
}

async function exported(server: { readonly data: string }): Promise<readonly Exported[]> {
  const text = await admin(server, 'ledger', 'export', '--json')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Exported)
}

describe('a server that is killed between an order and its answer', () => {
  test('has exactly one posting after the order is sent again', async () => {
    const data = mkdtempSync(join(tmpdir(), 'sealwire-e2e-'))
    try {
      let server = await ServerProcess.start({ flags, data })
      const [alice, bob] = [await joined(server, 'alice'), await joined(server, 'bob')]
      await admin(server, 'admin', 'mint', 'alice', '100')
      const sent: string[] = []
      for (let round = 0; round < rounds; round++) {
        const order = payment(alice, bob, 100n)
        const signed = signedOrder(order, alice.device.keys)
        const client = await deviceClient(server, alice.device)
        const answer = attempt(client, signed)
        // From before it arrives to after its answer: wherever that is today.
        await new Promise((resolve) => setTimeout(resolve, randomInt(12)))
        await server.kill()
        const known = await answer
        server = await ServerProcess.start({ flags, data })
        await using again = await deviceClient(server, alice.device)
        const query = await again.request('payment.transfer', { id: order.id }).catch(() => undefined)
        if (known !== undefined) expect(query).toEqual(known)
        const [first, second] = [await attempt(again, signed), await attempt(again, signed)]
        expect(second).toEqual(first)
        expect(first).toMatchObject({ status: 'posted', amount: '1.00' })
        sent.push(Buffer.from(order.id).toString('hex'))
      }
      const postings = await exported(server)
      const ids = postings.map(({ id }) => id.replaceAll('-', ''))
      for (const id of sent) expect(ids.filter((each) => each === id).length).toBe(1)
      expect(postings.length).toBe(1 + rounds)
      expect(await admin(server, 'ledger', 'verify')).toMatch(/^good: /)
      await server.stop()
    } finally {
      rmSync(data, { recursive: true, force: true })
    }
  }, 120_000)
})

describe('an order', () => {
  test('is worth nothing at another server, and the same after a restart', async () => {
    const data = mkdtempSync(join(tmpdir(), 'sealwire-e2e-'))
    try {
      let server = await ServerProcess.start({ flags, data })
      await using other = await ServerProcess.start({ flags })
      const [alice, bob] = [await joined(server, 'alice'), await joined(server, 'bob')]
      // The same people, with the same numbers, keys and money, elsewhere.
      const elsewhere = await joined(other, 'alice')
      await joined(other, 'bob')
      expect(elsewhere.account).toBe(alice.account)
      await admin(server, 'admin', 'mint', 'alice', '100')
      await admin(other, 'admin', 'mint', 'alice', '100')
      const order = payment(alice, bob, 100n)
      const signed = signedOrder(order, alice.device.keys)
      await using there = await deviceClient(other, elsewhere.device)
      await expect(there.request('payment.order', { kind: 'pay', order: signed })).rejects.toMatchObject({ code: 'signature_invalid' })
      const first = await (await deviceClient(server, alice.device)).request('payment.order', { kind: 'pay', order: signed })
      await server.stop()
      server = await ServerProcess.start({ flags, data })
      await using client = await deviceClient(server, alice.device)
      expect(await client.request('payment.order', { kind: 'pay', order: signed })).toEqual(first)
      expect((await exported(server)).length).toBe(2)
      await server.stop()
    } finally {
      rmSync(data, { recursive: true, force: true })
    }
  }, 60_000)
})

describe('a receipt', () => {
  test('is verified without the server, with the key that its authority certifies', async () => {
    await using server = await ServerProcess.start({ flags })
    const [alice, bob] = [await joined(server, 'alice'), await joined(server, 'bob')]
    await admin(server, 'admin', 'mint', 'alice', '100')
    await using client = await deviceClient(server, alice.device)
    const order = payment(alice, bob, 1250n)
    await client.request('payment.order', { kind: 'pay', order: signedOrder(order, alice.device.keys) })
    const { receipt } = await client.request('payment.receipt', { id: order.id })
    const { ledger } = client.welcome
    expect(openLedgerCertificate(ledger?.certificate ?? new Uint8Array(), server.fingerprint)).toEqual({
      serverId: alice.serverId,
      key: ledger?.key ?? new Uint8Array(),
    })
    expect(verifyReceipt(receipt, ledger?.key ?? new Uint8Array()).posting.seq).toBe(2n)
    expect(statSync(join(server.data, 'ledger.key')).mode & 0o777).toBe(0o600)
    await server.stop()
    const file = join(server.data, 'lunch.receipt')
    writeFileSync(file, receipt)
    const byKey = await runCli(['verify', file, '--key', join(server.data, 'ledger.pub'), '--json'])
    expect([byKey.exitCode, JSON.parse(byKey.stdout)]).toMatchObject([
      0,
      { good: true, posting: 2, kind: 'pay', amount: '12.50', unit: 'credits' },
    ])
    const byData = await runCli(['verify', file, '--data', server.data])
    expect(byData.stdout).toMatch(/^good: posting 2 of server [0-9a-f]{32}/)
    const judged = judgeByPython(file, join(server.data, 'ledger.pub'))
    const legs = [
      [Number(alice.account), '-1250'],
      [Number(bob.account), '1250'],
    ]
    if (judged !== undefined) expect(judged).toMatchObject({ good: true, posting: 2, legs })
    writeFileSync(file, receipt.with(100, (receipt[100] ?? 0) ^ 1))
    const bad = await runCli(['verify', file, '--data', server.data, '--json'])
    expect([bad.exitCode, JSON.parse(bad.stdout)]).toMatchObject([5, { good: false }])
    expect(bad.stderr).toContain('the receipt is not good')
  }, 60_000)
})
