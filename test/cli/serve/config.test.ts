import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type ConfigSources, resolveServeConfig } from '../../../src/cli/serve/config.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { limitTable } from '../../../src/protocol/limits.ts'

const root = mkdtempSync(join(tmpdir(), 'sealwire-config-'))
afterAll(() => rmSync(root, { recursive: true }))

describe('resolveServeConfig', () => {
  test('says what the documentation says when it is told nothing', async () => {
    const { limits, ...config } = await resolveServeConfig({})
    expect(config).toEqual({
      listen: [{ host: '127.0.0.1', port: 5555 }],
      data: resolve('sealwire-data'),
      hosts: [],
      certificate: undefined,
      mutualTls: 'optional',
      joinListen: undefined,
      registration: 'invite',
      classic: false,
      sealed: [],
      sealedV1: false,
      web: [],
      webOrigins: [],
      echo: undefined,
      metrics: undefined,
      logLevel: 'info',
      logFormat: 'json',
    })
    expect(limits.frameMsMax).toBe(limitTable.frameMsMax.value)
  })

  test('is frozen', async () => {
    const config = await resolveServeConfig({})
    expect([config, config.listen, config.listen[0], config.hosts, config.limits].every(Object.isFrozen)).toBe(true)
  })

  test.each([
    [['127.0.0.1:1', '[::1]:2', '127.9.9.9:3'], undefined],
    [['127.0.0.1:1', '192.0.2.1:2'], '192.0.2.1:2 is not one of this machine alone'],
    [['[::ffff:127.0.0.1]:1'], '[::ffff:127.0.0.1]:1 is not one of this machine alone'],
    [['127.evil.example:1'], '127.evil.example:1 is not one of this machine alone'],
    [[], 'there is no address for it'],
  ])('lets nobody but this machine at version 1 of the sealed channel: %p', async (sealed, why) => {
    const refusal = await rejectionOf(resolveServeConfig({ flags: { sealed, 'sealed-v1': ['true'] } }))
    if (why === undefined) expect(refusal).toBeUndefined()
    else expect(refusal).toContain(`version 1 of the sealed channel is for loopback addresses only, and ${why}`)
  })

  test.each(['0.0.0.0:9464', 'localhost:9464', '[::ffff:127.0.0.1]:9464'])(
    'tells metrics to nobody but this machine: %p',
    async (address) => {
      const refusal = await rejectionOf(resolveServeConfig({ flags: { metrics: [address] } }))
      expect(refusal).toContain(`metrics are for loopback addresses only, and ${address} is none`)
    },
  )

  test('logs prettily on a terminal unless told otherwise', async () => {
    expect((await resolveServeConfig({ terminal: true })).logFormat).toBe('pretty')
    expect((await resolveServeConfig({ terminal: true, environment: { SEALWIRE_LOG_FORMAT: 'classic' } })).logFormat).toBe('classic')
  })

  test('reads every variable', async () => {
    const config = await resolveServeConfig({
      environment: {
        SEALWIRE_LISTEN: '127.0.0.1:1, [::1]:2',
        SEALWIRE_DATA: '/srv/data',
        SEALWIRE_HOST: 'chat.example,192.0.2.1',
        SEALWIRE_REGISTRATION: 'open',
        SEALWIRE_CLASSIC: '1',
        SEALWIRE_SEALED: '127.0.0.1:1337,[::1]:1337',
        SEALWIRE_SEALED_V1: '1',
        SEALWIRE_WEB: '127.0.0.1:8443',
        SEALWIRE_WEB_ORIGIN: 'https://chat.example,https://192.0.2.1:8080',
        SEALWIRE_ECHO: '127.0.0.1:12345',
        SEALWIRE_METRICS: '[::1]:9464',
        SEALWIRE_LOG_LEVEL: 'debug',
        SEALWIRE_LOG_FORMAT: 'classic',
        SEALWIRE_LIMIT: 'frameMsMax=2000,loginMsMax=3000',
      },
    })
    expect(config).toMatchObject({
      listen: [
        { host: '127.0.0.1', port: 1 },
        { host: '::1', port: 2 },
      ],
      data: '/srv/data',
      hosts: ['chat.example', '192.0.2.1'],
      registration: 'open',
      classic: true,
      sealed: [
        { host: '127.0.0.1', port: 1337 },
        { host: '::1', port: 1337 },
      ],
      sealedV1: true,
      web: [{ host: '127.0.0.1', port: 8443 }],
      webOrigins: ['https://chat.example', 'https://192.0.2.1:8080'],
      echo: { host: '127.0.0.1', port: 12_345 },
      metrics: { host: '::1', port: 9464 },
      logLevel: 'debug',
      logFormat: 'classic',
      limits: { frameMsMax: 2000, loginMsMax: 3000 },
    })
  })

  test('lets flags beat the environment, the environment the file, and the file the defaults', async () => {
    const file = configFile(
      'registration = "closed"\nclassic = true\ndata = "/file"\n[limits]\nframeMsMax = 4000\nloginMsMax = 4000\nhandshakeMsMax = 4000',
    )
    const environment = {
      SEALWIRE_CONFIG: file,
      SEALWIRE_DATA: '/environment',
      SEALWIRE_CLASSIC: '0',
      SEALWIRE_LIMIT: 'loginMsMax=5000,frameMsMax=5000',
    }
    const config = await resolveServeConfig({ environment, flags: { data: ['/flag'], limits: ['frameMsMax=6000'] } })
    expect(config).toMatchObject({ registration: 'closed', classic: false, data: '/flag' })
    expect(config.limits).toMatchObject({ frameMsMax: 6000, loginMsMax: 5000, handshakeMsMax: 4000 })
  })

  test('refuses a list of addresses with none in it', async () => {
    await expect(resolveServeConfig({ file: configFile('listen = []') })).rejects.toThrow('[config_invalid] listen names no address')
    expect((await resolveServeConfig({ file: configFile('listen = []'), flags: { listen: ['[::1]:1'] } })).listen).toHaveLength(1)
  })

  test('lets --config beat SEALWIRE_CONFIG', async () => {
    const environment = { SEALWIRE_CONFIG: '/nowhere/at/all' }
    expect((await resolveServeConfig({ environment, file: configFile('classic = true') })).classic).toBe(true)
  })

  test('takes a variable that is set to nothing for one that is not set', async () => {
    const environment = { SEALWIRE_CONFIG: '', SEALWIRE_LISTEN: '', SEALWIRE_CLASSIC: '' }
    expect(await resolveServeConfig({ environment })).toEqual(await resolveServeConfig({}))
  })

  test('leaves variables alone that a container platform sets', async () => {
    const environment = { SEALWIRE_PORT: 'tcp://10.0.0.1:5555', SEALWIRE_SERVICE_HOST: '10.0.0.1' }
    expect(await resolveServeConfig({ environment })).toEqual(await resolveServeConfig({}))
  })

  test('takes PORT for the port of the default address', async () => {
    const environment = { SEALWIRE_LISTEN: '0.0.0.0:1' }
    expect((await resolveServeConfig({ port: '6000', environment })).listen).toEqual([{ host: '127.0.0.1', port: 6000 }])
  })

  test('counts the last of a repeated flag that takes one value', async () => {
    expect((await resolveServeConfig({ flags: { registration: ['open', 'closed'] } })).registration).toBe('closed')
  })

  test('may listen twice where the system chooses the port', async () => {
    expect((await resolveServeConfig({ flags: { listen: ['127.0.0.1:0', '127.0.0.1:0'] } })).listen).toHaveLength(2)
  })

  test.each<[string, ConfigSources, string, string, string]>([
    [
      'PORT beside --listen',
      { port: '1', flags: { listen: ['127.0.0.1:2'] } },
      'usage',
      'PORT and --listen both say where to listen',
      'leave PORT out, or --listen',
    ],
    ['an impossible PORT', { port: '70000' }, 'usage', 'PORT "70000" is not a port from 0 to 65535', 'write a number such as 5555'],
    [
      'a misspelt word',
      { flags: { registration: ['opne'] } },
      'usage',
      '--registration "opne" is not one of invite, open, closed',
      'did you mean open?',
    ],
    [
      'a limit out of range',
      { flags: { limits: ['frameMsMax=1'] } },
      'usage',
      '--limit "frameMsMax=1" is not a whole number from 1000 to 60000 ms',
      'write frameMsMax=10000 for the default',
    ],
    [
      'an impossible host',
      { flags: { host: ['chat.example:5555'] } },
      'config_invalid',
      'the host "chat.example:5555" is neither a DNS name nor an IP address',
      'write it without port and brackets, such as chat.example or 192.0.2.1; an international name in its xn-- form',
    ],
    [
      'an address twice',
      { flags: { listen: ['[::1]:1'], echo: ['[::1]:1'] } },
      'config_invalid',
      'the address [::1]:1 is asked for twice',
      'give each listener its own',
    ],
    [
      'an origin of pages without an address for browsers',
      { flags: { 'web-origin': ['https://chat.example'] } },
      'config_invalid',
      '--web-origin makes no sense without an address for browsers',
      'add --web HOST:PORT, or leave --web-origin out',
    ],
    [
      'a mistake that a better source hides',
      { environment: { SEALWIRE_REGISTRATION: 'all' }, flags: { registration: ['open'] } },
      'config_invalid',
      'SEALWIRE_REGISTRATION "all" is not one of invite, open, closed',
      'write invite or open or closed',
    ],
  ])('refuses %s', async (_, sources, code, sentence, hint) => {
    const error = await resolveServeConfig(sources).catch((reason: unknown) => SealwireError.from(reason))
    expect(error).toMatchObject({ code, sentence, hint })
  })
})

function configFile(text: string): string {
  const path = join(mkdtempSync(join(root, 'file-')), 'server.toml')
  writeFileSync(path, text)
  return path
}

async function rejectionOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (reason: unknown) => String(reason),
  )
}
