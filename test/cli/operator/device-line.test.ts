import { expect, test } from 'bun:test'
import { deviceJson, deviceLine, devicesLine } from '../../../src/cli/operator/device-line.ts'

const day = 24 * 60 * 60 * 1000
const at = Date.UTC(2030, 0, 15, 12)
const device = { device: '3f1c', label: 'laptop', enrolledAt: at, usedAt: at + day, expiresAt: at + 365 * day }

test('a device is one line for people', () => {
  expect(deviceLine(device, ['this one'])).toBe('3f1c  laptop  since 2030-01-15  used 2030-01-16  until 2031-01-15  this one\n')
  const { usedAt: _, ...unused } = device
  expect(deviceLine({ ...unused, label: '' })).toBe('3f1c  since 2030-01-15  never used  until 2031-01-15\n')
})

test('what its owner calls it cannot control the terminal', () => {
  expect(deviceLine({ ...device, label: '\u001b[2Jx\n' })).not.toMatch(/[\u001b].*|\n./)
})

test('a device is JSON for programs, with times in universal time', () => {
  expect(deviceJson({ ...device, here: true })).toEqual({
    device: '3f1c',
    label: 'laptop',
    here: true,
    enrolledAt: '2030-01-15T12:00:00.000Z',
    usedAt: '2030-01-16T12:00:00.000Z',
    expiresAt: '2031-01-15T12:00:00.000Z',
  })
})

test('how many devices a new password does not shut out is said, with how to', () => {
  const commands = { list: 'a', revoke: 'b ID' }
  expect(devicesLine(0, 'device', commands)).toBe('')
  expect(devicesLine(1, 'other device', commands)).toBe(
    '1 other device can still log in without it; see which: a, and shut one out: b ID\n',
  )
  expect(devicesLine(2, 'device', commands)).toStartWith('2 devices can still log in')
})
