// A real Chromium without a window, driven through its debugging protocol, as far as tests need it: open a page, run something
// in it. It trusts one key of a server beside what the system trusts.

import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { connect } from 'node:tls'

/** Whether there is none, and the tests that need one are skipped. */
export function isChromiumMissing(): boolean {
  if (spawnSync('chromium', ['--version']).status === 0) return false
  if (process.env['CI'] === 'true') throw new Error('this machine lacks chromium')
  console.warn('SKIPPED: this machine lacks chromium')
  return true
}

/** What Chromium is told to trust: base64 of the SHA-256 of the key in the certificate that this port shows. */
export async function leafKeyHash(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
    const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
    resolve(
      createHash('sha256')
        .update(key ?? '')
        .digest('base64'),
    )
    socket.destroy()
  })
  socket.once('error', reject)
  return promise
}

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly sessionId?: string
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

export class Chromium implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, null, Readable>
  readonly #folder: string
  readonly #killAtExit = (): void => void this.#child.kill('SIGKILL')
  readonly #ended: Promise<unknown>
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>()
  #socket: WebSocket | undefined
  #id = 0

  private constructor(trustedKeyHash: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'sealwire-chromium-'))
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--no-first-run',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--remote-debugging-port=0',
      `--user-data-dir=${this.#folder}`,
      `--ignore-certificate-errors-spki-list=${trustedKeyHash}`,
      'about:blank',
    ]
    this.#child = spawn('chromium', flags, { stdio: ['ignore', 'ignore', 'pipe'] })
    process.once('exit', this.#killAtExit)
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve))
  }

  /** A browser that is ready. */
  static async start(trustedKeyHash: string): Promise<Chromium> {
    const browser = new Chromium(trustedKeyHash)
    await browser.#join(await browser.#debuggingUrl())
    return browser
  }

  /** A page that has loaded. */
  async open(url: string): Promise<ChromiumPage> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    const page = new ChromiumPage(this, String(sessionId))
    await page.go(url)
    return page
  }

  /** Calls a method of the debugging protocol. */
  async send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#id
    const answer = Promise.withResolvers<Record<string, unknown>>()
    this.#waiting.set(id, answer)
    this.#socket?.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
    return answer.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
    process.off('exit', this.#killAtExit)
    // Its helpers may still be writing there.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }

  /** It says on standard error where it listens. */
  async #debuggingUrl(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    let output = ''
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const url = /^DevTools listening on (ws:\S+)\r?\n/m.exec(output)?.[1]
      if (url !== undefined) resolve(url)
    })
    void this.#ended.then(() => reject(new Error(`chromium ended: ${output}`)))
    return promise
  }

  async #join(url: string): Promise<void> {
    const socket = new WebSocket(url)
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Answer))
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('close', () => reject(new Error('chromium hung up')))
    })
    this.#socket = socket
  }

  #take({ id = 0, result = {}, error }: Answer): void {
    const answer = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) answer?.resolve(result)
    else answer?.reject(new Error(error.message))
  }
}

export class ChromiumPage {
  readonly #browser: Chromium
  readonly #sessionId: string

  constructor(browser: Chromium, sessionId: string) {
    this.#browser = browser
    this.#sessionId = sessionId
  }

  /** Loads another address, or the same once more, in a fresh world. */
  async go(url: string): Promise<void> {
    const { errorText } = await this.#browser.send('Page.navigate', { url }, this.#sessionId)
    if (errorText !== undefined && errorText !== '') throw new Error(`${url}: ${String(errorText)}`)
    // A question that meets a page on its way out is refused, or never answered.
    for (let state: unknown; state !== `${url} complete`; ) {
      const asked = this.run('`${location.href} ${document.readyState}`').catch(() => undefined)
      state = await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 2_000))])
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Deletes all that pages of its origin have kept, as its user may at any time. */
  async forget(): Promise<void> {
    const params = { origin: await this.run('location.origin'), storageTypes: 'all' }
    await this.#browser.send('Storage.clearDataForOrigin', params, this.#sessionId)
  }

  /** The value of an expression, waited for. Rejects with what it throws. */
  async run(expression: string): Promise<unknown> {
    const params = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await this.#browser.send('Runtime.evaluate', params, this.#sessionId)
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return (result as { readonly value?: unknown }).value
  }
}
