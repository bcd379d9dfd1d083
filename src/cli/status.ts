// `sealwire status`: who one is, whether the server is there, and what waits.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { writeAll } from './descriptor.ts'
import { formatEndpoint } from './endpoint.ts'
import { escapeControls } from './escape.ts'
import { type NotedWay, notedWays } from '../client/home/direct-ways.ts'
import { directObject } from './chat-direct-news.ts'
import { wayWords } from './chat-direct-words.ts'
import { findHome } from './find-home.ts'
import { jsonLine } from './json-line.ts'
import { withMember } from './member.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('status')
    .usage('[OPTIONS]')
    .description('Tell who you are, whether the server is there, and what waits for this device.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(async ({ home, json = false }: { readonly home?: string; readonly json?: boolean }) => {
      const startedAt = systemClock.monotonic()
      const place = findHome(home, process.env)
      await withMember(place, { clock: systemClock }, async ({ profile, client }) => {
        await client.request('session.ping', {})
        const ms = Math.round(systemClock.monotonic() - startedAt)
        const { lastSeq, ackedSeq } = await client.request('inbox.open', {})
        const { contacts } = await client.request('contact.list', {})
        const asking = contacts.filter(({ state }) => state === 'asking').map(({ name }) => name)
        const server = `${profile.serverKey === undefined ? 'sealwire' : 'sealed'}://${formatEndpoint(profile.server)}`
        const ways = notedWays(place)
        const status = { name: profile.name, server, pin: profile.pin, connectMs: ms, waiting: lastSeq - ackedSeq, asking }
        await writeAll(standardOutput, json ? jsonLine({ ...status, direct: directObject(ways) }) : lines({ ...status, ways }))
      })
    })
}

interface Status {
  readonly name: string
  readonly server: string
  readonly pin: string
  readonly connectMs: number
  readonly waiting: number
  readonly asking: readonly string[]
  /** How chats of this home talk with whom; undefined without direct links. */
  readonly ways: readonly NotedWay[] | undefined
}

function lines({ name, server, pin, connectMs, waiting, asking, ways }: Status): string {
  const asks = asking.length === 0 ? '' : `asking   ${asking.map(escapeControls).join(', ')} (sealwire contacts accept NAME)\n`
  const what = waiting === 0 ? 'nothing new' : `${waiting} new (sealwire inbox)`
  return `you      ${escapeControls(name)}\nserver   ${server}, answered after ${connectMs} ms\npin      ${pin}\ninbox    ${what}\ndirect   ${directWords(ways)}\n${asks}`
}

function directWords(ways: readonly NotedWay[] | undefined): string {
  if (ways === undefined) return 'off'
  return ways.length === 0 ? 'on, with nobody yet' : ways.map(wayWords).join(' · ')
}

const standardOutput = 1

const notes = `
Examples:
  sealwire status
  sealwire status --json | jq .waiting`
