// A device at a real server process: an account of its own with keys and a certificate, which dials whatever process serves
// the data folder now.

import { randomBytes } from 'node:crypto'
import { certificatePem } from '../../src/client/home/device-files.ts'
import { type Client, connectNode } from '../../src/client/node.ts'
import { type DeviceKeys, deviceKeysPem, makeEnrolment, newDeviceKeys } from '../../src/pki/index.ts'
import type { ServerProcess } from './server-process.ts'

export type Place = Pick<ServerProcess, 'port' | 'fingerprint'>

export interface EnrolledDevice {
  readonly keys: DeviceKeys
  /** PEM. */
  readonly certificate: string
}

export const password = 'correct-horse-battery'

/** Registers an account, or logs in to one that is there, and makes a device of it. */
export async function enrolDevice(place: Place, name: string, isNew = true): Promise<EnrolledDevice> {
  const client = await dialDevice(place)
  await client.request(isNew ? 'account.register' : 'account.login', { name, password })
  const keys = newDeviceKeys()
  const { certificate } = await client.request('device.enrol', makeEnrolment(keys, client.welcome.server ?? new Uint8Array(16)))
  await client.drain()
  return { keys, certificate: certificatePem(certificate) }
}

/** A connection that is logged in with the device. */
export async function deviceClient(place: Place, { keys, certificate }: EnrolledDevice): Promise<Client> {
  const client = await dialDevice(place, { chain: certificate, key: deviceKeysPem(keys).p256 })
  await client.request('device.login', {})
  return client
}

/** A UUID of version 7. */
export function messageId(): Uint8Array {
  const id = randomBytes(16)
  id.writeUIntBE(Date.now(), 0, 6)
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x70, 6)
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8)
  return new Uint8Array(id)
}

/** A connection that has said Hello and nothing else. */
export function dialDevice({ port, fingerprint }: Place, clientCertificate?: { chain: string; key: string }): Promise<Client> {
  const shown = clientCertificate === undefined ? {} : { clientCertificate }
  return connectNode({ host: '127.0.0.1', port, pin: fingerprint, ...shown })
}
