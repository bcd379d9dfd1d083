// The SDK in a real Chromium, against a real server.

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { connect } from '../../src/index.ts'
import type { Sealwire } from '../../src/client/index.ts'
import { parseInviteLink } from '../../src/pki/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { Chromium, type ChromiumPage, isChromiumMissing, leafKeyHash } from '../support/chromium.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

describe.skipIf(isChromiumMissing())('a Sealwire in a browser', () => {
  test('talks, sends a file, survives that its server is away, and sends after a reload what was left', async () => {
    const flags = ['--web', '127.0.0.1:0']
    await using server = await ServerProcess.start({ registration: 'invite', limits: liftedRates, flags })
    using homes = new Homes()
    const bob = await connect(await inviteLink(server), { name: 'bob', home: homes.path('bob') })
    const inbox = bob.inbox()
    const port = Number(/^web {9}wss:\/\/127\.0\.0\.1:(\d+)\/sealwire$/m.exec(server.stdout)?.[1])
    await using browser = await Chromium.start(await leafKeyHash(port))
    const page = await browser.open(`https://127.0.0.1:${port}/`)
    await load(page)
    const invitation = JSON.stringify([...parseInviteLink(await inviteLink(server)).invitation])
    await page.run(`(async () => {
      const client = await sealwire.connectWeb({ url: '${url(port)}' })
      await client.request('account.register', { name: 'alice', invitation: new Uint8Array(${invitation}) })
      await (await sealwire.openWebDevice()).enrol(client)
      await client.drain()
    })()`)
    await start(page, port)
    expect(await page.run("me.online().then(() => me.request('bob', 'from a page')).then(({ accepted }) => accepted)")).toBe(false)
    expect((await inbox.next()).value).toMatchObject({ kind: 'contact', what: 'requested', from: 'alice' })
    await bob.accept('alice')
    expect(await page.run("me.send('bob', 'hello').then(({ seq }) => seq)")).toBe(3)
    expect((await inbox.next()).value).toMatchObject({ text: 'hello' })
    await bob.send('alice', 'hello page')
    await page.run('until(() => texts.length === 1)')
    expect(await page.run('texts')).toEqual(['hello page'])

    expect((await runCli(['admin', 'mint', 'alice', '10', '--data', server.data])).exitCode).toBe(0)
    await pay(page, bob)
    for (const kind of ['pay', 'the request']) {
      expect([kind, (await inbox.next()).value?.type]).toEqual([kind, 'application/vnd.sealwire.payment+cbor'])
    }

    const file = "sealwire.blobSource(new File([new Uint8Array(200_000).fill(7)], 'seven.bin'))"
    expect(await page.run(`me.conversation('bob').then((bob) => bob.sendFile(${file})).then(({ seq }) => seq)`)).toBe(8)
    const entry = (await inbox.next()).value
    expect(entry?.file).toMatchObject({ name: 'seven.bin', size: 200_000 })
    const bytes = []
    if (entry?.file !== undefined) for await (const chunk of bob.readFile(entry.file)) bytes.push(chunk)
    expect(Buffer.concat(bytes).every((byte) => byte === 7)).toBe(true)

    // It cannot be sent, and the page goes away; so does another tab, which somebody has opened without a thought.
    const other = await browser.open(`https://127.0.0.1:${port}/`)
    await load(other)
    await start(other, port)
    for (const tab of [page, other]) {
      await tab.run("me.close().then(() => { open = async () => { throw Object.assign(new Error('away'), unreachable) } })")
      await tab.run('start(); left().then(() => {})')
    }
    for (const [at, tab] of [page, other].entries()) {
      await tab.run(`void me.send('bob', 'left behind ${at}').catch(() => {}); new Promise((resolve) => setTimeout(resolve, 300))`)
    }
    expect(await page.run('left()')).toBe(2)
    await other.go('about:blank')
    await page.go(`https://127.0.0.1:${port}/`)
    await load(page)
    await start(page, port)
    const left = [(await inbox.next()).value, (await inbox.next()).value].map((item) => item?.text)
    expect(new Set(left)).toEqual(new Set(['left behind 0', 'left behind 1']))
    await page.run('until(async () => (await left()) === 0)')
    // Its user deletes what the site has kept.
    await page.forget()
    await page.run('new Promise((resolve) => setTimeout(resolve, 500))')
    expect(await page.run("me.send('bob', 'still here').then(() => 'sent', String)")).toBe('sent')
    expect((await inbox.next()).value).toMatchObject({ text: 'still here' })
    expect(await page.run('until(async () => (await left()) === 0).then(() => me.close()).then(() => me.state)')).toBe('closed')
    await bob.close()
    expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  }, 120_000)
})

