import { describe, expect, test } from 'bun:test'
import { checkRuntime } from '../../src/cli/runtime.ts'

describe('checkRuntime', () => {
  test.each(['1.4.5', '1.4.6', '1.10.0', '2.0.0'])('starts on Bun %s', (bun) => {
    expect(() => checkRuntime({ ...process.versions, bun }, {})).not.toThrow()
  })

  test.each(['1.4.4', '1.3.14', '1.0.0', '0.8.1', ''])('refuses Bun %p', (bun) => {
    expect(() => checkRuntime({ ...process.versions, bun }, {})).toThrow(refusalOf(`Bun ${bun}`))
  })

  test.each(['24.15.0', '24.21.0', '25.0.0', '26.10.0'])('starts on Node %s', (node) => {
    expect(() => checkRuntime(onNode(node), {})).not.toThrow()
  })

  test.each(['24.14.1', '24.7.0', '22.30.0', '20.20.2', ''])('refuses Node %p', (node) => {
    expect(() => checkRuntime(onNode(node), {})).toThrow(refusalOf(`Node ${node}`))
  })

  test('refuses an environment that switches certificate checks off', () => {
    expect(() => checkRuntime(process.versions, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    )
    expect(() => checkRuntime(process.versions, { NODE_TLS_REJECT_UNAUTHORIZED: '1' })).not.toThrow()
  })
})

function onNode(node: string): NodeJS.ProcessVersions {
  const { bun: _, ...versions } = { ...process.versions, node }
  return versions as NodeJS.ProcessVersions
}

function refusalOf(runtime: string): unknown {
  return expect.objectContaining({
    code: 'runtime_unsupported',
    sentence: `this needs Bun 1.4.5 or Node 24.15.0, or newer, not ${runtime}`,
  })
}
