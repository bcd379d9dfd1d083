import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'

interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const { packages } = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>
}
const installed = Object.entries(packages).filter(([path]) => path !== '')

test('every package is locked to a version and to its content', () => {
  expect(installed.filter(([, { version, integrity }]) => version === undefined || integrity === undefined)).toEqual([])
})

// npm leaves one out that it cannot find, and from then on `npm ci` refuses the file.
test('the builds for other platforms are locked too', () => {
  const wanted = installed.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies))
  expect(wanted.filter((name) => packages[`node_modules/${name}`] === undefined)).toEqual([])
  expect(wanted).toContain('@oven/bun-darwin-aarch64')
})

test('nothing is bound to one registry', () => {
  expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
})
