import { describe, expect, test } from 'bun:test'
import { chmodSync, statSync } from 'node:fs'
import { inspect } from 'node:util'
import { clientCertificateOf, forgetDevice, newDevice, readDevice, writeDevice } from '../../../src/client/home/device-files.ts'
import { deviceKeysPem } from '../../../src/pki/index.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { onUnix, refused, temporaryHome } from '../../cli/home-support.ts'

const issued = { certificate: '-----BEGIN CERTIFICATE-----\nleaf', authority: '-----BEGIN CERTIFICATE-----\nroot' }

describe('the device of a home', () => {
  test('is read back as it was written, for its owner only', () => {
    using stage = temporaryHome()
    expect(readDevice(stage.home)).toBeUndefined()
    const device = newDevice()
    writeDevice(stage.home, device)
    expect(readDevice(stage.home)?.issued).toBeUndefined()
    expect(clientCertificateOf(readDevice(stage.home))).toBeUndefined()
    writeDevice(stage.home, { ...device, issued })
    const back = readDevice(stage.home)
    expect([back?.issued, back && deviceKeysPem(back.keys)]).toEqual([issued, deviceKeysPem(device.keys)])
    expect(clientCertificateOf(back)).toEqual({ chain: issued.certificate, key: deviceKeysPem(device.keys).p256 })
    if (onUnix) expect(statSync(stage.home.pathOf('device.json')).mode & 0o777).toBe(0o600)
  })

  test('is forgotten, also when there is none', () => {
    using stage = temporaryHome()
    forgetDevice(stage.home)
    writeDevice(stage.home, newDevice())
    forgetDevice(stage.home)
    expect(readDevice(stage.home)).toBeUndefined()
  })

  test.skipIf(!onUnix)('is refused when others can read it', () => {
    using stage = temporaryHome()
    writeDevice(stage.home, newDevice())
    chmodSync(stage.home.pathOf('device.json'), 0o640)
    expect(refused(() => readDevice(stage.home)).code).toBe('key_unsafe')
  })

  test.each<[string, string, (text: string) => string]>([
    ['what is not JSON', 'config_invalid', (text) => text.slice(0, -3)],
    ['another version', 'config_invalid', (text) => text.replace('"version": 1', '"version": 2')],
    ['a key that is missing', 'config_invalid', (text) => text.replace('"x25519"', '"x448"')],
    ['a key that is damaged', 'key_malformed', (text) => text.replace(/(BEGIN PRIVATE KEY-----..).../, '$1???')],
  ])('is refused with %s, and nothing of its keys is shown', (_, code, change) => {
    using stage = temporaryHome()
    writeDevice(stage.home, newDevice())
    const text = stage.home.read('device.json', 65_536) ?? ''
    stage.home.write('device.json', change(text))
    const error = refused(() => readDevice(stage.home))
    expect(error.code).toBe(code as never)
    const secret = /PRIVATE KEY-----\\n([^\\]{20})/.exec(text)?.[1] ?? ''
    expect(secret).toHaveLength(20)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(secret)
  })

  test('is read up to the bound of its file, and not beyond', () => {
    using stage = temporaryHome()
    writeDevice(stage.home, newDevice())
    const bytesMax = limitTable.profileBytesMax.value
    const text = stage.home.read('device.json', bytesMax) ?? ''
    stage.home.write('device.json', text.padEnd(bytesMax))
    expect(readDevice(stage.home)).toBeDefined()
    stage.home.write('device.json', text.padEnd(bytesMax + 1))
    expect(refused(() => readDevice(stage.home)).code).toBe('config_invalid')
  })

  test('shows no key when it is printed or turned into JSON', () => {
    const device = newDevice()
    const secret = deviceKeysPem(device.keys).ed25519.split('\n')[1] ?? ''
    expect(secret.length).toBeGreaterThan(40)
    for (const shown of [inspect(device, { depth: 10, showHidden: true }), Bun.inspect(device), JSON.stringify(device)]) {
      expect(shown).not.toContain(secret)
    }
  })
})
