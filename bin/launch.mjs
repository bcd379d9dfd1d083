// Finds the Bun that npm installed with this package and runs it in this process's place: same input and output, same
// signals, same end. Plain JavaScript without dependencies, because it runs on whatever Node is there (18 or newer).
//
// The binary is in one of two places. npm installs it as an optional package of the platform (@oven/bun-…); Bun's own
// install script then moves it to bun/bin/bun.exe. With `--ignore-scripts` it stays, and bun.exe is a short text file.

import { spawn } from 'node:child_process'
import { closeSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { isatty } from 'node:tty'

/**
 * Packages that hold the binary, by platform and architecture. Where there are two, the second is for musl.
 * @type {Record<string, string[] | undefined>}
 */
const platformPackages = {
  'linux-x64': ['@oven/bun-linux-x64', '@oven/bun-linux-x64-musl'],
  'linux-arm64': ['@oven/bun-linux-aarch64', '@oven/bun-linux-aarch64-musl'],
  'darwin-x64': ['@oven/bun-darwin-x64'],
  'darwin-arm64': ['@oven/bun-darwin-aarch64'],
  'win32-x64': ['@oven/bun-windows-x64'],
  'win32-arm64': ['@oven/bun-windows-aarch64'],
}

/**
 * A terminal sends Ctrl-C to the child as well, so it may see one twice: repeats within a second are one.
 * @type {NodeJS.Signals[]}
 */
const forwardedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']

/** No Bun is smaller than this and no stand-in is larger. */
const binaryBytesMin = 1024 * 1024

/**
 * Runs Bun with these arguments until it ends, and ends as it did.
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} start where, and with which environment; default: as we are
 */
export function launch(args, start = {}) {
  const binary = findBinary()
  if (binary === undefined) return
  // Before there is a child: a signal that comes as soon as it speaks must not end this process alone.
  for (const signal of forwardedSignals) process.on(signal, () => child.kill(signal))
  const child = spawn(binary, args, { ...start, stdio: 'inherit' })
  child.on('error', (reason) => fail(`the runtime does not start (${reason.message}). Install again on this machine with npm ci`))
  child.on('exit', (code, signal) => {
    letGo()
    if (signal === null) process.exit(code)
    endBySignal(signal)
  })
}

/**
 * Prints an error as the command line does and sets the exit code.
 * @param {string} sentence cause and what to do next
 */
export function fail(sentence) {
  process.stderr.write(`sealwire: ${sentence}\n`)
  process.exitCode = 1
  return undefined
}

/** @returns {string | undefined} nothing when an error was printed */
function findBinary() {
  const platform = `${process.platform}-${process.arch}`
  const packages = platformPackages[platform]
  if (packages === undefined) return fail(`there is no runtime for ${platform}. Use Linux or macOS on x64 or arm64`)
  const manifest = resolved(createRequire(import.meta.url), 'bun/package.json')
  if (manifest === undefined) return fail('the package bun is not installed. Run npm ci first')
  const candidates = [join(dirname(manifest), 'bin', 'bun.exe'), ...platformBinaries(manifest, packages)]
  return candidates.find(isBinary) ?? fail(`the runtime for ${platform} is not installed. Run npm ci again, without --omit=optional`)
}

/**
 * Paths inside the platform packages, found from bun's own folder because npm may nest them there.
 * @param {string} manifest
 * @param {string[]} packages
 */
function platformBinaries(manifest, packages) {
  const require = createRequire(manifest)
  const installed = packages.map((name) => resolved(require, `${name}/package.json`)).filter((path) => path !== undefined)
  // npm installs one of the two by the C library; older versions install both, and only then does it matter which we are.
  if (installed.length === 2 && isMusl()) installed.reverse()
  return installed.map((path) => join(dirname(path), 'bin', process.platform === 'win32' ? 'bun.exe' : 'bun'))
}

function isMusl() {
  /** @type {{ header?: { glibcVersionRuntime?: string } }} */
  const report = process.report.getReport()
  return report.header?.glibcVersionRuntime === undefined
}

/**
 * @param {NodeJS.Require} require
 * @param {string} name
 */
function resolved(require, name) {
  try {
    return require.resolve(name)
  } catch {
    return undefined
  }
}

/** @param {string} path */
function isBinary(path) {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats !== undefined && stats.isFile() && stats.size >= binaryBytesMin
}

/**
 * At its end Node puts terminals back as they were; 20 aborts where one is gone. What is closed it leaves alone, and
 * nobody writes here any more.
 */
function letGo() {
  for (const descriptor of [0, 1, 2]) {
    if (isatty(descriptor)) continue
    try {
      closeSync(descriptor)
    } catch {
      // It was closed.
    }
  }
}

/**
 * Dies of the same signal, so that a shell sees what happened; where that is not possible, exits with 128 + number.
 * @param {NodeJS.Signals} signal
 */
function endBySignal(signal) {
  for (const name of forwardedSignals) process.removeAllListeners(name)
  process.exitCode = 128 + constants.signals[signal]
  process.kill(process.pid, signal)
}
