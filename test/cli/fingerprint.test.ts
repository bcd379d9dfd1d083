import { describe, expect, test } from 'bun:test'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServerProcess } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { runCli } from './cli-process.ts'
import { LeftFolder } from './operator-support.ts'

describe('fingerprint', () => {
  test('of a data folder, also one that the variable names', async () => {
    using folder = await LeftFolder.with()
    const expected = { exitCode: 0, stdout: `${folder.fingerprint}\n`, stderr: '' }
    expect(await folder.run(['fingerprint'])).toEqual(expected)
    expect(await runCli(['fingerprint'], { environment: { SEALWIRE_DATA: folder.path } })).toEqual(expected)
  })

  test('of the server that was joined', async () => {
    using home = new StoreFolder()
    const pin = `SHA256:${'b'.repeat(42)}A`
    const profile = { version: 1, server: { host: 'chat.example', port: 5555 }, pin, name: 'alice', token: 'c'.repeat(43) }
    writeFileSync(join(home.path, 'profile.json'), JSON.stringify(profile), { mode: 0o600 })
    const { exitCode, stdout } = await runCli(['fingerprint', '--home', home.path, '--json'])
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { fingerprint: pin, verified: true }])
  })

  test('of a server that shows it, which proves nothing, and that is said', async () => {
    await using server = await ServerProcess.start()
    const { exitCode, stdout, stderr } = await runCli(['fingerprint', `127.0.0.1:${server.port}`])
    expect([exitCode, stdout]).toEqual([0, `${server.fingerprint}\n`])
    expect(stderr).toBe(
      `sealwire: this is what 127.0.0.1:${server.port} shows, and it is not verified. compare it with what the operator says.\n`,
    )
    const { stdout: json } = await runCli(['fingerprint', `127.0.0.1:${server.port}`, '--json'])
    expect(JSON.parse(json)).toEqual({ fingerprint: server.fingerprint, verified: false })
  })

  test('of nobody is one line that says why', async () => {
    using folder = new StoreFolder()
    for (const [args, exitCode, line] of [
      [['--data', join(folder.path, 'none')], 3, /^sealwire: there is no data folder .*none\. .*\n$/],
      [['--data', folder.path], 3, /^sealwire: .* is not the data folder of a server\. .*\n$/],
      [['--home', folder.path], 2, /^sealwire: nobody has joined a server from .*\n$/],
      [['127.0.0.1:1'], 4, /^sealwire: 127\.0\.0\.1:1 refused the connection\. .*\n$/],
      [['127.0.0.1'], 2, /^sealwire: HOST:PORT "127\.0\.0\.1" has no port\. .*\n$/],
      [['127.0.0.1:1', '--data', folder.path], 2, /^sealwire: HOST:PORT, --data and --home name different servers\. .*\n$/],
    ] as const) {
      const told = await runCli(['fingerprint', ...args])
      expect([told.exitCode, told.stdout]).toEqual([exitCode, ''])
      expect(told.stderr).toMatch(line)
    }
  })

  test('is not made up where the certificate of the authority is gone', async () => {
    using folder = await LeftFolder.with()
    rmSync(join(folder.path, 'ca.crt'))
    const { exitCode, stderr } = await folder.run(['fingerprint'])
    expect([exitCode, stderr]).toEqual([3, expect.stringMatching(/ca\.crt is missing\. /)])
    mkdirSync(join(folder.path, 'ca.crt'))
    expect((await folder.run(['fingerprint'])).exitCode).toBe(3)
  })
})
