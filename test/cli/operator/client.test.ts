import { describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { OperatorClient } from '../../../src/cli/operator/client.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { encodeCbor, encodeFault, contractCommands } from '../../../src/protocol/contract/index.ts'
import { type Code, encodeFrame, resolveLimits } from '../../../src/protocol/index.ts'
import { lockData } from '../../../src/store/index.ts'
import { refusalOf, rejectionOf } from '../../support/refusal.ts'
import { StoreFolder } from '../../support/store-folder.ts'
import { LeftFolder } from '../operator-support.ts'

const hasty = { clock: systemClock, limits: { ...resolveLimits(), operatorWaitMsMax: 1000, operatorAnswerMsMax: 1000 } }

describe('OperatorClient', () => {
  test('makes nothing in a folder that no server has used', () => {
    using folder = new StoreFolder()
    expect(refusalOf(() => new OperatorClient(join(folder.path, 'none'), hasty))).toBe('data_unusable')
    expect(refusalOf(() => new OperatorClient(folder.path, hasty))).toBe('data_unusable')
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('works by itself where no server runs, and gives the folder back', async () => {
    using folder = await LeftFolder.with('alice')
    {
      using operator = new OperatorClient(folder.path, hasty)
      expect(operator.isOffline).toBe(false)
      expect((await operator.call('account.list', {})).accounts.map(({ name }) => name)).toEqual(['alice'])
      expect(operator.isOffline).toBe(true)
      expect(refusalOf(() => lockData(folder.path))).toBe('data_locked')
      await operator.call('account.ban', { name: 'alice' })
    }
    lockData(folder.path)[Symbol.dispose]()
  })

  test('waits for a folder that is in use and has no socket, and then says so', async () => {
    using folder = await LeftFolder.with()
    using operator = new OperatorClient(folder.path, hasty)
    {
      using _lock = lockData(folder.path)
      expect(await rejectionOf(operator.call('account.list', {}))).toBe('data_locked')
      const answer = new OperatorClient(folder.path, { clock: systemClock }).call('server.status', {})
      setTimeout(() => _lock[Symbol.dispose](), 100)
      expect(await answer).toMatchObject({ fingerprint: folder.fingerprint })
    }
  })

  test('takes a socket that nobody listens at for none', async () => {
    using folder = await LeftFolder.with()
    writeFileSync(join(folder.path, 'operator.sock'), '')
    using operator = new OperatorClient(folder.path, hasty)
    expect(await rejectionOf(operator.call('account.list', {}))).toBeUndefined()
  })

  const busy = encodeFault({ id: null, code: 'busy', sentence: 'busy' })
  const refused = encodeFault({ id: 1, code: 'busy', sentence: 'too many invitations' })
  const odd = encodeCbor([1, { link: 7 }])
  test.each<[string, Code, (socket: Socket) => void]>([
    ['hangs up', 'connection_lost', (socket) => void socket.end()],
    ['says nothing', 'unreachable', () => {}],
    ['says that it is busy', 'busy', (socket) => void socket.end(encodeFrame(contractCommands.fault, busy))],
    ['refuses', 'busy', (socket) => void socket.end(encodeFrame(contractCommands.fault, refused))],
    ['sends no frames', 'bad_magic', (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n')],
    ['sends something else', 'unexpected', (socket) => void socket.end(encodeFrame(contractCommands.goodbye))],
    ['answers something else', 'malformed', (socket) => void socket.end(encodeFrame(contractCommands.result, odd))],
  ])('gives up a server that %s', async (_, code, behave) => {
    using folder = await LeftFolder.with()
    using _server = listening(folder.path, behave)
    using operator = new OperatorClient(folder.path, hasty)
    expect(await rejectionOf(operator.call('invitation.create', { uses: 1, expiresMs: 60_000 }))).toBe(code)
  })

  test('asks again when the server ends under its hands', async () => {
    using folder = await LeftFolder.with()
    let connections = 0
    const server = listening(folder.path, (socket) => {
      connections++
      socket.destroy()
      if (connections === 2) server[Symbol.dispose]()
    })
    using operator = new OperatorClient(folder.path, { clock: systemClock })
    expect((await operator.call('account.list', {})).accounts).toEqual([])
    expect([connections, operator.isOffline]).toEqual([2, true])
  })

  test.skipIf(process.getuid?.() !== 0)('touches nothing of another user', async () => {
    using folder = await LeftFolder.with()
    rmSync(join(folder.path, 'lock'), { force: true })
    Bun.spawnSync(['chown', '-R', '12345', folder.path])
    using operator = new OperatorClient(folder.path, hasty)
    expect(await rejectionOf(operator.call('account.list', {}))).toBe('data_unusable')
    expect(existsSync(join(folder.path, 'lock'))).toBe(false)
  })

  test.skipIf(process.getuid?.() === 0)('says that it may not look into the folder', async () => {
    using folder = await LeftFolder.with()
    chmodSync(folder.path, 0)
    expect(refusalOf(() => new OperatorClient(folder.path, hasty))).toBe('data_unusable')
    chmodSync(folder.path, 0o700)
  })
})

/** A program in the place of the server. */
function listening(folder: string, behave: (socket: Socket) => void): Disposable {
  const lock = lockData(folder)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => behave(socket))
  }).listen(join(folder, 'operator.sock'))
  return {
    [Symbol.dispose]() {
      server.close()
      lock[Symbol.dispose]()
    },
  }
}
