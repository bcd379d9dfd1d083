// The key of the sealed channel is replaced while people use the server: who knows the old one follows, who comes by a new link
// is in at once, and after the overlap the new key alone is good, without a restart. Servers and commands are real processes.

import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askServer } from '../../src/cli/operator/connection.ts'
import { systemClock } from '../../src/domain/clock.ts'
import { parseInviteLink } from '../../src/pki/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

setDefaultTimeout(240_000)

describe('cert rotate-sealed', () => {
  test('takes everybody along who comes while both keys are good, and nobody after that', async () => {
    await using server = await ServerProcess.start({ limits: liftedRates, flags: ['--sealed', '127.0.0.1:0'] })
    using homes = new Homes()
    const old = found(server, /^sealed fingerprint (\S+)$/m)
    const began = performance.now()
    for (const name of ['alice', 'bob', 'carol']) await joinBy(homes, await inviteLink(server, '--sealed'), name)
    // Long enough for what follows, also when it takes four times as long.
    const overlapMs = Math.max(8_000, Math.ceil(6 * (performance.now() - began)))
    const { sealed } = await rotate(server, old, overlapMs)
    const next = sealed?.next?.fingerprint ?? ''
    expect(sealed).toMatchObject({ fingerprint: old, next: { fingerprint: expect.stringMatching(/^SHA256:/) } })
    expect(statSync(join(server.data, 'sealed-next.key')).mode & 0o777).toBe(0o600)

    expect(await who(homes, 'alice')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(homes.pinsOf('alice')).toEqual({ profile: next, known: [next, old] })
    // Of bob's two files only the one was written when the machine went off.
    const before = readFileSync(join(homes.path('bob'), 'profile.json'))
    expect(await who(homes, 'bob')).toMatchObject({ exitCode: 0, stderr: '' })
    writeFileSync(join(homes.path('bob'), 'profile.json'), before)
    expect(await who(homes, 'bob')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(homes.pinsOf('bob')).toEqual({ profile: next, known: [next, old] })
    const link = await inviteLink(server, '--sealed')
    expect(parseInviteLink(link).pin).toBe(next)
    await joinBy(homes, link, 'dave')
    expect(homes.pinsOf('dave')).toEqual({ profile: next, known: [next, undefined] })
    const address = found(server, /^sealwire listening on (sealed:\/\/\S+)$/m)
    expect((await runCli(['doctor', address, '--home', homes.path('alice')])).stdout).toContain('which takes the place of')

    await overlapEnds(server, next, overlapMs)
    for (const name of ['alice', 'bob', 'dave']) expect(await who(homes, name)).toMatchObject({ exitCode: 0, stderr: '' })
    const late = await who(homes, 'carol')
    expect([late.exitCode, late.stdout]).toEqual([5, ''])
    expect(late.stderr).toContain(`has another key: expected ${old}, seen ${next}`)
    expect((await runCli(['fingerprint', '--sealed', '--data', server.data])).stdout).toBe(`${next}\n`)
  })

  test('is done by the next start too, and by the command where no server runs', async () => {
    using homes = new Homes()
    const flags = ['--sealed', '127.0.0.1:0']
    const first = await ServerProcess.start({ limits: liftedRates, data: homes.path('data'), flags })
    const old = found(first, /^sealed fingerprint (\S+)$/m)
    await first.stop()
    const { stdout } = await runCli(['cert', 'rotate-sealed', '--data', first.data, '--json'])
    const { sealed } = JSON.parse(stdout) as { sealed: { fingerprint: string; next: { fingerprint: string; until: string } } }
    expect(sealed.fingerprint).toBe(old)
    expect(Date.parse(sealed.next.until)).toBeWithin(Date.now() + 29.9 * dayMs, Date.now() + 30 * dayMs)
    expect((await runCli(['cert', 'show', '--data', first.data])).stdout).toContain(
      `on ${sealed.next.fingerprint}; clients that connect before`,
    )
    expect((await runCli(['doctor', '--data', first.data])).stdout).toContain('the sealed key is being replaced')
    const again = await runCli(['cert', 'rotate-sealed', '--data', first.data])
    expect([again.exitCode, again.stdout]).toEqual([6, ''])
    expect(again.stderr).toContain('the sealed key is being replaced already, until ')
    await using second = await ServerProcess.start({ limits: liftedRates, data: first.data, flags })
    expect(second.stdout).toContain(
      `sealed fingerprint ${old}\nsealed fingerprint from ${sealed.next.until} on ${sealed.next.fingerprint}\n`,
    )
    await second.stop()
    const path = join(first.data, 'sealed-next.key')
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^until .*/, `until ${new Date().toISOString()}`))
    await using third = await ServerProcess.start({ limits: liftedRates, data: first.data, flags })
    expect(found(third, /^sealed fingerprint (\S+)$/m)).toBe(sealed.next.fingerprint)
  })

  test('wants a key to replace, and an overlap that clients believe', async () => {
    await using server = await ServerProcess.start({ limits: liftedRates })
    const none = await runCli(['cert', 'rotate-sealed', '--data', server.data])
    expect([none.exitCode, none.stderr]).toEqual([3, expect.stringContaining('no key for the sealed channel. start it with --sealed')])
    const long = await runCli(['cert', 'rotate-sealed', '--overlap', '31d', '--data', server.data])
    expect([long.exitCode, long.stderr]).toEqual([2, expect.stringContaining('is not from 1m to 30d')])
  })
})

async function joinBy(homes: Homes, link: string, name: string): Promise<void> {
  expect(await runCli(['join', link, '--name', name, '--home', homes.path(name)])).toMatchObject({ exitCode: 0, stderr: '' })
}

function who(homes: Homes, name: string) {
  return runCli(['who', '--home', homes.path(name)])
}

/** As the command does it, with an overlap that is too short for people. */
async function rotate(server: ServerProcess, from: string, overlapMs: number) {
  const parts = { clock: systemClock, limits: resolveLimits() }
  const answer = await askServer(server.data, 'certificate.rotateSealed', { from, overlapMs }, parts)
  if (typeof answer !== 'object') throw new Error(answer)
  return answer
}

async function overlapEnds(server: ServerProcess, next: string, overlapMs: number): Promise<void> {
  const deadline = performance.now() + overlapMs + 30_000
  while (performance.now() < deadline) {
    const { stdout } = await runCli(['cert', 'show', '--json', '--data', server.data])
    const { sealed } = JSON.parse(stdout) as { sealed: { fingerprint: string } }
    if (sealed.fingerprint === next) return
  }
  throw new Error('the overlap did not end')
}

function found({ stdout }: ServerProcess, pattern: RegExp): string {
  const [, value] = pattern.exec(stdout) ?? []
  if (value === undefined) throw new Error(stdout)
  return value
}

const dayMs = 24 * 60 * 60 * 1000
