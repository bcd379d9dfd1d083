// SIGHUP asks a server to read its certificate again, as servers do. It is also what a process hears when its terminal is
// gone; then nobody is left to ask anything, and it ends as it would after SIGTERM.

import { isatty } from 'node:tty'

/** Calls `reload` for every SIGHUP until it is disposed. */
export function onHangup(reload: () => void): Disposable {
  const hadTerminal = isatty(standardError)
  const hungUp = (): void => {
    if (hadTerminal && !isatty(standardError)) process.kill(process.pid, 'SIGTERM')
    else reload()
  }
  process.on('SIGHUP', hungUp)
  return { [Symbol.dispose]: () => void process.off('SIGHUP', hungUp) }
}

const standardError = 2
