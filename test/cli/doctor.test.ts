// What the doctor is told and how it tells; what it finds is in test/e2e/doctor.test.ts.

import { describe, expect, test } from 'bun:test'
import { readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { connectionFault } from '../../src/cli/doctor/reach.ts'
import { examineFolder } from '../../src/cli/doctor/examine-folder.ts'
import { examineDescriptors } from '../../src/cli/doctor/examine-machine.ts'
import { fault, faults, faultNames, findingLines, spanText, timeText } from '../../src/cli/doctor/finding.ts'
import { exitCodeOf } from '../../src/cli/report.ts'
import { systemClock } from '../../src/domain/index.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import { runCli } from './cli-process.ts'
import { pinOf, temporaryHome } from './home-support.ts'

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')

describe('doctor', () => {
  test('refuses what it cannot use in one line', async () => {
    using temporary = temporaryHome()
    const { path } = temporary.home
    const notPem = join(temporary.parent, 'not.pem')
    writeFileSync(notPem, 'no certificate')
    for (const [args, line] of [
      [['chat.example'], 'HOST:PORT "chat.example" has no port'],
      [['chat.example:0'], 'has the port 0'],
      [['127.0.0.1:1', '--pin', 'x'], '--pin "x" is not a fingerprint'],
      [['127.0.0.1:1', '--pin', pinOf('A'), '--ca', notPem], '--pin and --ca both say whom to trust'],
      [['127.0.0.1:1', '--ca', notPem], 'has no certificate that can be read'],
      [['127.0.0.1:1', '--ca', join(path, 'none')], 'cannot be read (ENOENT)'],
      [['127.0.0.1:1', '--certificate', notPem], '--certificate and --key belong together'],
      [['127.0.0.1:1', '--certificate', notPem, '--key', notPem], 'is not a private key'],
      [['127.0.0.1:1', '--timeout', '0'], '--timeout "0" is not a number of seconds over 0'],
      [['127.0.0.1:1', '--timeout', '1e9'], '--timeout "1e9" is not'],
    ] as const) {
      const told = await runCli(['doctor', '--home', path, ...args])
      expect([told.exitCode, told.stdout, told.stderr]).toEqual([2, '', expect.stringContaining(line)])
      expect(told.stderr.split('\n')).toHaveLength(2)
    }
  })

  test('tells a fault in three lines, and ends with one line and its code', async () => {
    using temporary = temporaryHome()
    const missing = join(temporary.parent, 'none')
    const told = await runCli(['doctor', '--home', temporary.home.path, '--data', missing, '--listen', '127.0.0.1:0'])
    expect(told.exitCode).toBe(3)
    expect(told.stdout.split('\n').slice(0, 3)).toEqual([
      `fault    there is no data folder ${missing}`,
      '  why    nothing is there, or no folder',
      '  next   name the folder of the server with --data DIR, or start a server there: sealwire serve --data DIR',
    ])
    expect(told.stderr).toBe('sealwire: there is a fault: folder_missing. what to do about it stands beside it, behind next.\n')
  })

  test('counts the faults', async () => {
    using temporary = temporaryHome()
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const place = `127.0.0.1:${(taken.address() as AddressInfo).port}`
    const { stderr } = await runCli(['doctor', '--data', join(temporary.parent, 'none'), '--listen', place])
    expect(stderr).toStartWith('sealwire: there are 2 faults: folder_missing, port_in_use. ')
    taken.close()
  })

  test('looks at the data folder where nobody has joined a server', async () => {
    using temporary = temporaryHome()
    temporary.home.make()
    const data = join(temporary.parent, 'none')
    const { stdout } = await runCli(['doctor', '--home', temporary.home.path], {
      environment: { SEALWIRE_DATA: data, SEALWIRE_LISTEN: '127.0.0.1:0' },
    })
    expect(stdout).toContain(`there is no data folder ${data}`)
  })

  test('does not take a data folder for the home that was named and is not there', async () => {
    using temporary = temporaryHome()
    const { path } = temporary.home
    const { exitCode, stdout, stderr } = await runCli(['doctor', '--home', path])
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining(`--home "${path}" is no folder. name the home of `)])
  })

  test('lets nobody who answers control the terminal', async () => {
    using temporary = temporaryHome()
    const hostile = createServer((socket) => socket.on('error', () => {}).end('220 \u001b]0;owned\u0007\u009b31m\r\n'))
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve))
    const { port } = hostile.address() as AddressInfo
    for (const flags of [[], ['--json']]) {
      const { stdout, stderr } = await runCli(['doctor', `127.0.0.1:${port}`, '--home', temporary.home.path, '--timeout', '10', ...flags])
      expect(stdout).toContain('220')
      expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    }
    hostile.close()
  })
})

