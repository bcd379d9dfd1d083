// `sealwire admin`: what an operator does with accounts, through the server of the data folder or without it.

import { Command } from 'commander'
import type { OperatorResult } from '../protocol/operator.ts'
import { addMoneyCommands } from './admin/money.ts'
import { writeAll } from './terminal/descriptor.ts'
import { devicesLine } from './operator/device-line.ts'
import { formatEndpoint } from './options/endpoint.ts'
import { escapeControls } from './terminal/escape.ts'
import { json, named, needsOne, type OperatorFlags, part, print, withOperator } from './operator/command.ts'

type ListedAccount = OperatorResult<'account.list'>['accounts'][number]

/** The command, as program.ts loads it. */
export function command(): Command {
  const admin = new Command('admin').description('Look after the accounts of a server, and their money.').addHelpText('after', notes)
  needsOne(admin, 'admin', 'list, ban, unban, reset-password, status; unit, mint, burn, limit, freeze, unfreeze')
  admin.addCommand(part('list', 'list the accounts, ordered by name').action(list))
  admin.addCommand(named('ban', 'keep an account out; its sessions end').action(ban))
  admin.addCommand(named('unban', 'take a ban back').action(unban))
  admin.addCommand(named('reset-password', 'give an account a new password; its sessions end').action(resetPassword))
  admin.addCommand(part('status', 'say whether the server runs, and where').action(status))
  addMoneyCommands(admin)
  return admin
}

async function list(flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    let after: string | undefined
    do {
      const { accounts, next } = await operator.call('account.list', { after })
      await print(accounts.map((account) => (flags.json === true ? json(listedJson(account)) : listedLine(account))).join(''))
      after = next
    } while (after !== undefined)
  })
}

async function ban(name: string, flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const account = await operator.call('account.ban', { name })
    await print(flags.json === true ? json({ name: account.name, banned: true }) : `banned ${shown(account.name)}\n`)
  })
}

async function unban(name: string, flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const account = await operator.call('account.unban', { name })
    await print(flags.json === true ? json({ name: account.name, banned: false }) : `unbanned ${shown(account.name)}\n`)
  })
}

async function resetPassword(name: string, flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const account = await operator.call('account.resetPassword', { name })
    await print(flags.json === true ? json(account) : `new password of ${shown(account.name)}: ${account.password}\n`)
    // Beside the answer: who keeps the line of the password for somebody keeps nothing else.
    if (flags.json !== true) await writeAll(standardError, devicesLine(account.devices ?? 0, 'device', deviceCommands))
  })
}

async function status(flags: OperatorFlags): Promise<void> {
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

const deviceCommands = { list: 'sealwire cert list', revoke: 'sealwire cert revoke ID' }
const standardError = 2

const notes = `
The commands act through the server that runs in the data folder, or by themselves when none
does. They need the user who runs the server.

Examples:
  sealwire admin list
  sealwire admin ban mallory --data /srv/sealwire
  sealwire admin reset-password alice
  sealwire admin status --json
  sealwire admin mint alice 100             a hundred credits for alice
  sealwire admin unit create hours --decimals 1
  sealwire admin limit alice --day 50 --unit credits`
