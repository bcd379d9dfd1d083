// Devices. Which one a connection belongs to is one lookup by the hash of its key; a use is noted now and then only.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Device, DeviceOwner, Input, NewDevice, RevokedDevice, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { blob, integer, optionalBlob, optionalInteger, type Row, text } from '../statement.ts'
import { accountColumns, accountOf } from './account-row.ts'
import { deleteLink, type deviceLinkSteps } from './device-links.ts'
import { forgetInboxDevice } from './inboxes.ts'
import type { StepsOf } from './step.ts'
import { requireToken } from './tokens.ts'
import { sameBytes } from '../../../protocol/same-bytes.ts'

export const deviceSteps: Omit<StepsOf<'device'>, keyof typeof deviceLinkSteps> = {
  'device.enrol': { kind: 'write', run: enrolDevice },
  'device.find': { kind: 'read', run: findDevice },
  'device.findByX25519': { kind: 'read', run: findByX25519 },
  'device.findByEd25519': { kind: 'read', run: findByEd25519 },
  'device.use': { kind: 'write', run: useDevice, runWithoutRoom: findDevice },
  'device.list': { kind: 'read', run: listDevices },
  'device.listFor': { kind: 'read', run: listDevicesFor },
  'device.listAll': { kind: 'read', run: listAllDevices },
  'device.revoke': { kind: 'write', run: revokeDevice },
}

function enrolDevice(database: Database, input: NewDevice, limits: StoreLimits): Device {
  const { spkiHash, accountId, label, expiresAt, token } = input
  const isGood = database.prepare('select 1 from account where id = :accountId and banned_at is null').row({ accountId })
  if (isGood === undefined) throw new SealwireError('not_found', 'there is no such account, or it is banned')
  if (token !== undefined) requireToken(database, accountId, token)
  const known = database.prepare(`select ${deviceColumns} from device where spki_hash = :spkiHash`).row({ spkiHash })
  if (known === undefined) return addDevice(database, input, limits)
  refuseAnother(deviceOf(known), input)
  const row = database
    .prepare(`update device set expires_at = :expiresAt, label = :label where spki_hash = :spkiHash returning ${deviceColumns}`)
    .row({ spkiHash, label, expiresAt })
  return deviceOf(row ?? {})
}

function refuseAnother(known: Device, { accountId, ed25519, x25519 }: NewDevice): void {
  if (known.revokedAt !== undefined) throw refused('this device was revoked')
  const isSame = known.accountId === accountId && sameBytes(known.ed25519, ed25519) && sameBytes(known.x25519, x25519)
  if (!isSame) throw refused('this key belongs to another device')
}

function addDevice(database: Database, input: NewDevice, { devicesPerAccountMax }: StoreLimits): Device {
  const { spkiHash, id, accountId, ed25519 = null, x25519 = null, label, at, expiresAt, token = null } = input
  const taken = database
    .prepare('select 1 from device where id = :id or ed25519 = :ed25519 or x25519 = :x25519')
    .row({ id, ed25519, x25519 })
  if (taken !== undefined) throw refused('a key of this device belongs to another one')
  const count = database.prepare('select count(*) as size from device where account_id = :accountId and revoked_at is null')
  if (integer(count.row({ accountId }) ?? {}, 'size') >= BigInt(devicesPerAccountMax)) {
    throw new SealwireError('busy', 'the account has too many devices', { hint: 'revoke some first' })
  }
  const row = database
    .prepare(
      `insert into device (spki_hash, id, account_id, ed25519, x25519, label, enrolled_at, expires_at, token_hash)
       values (:spkiHash, :id, :accountId, :ed25519, :x25519, :label, :at, :expiresAt, :token) returning ${deviceColumns}`,
    )
    .row({ spkiHash, id, accountId, ed25519, x25519, label, at, expiresAt, token })
  return deviceOf(row ?? {})
}

function findDevice(database: Database, { spkiHash }: Input<'device.find'>): DeviceOwner | undefined {
  const row = database.prepare(`${ownerSelect} where spki_hash = :spkiHash`).row({ spkiHash })
  return row && ownerOf(row)
}

function findByX25519(database: Database, { x25519 }: Input<'device.findByX25519'>): DeviceOwner | undefined {
  const row = database.prepare(`${ownerSelect} where x25519 = :x25519`).row({ x25519 })
  return row && ownerOf(row)
}

function findByEd25519(database: Database, { ed25519 }: Input<'device.findByEd25519'>): DeviceOwner | undefined {
  const row = database.prepare(`${ownerSelect} where ed25519 = :ed25519`).row({ ed25519 })
  return row && ownerOf(row)
}

