// The flags of programs that people start with npm run: what cannot be read ends them with one line, and --help with the same one.

import { parseArgs, type ParseArgsConfig } from 'node:util'

/** As parseArgs does; `usage` is the line. */
export function readFlags<const T extends ParseArgsConfig>(usage: string, config: T): ReturnType<typeof parseArgs<T>> {
  const { argv } = process
  if (argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) {
    console.log(`usage: ${usage}`)
    process.exit(0)
  }
  try {
    return parseArgs(config)
  } catch {
    return wrongUsage(usage)
  }
}

export function wrongUsage(usage: string): never {
  console.error(`usage: ${usage}`)
  process.exit(2)
}
