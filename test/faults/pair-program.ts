// A program of the SDK that says something to somebody and pays them, again and again, and stores what it is told. It is told what to
// do on its standard input, and says when it was done; the settings are JSON, its only argument.
//
//   request, accept   becomes a contact                  done
//   begin             says and pays; `at SAID HEARD` now and then, of what was acknowledged and what has come
//   enough            finishes what is under way         done
//   balance           what it has, in minor units        done MINOR
//   end               ends

import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from '../../src/client/node-sdk.ts'
import { Home } from '../../src/client/home/home.ts'
import { joinServer } from '../../src/client/home/join.ts'
import { openMember } from '../../src/client/home/member.ts'
import { newMessageId } from '../../src/client/outbox/message-id.ts'
import { systemClock } from '../../src/domain/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { messageId } from '../support/device-client.ts'
import { Journal } from './journal.ts'
import { minorOf, type PairLine, type PairSettings } from './pair-plan.ts'

/** So that a message is more than one packet, and takes its time on a slow line. */
const padding = '.'.repeat(2_000)
const settings: PairSettings = JSON.parse(process.argv[2] ?? '')
const { name, to, server, pin, paceMs } = settings
const home = new Home(settings.home)
const warn = (): void => {}
if (!existsSync(settings.home)) {
  const request = { name, password: undefined, login: false, server, pin, transport: 'tls', invitation: undefined } as const
  await joinServer(home, request, { clock: systemClock, warn })
}
const journal = new Journal<PairLine>(settings.journal, { isDurable: true })
const me = await connect(settings.home, { offline: true })
let [said, heard, isEnough] = [0, 0, false]
let talking: Promise<void> = Promise.resolve()
say('done')
createInterface({ input: process.stdin }).on('line', (line) => void obey(line))

async function obey(line: string): Promise<void> {
  if (line === 'request') await asMember((client) => client.request('contact.request', { name: to, id: messageId() }))
  if (line === 'accept') await asMember((client) => client.request('contact.accept', { name: to }))
  if (line === 'begin') {
    talking = talk()
    void listen()
    setInterval(() => say(`at ${said} ${heard}`), tellMs)
    return
  }
  if (line === 'enough') {
    isEnough = true
    await talking
    say(`at ${said} ${heard}`)
  }
  if (line === 'end') {
    await me.close()
    process.exit(0)
  }
  say(line === 'balance' ? `done ${(await me.payments.balance()).minor}` : 'done')
}

async function asMember(deed: (client: Awaited<ReturnType<typeof openMember>>['client']) => Promise<unknown>): Promise<void> {
  const { client } = await openMember(home, { clock: systemClock, warn })
  await deed(client)
  await client.drain()
}

async function talk(): Promise<void> {
  while (!isEnough) {
    journal.add({ begun: said })
    await Promise.all([me.send(to, `${said} ${padding}`), pay(said)])
    journal.add({ done: said })
    said++
    await wait(paceMs)
  }
}

/** While there is no connection nothing is paid, and the same is tried again. What has expired on its way, as it does when the clock jumps, is over. */
async function pay(number: number): Promise<void> {
  let id = newId()
  for (;;) {
    try {
      await me.payments.pay(to, minorOf(number), { id })
      return
    } catch (reason) {
      if (!SealwireError.is(reason) || (reason.code !== 'expired' && reason.code !== 'unreachable')) throw reason
      if (reason.code === 'expired') id = newId()
    }
  }
}

function newId(): string {
  return newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))
}

async function listen(): Promise<void> {
  for await (const { kind, text } of me.inbox()) {
    if (kind !== 'message' || text === undefined || !text.endsWith(padding)) continue
    journal.add({ heard: text.slice(0, -padding.length - 1) })
    heard++
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

const tellMs = 100
