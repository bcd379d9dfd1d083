// Who somebody is on a server: one profile a home. The token in it is as good as a password, so a profile shows it only
// to whoever asks for it by name: printed, turned into JSON or put into an error a profile has none.

import * as v from 'valibot'
import { isPin } from '../../pki/pin.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { lockData } from '../../store/data-lock.ts'
import { type Endpoint, formatEndpoint } from './endpoint.ts'
import { damaged, type Home, parseJson } from './home.ts'

export interface ProfileFields {
  readonly server: Endpoint
  /** The key of the server's authority: `SHA256:…`. */
  readonly pin: string
  /** The account's name, as its owner wrote it. */
  readonly name: string
  /** The session token, characters of base64url; `undefined` for a device, which has a certificate instead. */
  readonly token: string | undefined
  /** The server's static key, 43 characters of base64url, where it is reached through the sealed channel; `pin` is its pin. */
  readonly serverKey?: string | undefined
}

export class Profile implements ProfileFields {
  readonly server: Endpoint
  readonly pin: string
  readonly name: string
  readonly serverKey: string | undefined
  readonly #token: string | undefined

  constructor({ server, pin, name, token, serverKey }: ProfileFields) {
    this.server = Object.freeze({ host: server.host, port: server.port })
    this.pin = pin
    this.name = name
    this.serverKey = serverKey
    this.#token = token
  }

  get token(): string | undefined {
    return this.#token
  }
}

/** The right to write the profile of a home, which nobody else has until it is disposed. */
export interface ProfileReservation extends Disposable {
  /** @throws {SealwireError} `storage_full` or `data_unusable`. */
  write(profile: Profile): void
}

/**
 * The profile of a home, or `undefined` when nobody has joined from there.
 * @throws {SealwireError} `key_unsafe` when it is not its owner's alone; `config_invalid` when it is no profile;
 * `data_unusable` when it cannot be read.
 */
export function findProfile(home: Home): Profile | undefined {
  const text = home.read(file, bytesMax)
  return text === undefined ? undefined : parseProfile(home.pathOf(file), text)
}

/**
 * The profile of a home.
 * @throws {SealwireError} as {@link findProfile}, and `config_invalid` when there is none.
 */
export function readProfile(home: Home): Profile {
  const profile = findProfile(home)
  if (profile !== undefined) return profile
  throw new SealwireError('config_invalid', `nobody has joined a server from ${home.path}`, {
    hint: 'join one with sealwire join LINK --name NAME, or name another home with --home DIR',
  })
}

/**
 * Makes sure, before anything is said to a server, that what it answers can be kept: the home is made, holds no profile,
 * takes one of the largest size, and no other command joins from it meanwhile. A home that it has made for nothing is gone
 * when it is disposed.
 * @throws {SealwireError} `config_invalid` when somebody has joined from this home; `data_locked` while another command
 * does; `storage_full` or `data_unusable` when nothing can be written.
 */
export function reserveProfile(home: Home): ProfileReservation {
  const made = home.make()
  const lock = lockHome(home)
  const release = (): void => {
    home.unmake(made, 'lock')
    lock[Symbol.dispose]()
  }
  try {
    refuseSecond(home)
    home.checkWritable(file, bytesMax)
  } catch (reason) {
    release()
    throw reason
  }
  return { write: (profile) => writeProfile(home, profile), [Symbol.dispose]: release }
}

/**
 * Notes the key that has taken the place of `pin`, which has vouched for it, and the static key itself where it is one.
 * @throws {SealwireError} `data_locked` while another command writes the profile; as {@link readProfile}; `storage_full`.
 */
export function movePin(home: Home, pin: string, next: string, serverKey?: string): void {
  using _lock = lockHome(home)
  const profile = readProfile(home)
  if (profile.pin === pin) writeProfile(home, { ...fieldsOf(profile), pin: next, serverKey: serverKey ?? profile.serverKey })
}

/** @throws {SealwireError} `storage_full` or `data_unusable`. */
export function writeProfile(home: Home, profile: ProfileFields): void {
  home.write(file, `${JSON.stringify({ version: 1, ...fieldsOf(profile) }, undefined, 2)}\n`)
}

/** The same profile with some fields changed. */
export function profileWith(profile: Profile, changes: Partial<ProfileFields>): Profile {
  return new Profile({ ...fieldsOf(profile), ...changes })
}

/** A profile shows its secrets to whoever asks by name. */
function fieldsOf({ server, pin, name, token, serverKey }: ProfileFields): ProfileFields {
  return { server, pin, name, token, serverKey }
}

/**
 * Keeps other commands from writing who this home is.
 * @throws {SealwireError} `data_locked` while another one does; `data_unusable`.
 */
export function lockHome(home: Home): Disposable {
  try {
    return lockData(home.path)
  } catch (cause) {
    if (!SealwireError.is(cause)) throw cause
    if (cause.code !== 'data_locked') {
      throw new SealwireError(cause.code, `nothing can be written in ${home.path}`, { cause, hint: 'check the folder and its owner' })
    }
    throw new SealwireError('data_locked', `another command is joining a server from ${home.path}`, {
      cause,
      hint: 'wait for it to end, or use another home with --home DIR',
    })
  }
}

/**
 * Makes sure that nobody has joined from this home; it touches nothing.
 * @throws {SealwireError} as {@link findProfile}, and `config_invalid` when somebody has.
 */
export function refuseSecond(home: Home): void {
  const profile = findProfile(home)
  if (profile === undefined) return
  throw new SealwireError('config_invalid', `this home has already joined as ${profile.name} at ${formatEndpoint(profile.server)}`, {
    hint: 'use another home with --home DIR',
  })
}

function parseProfile(path: string, text: string): Profile {
  const result = v.safeParse(schema, parseJson(path, text, again))
  if (result.success) return new Profile({ token: undefined, ...result.output })
  const at = v.getDotPath(result.issues[0])
  throw damaged(path, at === null ? 'is not a profile' : `is not a profile: ${at} is missing or wrong`, again)
}

const file = 'profile.json'
const bytesMax = limitTable.profileBytesMax.value
const again = 'restore it from a backup, or move it away and join again with a new invitation'

const schema = v.strictObject({
  version: v.literal(1),
  server: v.strictObject({
    host: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
    port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  }),
  pin: v.pipe(v.string(), v.check(isPin)),
  name: v.pipe(v.string(), v.minLength(1)),
  token: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]+$/))),
  serverKey: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/))),
})
