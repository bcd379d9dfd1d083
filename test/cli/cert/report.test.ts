import { expect, test } from 'bun:test'
import { certificateText } from '../../../src/cli/cert/report.ts'

const now = Date.UTC(2026, 10, 22)
const state: Parameters<typeof certificateText>[0] = {
  source: 'authority',
  names: ['localhost'],
  issuer: 'CN=x',
  key: 'P-256',
  fingerprint: 'SHA256:new',
  notBefore: now,
  notAfter: now + 1e9,
  authority: { fingerprint: 'SHA256:new', notAfter: now + 1e10 },
  overlap: { fingerprint: 'SHA256:old', until: now + 60_000 },
}

test('clients of the authority before follow, but not while they are shown another certificate', () => {
  const own = certificateText(state, now)
  expect(own).toContain('overlap     until 2026-11-22 00:01: clients that know SHA256:old follow when they connect\n')
  expect(own).toContain('restart the server once before then')
  const foreign = certificateText({ ...state, source: 'imported', fingerprint: 'SHA256:imported' }, now)
  expect(foreign).toContain('SHA256:old follow when they connect, but not while this certificate is in use\n')
  expect(foreign).not.toContain('restart the server')
})