describe('the faults', () => {
  test('are all in docs/cli.md, with the exit code that they end with', () => {
    const section = page.slice(page.indexOf('## doctor'), page.indexOf('## echo-server'))
    const rows = section
      .split('\n')
      .map((line) => line.split('|'))
      .filter(([, , , exitCode = '']) => /^ \d $/.test(exitCode))
    const documented = rows.flatMap(([, names = '', , exitCode]) =>
      Array.from(names.matchAll(/`(\w+)`/g), ([, name = '']) => [name, Number(exitCode)]),
    )
    const real = Object.entries(faults).map(([name, code]) => [name, exitCodeOf(new SealwireError(code, 'x'))])
    expect(documented).toHaveLength(real.length)
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(real))
  })

  test('are told in order', () => {
    const one = fault('timed_out', 'what', 'why', 'next')
    expect(faultNames([one, { level: 'ok', what: 'x' }, fault('disk_full', 'a', 'b', 'c')])).toEqual(['timed_out', 'disk_full'])
    expect(findingLines(one)).toEqual(['fault    what', '  why    why', '  next   next'])
    // A certificate may have any name.
    expect(findingLines(fault('timed_out', 'a', 'the authority \u001b[2J', 'b')).join('')).not.toInclude('\u001b')
  })
})

test('an IPv6 address that refuses is told in brackets', async () => {
  const found = await connectionFault({ server: { host: '::1', port: 1 }, timeoutMs: 10_000 }, systemClock)
  expect(found?.what).toStartWith('[::1]:1 ') // Refused, or without a way there.
})

test('times and spans are for people', () => {
  expect(timeText(0)).toBe('1970-01-01 00:00:00 UTC')
  const minute = 60_000
  expect([500, 90_000, 2 * minute, 119 * minute, 120 * minute, 47 * 60 * minute, 48 * 60 * minute].map(spanText)).toEqual([
    '1 seconds',
    '90 seconds',
    '2 minutes',
    '119 minutes',
    '2 hours',
    '47 hours',
    '2 days',
  ])
})

test('what answers without an end is read as far as it says what it is', async () => {
  using temporary = temporaryHome()
  const bytes = resolveLimits().doctorReplyBytesMax + 1
  const endless = createServer((socket) => socket.on('error', () => {}).write('x'.repeat(bytes)))
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
  const { port } = endless.address() as AddressInfo
  const begun = performance.now()
  const { stdout } = await runCli(['doctor', `127.0.0.1:${port}`, '--home', temporary.home.path, '--timeout', '40'])
  expect(stdout).toContain('xxx')
  expect(performance.now() - begun).toBeLessThan(40_000)
  endless.close()
})

test('a folder in which a restore has not ended is no server yet, whatever is in it', () => {
  using temporary = temporaryHome()
  temporary.home.make()
  writeFileSync(join(temporary.home.path, 'restoring'), 'A backup is being restored here.\n')
  const { findings } = examineFolder(temporary.home.path, { now: Date.now(), limits: resolveLimits() })
  expect(faultNames(findings)).toEqual(['folder_unfinished'])
})

test('the disk of a data folder has enough room, or little', () => {
  using temporary = temporaryHome()
  temporary.home.make()
  const { bavail, bsize } = statfsSync(temporary.home.path)
  const diskOf = (doctorDiskFreeBytesMin: number) =>
    examineFolder(temporary.home.path, { now: Date.now(), limits: { ...resolveLimits(), doctorDiskFreeBytesMin } })
      .findings.filter(({ what }) => what.includes('disk'))
      .map(({ level }) => level)
  expect([diskOf(0), diskOf(bavail * bsize * 2)]).toEqual([['ok'], ['warning']])
  const limits = { ...resolveLimits(), diskBytesFreeMin: bavail * bsize * 2 }
  const { findings } = examineFolder(temporary.home.path, { now: Date.now(), limits })
  // A server stores nothing here, so that is no warning.
  expect(findings).toContainEqual(
    expect.objectContaining({ level: 'fault', name: 'disk_full', why: expect.stringContaining('a server stores nothing') }),
  )
})

test('the open files of a process are enough, too few, or unknown', () => {
  const limits = resolveLimits()
  expect(examineDescriptors(limits, limits.doctorDescriptorsMin).map(({ level }) => level)).toEqual(['ok'])
  expect(faultNames(examineDescriptors(limits, limits.doctorDescriptorsMin - 1))).toEqual(['descriptors_few'])
})