const url = (port: number): string => `wss://127.0.0.1:${port}/sealwire`

/** A page pays, verifies what it has left, and pays what it is asked for. */
async function pay(page: ChromiumPage, bob: Sealwire): Promise<void> {
  const news = bob.payments.changes()
  const paid =
    "me.payments.pay('bob', '2.50', { memo: 'from a page' }).then(({ status, minor, balance }) => [status, String(minor), balance])"
  expect(await page.run(paid)).toEqual(['posted', '250', '7.50'])
  expect((await news.next()).value).toMatchObject({ transfer: { payer: 'alice', minor: 250n } })
  expect(await page.run('me.payments.balance().then(({ amount, minor }) => [amount, String(minor)])')).toEqual(['7.50', '750'])
  await bob.payments.request('alice', '1')
  await page.run('until(() => requests.length === 1)')
  expect(await page.run('me.payments.payRequest(requests[0]).then(({ balance }) => balance)')).toBe('6.50')
  expect((await bob.payments.balance()).minor).toBe(350n)
  const unsigned = 'new sealwire.Sealwire({ open, outbox: new sealwire.MemoryOutbox() })'
  await page.run(`globalThis.other = ${unsigned}; other.payments.pay('bob', '1').catch(({ code }) => (globalThis.refusal = code))`)
  expect(await page.run('other.close().then(() => refusal)')).toBe('device_required')
}

/** `me` reads its inbox into `texts`, and what it is asked to pay into `requests`; `left` counts what is in the outbox. */
async function start(page: ChromiumPage, port: number): Promise<void> {
  await page.run(`(async () => {
    globalThis.unreachable = { code: 'unreachable', [Symbol.for('sealwire.error')]: true, fatal: true }
    globalThis.texts = []
    globalThis.until = async (condition) => { while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20)) }
    const device = await sealwire.openWebDevice()
    globalThis.open = sealwire.webOpen({ url: '${url(port)}', device })
    globalThis.requests = []
    globalThis.left = () => new Promise((resolve) => {
      indexedDB.open('sealwire-outbox-alice').onsuccess = ({ target: { result } }) => {
        result.transaction('outbox').objectStore('outbox').count().onsuccess = ({ target }) => { result.close(); resolve(target.result) }
      }
    })
    globalThis.start = () => {
      globalThis.me = new sealwire.Sealwire({ open, outbox: new sealwire.IndexedDbOutbox('alice'), sign: device.signOrder })
      void (async () => { for await (const { request } of me.payments.changes()) if (request?.status === 'open') requests.push(request) })()
      void (async () => { for await (const { kind, text } of me.inbox()) if (kind === 'message') texts.push(text) })()
    }
    start()
  })()`)
}

/** The SDK, as a bundler makes it for a page. */
async function load(page: ChromiumPage): Promise<void> {
  const entry = fileURLToPath(new URL('sdk-browser-page.ts', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, ['build', '--target=browser', '--format=iife', entry])
  if (status !== 0) throw new Error(`the page was not bundled: ${stderr.toString()}`)
  await page.run(`(() => { ${stdout.toString()} })()`)
}
