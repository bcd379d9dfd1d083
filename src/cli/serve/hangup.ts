// SIGHUP asks a server to read its certificate again, as servers do. It is also what a process hears when its terminal is
// gone; then nobody is left to ask anything, and it ends as it would after SIGTERM.

import { isatty } from 'node:tty'

/** Calls `reload` for every SIGHUP until it is disposed. */
export function onHangup(reload: () => void): Disposable {
  // Any of them may have gone to a file.
  const terminals = standardDescriptors.filter((each) => isatty(each))
  const hungUp = (): void => {
    if (terminals.length > 0 && !terminals.some((each) => isatty(each))) process.kill(process.pid, 'SIGTERM')
    else reload()
  }
  process.on('SIGHUP', hungUp)
  return { [Symbol.dispose]: () => void process.off('SIGHUP', hungUp) }
}

const standardDescriptors = [0, 1, 2]
