// The device that a home is on its server: three keys and a certificate, in one file that is its owner's alone. The keys are
// there before the server hears of them, so that an enrolment whose answer was lost is the same one when it is tried again.

import { X509Certificate } from 'node:crypto'
import { rmSync } from 'node:fs'
import * as v from 'valibot'
import type { ClientCertificate } from '../../link/index.ts'
import { type DeviceKeys, deviceKeysPem, newDeviceKeys, readDeviceKeys } from '../../pki/index.ts'
import { limitTable } from '../../protocol/limits.ts'
import { damaged, type Home, parseJson } from './home.ts'

/** What a home is on its server. */
export interface HomeDevice {
  readonly keys: DeviceKeys
  /** Undefined until the server has answered. */
  readonly issued: IssuedPem | undefined
}

/** What the server has made of the keys. */
export interface IssuedPem {
  /** PEM. */
  readonly certificate: string
  /** PEM of the authority that has signed it. */
  readonly authority: string
}

/** A device that has no certificate yet. */
export function newDevice(): HomeDevice {
  return { keys: newDeviceKeys(), issued: undefined }
}

/**
 * The device of a home, or `undefined` when there is none.
 * @throws {SealwireError} `key_unsafe` when it is not its owner's alone; `config_invalid` or `key_malformed` when it is of no
 * use; `data_unusable` when it cannot be read.
 */
export function readDevice(home: Home): HomeDevice | undefined {
  const text = home.read(file, bytesMax)
  if (text === undefined) return undefined
  const path = home.pathOf(file)
  const { output, success } = v.safeParse(schema, parseJson(path, text, again))
  if (!success) throw damaged(path, 'is not a device', again)
  return { keys: readDeviceKeys(output.keys), issued: output.issued }
}

/** @throws {SealwireError} `storage_full` or `data_unusable`. */
export function writeDevice(home: Home, { keys, issued }: HomeDevice): void {
  home.write(file, `${JSON.stringify({ version: 1, keys: deviceKeysPem(keys), issued }, undefined, 2)}\n`)
}

/** Removes what an earlier account of this home may have left. */
export function forgetDevice(home: Home): void {
  rmSync(home.pathOf(file), { force: true })
}

/** What the device shows to its server; `undefined` while it has nothing to show. */
export function clientCertificateOf(device: HomeDevice | undefined): ClientCertificate | undefined {
  if (device?.issued === undefined) return undefined
  return { chain: device.issued.certificate, key: deviceKeysPem(device.keys).p256 }
}

/** A certificate in PEM. */
export function certificatePem(der: Uint8Array): string {
  return new X509Certificate(der).toString()
}

const file = 'device.json'
const bytesMax = limitTable.profileBytesMax.value
const again = 'restore it from a backup, or move it and profile.json away and join again with --login'
const pem = v.pipe(v.string(), v.startsWith('-----BEGIN '))

const schema = v.strictObject({
  version: v.literal(1),
  keys: v.strictObject({ p256: pem, ed25519: pem, x25519: pem }),
  issued: v.optional(v.strictObject({ certificate: pem, authority: pem })),
})
