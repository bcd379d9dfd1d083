#!/usr/bin/env node
// The command `sealwire`: TypeScript from source in a checkout, JavaScript in the published package.

import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fail, launch } from './launch.mjs'

/** @param {string} relative */
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const program = [path('../src/cli/main.ts'), path('../dist/cli/main.js')].find((file) => existsSync(file))

// Bun reads .env and bunfig.toml of the folder it is started in, and a bunfig.toml can name code to run first. Only our
// own files may do that, and nothing is ever downloaded at run time.
const isolation = ['--no-env-file', '--no-install', `--config=${path('./bunfig.toml')}`]

if (program === undefined) fail('the program is missing from this installation. Install the package again')
else start(program)

/**
 * Bun also reads package.json and tsconfig.json of the folder it is started in, which can be broken. No flag keeps it from that, so
 * it starts in a folder of ours, and goes back before the program begins.
 * @param {string} main
 */
function start(main) {
  const { folder, lost } = here()
  if (lost !== undefined) return fail(`the current folder ${lost}. Change to another one and try again`)
  const args = [main, ...process.argv.slice(2)]
  if (folder === undefined) return launch([...isolation, ...args])
  launch([...isolation, `--preload=${path('./here.mjs')}`, ...args], { cwd: path('.'), env: { ...process.env, SEALWIRE_HERE: folder } })
}

/**
 * The folder we are in, or, as `lost`, why nothing can be done in it: the runtime would take a relative path for one in a folder of
 * its own. Neither, when it can be worked in but not be entered again.
 * @returns {{ folder?: string, lost?: string }}
 */
function here() {
  try {
    const folder = process.cwd()
    if (!isHere(folder)) return { lost: 'is not found under its name, which may not be UTF-8' }
    process.chdir(folder)
    return { folder }
  } catch (reason) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (reason)
    if (code === 'EACCES') return {}
    return { lost: code === 'ENOENT' ? 'is gone' : `cannot be used (${code})` }
  }
}

/**
 * A name that is not UTF-8 is told with other characters: under those there is nothing, or another folder.
 * @param {string} folder
 */
function isHere(folder) {
  const [one, other] = ['.', folder].map((name) => statSync(name, { bigint: true, throwIfNoEntry: false }))
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino
}
