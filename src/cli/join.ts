// `sealwire join`: from an invite link to an account whose profile is in the home folder.

import { Command } from 'commander'
import { type Clock, systemClock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import { type Advice, advised } from './advice.ts'
import { writeAll } from './terminal/descriptor.ts'
import { formatEndpoint } from './options/endpoint.ts'
import { escapeControls } from './terminal/escape.ts'
import { shellWord } from './terminal/shell-word.ts'
import { firstContact } from './join/first-contact.ts'
import { findHome } from './member/find-home.ts'
import type { Home } from '../client/home/home.ts'
import { joinServer } from '../client/home/join.ts'
import { type JoinFlags, type JoinRequest, readJoinRequest } from './join/request.ts'
import { jsonLine } from './terminal/json-line.ts'
import { warnOf } from './member/member.ts'
import { type Profile, refuseSecond } from '../client/home/profile.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('join')
    .usage('[OPTIONS] [--name NAME] LINK')
    .description('Join a server: make an account there with an invite link, and keep it in the home folder.')
    .argument('<LINK>', 'invite link in quotes; - reads it from standard input; or HOST:PORT')
    .option('--name <name>', 'how you will be called there; not with a link of sealwire devices add')
    .option('--home <dir>', 'where to keep who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--password-stdin', 'set a password: a line of standard input, behind the link if that is there too')
    .option('--login', 'the account is there already: log in with its password; an invitation is not used up')
    .option(
      '--pin <fingerprint>',
      'with HOST:PORT: the fingerprint of the server, as its operator says it (default: it is shown and asked for)',
    )
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(join)
}

async function join(link: string, flags: JoinFlags): Promise<void> {
  const home = findHome(flags.home, process.env)
  const profile = await joinFrom(
    home,
    () => readJoinRequest(link, flags, process.stdin, (server, transport) => firstContact(server, home, process.stdin, transport)),
    systemClock,
  )
  const address = formatEndpoint(profile.server)
  const name = escapeControls(profile.name)
  const at = flags.home === undefined ? '' : ` --home ${shellWord(escapeControls(flags.home))}`
  const next = `${ownName(process.env)} chat [NAME]${at}`
  const scheme = profile.serverKey === undefined ? 'sealwire' : 'sealed'
  const json = jsonLine({ name: profile.name, server: address, pin: profile.pin, home: home.path })
  await writeAll(standardOutput, flags.json === true ? json : `joined ${scheme}://${address} as ${name}\nnext: ${next}\n`)
}

/**
 * Joins, and resolves with the profile that was written.
 * @throws {SealwireError} what the reading of the request and `joinServer` throw, with what to do next.
 */
export async function joinFrom(home: Home, read: () => Promise<JoinRequest>, clock: Clock): Promise<Profile> {
  refuseSecond(home)
  const request = await read()
  try {
    return await joinServer(home, request, { clock, warn: warnOf })
  } catch (reason) {
    throw SealwireError.is(reason) ? advised(reason, request.login ? loginAdvice : {}) : reason
  }
}

/** How the command line is called by whoever called it: in a checkout there is no `sealwire` but npm's script. */
function ownName(environment: NodeJS.ProcessEnv): string {
  return environment['npm_lifecycle_event'] === 'sealwire' ? 'npm run --silent sealwire --' : 'sealwire'
}

const loginAdvice: Advice = { not_found: 'join without --login', login_refused: 'check name and password, or join without --login' }
const standardOutput = 1

const notes = `
The home folder gets the keys and the certificate of this device and the fingerprint of the server,
readable by you alone. One home is one account: for a second one, name another folder. Without a
password, this home is the only way into the account; sealwire passwd sets one later.

Examples:
  sealwire join 'sealwire://chat.example:5555/#1...' --name alice
  sealwire join - --name alice <link.txt
  sealwire join 'sealwire://...' --name bob --home ~/bob
  sealwire join 'sealwire://chat.example:5555/#d1...'     one more device, with the link of devices add
  sealwire join chat.example:5555 --pin SHA256:... --name alice --login`
