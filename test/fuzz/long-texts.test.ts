// Texts far longer than anybody reads in: whoever goes over one again for each of its characters takes hours for these.

import { expect, test } from 'bun:test'
import { parseAmount } from '../../src/domain/money.ts'
import { parseInviteLink } from '../../src/pki/invite-link.ts'
import { SealwireError } from '../../src/protocol/index.ts'

const length = 1_000_000
const pieces = [
  'a',
  ':',
  '.',
  '#',
  '/',
  '[',
  ']',
  ' ',
  '\n',
  '-',
  '_',
  '1',
  'd1.',
  '[::',
  '/#1.',
  'sealwire://',
  'a.',
  'xn--',
  '\u00e9',
  '\ud800',
]
const link = ['sealwire://chat.example:5555/#1.', 'A'.repeat(43), '.', 'A'.repeat(22)]

test('a link is refused in a time that grows with its length only', () => {
  for (const piece of pieces) {
    const long = piece.repeat(length / piece.length)
    for (const text of [
      long,
      `sealwire://${long}`,
      `sealwire://${long}:5/#1.`,
      `${link[0]}${long}.${link[3]}`,
      `${link.join('')}${long}`,
    ]) {
      expect(processorMs(() => refused(() => parseInviteLink(text)))).toBeLessThan(2_000)
    }
  }
}, 600_000)

test('an amount is refused in a time that grows with its length only', () => {
  for (const piece of ['0', '1', '.', '-', 'e', '1.', ' ']) {
    const text = piece.repeat(length / piece.length)
    expect(processorMs(() => refused(() => parseAmount(text, 2n)))).toBeLessThan(2_000)
  }
}, 600_000)

function refused(action: () => unknown): void {
  try {
    action()
  } catch (reason) {
    if (reason instanceof SealwireError) return
    throw reason
  }
}

function processorMs(action: () => void): number {
  const from = process.cpuUsage()
  action()
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1_000
}
