// The peers that Sealwire is measured beside, where they are installed: NATS and Mosquitto with TLS, a bare echo server on OpenSSL
// in C++, and PostgreSQL with its pgbench.

import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { end, freePort, listening, type Running, start } from '../servers.ts'

/** A server that listens with TLS and a certificate of its own. */
export async function startNats(folder: string): Promise<Running | undefined> {
  const program = found('nats-server')
  if (program === undefined) return undefined
  const port = await freePort()
  const { certificate, key } = selfSigned(folder)
  const config = join(folder, 'nats.conf')
  writeFileSync(config, `host: 127.0.0.1\nport: ${port}\ntls { cert_file: "${certificate}", key_file: "${key}", timeout: 5 }\n`)
  return running(start(program, ['-c', config], { GOMAXPROCS: '1' }), port)
}

/**
 * `durable`: it saves at the strictest that it offers, after every change, in one piece and from the loop that serves, after it
 * has acknowledged; nothing makes an acknowledgement wait for it.
 */
export async function startMosquitto(folder: string, { durable }: { durable: boolean }): Promise<Running | undefined> {
  const program = found('mosquitto')
  if (program === undefined) return undefined
  const port = await freePort()
  const { certificate, key } = selfSigned(folder)
  const place = join(folder, durable ? 'mosquitto-durable' : 'mosquitto')
  mkdirSync(place)
  const kept = durable ? `persistence true\nautosave_on_changes true\nautosave_interval 1\npersistence_location ${place}/\n` : ''
  const usual = 'allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n'
  const user = process.getuid?.() === 0 ? 'user root\n' : ''
  const config = join(place, 'mosquitto.conf')
  writeFileSync(config, `listener ${port} 127.0.0.1\ncertfile ${certificate}\nkeyfile ${key}\n${usual}${user}${kept}`)
  return running(start(program, ['-c', config]), port)
}

/** epoll and OpenSSL and nothing else: what a machine allows. */
export async function startEchoLimit(folder: string, native: string): Promise<Running> {
  const port = await freePort()
  const { certificate, key } = selfSigned(folder)
  return running(start(join(native, 'echo_limit'), [String(port), certificate, key]), port)
}

/** A cluster of PostgreSQL that is made for this. */
export class Postgres implements AsyncDisposable {
  readonly #programs: string
  readonly #place: string
  readonly #port: string

  /** `undefined` where it is not installed. */
  static async start(folder: string): Promise<Postgres | undefined> {
    const all = '/usr/lib/postgresql'
    const version = existsSync(all) ? readdirSync(all).toSorted().at(-1) : undefined
    if (version === undefined || !existsSync(join(all, version, 'bin/pgbench'))) return undefined
    const postgres = new Postgres(join(all, version, 'bin'), join(folder, 'postgres'), String(await freePort()))
    postgres.#prepare(folder)
    return postgres
  }

  private constructor(programs: string, place: string, port: string) {
    this.#programs = programs
    this.#place = place
    this.#port = port
  }

  /** Transactions a second, TPC-B-like and durable, with 16 clients. */
  transactionsPerSecond(seconds: number): number {
    const output = this.#run('pgbench', '-c', '16', '-j', '2', '-T', String(Math.ceil(seconds)), ...this.#database)
    return Number(/tps = (\d+)/.exec(output)?.[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run('pg_ctl', '-D', this.#data, '-m', 'fast', '-w', 'stop')
  }

  get #data(): string {
    return join(this.#place, 'data')
  }

  get #database(): readonly string[] {
    return ['-h', this.#place, '-p', this.#port, 'postgres']
  }

  #prepare(folder: string): void {
    mkdirSync(this.#place)
    chmodSync(folder, 0o755)
    if (process.getuid?.() === 0) execFileSync('chown', ['postgres', this.#place])
    this.#run('initdb', '-D', this.#data, '-A', 'trust')
    const options = `-p ${this.#port} -c listen_addresses= -c unix_socket_directories=${this.#place}`
    this.#run('pg_ctl', '-D', this.#data, '-w', '-l', join(this.#place, 'log'), '-o', options, 'start')
    this.#run('pgbench', '-i', '-q', '-s', '16', ...this.#database)
  }

  /** PostgreSQL refuses to run as root; then it runs as the user whom Debian's package makes. */
  #run(program: string, ...args: readonly string[]): string {
    const options: ExecFileSyncOptionsWithStringEncoding = { cwd: this.#place, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' }
    const path = join(this.#programs, program)
    if (process.getuid?.() !== 0) return execFileSync(path, args, options)
    return execFileSync('runuser', ['-u', 'postgres', '--', path, ...args], options)
  }
}

/** Where a program is: Debian keeps servers where only root looks by itself. */
export function found(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/** P-256, as our own certificates are. */
function selfSigned(folder: string): { readonly certificate: string; readonly key: string } {
  const [certificate, key] = [join(folder, 'peers.crt'), join(folder, 'peers.key')]
  const made = ['-keyout', key, '-out', certificate, '-subj', '/CN=localhost', '-nodes']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  if (!existsSync(key)) execFileSync('openssl', ['req', '-x509', ...kind, ...made], { stdio: 'ignore' })
  return { certificate, key }
}

async function running(process: Running['process'], port: number): Promise<Running> {
  try {
    await listening(port)
    return { process, port }
  } catch (reason) {
    await end(process)
    throw reason
  }
}
