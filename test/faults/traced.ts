// A program that runs the server under strace, as the same process, so that its system calls do what a test says.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `calls`: such as `fsync,fdatasync`; `what`: such as `signal=SIGKILL:when=7`, for each thread by itself. Its path, in this folder. */
export function tracedRuntime(folder: string, calls: string, what: string): string {
  const path = join(folder, 'traced')
  const inject = `-e trace=${calls} -e inject=${calls}:${what}`
  // -D: the tracer is the one beside, and a signal reaches the server.
  writeFileSync(path, `#!/bin/sh\nexec strace -D -f -qq -o '${tracePath(folder)}' ${inject} '${process.execPath}' "$@"\n`)
  chmodSync(path, 0o700)
  return path
}

/** Where the calls are noted. */
export function tracePath(folder: string): string {
  return join(folder, 'trace')
}
