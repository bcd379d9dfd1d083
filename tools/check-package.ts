// Packs the package, installs the tarball in an empty project without running install scripts, and uses it there as its
// users do: the exports, their types, the command. npm run package-check

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Manifest {
  readonly version: string
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

interface Packed {
  readonly filename: string
  readonly size: number
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
/** Subpaths that programs on Node and in browsers import too; the others need Bun. */
const portable = [
  'sealwire',
  'sealwire/protocol',
  'sealwire/channel',
  'sealwire/client',
  'sealwire/client/node',
  'sealwire/client/web',
  'sealwire/link/memory',
]

const scratch = mkdtempSync(join(tmpdir(), 'sealwire-package-'))
try {
  const tarball = pack()
  run('publint', root, [join(root, 'node_modules/.bin/publint'), 'run', '--strict', tarball])
  const project = install(tarball)
  const subpaths = exportedSubpaths(join(project, 'node_modules/sealwire'))
  importEach('Bun', process.execPath, project, subpaths)
  importEach('Node', 'node', project, portable)
  compile(project, subpaths)
  command(project)
} finally {
  rmSync(scratch, { recursive: true })
}

function pack(): string {
  run('build', root, ['npm', 'run', '--silent', 'build'])
  const output = run('pack', root, ['npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', scratch])
  const [packed] = JSON.parse(output) as Packed[]
  if (packed === undefined) throw new Error('npm pack made nothing')
  for (const { path, size } of packed.files) console.log(`  ${path} (${size} bytes)`)
  console.log(`packed ${packed.files.length} files, ${packed.size} bytes`)
  const strays = packed.files.filter(({ path }) => !/^(bin|dist|docs)\/|^[A-Z]+(\.md)?$|^package\.json$/.test(path))
  if (strays.length > 0) throw new Error(`the package holds ${strays.map(({ path }) => path).join(', ')}`)
  return join(scratch, packed.filename)
}

function install(tarball: string): string {
  const project = join(scratch, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }')
  run('install', project, ['npm', 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--silent', tarball])
  return project
}

/** `sealwire/link/*` stands for one subpath for each file in that folder and below it. */
function exportedSubpaths(installed: string): readonly string[] {
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    const name = subpath.replace(/^\./, 'sealwire')
    if (typeof target === 'string') return []
    if (!name.endsWith('/*')) return [name]
    const below = readdirSync(join(installed, target.default.replace('*.js', '')), { recursive: true, encoding: 'utf8' })
    const modules = below.filter((file) => file.endsWith('.js')).map((file) => file.replaceAll('\\', '/'))
    return modules.map((file) => name.replace('*', file.replace(/\.js$/, '')))
  })
}

function importEach(runtime: string, executable: string, project: string, subpaths: readonly string[]): void {
  for (const subpath of subpaths) {
    const script = `import(${JSON.stringify(subpath)}).then((module) => console.log(Object.keys(module).length))`
    const names = run(`import on ${runtime}`, project, [executable, '-e', script]).trim()
    console.log(`${subpath} on ${runtime}: ${names} values`)
  }
}

/** Every subpath has types that a strict project can read. */
function compile(project: string, subpaths: readonly string[]): void {
  const lines = subpaths.map((subpath, index) => `export * as module${index} from ${JSON.stringify(subpath)}\n`)
  writeFileSync(join(project, 'types.ts'), lines.join(''))
  const options = ['--ignoreConfig', '--strict', '--noEmit', '--module', 'nodenext', '--target', 'esnext', '--skipLibCheck', 'types.ts']
  run('types', project, [join(root, 'node_modules/.bin/tsc'), ...options])
  console.log(`types of ${subpaths.length} subpaths: read`)
}

function command(project: string): void {
  const sealwire = join(project, 'node_modules/.bin/sealwire')
  const version = run('sealwire --version', project, [sealwire, '--version']).trim()
  if (version !== manifest.version) throw new Error(`sealwire --version says ${version}, package.json ${manifest.version}`)
  if (!run('sealwire --help', project, [sealwire, '--help']).includes('serve')) throw new Error('sealwire --help does not name serve')
  console.log(`sealwire --version: ${version}`)
  process.stdout.write(run('start', project, [join(root, 'tools/smoke-start.sh'), sealwire, 'serve']))
}

/** Runs a command to its end and returns what it printed. */
function run(what: string, cwd: string, [executable = '', ...args]: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(executable, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${what} failed (${error?.message ?? status}):\n${stdout}${stderr}`)
  return stdout
}
