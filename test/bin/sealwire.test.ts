import { afterAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-bin-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Prints what it was given, so that a test sees which program ran and how. */
const program = 'console.log(JSON.stringify([import.meta.url.split("/").at(-1), process.argv.slice(2), process.env.FROM_FILE ?? null]))'

describe('bin/sealwire.mjs', () => {
  test('runs the source in a checkout, also when it was built', () => {
    const folder = layout('checkout', ['src/cli/main.ts', 'dist/cli/main.js'])
    expect(run(folder, ['serve', '--help', '--', 'two words']).output).toEqual(['main.ts', ['serve', '--help', '--', 'two words'], null])
  })

  test('runs the build in the published package', () => {
    const folder = layout('package', ['dist/cli/main.js'])
    expect(run(folder, []).output).toEqual(['main.js', [], null])
  })

  test('takes neither code nor environment from the folder it is started in', () => {
    const folder = layout('isolated', ['dist/cli/main.js'])
    const elsewhere = join(scratch, 'elsewhere')
    mkdirSync(elsewhere)
    writeFileSync(join(elsewhere, 'bunfig.toml'), 'preload = ["./preload.ts"]')
    writeFileSync(join(elsewhere, 'preload.ts'), 'console.log("foreign code")')
    writeFileSync(join(elsewhere, '.env'), 'FROM_FILE=foreign')
    expect(run(folder, [], elsewhere).output).toEqual(['main.js', [], null])
  })

  test('says so when the program is missing', () => {
    const { status, errors } = run(layout('missing', []), [])
    expect(status).toBe(1)
    expect(errors).toBe('sealwire: the program is missing from this installation. Install the package again\n')
  })
})

/** A folder with the real launcher, the installed modules and stand-ins for the program. */
function layout(name: string, files: readonly string[]): string {
  const folder = join(scratch, name)
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), program)
  }
  return folder
}

function run(folder: string, args: readonly string[], cwd = folder) {
  const { status, stdout, stderr } = spawnSync('node', [join(folder, 'bin', 'sealwire.mjs'), ...args], { cwd, encoding: 'utf8' })
  const output: unknown = stdout.length > 0 ? JSON.parse(stdout) : undefined
  return { status, output, errors: stderr }
}
