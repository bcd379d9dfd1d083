// `sealwire status`: who one is, whether the server is there, and what waits.

import { Command } from 'commander'
import type { Client } from '../client/node.ts'
import { systemClock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import { writeAll } from './terminal/descriptor.ts'
import { formatEndpoint } from './options/endpoint.ts'
import { escapeControls } from './terminal/escape.ts'
import { type NotedWay, notedWays } from '../client/home/direct-ways.ts'
import { readProfile } from '../client/home/profile.ts'
import { directObject } from './chat/direct-news.ts'
import { wayWords } from './chat/direct-words.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('status')
    .usage('[OPTIONS]')
    .description('Tell who you are, whether the server is there, and what waits for this device.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(async ({ home, json = false }: { readonly home?: string; readonly json?: boolean }) => {
      const place = findHome(home, process.env)
      const tell = async (server: Server | undefined): Promise<void> => {
        const { name, pin, serverKey, server: endpoint } = readProfile(place)
        const link = `${serverKey === undefined ? 'sealwire' : 'sealed'}://${formatEndpoint(endpoint)}`
        const status = { name, link, pin, ways: notedWays(place) }
        await writeAll(standardOutput, json ? jsonLine(objectOf(status, server)) : lines(status, server))
      }
      let isTold = false
      const startedAt = systemClock.monotonic()
      try {
        await withMember(place, { clock: systemClock }, async ({ client }) => {
          const server = await askServer(client, startedAt)
          isTold = true
          await tell(server)
        })
      } catch (reason) {
        // What is known here is told as well: a chat may go on without the server.
        if (!isTold && unreached.includes(SealwireError.from(reason).code)) await tell(undefined)
        throw reason
      }
    })
}

async function askServer(client: Client, startedAt: number): Promise<Server> {
  await client.request('session.ping', {})
  const connectMs = Math.round(systemClock.monotonic() - startedAt)
  const { lastSeq, ackedSeq } = await client.request('inbox.open', {})
  const { contacts } = await client.request('contact.list', {})
  const asking = contacts.filter(({ state }) => state === 'asking').map(({ name }) => name)
  return { connectMs, waiting: lastSeq - ackedSeq, asking }
}

interface Status {
  readonly name: string
  readonly link: string
  readonly pin: string
  /** How chats of this home talk with whom; undefined without direct links. */
  readonly ways: readonly NotedWay[] | undefined
}

/** What the server has said. */
interface Server {
  readonly connectMs: number
  readonly waiting: number
  readonly asking: readonly string[]
}

function objectOf({ name, link, pin, ways }: Status, server: Server | undefined): object {
  return { name, server: link, pin, ...server, direct: directObject(ways) }
}

function lines({ name, link, pin, ways }: Status, server: Server | undefined): string {
  const who = `you      ${escapeControls(name)}\nserver   ${link}, `
  const direct = `direct   ${directWords(ways)}\n`
  if (server === undefined) return `${who}not reached\npin      ${pin}\n${direct}`
  const { connectMs, waiting, asking } = server
  const asks = asking.length === 0 ? '' : `asking   ${asking.map(escapeControls).join(', ')} (sealwire contacts accept NAME)\n`
  const what = waiting === 0 ? 'nothing new' : `${waiting} new (sealwire inbox)`
  return `${who}answered after ${connectMs} ms\npin      ${pin}\ninbox    ${what}\n${direct}${asks}`
}

function directWords(ways: readonly NotedWay[] | undefined): string {
  if (ways === undefined) return 'off'
  return ways.length === 0 ? 'on, with nobody yet' : ways.map(wayWords).join(' · ')
}

const unreached: readonly string[] = ['unreachable', 'connection_lost']
const standardOutput = 1

const notes = `
Examples:
  sealwire status
  sealwire status --json | jq .waiting`
