// Servers that benchmarks start: each a process of its own on a free port of the loopback interface.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { fail, pause } from './load.ts'

export interface Running {
  readonly process: ChildProcess
  readonly port: number
}

/** A server of ours with the limits of server.toml, and with `more` flags of `serve`. */
export async function serveSealwire(data: string, ...more: readonly string[]): Promise<Running> {
  const port = await freePort()
  const main = join(import.meta.dirname, '../src/cli/main.ts')
  const config = join(import.meta.dirname, 'server.toml')
  const place = ['--listen', `127.0.0.1:${port}`, '--data', data]
  const args = ['serve', ...place, '--registration', 'open', '--config', config, '--log-level', 'error', ...more]
  const server = start(process.execPath, [main, ...args])
  await listening(port)
  return { process: server, port }
}

/** A process with a group of its own, by which its CPU time is counted. It ends with us, however we end. */
export function start(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore', detached: true, env: { ...process.env, ...environment } })
  if (started.size === 0) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  started.add(child)
  child.once('exit', () => started.delete(child))
  return child
}

/** Ends a process and waits until it has. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}

const started = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of started) child.kill()
})

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : fail('no port is free')
}

/** Resolves when somebody accepts there. */
export async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await accepts(port)) return
    await pause(100)
  }
  fail('a server did not start')
}

function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).then((value) => {
    socket.destroy()
    return value === true
  })
}