function useDevice(
  database: Database,
  { spkiHash, at }: Input<'device.use'>,
  { deviceUsePrecisionMs }: StoreLimits,
): DeviceOwner | undefined {
  const owner = findDevice(database, { spkiHash })
  if (owner === undefined || owner.account.bannedAt !== undefined || owner.device.revokedAt !== undefined) return owner
  const { usedAt } = owner.device
  if (usedAt === undefined || at - usedAt >= BigInt(deviceUsePrecisionMs)) {
    forgetToken(database, spkiHash)
    database.prepare('update device set used_at = :at where spki_hash = :spkiHash').run({ at, spkiHash })
  }
  return owner
}

/** Of a device that needs it no more. Its hash stays beside the device: sessions that came with it end when that is revoked. */
function forgetToken(database: Database, spkiHash: Uint8Array): void {
  database.prepare('delete from token where hash = (select token_hash from device where spki_hash = :spkiHash)').run({ spkiHash })
}

function listDevices(database: Database, { accountId }: Input<'device.list'>): readonly Device[] {
  const statement = database.prepare(
    `select ${deviceColumns} from device where account_id = :accountId and revoked_at is null order by enrolled_at desc, id`,
  )
  return statement.rows({ accountId }).map(deviceOf)
}

function listDevicesFor(database: Database, { accountId, key, at }: Input<'device.listFor'>): readonly Device[] | undefined {
  const peer = database
    .prepare(
      `select id from account as peer where key = :key and banned_at is null and (id = :accountId or
       exists (select 1 from conversation where low = min(:accountId, peer.id) and high = max(:accountId, peer.id) and state = 'accepted')
       and not exists (select 1 from block where account_id = :accountId and blocked_id = peer.id
                       or account_id = peer.id and blocked_id = :accountId))`,
    )
    .row({ accountId, key })
  if (peer === undefined) return undefined
  return listDevices(database, { accountId: integer(peer, 'id') }).filter(({ expiresAt }) => expiresAt > at)
}

function listAllDevices(database: Database, { after, max }: Input<'device.listAll'>): readonly DeviceOwner[] {
  const statement = database.prepare(`${ownerSelect} where device.id > :after and revoked_at is null order by device.id limit :max`)
  return statement.rows({ after, max }).map(ownerOf)
}

function revokeDevice(database: Database, input: Input<'device.revoke'>, limits: StoreLimits): RevokedDevice | undefined {
  const { id, accountId = null, at } = input
  const found = database
    .prepare('select spki_hash, token_hash from device where id = :id and (:accountId is null or account_id = :accountId)')
    .row({ id, accountId })
  if (found === undefined) return undefined
  const spkiHash = blob(found, 'spki_hash')
  forgetToken(database, spkiHash)
  database.prepare('update device set revoked_at = coalesce(revoked_at, :at) where spki_hash = :spkiHash').run({ at, spkiHash })
  const owner = findDevice(database, { spkiHash })
  if (owner === undefined) return undefined
  deleteLink(database, owner.account.id)
  forgetInboxDevice(database, owner.account.id, id, limits)
  forgetRevoked(database, owner.device, BigInt(limits.devicesPerAccountMax))
  return { ...owner, token: optionalBlob(found, 'token_hash') }
}

/** A device that is forgotten is unknown, which lets it in no more than a revoked one. */
function forgetRevoked(database: Database, { accountId, spkiHash }: Device, max: bigint): void {
  database
    .prepare(
      `delete from device where spki_hash in
       (select spki_hash from device where account_id = :accountId and revoked_at is not null and spki_hash <> :spkiHash
        order by revoked_at desc limit -1 offset :others)`,
    )
    .run({ accountId, spkiHash, others: max - 1n })
}

function deviceOf(row: Row): Device {
  return {
    spkiHash: blob(row, 'spki_hash'),
    id: text(row, 'device_id'),
    accountId: integer(row, 'account_id'),
    ed25519: optionalBlob(row, 'ed25519'),
    x25519: optionalBlob(row, 'x25519'),
    label: text(row, 'label'),
    enrolledAt: integer(row, 'enrolled_at'),
    usedAt: optionalInteger(row, 'used_at'),
    expiresAt: integer(row, 'expires_at'),
    revokedAt: optionalInteger(row, 'revoked_at'),
  }
}

function ownerOf(row: Row): DeviceOwner {
  return { device: deviceOf(row), account: accountOf(row) }
}

function refused(sentence: string): SealwireError {
  return new SealwireError('enrolment_invalid', sentence)
}

const deviceColumns = 'spki_hash, device.id as device_id, account_id, ed25519, x25519, label, enrolled_at, used_at, expires_at, revoked_at'
const ownerSelect = `select ${deviceColumns}, ${accountColumns} from device join account on account.id = device.account_id`
