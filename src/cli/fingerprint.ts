// `sealwire fingerprint`: by what clients know a server, from wherever it is asked for.

import { Command } from 'commander'
import { keyPin } from '../channel/index.ts'
import { systemClock } from '../domain/clock.ts'
import { authoritiesOf, Flusher, readPeerChain, readSealedKey } from '../link/index.ts'
import { sealedPins, spkiPin, type Transport } from '../pki/index.ts'
import { resolveLimits, SealwireError } from '../protocol/index.ts'
import { checkDataFolder, findDataFolder, folderFingerprint } from './operator/data-folder.ts'
import { writeAll, writeNow } from './terminal/descriptor.ts'
import { type Endpoint, formatEndpoint, parseEndpoint } from './options/endpoint.ts'
import { findHome } from './member/find-home.ts'
import { commandLine } from './options/origin.ts'
import { readProfile } from '../client/home/profile.ts'

/** The flags as they were typed. */
interface FingerprintFlags {
  readonly data?: string
  readonly home?: string
  readonly sealed?: boolean
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('fingerprint')
    .usage('[OPTIONS] [HOST:PORT]')
    .description('Print the fingerprint of a server: the hash of the key that its clients trust.')
    .argument('[HOST:PORT]', 'ask the server there; the answer is not verified')
    .option('--data <dir>', 'of the server with this data folder (default: ./sealwire-data; SEALWIRE_DATA)')
    .option('--home <dir>', 'of the server that was joined from this home')
    .option('--sealed', 'of its key for the sealed channel; with HOST:PORT ask there')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(printFingerprint)
}

async function printFingerprint(address: string | undefined, flags: FingerprintFlags): Promise<void> {
  if ([address, flags.data, flags.home].filter((one) => one !== undefined).length > 1) {
    throw new SealwireError('usage', 'HOST:PORT, --data and --home name different servers', { hint: 'give one of them' })
  }
  const server = address === undefined ? undefined : parseEndpoint(address, commandLine('HOST:PORT'))
  const fingerprint =
    server === undefined ? localFingerprint(flags) : await shownFingerprint(server, flags.sealed === true ? 'sealed' : 'tls')
  const verified = server === undefined
  await writeAll(standardOutput, flags.json === true ? `${JSON.stringify({ fingerprint, verified })}\n` : `${fingerprint}\n`)
  if (verified) return
  const warning = `this is what ${formatEndpoint(server)} shows, and it is not verified. compare it with what the operator says.`
  writeNow(standardError, `sealwire: ${warning}\n`)
}

function localFingerprint({ data, home, sealed = false }: FingerprintFlags): string {
  if (home !== undefined) return readProfile(findHome(home, process.env)).pin
  const folder = findDataFolder(data, process.env)
  checkDataFolder(folder)
  return sealed ? sealedFingerprint(folder) : folderFingerprint(folder)
}

function sealedFingerprint(folder: string): string {
  const pins = sealedPins(folder, systemClock.now())
  if (pins !== undefined) return pins.current
  throw new SealwireError('key_missing', `${folder} has no key for the sealed channel`, {
    hint: 'start the server with --sealed HOST:PORT',
  })
}

/**
 * What the server shows to anybody who connects. Nothing is sent but the handshake, and nothing is verified.
 * @throws {SealwireError} `unreachable`, `untrusted` when it shows no authority.
 */
async function shownFingerprint(server: Endpoint, transport: Transport): Promise<string> {
  return (await shownFingerprints(server, transport))[0]
}

/** As {@link shownFingerprint}, and behind it the one before, as long as that is good too. */
export async function shownFingerprints(
  server: Endpoint,
  transport: Transport,
): Promise<readonly [today: string, before?: string | undefined]> {
  const limits = resolveLimits()
  const context = { limits, flusher: new Flusher(limits, systemClock) }
  const place = { ...server, timeoutMs: limits.clientDialMsMax }
  if (transport === 'sealed') return [keyPin(await readSealedKey(place, context))]
  const [today, before] = authoritiesOf(await readPeerChain(place, context))
  if (today !== undefined) return [spkiPin(today), before && spkiPin(before)]
  throw new SealwireError('untrusted', `${formatEndpoint(server)} shows no authority of its own`, {
    hint: 'check that it is a sealwire server',
  })
}

const standardOutput = 1
const standardError = 2

const notes = `
The fingerprint stays the same as long as the data folder of the server does.

Examples:
  sealwire fingerprint                        of the server with ./sealwire-data
  sealwire fingerprint --home ~/.sealwire     of the server that was joined
  sealwire fingerprint --sealed               of the same server, for the sealed channel
  sealwire fingerprint chat.example:5555      of whoever answers there; compare it`
