// The entry of the command line. It ends in one place: 0, or one line on standard error and the exit code of its cause.

import { systemClock } from '../domain/clock.ts'
import { limitTable } from '../protocol/limits.ts'
import { report } from './report.ts'
import { checkRuntime } from './runtime.ts'

// A bug never goes on: what a command wants to save (the log) it saves in a listener of its own, before this one.
process.on('uncaughtException', endAtOnce)
process.on('unhandledRejection', endAtOnce)

// Nothing left to wait for, and yet not at its end: that would be a failure, not a success.
process.exitCode = 1
try {
  checkRuntime(process.versions, process.env)
  const { run } = await import('./program.ts')
  await run(process.argv.slice(2))
  process.exitCode = 0
} catch (reason) {
  process.exitCode = report(reason)
}

// The process ends by itself when its output is written; something that was left open does not keep it.
systemClock.after(limitTable.exitMsMax.value, () => process.exit())

function endAtOnce(reason: unknown): never {
  report(reason)
  process.exit(1)
}
