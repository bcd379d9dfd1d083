// A browser as a device: a real Chromium and a real server.

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { parseInviteLink } from '../../src/pki/index.ts'
import { Chromium, type ChromiumPage, isChromiumMissing, leafKeyHash } from '../support/chromium.ts'
import { ServerProcess } from '../support/server-process.ts'

describe.skipIf(isChromiumMissing())('a browser', () => {
  test('joins with an invitation, becomes a device, and comes back by its key alone until it is revoked', async () => {
    await using server = await ServerProcess.start({ registration: 'invite', flags: ['--web', '127.0.0.1:0'] })
    const port = webPort(server)
    await using browser = await Chromium.start(await leafKeyHash(port))
    const page = await browser.open(`https://127.0.0.1:${port}/`)
    expect(await page.run('document.body.innerText')).toContain('clients connect to /sealwire')

    await load(page)
    const invitation = JSON.stringify([...parseInviteLink(server.invite).invitation])
    const joined = await inPage(page, port, [
      `const { name } = await client.request('account.register', { name: 'Alice', invitation: new Uint8Array(${invitation}) })`,
      "const id = await device.enrol(client, 'a browser')",
      'return { name, isItself: id === device.id, id, echo: await echo(1000) }',
    ])
    expect(joined).toEqual({ name: 'Alice', isItself: true, id: expect.stringMatching(/^[0-9a-f]{20}$/), echo: 1000 })

    // Nothing of the page before is left but what the browser keeps.
    await page.go(`https://127.0.0.1:${port}/`)
    await load(page)
    const back = await inPage(page, port, [
      'const login = await device.login(client)',
      "const { devices } = await client.request('device.list', {})",
      "const secret = await crypto.subtle.exportKey('pkcs8', (await sealwire.newWebKeys()).ed25519.privateKey).catch((why) => why.name)",
      'return { login, devices: devices.map(({ label, here }) => ({ label, here })), secret, echo: await echo(1000) }',
    ])
    expect(back).toEqual({
      login: { name: 'Alice', device: (joined as { readonly id: string }).id },
      devices: [{ label: 'a browser', here: true }],
      secret: 'InvalidAccessError',
      echo: 1000,
    })

    const revoked = await inPage(page, port, [
      'await device.login(client)',
      "await client.request('device.revoke', { device: device.id })",
      'const ended = await client.closed',
      `const again = await sealwire.connectWeb({ url: 'wss://127.0.0.1:${port}/sealwire' })`,
      'const refusal = await device.login(again).catch(({ code }) => code)',
      'await again.drain()',
      'return { ended: ended?.code, refusal }',
    ])
    expect(revoked).toEqual({ ended: 'session_ended', refusal: 'login_refused' })
    expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  }, 120_000)

  test('comes to nothing from a page of elsewhere', async () => {
    await using server = await ServerProcess.start({ flags: ['--web', '127.0.0.1:0', '--web', '127.0.0.1:0'] })
    const [port = 0, other = 0] = webPorts(server)
    await using browser = await Chromium.start(await leafKeyHash(port))
    const page = await browser.open(`https://127.0.0.1:${other}/`)
    await load(page)
    const url = `wss://127.0.0.1:${port}/sealwire`
    expect(await page.run(`sealwire.connectWeb({ url: '${url}' }).then(() => 'connected', ({ code }) => code)`)).toBe('unreachable')
    await page.go(`https://127.0.0.1:${port}/`)
    await load(page)
    expect(await page.run(`sealwire.connectWeb({ url: '${url}' }).then((client) => (client.close(), 'connected'))`)).toBe('connected')
  }, 120_000)
})

function webPort(server: ServerProcess): number {
  return webPorts(server)[0] ?? 0
}

function webPorts({ stdout }: ServerProcess): readonly number[] {
  return Array.from(stdout.matchAll(/^web {9}wss:\/\/127\.0\.0\.1:(\d+)\/sealwire$/gm), ([, port]) => Number(port))
}

/** The client, as a bundler makes it for a page. */
const bundle = (): string => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [
    'build',
    '--target=browser',
    '--format=iife',
    fileURLToPath(new URL('browser-page.ts', import.meta.url)),
  ])
  if (status !== 0) throw new Error(`the page was not bundled: ${stderr.toString()}`)
  return stdout.toString()
}

async function load(page: ChromiumPage): Promise<void> {
  await page.run(`(() => { ${bundle()} })()`)
}

/** Runs lines in the page with a `client`, a `device` and `echo(count)`, and ends the client in order. */
function inPage(page: ChromiumPage, port: number, lines: readonly string[]): Promise<unknown> {
  return page.run(`(async () => {
    const client = await sealwire.connectWeb({ url: 'wss://127.0.0.1:${port}/sealwire', name: 'a page' })
    const device = await sealwire.openWebDevice()
    const echo = async (count) => {
      const data = crypto.getRandomValues(new Uint8Array(count))
      const { data: back } = await client.request('session.echo', { data })
      return back.filter((byte, at) => byte === data[at]).length
    }
    try {
      ${lines.join('\n')}
    } finally {
      await client.drain()
    }
  })().catch((reason) => { throw new Error(String(reason)) })`)
}
