// Audits on the command line: a real server, and a copy of its data folder that goes on in another way under the same name.

import { afterAll, describe, expect, test } from 'bun:test'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publicPem } from '../../src/pki/index.ts'
import { limitTable } from '../../src/protocol/limits.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { PaperLedger } from '../support/paper-ledger.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { CliProcess, runCli } from './cli-process.ts'
import { Homes } from './member-support.ts'

/** A server that can be put back to how it was, as somebody would who shows two histories. */
class Operator implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sealwire-audit-'))
  readonly #data = join(this.#folder, 'data')
  #server: ServerProcess | undefined
  #port: number | undefined

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error('the server does not run')
    return this.#server
  }

  async start(): Promise<this> {
    this.#port ??= await lastingPort()
    const limits = { ...liftedRates, checkpointOnDemandMs: 0 }
    this.#server = await ServerProcess.start({ limits, data: this.#data, port: this.#port })
    return this
  }

  /** Keeps how it is now under a name. */
  async save(name: string): Promise<void> {
    await this.server.stop()
    cpSync(this.#data, join(this.#folder, name), { recursive: true })
    await this.start()
  }

  /** Puts it back to how it was. */
  async restore(name: string): Promise<void> {
    await this.server.stop()
    rmSync(this.#data, { recursive: true })
    cpSync(join(this.#folder, name), this.#data, { recursive: true })
    await this.start()
  }

  async mint(name: string, amount: string): Promise<void> {
    const { exitCode, stderr } = await runCli(['admin', 'mint', name, amount, '--data', this.#data])
    expect([exitCode, stderr]).toEqual([0, ''])
  }

  get key(): string {
    return join(this.#data, 'ledger.pub')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const homes = new Homes()
const operator = await new Operator().start()
afterAll(async () => {
  homes[Symbol.dispose]()
  await operator[Symbol.asyncDispose]()
})
const [alice, bob] = [await homes.join(operator.server, 'alice'), await homes.join(operator.server, 'bob')]
let nextHome = 0

/** A home that is alice's as it is now: what is found there does not trouble other tests. */
function copyOf(home: string): string {
  const path = homes.path(`copy-${nextHome++}`)
  cpSync(home, path, { recursive: true })
  return path
}

/** Pays somebody, and writes the receipt into a file. */
async function paid(home: string, amount: string, to = 'bob'): Promise<string> {
  const { stdout, stderr } = await runCli(['pay', to, amount, '--json', '--home', home])
  if (stdout === '') throw new Error(stderr)
  const { id } = JSON.parse(stdout) as { readonly id: string }
  const path = homes.path(`${id}.receipt`)
  writeFileSync(path, await bytesOf(['receipt', id, '--home', home]))
  return path
}

async function bytesOf(args: readonly string[]): Promise<Uint8Array> {
  await using cli = new CliProcess(args)
  const chunks: Buffer[] = []
  cli.child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  if ((await cli.ended()) !== 0) throw new Error(cli.stderr)
  return new Uint8Array(Buffer.concat(chunks))
}

interface Outcome {
  readonly good: boolean
  readonly postings: number
  readonly extends: readonly { readonly postings: number }[]
}

async function audited(home: string, ...flags: readonly string[]): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await runCli(['audit', '--json', '--home', home, ...flags])
  expect([exitCode, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Outcome
}

/** What a command says that finds two histories. */
async function caught(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(args)
  expect([exitCode, stdout, stderr]).toEqual([5, '', expect.stringContaining('the server has shown two histories of its ledger')])
  return stderr
}

/** The proof that a home keeps. */
function evidenceOf(home: string): string | undefined {
  const folder = join(home, 'checkpoints')
  const file = existsSync(folder) ? readdirSync(folder).find((name) => name.endsWith('.forked')) : undefined
  return file === undefined ? undefined : join(folder, file)
}

test('files are compared as far as one audit goes, and what is more is refused', async () => {
  const ledger = new PaperLedger(5)
  const [kept, bytesMax] = [limitTable.checkpointsKeptMax.value, limitTable.checkpointsBytesMax.value]
  const file = (name: string, text: string): string => {
    writeFileSync(homes.path(name), text)
    return homes.path(name)
  }
  const line = `${Buffer.from(ledger.checkpoint(3).cose).toString('base64')}\n`
  const [all, one, key] = [file('all', line.repeat(kept)), file('one', line), file('paper.pub', publicPem(ledger.key.publicKey))]
  const [largest = '', larger = ''] = [bytesMax, bytesMax + 1].map((size) => file(`${size}`, line.padStart(size, '\n')))
  const compared = async (...files: readonly string[]): Promise<unknown> => {
    const { exitCode, stderr } = await runCli(['audit', '--key', key, ...files.flatMap((each) => ['--with', each])])
    return [exitCode, stderr.split('\n')[0]]
  }
  expect([await compared(all), await compared(largest)]).toEqual([
    [0, ''],
    [0, ''],
  ])
  expect([await compared(all, one), await compared(one, larger)]).toEqual([
    [2, expect.stringContaining(`more than ${kept} checkpoints`)],
    [2, expect.stringContaining(`is larger than ${bytesMax} bytes`)],
  ])
})

describe('audit', () => {
  test('proves that a ledger extends what was seen of it before, receipts too', async () => {
    const nothing = await runCli(['audit', '--home', alice])
    expect([nothing.exitCode, nothing.stderr]).toEqual([6, 'sealwire: nothing was ever paid here. there is nothing to audit yet.\n'])
    await operator.mint('alice', '100')
    expect(await audited(alice)).toMatchObject({ good: true, postings: 1, extends: [] })
    expect(await audited(alice)).toMatchObject({ postings: 1, extends: [{ postings: 1 }] })
    await paid(alice, '1')
    await paid(alice, '2')
    const { stdout } = await runCli(['audit', '--home', alice])
    expect(stdout).toMatch(/^good: 3 postings, \S+Z of server [0-9a-f]{32}\nthe same as 3 postings, \S+Z, seen before, and 2 more\n$/)
    expect(await audited(alice)).toMatchObject({ postings: 3, extends: [{ postings: 3 }] })
    const [file = ''] = readdirSync(join(alice, 'checkpoints')).filter((name) => /^[0-9a-f]{16}$/.test(name))
    const path = join(alice, 'checkpoints', file)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(
      readFileSync(path, 'utf8')
        .split('\n')
        .map((line) => line.split(' ').toSpliced(1, 1).toSpliced(2).join(' ')),
    ).toEqual(['# of', '1 proved', '2 proved', '3 proved', ''])
  })

  test('two at once do not lose what the other has seen', async () => {
    const home = copyOf(alice)
    await paid(alice, '1')
    const all = await Promise.all([1, 2, 3].map(() => audited(home)))
    expect(new Set(all.map(({ postings }) => postings)).size).toBe(1)
    expect((await audited(home)).postings).toBe(all[0]?.postings ?? -1)
    expect(readdirSync(join(home, 'checkpoints')).filter((name) => name !== 'lock')).toHaveLength(1)
  })

  test('a receipt of somebody else is of the same ledger', async () => {
    const receipt = await paid(alice, '1')
    const { stdout, stderr } = await runCli(['audit', '--home', bob, '--with', receipt])
    expect([stderr, stdout]).toEqual(['', expect.stringContaining(`, of ${receipt.slice(receipt.lastIndexOf('/') + 1)}\n`)])
  })

  test('what the key of the ledger has not signed is no proof of anything', async () => {
    const receipt = await paid(alice, '1')
    const bytes = readFileSync(receipt)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    writeFileSync(homes.path('forged'), bytes)
    await using other = await ServerProcess.start({ limits: liftedRates })
    using others = new Homes()
    const carol = await others.join(other, 'carol')
    await runCli(['admin', 'mint', 'carol', '10', '--data', other.data])
    expect(await audited(carol)).toMatchObject({ postings: 1 })
    for (const [home, file] of [
      [alice, homes.path('forged')],
      [carol, receipt],
    ] as const) {
      const { exitCode, stdout, stderr } = await runCli(['audit', '--home', home, '--with', file])
      expect([exitCode, stdout]).toEqual([5, ''])
      expect(stderr).toStartWith(`sealwire: ${file}: `)
      expect(evidenceOf(home)).toBeUndefined()
    }
    await audited(alice)
  })
})

describe('a server that shows two histories', () => {
  test('is caught by whoever saw the other one, and gets no orders from there any more', async () => {
    await using liar = await new Operator().start()
    using victims = new Homes()
    const [carol, dave] = [await victims.join(liar.server, 'carol'), await victims.join(liar.server, 'dave')]
    await liar.mint('carol', '100')
    await liar.save('before')
    await paid(carol, '1', 'dave')
    await audited(carol)
    const shown = await paid(carol, '2', 'dave')
    const [home, early] = [copyOf(carol), copyOf(carol)]
    await liar.save('carol')
    await liar.restore('before')
    // As long as it has not gone on it shows less than it has signed.
    expect(await caught('audit', '--home', early)).toContain('it has signed 3 postings')

    // Then it goes on differently.
    await liar.mint('dave', '50')
    await liar.mint('dave', '60')
    const other = await paid(dave, '0.5', 'carol')
    const said = await caught('audit', '--home', home)
    const evidence = evidenceOf(home) ?? ''
    expect(said).toContain(evidence)
    expect(statSync(evidence).mode & 0o777).toBe(0o600)

    for (const args of [['pay', 'dave', '1', '--yes'], ['request', 'dave', '1'], ['hold', 'dave', '1'], ['audit']]) {
      expect(await caught(...args, '--home', home)).toContain(evidence)
    }
    const balance = await runCli(['balance', '--home', home])
    expect([balance.exitCode, balance.stderr]).toEqual([0, expect.stringContaining('warning: do not rely on what follows')])

    // Whoever has only receipts finds out together with somebody else: of one size without the server, else with its help.
    expect(await caught('audit', '--home', copyOf(dave), '--with', shown)).toContain('.forked')
    expect(await caught('audit', '--home', copyOf(dave), '--with', evidence)).toContain('.forked')

    // It comes back to the first history: those who saw that one alone have nothing to say, the others find out now.
    await liar.restore('carol')
    await audited(carol)
    expect(await caught('audit', '--home', dave)).toContain('.forked')
    expect(await caught('audit', '--home', carol, '--with', other)).toContain('.forked')
  })

  test('is caught by two receipts and the public key alone', async () => {
    await using liar = await new Operator().start()
    using victims = new Homes()
    const [carol, dave] = [await victims.join(liar.server, 'carol'), await victims.join(liar.server, 'dave')]
    await liar.mint('carol', '100')
    await liar.mint('dave', '100')
    await liar.save('before')
    const one = await paid(carol, '1', 'dave')
    await liar.restore('before')
    const other = await paid(dave, '1', 'carol')
    const compared = await caught('audit', '--key', liar.key, '--with', one, '--with', other)
    expect(compared).toContain('it has signed two different roots of 3 postings')
    expect(compared).toContain(`keep ${one} and ${other}`)
    // In a home both are kept as the proof, whichever command sees the second one.
    const home = copyOf(carol)
    expect(await caught('audit', '--offline', '--home', home, '--with', other)).toContain(evidenceOf(home) ?? '-')
    expect(await caught('verify', other, '--home', carol)).toContain(evidenceOf(carol) ?? '-')
    const id = (/([^/]+)\.receipt$/.exec(other) ?? [])[1] ?? ''
    const asking = copyOf(home)
    rmSync(evidenceOf(asking) ?? '')
    const asked = await runCli(['receipt', id, '--from', 'dave', '--home', asking])
    expect([asked.exitCode, asked.stderr]).toEqual([5, expect.stringContaining(evidenceOf(asking) ?? '-')])
    expect(await caught('audit', '--key', liar.key, '--with', evidenceOf(carol) ?? '')).toContain('two different roots')
    expect(await caught('pay', 'dave', '1', '--yes', '--home', carol)).toContain(evidenceOf(carol) ?? '-')
    // Whoever has talked to the operator begins anew.
    rmSync(join(carol, 'checkpoints'), { recursive: true })
    expect(await audited(carol)).toMatchObject({ postings: 3, extends: [] })
  })
})
