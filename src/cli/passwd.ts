// `sealwire passwd`: sets the password of the account. A home that has joined needs none; classic clients and further homes do.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import { type Advice, advised } from './advice.ts'
import { writeAll } from './terminal/descriptor.ts'
import { devicesLine } from './operator/device-line.ts'
import { findHome } from './member/find-home.ts'
import { type Member, openMember } from './member/member.ts'
import { InputLines, readPassword } from './terminal/prompt.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('passwd')
    .usage('[OPTIONS]')
    .description('Set or change the password of your account. Its other sessions end.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--password-stdin', 'read from standard input: the current and the new one, a line each; or only a first one')
    .addHelpText('after', notes)
    .action(async ({ home, passwordStdin = false }: { readonly home?: string; readonly passwordStdin?: boolean }) => {
      const given = passwordStdin ? await readPasswords(process.stdin) : undefined
      await using member = await openMember(findHome(home, process.env), { clock: systemClock })
      try {
        await (given === undefined ? askAndChange(member) : member.client.request('account.password', given))
      } catch (reason) {
        throw advised(reason, given !== undefined && given.current === undefined ? firstAdvice : changeAdvice)
      }
      await writeAll(1, 'the password is set; other sessions have ended\n')
      await writeAll(1, devicesLine(await otherDevices(member), 'other device', deviceCommands))
    })
}

/** How many can log in beside this home; none where that cannot be found out any more: the password is set. */
async function otherDevices({ client }: Member): Promise<number> {
  try {
    const { devices } = await client.request('device.list', {})
    return devices.filter(({ here }) => !here).length
  } catch {
    return 0
  }
}

/** Two lines are the current and the new password; one line is the first that the account gets. */
async function readPasswords(stdin: AsyncIterable<Uint8Array>): Promise<{ readonly current?: string; readonly next: string }> {
  await using lines = new InputLines(stdin)
  const first = await lines.next('password')
  const second = await lines.nextIfAny('password')
  return second === undefined ? { next: first } : { current: first, next: second }
}

/** Nobody can know whether there is a password but the server: it refuses a first one, and then the current one is asked for. */
async function askAndChange({ client }: Member): Promise<void> {
  const next = await readPassword({ what: 'new password', isNew: true })
  try {
    await client.request('account.password', { next })
  } catch (reason) {
    if (SealwireError.from(reason).code !== 'login_refused') throw reason
    const current = await readPassword({ what: 'current password' })
    await client.request('account.password', { current, next })
  }
}

const deviceCommands = { list: 'sealwire devices', revoke: 'sealwire devices revoke ID' }
const firstAdvice: Advice = { login_refused: 'the account has a password: give it first, then the new one' }
const changeAdvice: Advice = { login_refused: 'the current password is another one' }

const notes = `
A password has at least 12 characters. Without --password-stdin it is asked for at the terminal,
which does not show it, and the current one only if there is one.

Examples:
  sealwire passwd
  printf '%s\\n' "$current" "$new" | sealwire passwd --password-stdin`
