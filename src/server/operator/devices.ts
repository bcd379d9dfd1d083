// What an operator does to devices: functions on the store that know no sockets, as those of operator.ts.

import { type Clock, parseName } from '../../domain/index.ts'
import { openEnrolment, readCertificateRequest, spkiHash } from '../../pki/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { DeviceRoutes, OperatorParams, OperatorResult } from '../../protocol/operator.ts'
import type { Account, DeviceOwner, RevokedDevice, Store } from '../../store/index.ts'
import { deviceRevoked, type Devices, type ProvedKeys } from '../devices.ts'
import type { Log } from '../log.ts'

/** What the functions work with. */
export interface OperatorDevicesParts {
  readonly devices: Devices
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly limits: Limits
  /** Where devices log in. Default: not known. */
  readonly port?: () => number | undefined
  /** Ends the live connections of a device that was revoked; `error` is what they are told. */
  readonly endDevice: (revoked: RevokedDevice, error: SealwireError) => void
}

/** The functions under the names of the methods. */
export function deviceRoutes(parts: OperatorDevicesParts): DeviceRoutes {
  return {
    'device.issue': (params) => issue(params, parts),
    'device.list': (params) => list(params, parts),
    'device.revoke': (params) => revoke(params, parts),
  }
}

async function issue(params: OperatorParams<'device.issue'>, parts: OperatorDevicesParts): Promise<OperatorResult<'device.issue'>> {
  const keys = keysOf(params, parts.devices.serverId)
  const { id, name } = await accountFor(params.name, keys, parts)
  const { device, certificate, authority } = await parts.devices.enrolKeys(keys, { accountId: id, label: params.label })
  const port = parts.port?.()
  return { name, device: device.id, certificate, authority, ...(port === undefined ? {} : { port }) }
}

function keysOf({ csr, statement }: OperatorParams<'device.issue'>, serverId: Uint8Array): ProvedKeys {
  if (statement !== undefined) return openEnrolment({ csr, statement }, serverId)
  const spki = readCertificateRequest(csr)
  return { spki, spkiHash: spkiHash(spki) }
}

/** The account of a name, made if there is none. */
async function accountFor(text: string, keys: ProvedKeys, { devices, store, clock, log, limits }: OperatorDevicesParts): Promise<Account> {
  const name = parseName(text, limits)
  const known = await store.run('account.find', { key: name.key })
  if (known !== undefined) return known
  // They cannot be this account's: what the store refuses below must leave no account behind.
  await devices.refuseKnown(keys)
  const account = await store.run('account.create', { ...name, passwordHash: undefined, createdAt: BigInt(clock.now()) })
  log.info('account made by the operator', { account: account.name })
  return account
}

async function list(
  { after = '' }: OperatorParams<'device.list'>,
  { store, limits: { operatorPageMax: max } }: OperatorDevicesParts,
): Promise<OperatorResult<'device.list'>> {
  const owners = await store.run('device.listAll', { after, max: BigInt(max) })
  const next = owners.length === max ? owners.at(-1)?.device.id : undefined
  return { devices: owners.map(listed), next }
}

async function revoke(
  { device: id }: OperatorParams<'device.revoke'>,
  parts: OperatorDevicesParts,
): Promise<OperatorResult<'device.revoke'>> {
  const revoked = await parts.devices.revoke(id)
  parts.endDevice(revoked, deviceRevoked())
  return { device: revoked.device.id, name: revoked.account.name }
}

function listed({ device, account }: DeviceOwner) {
  const { id, label, enrolledAt, usedAt, expiresAt } = device
  const used = usedAt === undefined ? {} : { usedAt: Number(usedAt) }
  return { device: id, name: account.name, label, enrolledAt: Number(enrolledAt), ...used, expiresAt: Number(expiresAt) }
}

async function noDevice(): Promise<never> {
  throw new SealwireError('unavailable', 'there are no devices here')
}

/** For an operator without devices. */
export const noDevices: DeviceRoutes = { 'device.issue': noDevice, 'device.list': noDevice, 'device.revoke': noDevice }
