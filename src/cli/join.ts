// `sealwire join`: from an invite link to an account whose profile is in the home folder. Everything that can fail here is
// tried before anything is said to the server: the home is reserved, the server has proved its key. What fails after the
// server has made the account says exactly that.

import { Command } from 'commander'
import type { Client } from '../client/node.ts'
import { type Clock, systemClock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import { type Advice, advised } from './advice.ts'
import { writeAll, writeNow } from './descriptor.ts'
import { forgetDevice, newDevice } from './device-files.ts'
import { formatEndpoint } from './endpoint.ts'
import { enrolHome, isForJoining, takesDevices } from './enrol.ts'
import { escapeControls } from './escape.ts'
import { firstContact } from './first-contact.ts'
import { findHome, type Home } from './home.ts'
import { type JoinFlags, type JoinRequest, readJoinRequest } from './join-request.ts'
import { jsonLine } from './json-line.ts'
import { connectMember, rememberServer, trustedNow } from './member.ts'
import { Profile, readProfile, refuseSecond, reserveProfile } from './profile.ts'
import { errorLine } from './report.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('join')
    .usage('[OPTIONS] --name NAME LINK')
    .description('Join a server: make an account there with an invite link, and keep it in the home folder.')
    .argument('<LINK>', 'invite link in quotes; - reads it from standard input; or HOST:PORT')
    .requiredOption('--name <name>', 'how you will be called there')
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
  const at = flags.home === undefined ? '' : ` --home ${escapeControls(flags.home)}`
  const next = `${ownName(process.env)} chat [NAME]${at}`
  const scheme = profile.serverKey === undefined ? 'sealwire' : 'sealed'
  const json = jsonLine({ name: profile.name, server: address, pin: profile.pin, home: home.path })
  await writeAll(standardOutput, flags.json === true ? json : `joined ${scheme}://${address} as ${name}\nnext: ${next}\n`)
}

/**
 * Joins, and resolves with the profile that was written.
 * @throws {SealwireError} what `reserveProfile`, the reading of the request and `connectNode` throw; what the server refuses.
 */
export async function joinFrom(home: Home, read: () => Promise<JoinRequest>, clock: Clock): Promise<Profile> {
  refuseSecond(home)
  const request = await read()
  using reservation = reserveProfile(home)
  const trusted = trustedNow(home, request)
  const client = await connectMember(trusted)
  try {
    const { name, token } = await enter(client, request)
    const serverKey = trusted.serverKey && textOf(trusted.serverKey)
    const profile = new Profile({ ...request, ...trusted, serverKey, name, token: textOf(token) })
    try {
      reservation.write(profile)
    } catch (reason) {
      throw notKept(reason, name, request)
    }
    const joined = await becomeDevice(home, client, profile)
    rememberServer(home, joined, clock)
    await client.drain()
    return joined
  } finally {
    client.close()
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

/** The account is there and the profile is kept; what fails now can be had with the next command, if that can get in. */
async function becomeDevice(home: Home, client: Client, profile: Profile): Promise<Profile> {
  forgetDevice(home)
  if (!takesDevices(client)) return profile
  try {
    return await enrolHome(home, client, profile, newDevice())
  } catch (reason) {
    if (isForJoining(client)) throw notEnrolled(reason, profile)
    writeNow(standardError, `sealwire: warning: this home was not enrolled as a device: ${errorLine(reason)}\n`)
    return readProfile(home)
  }
}

/** How the command line is called by whoever called it: in a checkout there is no `sealwire` but npm's script. */
function ownName(environment: NodeJS.ProcessEnv): string {
  return environment['npm_lifecycle_event'] === 'sealwire' ? 'npm run --silent sealwire --' : 'sealwire'
}

/** Registers, or logs in. */
async function enter(client: Client, { login, name, password, invitation }: JoinRequest): Promise<{ name: string; token: Uint8Array }> {
  try {
    if (login) return await client.request('account.login', { name, password: password ?? '' })
    return await client.request('account.register', { name, invitation, password })
  } catch (reason) {
    throw login ? advised(reason, loginAdvice) : registrationError(reason, name)
  }
}

function registrationError(reason: unknown, name: string): SealwireError {
  const error = SealwireError.from(reason)
  if (!unanswered.has(error.code)) return advised(error)
  return new SealwireError(error.code, `${error.sentence}; whether ${name} was registered is not known`, {
    cause: error,
    hint: 'try again; if the name is taken or the link used by then, ask the operator',
  })
}

/** The account is made, and its only key is lost. */
function notKept(reason: unknown, name: string, { server, login, password }: JoinRequest): SealwireError {
  const { code, sentence } = SealwireError.from(reason)
  if (login) return SealwireError.from(reason)
  const first = password === undefined ? 'it has no password: ask the operator for one (admin reset-password), then ' : ''
  return new SealwireError(code, `${name} is registered at ${formatEndpoint(server)}, but the profile was not written: ${sentence}`, {
    cause: reason,
    hint: `${first}join again with --login when that is mended`,
  })
}

/** The address is for joining, and the one for everything else wants the certificate. */
function notEnrolled(reason: unknown, { name, server }: Profile): SealwireError {
  const { code, sentence } = SealwireError.from(reason)
  return new SealwireError(code, `${name} is registered at ${formatEndpoint(server)}, but this home was not made a device: ${sentence}`, {
    cause: reason,
    hint: 'ask the operator to issue its certificate: sealwire cert issue',
  })
}

const unanswered: ReadonlySet<string> = new Set(['connection_lost', 'unknown_outcome', 'stopping', 'internal'])
const loginAdvice: Advice = { not_found: 'join without --login', login_refused: 'check name and password, or join without --login' }
const standardOutput = 1
const standardError = 2

const notes = `
The home folder gets the keys and the certificate of this device and the fingerprint of the server,
readable by you alone. One home is one account: for a second one, name another folder. Without a
password, this home is the only way into the account; sealwire passwd sets one later.

Examples:
  sealwire join 'sealwire://chat.example:5555/#1...' --name alice
  sealwire join - --name alice <link.txt
  sealwire join 'sealwire://...' --name bob --home ~/bob
  sealwire join chat.example:5555 --pin SHA256:... --name alice --login`
