import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { claimPort, lastingPort } from './lasting-port.ts'

describe('lastingPort', () => {
  test('answers a port that nobody else gets, in this process or another one', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => lastingPort()))
    expect(new Set(ports).size).toBe(20)
    for (const port of ports) {
      expect(port).toBeWithin(12_000, 32_768)
      expect(await claimPort(port)).toBe(false)
    }
    await using other = await Other.claims(ports[0] ?? 0)
    expect(other.said).toBe('false\n')
  })

  test('answers one at which a server starts, ends and starts again', async () => {
    const port = await lastingPort()
    for (let start = 0; start < 2; start++) {
      const server = createServer().listen(port, '127.0.0.1')
      await once(server, 'listening')
      server.close()
      await once(server, 'close')
    }
  })
})

describe('claimPort', () => {
  test('leaves a port alone that is in use', async () => {
    const port = await usedPort()
    expect(await claimPort(port.number)).toBe(false)
    // And has not claimed it meanwhile.
    port.server.close()
    await once(port.server, 'close')
    await using other = await Other.claims(port.number)
    expect(other.said).toBe('true\n')
    expect(await claimPort(port.number)).toBe(false)
  })

  test('leaves nothing behind when its process is killed', async () => {
    const port = await usedPort()
    port.server.close()
    await once(port.server, 'close')
    {
      await using other = await Other.claims(port.number)
      expect(other.said).toBe('true\n')
    }
    expect(await claimPort(port.number)).toBe(true)
  })
})

/** A server at a port where no other test claims one: below those of `lastingPort`. */
async function usedPort() {
  for (;;) {
    const number = 10_000 + 2 * randomInt(900)
    const [server, behind] = [await listening(number), await listening(number + 1)]
    behind?.close()
    if (server !== undefined && behind !== undefined) return { number, server }
    server?.close()
  }
}

/** Undefined where the port is taken. */
function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

/** Another process, which claims a port and is killed at the end. */
class Other implements AsyncDisposable {
  said = ''
  readonly #child

  private constructor(port: number) {
    this.#child = spawn(process.execPath, [program, `${port}`], { stdio: ['ignore', 'pipe', 'inherit'] })
  }

  static async claims(port: number): Promise<Other> {
    const other = new Other(port)
    const [said] = (await once(other.#child.stdout, 'data')) as [Buffer]
    other.said = said.toString()
    return other
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

const program = fileURLToPath(new URL('port-program.ts', import.meta.url))
