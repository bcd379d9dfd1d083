// `connect` on Node and Bun: from an invite link, or the home of somebody who has joined, to a Sealwire.

import { createHash, type Hash } from 'node:crypto'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemClock } from '../../domain/clock.ts'
import { keepAlive } from '../../domain/index.ts'
import { parseInviteLink } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { ConnectOptions } from '../node-sdk.ts'
import { Sealwire, type SealwireParts } from '../sealwire.ts'
import type { Hasher } from '../sha256.ts'
import type { LoggedIn } from '../uplink.ts'
import { disk } from './disk.ts'
import { formatEndpoint } from './endpoint.ts'
import { heardEarlier } from './heard-earlier.ts'
import { handedEarlier } from './handed-earlier.ts'
import { Home } from './home.ts'
import { joinServer } from './join.ts'
import { openMember } from './member.ts'
import { HomeSigner } from './order-signer.ts'
import { FileOutbox } from './outbox-file.ts'
import { findProfile, type Profile, readProfile } from './profile.ts'

/** See `connect`, which loads this. */
export async function openSealwire(linkOrHome: string | undefined, options: ConnectOptions): Promise<Sealwire> {
  const isLink = linkOrHome !== undefined && /^\s*(sealwire|sealed):/.test(linkOrHome)
  const home = homeOf(isLink ? undefined : linkOrHome, options)
  const profile = isLink ? await joined(home, linkOrHome, options) : readProfile(home)
  const outbox = new FileOutbox(home, { name: profile.name })
  const warn = options.warn ?? (() => {})
  const signer = new HomeSigner(home)
  const open = (signal: AbortSignal): Promise<LoggedIn> => logIn(home, { signal, warn, signer })
  const hasher = (): Hasher => nodeHasher(createHash('sha256'))
  const { sign } = signer
  const direct = await directOf(home, profile, options)
  const me = new Sealwire({
    open,
    clock: systemClock,
    outbox,
    held: keepAlive(),
    hasher,
    sign,
    disk,
    direct,
    heard: direct === undefined ? heardEarlier(home, profile.name) : undefined,
    handed: direct === undefined ? handedEarlier(home, profile.name) : undefined,
    patient: options.offline === true,
  })
  if (options.offline === true) return me
  try {
    await me.online({ signal: options.signal })
    return me
  } catch (reason) {
    await me.close()
    throw reason
  }
}

/** Loaded only where it is asked for: most programs make no direct links. */
async function directOf(home: Home, { name }: Profile, { direct = false }: ConnectOptions): Promise<SealwireParts['direct']> {
  if (direct === false) return undefined
  const { directFrom } = await import('./direct-home.ts')
  return directFrom(home, name, direct === true ? {} : direct)
}

async function logIn(home: Home, { signer, ...parts }: LogInParts): Promise<LoggedIn> {
  const { client, device, profile } = await openMember(home, { clock: systemClock, ...parts })
  signer.welcomed(client.welcome, profile)
  const session = { client, device, name: profile.name }
  // A sealed channel ends at a certain age; its successor is made before.
  const { renewBefore } = client
  return renewBefore === undefined ? session : { ...session, ageMsMax: renewBefore - systemClock.monotonic() }
}

interface LogInParts {
  readonly signal: AbortSignal
  readonly warn: (what: string, reason: unknown) => void
  readonly signer: HomeSigner
}

/** The first time it joins; afterwards the home knows who it is. */
async function joined(home: Home, link: string, { name, password, signal, warn = () => {} }: ConnectOptions): Promise<Profile> {
  const { host, port, transport, pin, makes, invitation } = parseInviteLink(link)
  const profile = findProfile(home)
  if (profile === undefined) {
    if (name === undefined && makes === 'account') throw new TypeError('connect needs a name to join with a link')
    const request = { server: { host, port }, transport, pin, makes, invitation, name: name ?? '', password, login: false }
    return joinServer(home, request, { clock: systemClock, signal, warn })
  }
  const isSame = (profile.server.host === host || profile.pin === pin) && (name === undefined || isSameName(name, profile.name))
  if (isSame) return profile
  throw new SealwireError('config_invalid', `${home.path} has already joined as ${profile.name} at ${formatEndpoint(profile.server)}`, {
    hint: 'name another home',
  })
}

function nodeHasher(hash: Hash): Hasher {
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
}

function isSameName(name: string, kept: string): boolean {
  return name.normalize('NFC').toLowerCase() === kept.normalize('NFC').toLowerCase()
}

function homeOf(path: string | undefined, options: ConnectOptions): Home {
  const { SEALWIRE_HOME: variable } = process.env
  // A variable that is set to nothing counts as not set, as it does for the command line.
  return new Home(resolve(path ?? options.home ?? (variable || join(homedir(), '.sealwire'))))
}
