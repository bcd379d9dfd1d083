// `sealwire devices`: from where the account is used, and how one of them is shut out.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { formatInviteLink } from '../pki/index.ts'
import type { Result } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { writeAll } from './terminal/descriptor.ts'
import { deviceJson, deviceLine } from './operator/device-line.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'
import { terminalQr } from './terminal/terminal-qr.ts'

interface DevicesFlags {
  /** False after `--no-qr`. */
  readonly qr?: boolean
  readonly home?: string
  readonly json?: boolean
}

type Listed = Result<'device.list'>['devices'][number]

/** The command, as program.ts loads it. */
export function command(): Command {
  const devices = new Command('devices')
    .usage('[COMMAND] [OPTIONS]')
    .description('List the devices of your account, add one, or revoke one.')
    .argument('[command]', 'add or revoke')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(async (word: string | undefined, flags: DevicesFlags) => {
      if (word !== undefined)
        throw new SealwireError('usage', `unknown command 'devices ${word}'`, { hint: 'devices add and devices revoke ID are some' })
      await list(flags)
    })
  const revoking = new Command('revoke')
    .description('Make the certificate of a device worthless for good; its sessions end.')
    .summary('make the certificate of a device worthless')
    .argument('<ID>', 'of the device, as the list shows it')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print a JSON object')
    .action((id: string, _flags: DevicesFlags, self: Command) => revoke(id, self.optsWithGlobals<DevicesFlags>()))
  const adding = new Command('add')
    .description('Show a link, good once and for ten minutes, with which another installation becomes a device of your account.')
    .summary('show a link for one more device')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--no-qr', 'draw no QR code on a terminal')
    .option('--json', 'print a JSON object')
    .action((_flags: DevicesFlags, self: Command) => add(self.optsWithGlobals<DevicesFlags>()))
  return devices.addCommand(adding).addCommand(revoking)
}

async function add({ home, qr = true, json = false }: DevicesFlags): Promise<void> {
  await withMember(findHome(home, process.env), { clock: systemClock }, async ({ client, profile }) => {
    const { secret, expiresAt } = await client.request('device.link', {})
    const transport = profile.serverKey === undefined ? 'tls' : 'sealed'
    const link = formatInviteLink({ ...profile.server, transport, pin: profile.pin, makes: 'device', invitation: secret })
    const until = new Date(expiresAt).toISOString()
    const lines = [...(qr ? terminalQr(link) : []), link, `good once, until ${until.slice(11, 16)} UTC: sealwire join LINK, there`]
    await writeAll(standardOutput, json ? jsonLine({ link, expiresAt: until }) : `${lines.join('\n')}\n`)
  })
}

async function list({ home, json = false }: DevicesFlags): Promise<void> {
  await withMember(findHome(home, process.env), { clock: systemClock }, async ({ client }) => {
    const { devices } = await client.request('device.list', {})
    await writeAll(standardOutput, devices.map((device) => (json ? jsonLine(listedJson(device)) : listedLine(device))).join(''))
  })
}

async function revoke(device: string, { home, json = false }: DevicesFlags): Promise<void> {
  const advice = { not_found: 'sealwire devices lists them' }
  await withMember(
    findHome(home, process.env),
    { clock: systemClock },
    async ({ client }) => {
      await client.request('device.revoke', { device })
      await writeAll(standardOutput, json ? jsonLine({ device, revoked: true }) : `revoked ${device}\n`)
    },
    advice,
  )
}

function listedLine(device: Listed): string {
  return deviceLine(device, device.here ? ['this one'] : [])
}

function listedJson({ here, ...device }: Listed): object {
  return { ...deviceJson(device), here }
}

const standardOutput = 1

const notes = `
A device is a home that has joined, or a program with a certificate. Whoever loses one revokes it
from another; the certificate of a revoked device is never good again.

Examples:
  sealwire devices
  sealwire devices add
  sealwire devices revoke 3f1c0a9b77d2e4515a60
  sealwire devices --json | jq -r .device`
