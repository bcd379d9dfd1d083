import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { exitCodes } from '../../../src/cli/report.ts'
import { configOption, serveOptions } from '../../../src/cli/serve/options.ts'
import { runCli } from '../cli-process.ts'

const rows = [...Object.values(serveOptions), configOption]
const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')

describe('serveOptions', () => {
  test('are all in the help, with their variables and defaults', async () => {
    const { stdout } = await runCli(['serve', '--help'])
    const help = stdout.replace(/\s+/g, ' ')
    for (const { flag, variable, fallback } of rows) {
      expect(help).toContain(` ${flag} `)
      expect(help).toContain(`default: ${fallback}; ${variable})`)
    }
  })

  test('use no variable that a container platform sets for a service named sealwire', () => {
    for (const { variable } of rows) expect(variable).not.toMatch(/^SEALWIRE_(PORT|SERVICE)/)
  })
})

describe('docs/cli.md', () => {
  test.each(Object.entries(serveOptions))('shows flag, variable and key of %s', (name, { flag, variable }) => {
    const row = page.split('\n').find((line) => line.includes(`\`${flag}\``))
    expect(row).toContain(`\`${variable}\``)
    expect(row).toContain(name === 'limits' ? '`[limits]`' : `\`${name}\``)
  })

  test('shows the exit codes as they are', () => {
    const table = Object.entries(exitCodes).map(([exitCode, { what }]) => `| ${exitCode} | ${what} |`)
    expect(page.split('\n').filter((line) => /^\| \d \|/.test(line))).toEqual(table)
  })
})
