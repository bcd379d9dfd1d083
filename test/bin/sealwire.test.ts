import { afterAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-bin-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Otherwise no folder is closed to root. */
const asAnybody = ['setpriv', ...['--inh-caps', '--bounding-set'].map((set) => `${set}=-dac_override,-dac_read_search`)]

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

  test('works beside files of Bun that are broken, in the folder it is started in', () => {
    const folder = layout('back', ['dist/cli/main.js'])
    writeFileSync(
      join(folder, 'dist/cli/main.js'),
      'console.log(JSON.stringify([process.cwd(), require("node:fs").existsSync("own.txt"), process.env.SEALWIRE_HERE ?? null]))',
    )
    const broken = join(scratch, 'bro ken', 'below')
    mkdirSync(broken, { recursive: true })
    for (const name of ['package.json', 'tsconfig.json', '../package.json']) writeFileSync(join(broken, name), '{ "broken')
    writeFileSync(join(broken, 'own.txt'), '')
    expect(run(folder, [], broken)).toEqual({ status: 0, output: [realpathSync(broken), true, null], errors: '' })
  })

  // Only there can the folder be removed in which a process is, and have a name that is not UTF-8.
  describe.if(process.platform === 'linux')('in a folder in which it cannot work', () => {
    const working = 'console.log(JSON.stringify([process.cwd(), require("node:path").resolve("data")]))'

    test.each([
      ['was removed', 'mkdir gone && cd gone && rmdir ../gone', 'is gone'],
      ['was removed and made again', 'mkdir again && cd again && rmdir ../again && mkdir ../again', 'is gone'],
      [
        'has a name that is not UTF-8',
        `folder=$(printf 'b\\377') && mkdir "$folder" && cd "$folder"`,
        'is not found under its name, which may not be UTF-8',
      ],
      [
        'has such a name, which another folder seems to have',
        `folder=$(printf 'c\\377') && mkdir "$folder" c\ufffd && cd "$folder"`,
        'is not found under its name, which may not be UTF-8',
      ],
    ])('which %s, does not begin', (which, enter, words) => {
      const folder = layout(`lost ${which}`, ['dist/cli/main.js'])
      writeFileSync(join(folder, 'dist/cli/main.js'), working)
      expect(entered(folder, enter)).toEqual({
        status: 1,
        output: '',
        errors: `sealwire: the current folder ${words}. Change to another one and try again\n`,
      })
    })

    test('but not enter again, works', () => {
      const folder = layout('closed', ['dist/cli/main.js'])
      writeFileSync(join(folder, 'dist/cli/main.js'), working)
      const { status, output } = entered(
        folder,
        'mkdir -p shut/below && cd shut/below && chmod 0 ..',
        process.getuid?.() === 0 ? asAnybody : [],
      )
      chmodSync(join(folder, 'shut'), 0o755)
      const below = join(realpathSync(folder), 'shut/below')
      expect([status, JSON.parse(output)]).toEqual([0, [below, join(below, 'data')]])
    })
  })

  test('says so when the program is missing', () => {
    const { status, errors } = run(layout('missing', []), [])
    expect(status).toBe(1)
    expect(errors).toBe('sealwire: the program is missing from this installation. Install the package again\n')
  })
})

test('npm run sealwire works in the folder from which npm was called', () => {
  const folder = layout('a $(check)out', ['src/cli/main.ts'])
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  writeFileSync(join(folder, 'src/cli/main.ts'), 'console.log(JSON.stringify([process.cwd(), process.argv.slice(2)]))')
  const below = join(folder, 'of the "user"')
  mkdirSync(below)
  for (const cwd of [below, folder]) {
    const { stdout } = spawnSync('npm', ['run', '--silent', 'sealwire', '--', 'file', 'two words'], { cwd, encoding: 'utf8' })
    expect(JSON.parse(stdout)).toEqual([realpathSync(cwd), ['file', 'two words']])
  }
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

/** Runs it where a shell has gone, which began in that folder. */
function entered(folder: string, enter: string, as: readonly string[] = []) {
  const script = `${enter} && exec "$@"`
  const command = [...as, 'node', join(folder, 'bin', 'sealwire.mjs')]
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', ...command], { cwd: folder, encoding: 'utf8' })
  return { status, output: stdout, errors: stderr }
}

function run(folder: string, args: readonly string[], cwd = folder) {
  const { status, stdout, stderr } = spawnSync('node', [join(folder, 'bin', 'sealwire.mjs'), ...args], { cwd, encoding: 'utf8' })
  const output: unknown = stdout.length > 0 ? JSON.parse(stdout) : undefined
  return { status, output, errors: stderr }
}
