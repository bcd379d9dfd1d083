// The doctor and the sealed channel: a server that is well, and each fault made for real.

import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../cli/cli-process.ts'
import { pinOf } from '../cli/home-support.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

setDefaultTimeout(60_000)
const home = mkdtempSync(join(tmpdir(), 'sealwire-doctor-sealed-'))
const server = await ServerProcess.start({ limits: liftedRates, flags: ['--sealed', '127.0.0.1:0'] })
const address = found(/^sealwire listening on sealed:\/\/(\S+)$/m)
const pin = found(/^sealed fingerprint (\S+)$/m)
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(home, { recursive: true, force: true })
})

describe('doctor and the sealed channel', () => {
  test('it is well, by its fingerprint and by its own folder', async () => {
    expect(await examine(`sealed://${address}`, '--pin', pin)).toMatchObject({ exitCode: 0, faults: [] })
    expect(await examine(`sealed://${address}`, '--data', server.data)).toMatchObject({ exitCode: 0, faults: [] })
  })

  test('nobody has vouched for it: a warning that shows its fingerprint', async () => {
    const { exitCode, faults, stdout } = await examine(`sealed://${address}`)
    expect([exitCode, faults]).toEqual([0, []])
    expect(stdout).toContain('it is not verified who answers')
    expect(stdout).toContain(pin)
  })

  test('it is looked at as if it spoke TLS', async () => {
    const { exitCode, faults, stdout } = await examine(address)
    expect([exitCode, faults]).toEqual([4, ['tls_sealed']])
    expect(stdout).toContain(`sealwire doctor sealed://${address}`)
  })

  test('TLS is spoken where it should be', async () => {
    const told = await examine(`sealed://127.0.0.1:${server.port}`)
    expect(told).toMatchObject({ exitCode: 4, faults: ['sealed_not_spoken'] })
    expect(told.stdout).toContain('a TLS server answers')
  })

  test('it has another key', async () => {
    const { exitCode, faults, stdout } = await examine(`sealed://${address}`, '--pin', pinOf('A'))
    expect([exitCode, faults]).toEqual([5, ['pin_mismatch']])
    expect(stdout).toContain(pin)
  })

  test('it lets in the device that was enrolled there, until that is revoked', async () => {
    using homes = new Homes()
    const member = homes.path('member')
    const link = await inviteLink(server, '--sealed')
    expect(await runCli(['join', link, '--name', 'member', '--home', member])).toMatchObject({ exitCode: 0, stderr: '' })
    const asMember = () => runCli(['doctor', '--json', '--home', member])
    expect(JSON.parse((await asMember()).stdout)).toMatchObject({ ok: true, faults: [] })
    const [device = ''] = (await runCli(['cert', 'list', '--data', server.data])).stdout.match(/\b[0-9a-f]{20}\b/) ?? []
    expect(await runCli(['cert', 'revoke', device, '--data', server.data])).toMatchObject({ exitCode: 0 })
    const told = await asMember()
    expect([told.exitCode, JSON.parse(told.stdout)]).toMatchObject([5, { ok: false, faults: ['device_not_admitted'] }])
    expect(told.stdout).toContain('the device was revoked, or its certificate has expired')
  })

  test('something else answers, or nobody', async () => {
    await using talker = await listening((socket) => socket.end('SSH-2.0-test\r\n'))
    expect(await examine(`sealed://${talker.address}`)).toMatchObject({ faults: ['tls_ssh'] })
    await using closer = await listening((socket) => socket.end())
    expect(await examine(`sealed://${closer.address}`)).toMatchObject({ faults: ['sealed_not_spoken'] })
    await using mute = await listening(() => {})
    expect(await examine(`sealed://${mute.address}`)).toMatchObject({ faults: ['sealed_not_spoken'] })
    expect(await examine('sealed://127.0.0.1:1')).toMatchObject({ faults: ['connection_refused'] })
  })

  test('its key is open to others, or no key', async () => {
    await using other = await ServerProcess.start({ flags: ['--sealed', '127.0.0.1:0'] })
    const key = join(other.data, 'sealed.key')
    chmodSync(key, 0o644)
    expect(await examine('--data', other.data)).toMatchObject({ exitCode: 3, faults: ['key_unsafe'] })
    chmodSync(key, 0o600)
    writeFileSync(key, 'no key')
    expect(await examine('--data', other.data)).toMatchObject({ exitCode: 3, faults: ['key_malformed'] })
  })

  test('it has no certificates that --ca could judge', async () => {
    const told = await runCli(['doctor', `sealed://${address}`, '--ca', join(home, 'any.pem'), '--home', home])
    expect([told.exitCode, told.stdout]).toEqual([2, ''])
    expect(told.stderr).toContain('the sealed channel has no certificates')
  })
})

async function examine(...args: readonly string[]): Promise<{ exitCode: unknown; stdout: string; faults: readonly string[] }> {
  const { exitCode, stdout, stderr } = await runCli(['doctor', '--json', '--timeout', '1.5', '--home', home, ...args])
  if (stdout === '') throw new Error(stderr)
  return { exitCode, stdout, faults: (JSON.parse(stdout) as { faults: readonly string[] }).faults }
}

async function listening(accept: (socket: Socket) => void): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    accept(socket)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(listener.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

function found(pattern: RegExp): string {
  const [, value] = pattern.exec(server.stdout) ?? []
  if (value === undefined) throw new Error(`the server does not speak the sealed channel: ${server.stdout}`)
  return value
}
