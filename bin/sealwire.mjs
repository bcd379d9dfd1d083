#!/usr/bin/env node
// The command `sealwire`: TypeScript from source in a checkout, JavaScript in the published package.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fail, launch } from './launch.mjs'

/** @param {string} relative */
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const program = [path('../src/cli/main.ts'), path('../dist/cli/main.js')].find((file) => existsSync(file))

// Bun reads .env and bunfig.toml of the folder it is started in, and a bunfig.toml can name code to run first. Only our
// own files may do that, and nothing is ever downloaded at run time.
const isolation = ['--no-env-file', '--no-install', `--config=${path('./bunfig.toml')}`]

if (program === undefined) fail('the program is missing from this installation. Install the package again')
else launch([...isolation, program, ...process.argv.slice(2)])
