// Runs the Python programs of test/e2e, and says loudly when a machine lacks what a test needs.

import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface PythonRun {
  readonly code: number | null
  /** Standard output and standard error, as they came. */
  readonly output: string
}

export interface PythonProcess extends AsyncDisposable {
  readonly finished: Promise<PythonRun>
  /** What it has written so far. */
  readonly output: string
  /** Resolves as soon as the output has a line with `text`; rejects when it ends without. */
  printed(text: string): Promise<void>
}

/** Runs `test/e2e/SCRIPT` to its end, with `input` on its standard input. */
export function runPython(script: string, args: readonly string[], input = ''): Promise<PythonRun> {
  return startPython(script, args, input).finished
}

/** Starts `test/e2e/SCRIPT`; it is killed with its scope. */
export function startPython(script: string, args: readonly string[], input = '', interpreter = 'python3'): PythonProcess {
  const path = fileURLToPath(new URL(`../e2e/${script}`, import.meta.url))
  // -B keeps the source folder clean, -u brings each line at once.
  const child = spawn(interpreter, ['-B', '-u', path, ...args], { stdio: 'pipe' })
  child.stdin.on('error', () => {}) // It may end without reading.
  child.stdin.end(input)
  let output = ''
  let isOver = false
  let wake = Promise.withResolvers<void>()
  const collect = (text: string): void => {
    output += text
    wake.resolve()
    wake = Promise.withResolvers()
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const finished = new Promise<PythonRun>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('exit', kill)
      isOver = true
      resolve({ code, output })
      collect('')
    })
  })
  return {
    finished,
    get output() {
      return output
    },
    async printed(text) {
      while (!output.includes(text)) {
        if (isOver) throw new Error(`${script} ended before it said ${text}:\n${output}`)
        await wake.promise
      }
    },
    async [Symbol.asyncDispose]() {
      kill()
      await finished
    },
  }
}

/** What not every machine has. */
export type Need =
  | 'python3'
  | 'python3-cbor2'
  | 'python3-cryptography'
  | 'openssl'
  | 'age'
  | 'testssl'
  | '/proc'
  | '127.0.0.2'
  | 'SEALWIRE_NODE'

/**
 * True when this machine lacks something that a test needs, which it says loudly: `test.skipIf(isMissing('python3'))`.
 * Under CI=true nothing may be skipped, so it throws.
 */
export function isMissing(...needs: readonly Need[]): boolean {
  const missing = needs.filter((need) => !available[need]())
  if (missing.length === 0) return false
  if (process.env['CI'] === 'true') throw new Error(`this machine lacks ${missing.join(', ')}`)
  console.warn(`SKIPPED: this machine lacks ${missing.join(', ')}`)
  return true
}

/** A Node that runs the server, where the variable SEALWIRE_NODE names one; `.ci/run` fetches it. */
export const nodeBinary = process.env['SEALWIRE_NODE'] ?? ''

const canImport = (interpreter: string, module: string): boolean => spawnSync(interpreter, ['-c', `import ${module}`]).status === 0

/** Debian's modules belong to Debian's Python, which is not everywhere the first one. */
export function pythonWith(module: string): string {
  return ['python3', '/usr/bin/python3'].find((interpreter) => canImport(interpreter, module)) ?? 'python3'
}

const available: Readonly<Record<Need, () => boolean>> = {
  python3: () => spawnSync('python3', ['-c', 'import ssl, sys; sys.exit(sys.version_info < (3, 9))']).status === 0,
  'python3-cbor2': () => canImport(pythonWith('cbor2'), 'cbor2'),
  'python3-cryptography': () => canImport(pythonWith('cryptography'), 'cryptography'),
  openssl: () => spawnSync('openssl', ['version']).status === 0,
  age: () => spawnSync('age', ['--version']).status === 0,
  testssl: () => spawnSync('testssl', ['--version']).status === 0,
  SEALWIRE_NODE: () => nodeBinary !== '',
  '/proc': () => process.platform === 'linux',
  // Linux answers for all of 127.0.0.0/8; elsewhere each address would have to be set up by hand.
  '127.0.0.2': () => process.platform === 'linux',
}
