// `sealwire admin`: what an operator does with accounts, through the server of the data folder or without it.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { OperatorResult } from '../protocol/operator.ts'
import { findDataFolder } from './data-folder.ts'
import { writeAll } from './descriptor.ts'
import { devicesLine } from './device-line.ts'
import { formatEndpoint } from './endpoint.ts'
import { escapeControls } from './escape.ts'
import { OperatorClient } from './operator-client.ts'
import { suggestion } from './suggest.ts'

/** The flags that every one of the commands takes. */
interface AdminFlags {
  readonly data?: string
  readonly json?: boolean
}

type ListedAccount = OperatorResult<'account.list'>['accounts'][number]

/** The command, as program.ts loads it. */
export function command(): Command {
  const admin = new Command('admin')
    .usage('COMMAND [OPTIONS]')
    .description('Look after the accounts of a server.')
    .argument('[command]', 'list, ban, unban, reset-password or status')
    .addHelpText('after', notes)
    .action((word: string | undefined) => {
      throw notOne(word, names)
    })
  admin.addCommand(part('list', 'list the accounts, ordered by name').action(list))
  admin.addCommand(named('ban', 'keep an account out; its sessions end').action(ban))
  admin.addCommand(named('unban', 'take a ban back').action(unban))
  admin.addCommand(named('reset-password', 'give an account a new password; its sessions end').action(resetPassword))
  admin.addCommand(part('status', 'say whether the server runs, and where').action(status))
  const names = admin.commands.map((each) => each.name())
  return admin
}

async function list(flags: AdminFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    let after: string | undefined
    do {
      const { accounts, next } = await operator.call('account.list', { after })
      await print(accounts.map((account) => (flags.json === true ? json(listedJson(account)) : listedLine(account))).join(''))
      after = next
    } while (after !== undefined)
  })
}

async function ban(name: string, flags: AdminFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const account = await operator.call('account.ban', { name })
    await print(flags.json === true ? json({ name: account.name, banned: true }) : `banned ${shown(account.name)}\n`)
  })
}

async function unban(name: string, flags: AdminFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const account = await operator.call('account.unban', { name })
    await print(flags.json === true ? json({ name: account.name, banned: false }) : `unbanned ${shown(account.name)}\n`)
  })
}

async function resetPassword(name: string, flags: AdminFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const account = await operator.call('account.resetPassword', { name })
    await print(flags.json === true ? json(account) : `new password of ${shown(account.name)}: ${account.password}\n`)
    // Beside the answer: who keeps the line of the password for somebody keeps nothing else.
    if (flags.json !== true) await writeAll(standardError, devicesLine(account.devices ?? 0, 'device', deviceCommands))
  })
}

async function status(flags: AdminFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const { host, port, fingerprint, registration } = await operator.call('server.status', {})
    const running = !operator.isOffline
    const address = formatEndpoint({ host, port })
    if (flags.json === true) {
      await print(json({ running, fingerprint, ...(running ? { address, registration } : {}) }))
      return
    }
    const lines = running ? [`running      tls://${address}`, `registration ${registration}`] : ['stopped']
    await print([...lines, `fingerprint  ${fingerprint}`, ''].join('\n'))
  })
}

async function withOperator(flags: AdminFlags, use: (operator: OperatorClient) => Promise<void>): Promise<void> {
  using operator = new OperatorClient(findDataFolder(flags.data, process.env), { clock: systemClock })
  await use(operator)
}

function part(name: string, description: string): Command {
  return new Command(name)
    .description(`${description.charAt(0).toUpperCase()}${description.slice(1)}.`)
    .summary(description)
    .option('--data <dir>', 'data folder of the server (default: ./sealwire-data; SEALWIRE_DATA)')
    .option('--json', 'print JSON, one object a line')
}

function named(name: string, description: string): Command {
  return part(name, description).argument('<NAME>', 'of the account')
}

function notOne(word: string | undefined, names: readonly string[]): SealwireError {
  const help = 'sealwire admin --help shows what it takes'
  if (word === undefined) return new SealwireError('usage', 'admin needs a command', { hint: help })
  return new SealwireError('usage', `unknown command 'admin ${word}'`, { hint: suggestion(word, names, help) })
}

function listedLine({ name, createdAt, bannedAt, hasPassword }: ListedAccount): string {
  const notes = [...(bannedAt === undefined ? [] : [`banned ${day(bannedAt)}`]), ...(hasPassword ? [] : ['no password'])]
  return `${[shown(name), `since ${day(createdAt)}`, ...notes].join('  ')}\n`
}

function listedJson({ createdAt, bannedAt, ...rest }: ListedAccount): object {
  const banned = bannedAt === undefined ? {} : { bannedAt: new Date(bannedAt).toISOString() }
  return { ...rest, createdAt: new Date(createdAt).toISOString(), ...banned }
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function shown(name: string): string {
  return escapeControls(name)
}

function json(value: object): string {
  return `${JSON.stringify(value)}\n`
}

async function print(text: string): Promise<void> {
  await writeAll(standardOutput, text)
}

const deviceCommands = { list: 'sealwire cert list', revoke: 'sealwire cert revoke ID' }
const standardOutput = 1
const standardError = 2

const notes = `
The commands act through the server that runs in the data folder, or by themselves when none
does. They need the user who runs the server.

Examples:
  sealwire admin list
  sealwire admin ban mallory --data /srv/sealwire
  sealwire admin reset-password alice
  sealwire admin status --json`
