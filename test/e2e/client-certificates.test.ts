// Client certificates of every kind, shown by clients that are not ours: to bare listeners and to whole servers, on either
// runtime.

import { describe, expect, test } from 'bun:test'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { clientCertificateOf, readDevice } from '../../src/client/home/device-files.ts'
import { Home } from '../../src/client/home/home.ts'
import { spkiPin } from '../../src/pki/index.ts'
import { contractCommands, encodeHello } from '../../src/protocol/contract/index.ts'
import { encodeFrame } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes } from '../cli/member-support.ts'
import type { Signer } from '../support/certificates.ts'
import type { CertificateListenerFile } from '../support/certificate-listener.ts'
import {
  type ClientCertificateRow,
  clientCertificateRows,
  deviceOf,
  keyHash,
  makeAuthority,
  type NamedSigner,
  pemOf,
} from '../support/client-certificates.ts'
import { isMissing, nodeBinary, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { testIdentity } from '../support/tls-identity.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const runtimes = [['Bun', process.execPath], ...(isMissing('SEALWIRE_NODE') ? [] : [['Node', nodeBinary]])]
const modes = ['optional', 'required'] as const

describe.skipIf(isMissing('python3', 'openssl'))('client certificates', () => {
  test.each(runtimes)(
    'get in whom they should at a listener on %s, and nobody else gets a byte',
    async (_, runtime) => {
      using matrix = new Matrix()
      const { rows, roots } = await prepareListener(matrix)
      await using listener = await ListenerProcess.start(runtime, matrix.folder)
      await matrix.play(rows, 'hello\n', [...listener.targets], roots)
      // A row is played by two versions of TLS, each in three ways.
      const count = (start: string): number => listener.lines.filter((line) => line.startsWith(start)).length
      const known = keyHashOf(rows.find(({ expected }) => expected === 'known'))
      expect({
        optional: [count('optional received anonymous'), count(`optional received ${known}`), count('optional received')],
        required: [count('required received anonymous'), count(`required received ${known}`), count('required received')],
      }).toEqual({ optional: [6, 6, 12], required: [0, 6, 6] })
      // The revoked one is cut when it is opened, the others before.
      const refused = rows.filter(({ expected }) => expected === 'refused').length - 1
      expect([count('optional opened'), count('required opened')]).toEqual([12 + 6, 6 + 6])
      expect([count('optional failed handshake'), count('required failed handshake')]).toEqual([refused * 6, (refused + 1) * 6])
    },
    60_000,
  )

  test.each(runtimes)(
    'get in whom they should at a server on %s, and nobody else gets a byte',
    async (_, runtime) => {
      using matrix = new Matrix()
      const rows = await prepareServer(matrix, runtime)
      for (const mode of modes) {
        const flags = ['--mutual-tls', mode, ...(mode === 'required' ? ['--join-listen', '127.0.0.1:0'] : [])]
        const limits = { ...liftedRates, loginMsMax: 1000 } // Whoever gets in says nothing more, and is let go.
        await using server = await ServerProcess.start({ runtime, data: matrix.data, limits, flags })
        await matrix.play(rows, hello, [`${mode}=127.0.0.1:${server.port}`], readFileSync(server.authority, 'utf8'))
        expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
      }
    },
    120_000,
  )
})

const hello = encodeFrame(contractCommands.hello, encodeHello({ versions: [1], client: 'test' }))

interface PlayedRow extends ClientCertificateRow {
  /** Default: any. */
  readonly answer?: string
}

/** The files that the clients and the listener read. */
class Matrix implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sealwire-matrix-'))
  readonly data = join(this.folder, 'data')

  async play(rows: readonly PlayedRow[], said: string | Uint8Array, targets: readonly string[], roots: string): Promise<void> {
    const written = rows.map((row, at) => ({ title: row.title, file: this.#write(at, row), answers: answersTo(row) }))
    const matrix = this.#file('rows.json', JSON.stringify({ hello: Buffer.from(said).toString('hex'), rows: written }))
    const { code, output } = await runPython('client_certificates.py', [matrix, this.#file('roots.pem', roots), ...targets])
    if (code !== 0 || verbose) console.error(output)
    expect(code).toBe(0)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }

  #write(at: number, { chain, key }: ClientCertificateRow): string {
    return chain === '' ? '' : this.#file(`${at}.pem`, chain + key)
  }

  #file(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
}

function answersTo({ expected, answer = '*' }: PlayedRow): { readonly optional: string; readonly required: string } {
  return { optional: expected === 'refused' ? '' : answer, required: expected === 'known' ? answer : '' }
}

/** A listener that knows one device, and another one as revoked. */
async function prepareListener({ folder }: Matrix): Promise<{ readonly rows: readonly PlayedRow[]; readonly roots: string }> {
  const authority = await makeAuthority('the authority of the devices')
  const revoked = await deviceOf(authority)
  const rows = [...(await clientCertificateRows(authority)), rowOf('revoked', revoked)]
  const { identity, roots } = await testIdentity()
  const deviceAuthorities = authority.certificate.toString()
  const file: CertificateListenerFile = { identity: { ...identity, deviceAuthorities }, revoked: [keyHash(revoked.certificate)] }
  writeFileSync(join(folder, 'listener.json'), JSON.stringify(file))
  return { rows: rows.map((row) => ({ ...row, answer: `you are ${keyHashOf(row)}\n` })), roots }
}

/** A data folder in which two people have joined, one of whom has revoked his device. */
async function prepareServer({ data }: Matrix, runtime: string): Promise<readonly PlayedRow[]> {
  using homes = new Homes()
  await using server = await ServerProcess.start({ runtime, data, limits: liftedRates })
  const alice = deviceRow('enrolled', await homes.join(server, 'alice'), 'known')
  const home = await homes.join(server, 'bob')
  const bob = deviceRow('revoked', home, 'refused')
  const { stdout } = await runCli(['devices', '--json', '--home', home])
  const { exitCode, stderr } = await runCli(['devices', 'revoke', JSON.parse(stdout).device, '--home', home])
  expect([exitCode, stderr]).toEqual([0, ''])
  await server.stop()
  const authority = authorityOf(data)
  // A device is known by its key, but not by every certificate for it.
  const rows = await clientCertificateRows(authority, createPrivateKey(alice.key))
  // Signed by the server's own authority, and yet nobody whom it knows.
  const unknown = await deviceOf(authority)
  return [...rows, alice, bob, rowOf('never enrolled', unknown)]
}

function rowOf(title: string, { certificate, key }: Signer): PlayedRow {
  return { title, chain: certificate.toString(), key: pemOf(key), leaf: certificate, expected: 'refused' }
}

function deviceRow(title: string, home: string, expected: 'known' | 'refused'): PlayedRow {
  const { chain, key } = clientCertificateOf(readDevice(new Home(home))) ?? { chain: '', key: '' }
  return { title, chain, key, leaf: new X509Certificate(chain), expected }
}

function authorityOf(data: string): NamedSigner {
  const certificate = new X509Certificate(readFileSync(join(data, 'ca.crt')))
  const name = /CN=(.*)/.exec(certificate.subject)?.[1] ?? ''
  return { name, certificate, key: createPrivateKey(readFileSync(join(data, 'ca.key'))), pin: spkiPin(certificate) }
}

function keyHashOf(row: ClientCertificateRow | undefined): string {
  return row?.leaf === undefined ? 'anonymous' : keyHash(row.leaf)
}

/** test/support/certificate-listener.ts on a runtime of one's choice. */
class ListenerProcess implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, Readable, null>
  readonly #closed: Promise<unknown>
  readonly #listening = Promise.withResolvers<void>()
  #output = ''

  private constructor(runtime: string, folder: string) {
    this.#child = spawn(runtime, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
      if (this.#output.includes('listening\n')) this.#listening.resolve()
    })
    void this.#closed.then(() => this.#listening.reject(new Error('the listener ended')))
  }

  static async start(runtime: string, folder: string): Promise<ListenerProcess> {
    const listener = new ListenerProcess(runtime, folder)
    await listener.#listening.promise
    return listener
  }

  get lines(): readonly string[] {
    return this.#output.split('\n')
  }

  /** `optional=HOST:PORT`, `required=HOST:PORT` */
  get targets(): readonly string[] {
    return this.lines.slice(0, modes.length).map((line) => line.replace(' ', '='))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}

const program = fileURLToPath(new URL('../support/certificate-listener.ts', import.meta.url))
