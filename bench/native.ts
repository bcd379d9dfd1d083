// The load generator in C++: built when it is needed, where a compiler and the headers of OpenSSL are.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const source = join(import.meta.dirname, 'native/contract_load.cpp')

/** The path of the program; undefined where it cannot be built, or `BENCH_NATIVE=0` says that it shall not. */
export function nativeLoad(): string | undefined {
  if (process.env['BENCH_NATIVE'] === '0') return undefined
  const folder = join(tmpdir(), `sealwire-native-${process.getuid?.() ?? 0}`)
  const program = join(folder, 'contract_load')
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    execFileSync('g++', ['-O2', '-std=c++17', '-Wall', '-Wextra', '-o', program, source, '-lssl', '-lcrypto'], { stdio: 'ignore' })
    return program
  } catch {
    return undefined
  }
}

/** Plays a plan; answers the last line. */
export async function play(program: string, args: readonly number[], plan: Uint8Array): Promise<string> {
  const player = spawn(program, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
  player.stdin.end(plan)
  const [output] = await Promise.all([text(player.stdout), once(player, 'close')])
  return output.trim()
}
