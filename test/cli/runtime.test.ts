import { describe, expect, test } from 'bun:test'
import { checkRuntime } from '../../src/cli/runtime.ts'

describe('checkRuntime', () => {
  test.each(['1.4.0', '1.4.5', '1.10.0', '2.0.0'])('starts on Bun %s', (bun) => {
    expect(() => checkRuntime({ ...process.versions, bun }, {})).not.toThrow()
  })

  test.each(['1.3.14', '1.0.0', '0.8.1', ''])('refuses Bun %p', (bun) => {
    const refused: unknown = expect.objectContaining({
      code: 'runtime_unsupported',
      sentence: `this needs Bun 1.4.0 or newer, not Bun ${bun}`,
    })
    expect(() => checkRuntime({ ...process.versions, bun }, {})).toThrow(refused)
  })

  test('refuses Node', () => {
    const { bun: _, ...versions } = { ...process.versions, node: '26.10.0' }
    expect(() => checkRuntime(versions as NodeJS.ProcessVersions, {})).toThrow(
      expect.objectContaining({ sentence: 'this needs Bun 1.4.0 or newer, not Node 26.10.0' }),
    )
  })

  test('refuses an environment that switches certificate checks off', () => {
    expect(() => checkRuntime(process.versions, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    )
    expect(() => checkRuntime(process.versions, { NODE_TLS_REJECT_UNAUTHORIZED: '1' })).not.toThrow()
  })
})
