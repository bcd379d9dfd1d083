// People with devices that pay each other over direct links, at a real server, each over a connection that can be cut.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connect } from '../../../src/index.ts'
import type { HeldOrder } from '../../../src/client/direct/direct.ts'
import { Home } from '../../../src/client/home/home.ts'
import { readOrderKey } from '../../../src/client/home/order-signer.ts'
import { newMessageId } from '../../../src/client/outbox/message-id.ts'
import type { Transfer } from '../../../src/client/payments.ts'
import { signCose } from '../../../src/pki/cose-sign1.ts'
import { encodeOrder, orderPurposes, type PayOrder } from '../../../src/protocol/contract/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { runCli } from '../../cli/cli-process.ts'
import { Homes, inviteLink } from '../../cli/member-support.ts'
import { CuttingRelay } from '../../support/cutting-relay.ts'
import { DirectPayer, type DirectPayerOptions } from '../../support/direct-payer.ts'
import { newId } from '../../support/payer.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'

export const server = await ServerProcess.start({ registration: 'invite', limits: liftedRates })
export const homes = new Homes()
export const invite = await inviteLink(server, '--uses', '100')
export const closing: (() => unknown)[] = []
let members = 0
/** Ends everybody, and the server. */
export async function endStage(): Promise<void> {
  await Promise.all(closing.map((close) => close()))
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
}

/** Somebody with a connection of their own that can be cut. */
export interface Person {
  readonly me: DirectPayer
  readonly home: string
  readonly relay: CuttingRelay
}

/** `held-program.ts` in a process of its own. */
export class HeldProgram {
  readonly #child
  readonly #lines: string[] = []
  #wake = (): void => {}

  constructor(...args: readonly string[]) {
    const program = fileURLToPath(new URL('../../support/held-program.ts', import.meta.url))
    this.#child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    closing.push(() => this.kill())
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake()
    })
  }

  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const at = this.#lines.findIndex((line) => pattern.test(line))
      if (at >= 0) return this.#lines.splice(0, at + 1)[at] ?? ''
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  hand(order: Uint8Array, memo: string): void {
    this.#child.stdin.write(`${JSON.stringify({ order: Buffer.from(order).toString('hex'), memo })}\n`)
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}

export async function person(options: DirectPayerOptions = {}, name = `member${++members}`): Promise<Person> {
  const relay = await CuttingRelay.to(server.port)
  const home = homes.path(name)
  const joining = await connect(invite.replace(`:${server.port}/`, `:${relay.port}/`), { name, home })
  await joining.close()
  const me = new DirectPayer(home, options)
  closing.push(async () => {
    await me[Symbol.asyncDispose]()
    relay[Symbol.dispose]()
  })
  await me.online()
  return { me, home, relay }
}

/** The same home, in the hands of another program, with a connection to the server. */
export async function restarted({ me: before, home, relay }: Person, options: DirectPayerOptions = {}): Promise<Person> {
  await before[Symbol.asyncDispose]()
  relay.target = server.port
  const me = new DirectPayer(home, options)
  closing.push(() => me[Symbol.asyncDispose]())
  await me.online()
  return { me, home, relay }
}

/** Two who talk; the first has something. */
export async function two(options: DirectPayerOptions = {}): Promise<readonly [Person, Person]> {
  const [alice, bob] = [await person(options), await person(options)]
  await mint(alice)
  await meet(alice, bob)
  return [alice, bob]
}

export async function mint({ me: { name } }: Person): Promise<void> {
  const { exitCode, stderr } = await runCli(['admin', 'mint', name, '10', '--data', server.data])
  if (exitCode !== 0) throw new Error(stderr)
}

export async function meet(alice: Person, bob: Person): Promise<void> {
  await alice.me.calls.once('contact.request', { name: bob.me.name, id: newId() })
  await bob.me.calls.once('contact.accept', { name: alice.me.name })
}

/** A link between two who may not have talked yet. Answers what was answered over it. */
export async function linked(alice: Person, bob: Person): Promise<readonly string[]> {
  const answers: string[] = []
  await meet(alice, bob).catch(() => {})
  await alice.me.link(bob.me, async (pass, ...asked) => {
    const answer = await pass(...asked)
    answers.push(answer.state)
    return answer
  })
  return answers
}

export function cut({ relay }: Person): void {
  relay.target = undefined
  relay.cut()
}

/** Its connection to the server is broken, and there is no other one. */
export function cutOff(who: Person): void {
  cut(who)
}

export async function back({ me, relay }: Person): Promise<void> {
  relay.target = server.port
  me.wake()
  await me.online()
}

export async function has({ me }: Person): Promise<string> {
  return (await me.payments.balance()).amount
}

/** How many orders its home holds. */
export async function filesOf({ home }: Person): Promise<number> {
  try {
    return readdirSync(join(home, 'orders-held'), { recursive: true, encoding: 'utf8' }).filter((name) => /-[0-9a-f]{32}$/.test(name))
      .length
  } catch {
    return 0
  }
}

/** What pays somebody: the same as the SDK would make. */
export async function orderOf(from: Person, to: Person, more: Partial<PayOrder>): Promise<PayOrder> {
  const { client } = await from.me.calls.ready(undefined)
  const { account } = await from.me.calls.again('payment.units', {})
  const { account: payee } = await from.me.calls.again('payment.find', { name: to.me.name })
  const ends = { expiresAt: BigInt(Date.now() + 3_600_000), memoHash: sha256('') }
  const ofServer = { server: client.welcome.server ?? new Uint8Array(16), payer: BigInt(account), payee: BigInt(payee), id: newId() }
  return { kind: 'pay', ...ofServer, unit: 'credits', amount: 1n, ...ends, ...more }
}

export function signedBy({ home }: Person, order: PayOrder): Uint8Array {
  return signCose(encodeOrder(order), orderPurposes.pay, readOrderKey(new Home(home)))
}

export function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest())
}

export async function nextHeld(held: AsyncIterableIterator<HeldOrder>): Promise<HeldOrder> {
  const { value } = await held.next()
  return value as HeldOrder
}

export async function errorOf(promise: Promise<unknown>): Promise<SealwireError> {
  return promise.then(
    () => {
      throw new Error('it was not refused')
    },
    (reason: unknown) => SealwireError.from(reason),
  )
}

/** Asks again under the same id, as one is told to, until it is known. */
export async function knownAtLast(pay: () => Promise<Transfer>): Promise<Transfer> {
  for (;;) {
    try {
      return await pay()
    } catch (reason) {
      if (codeOf(reason) !== 'unknown_outcome') throw reason
    }
  }
}

export function codeOf(reason: unknown): string {
  return SealwireError.from(reason).code
}

export function freshId(): string {
  return newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))
}
