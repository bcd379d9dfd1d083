import { isatty } from 'node:tty'

/** Whether what is written to a descriptor may have colours: a terminal has them, and NO_COLOR and FORCE_COLOR decide first. */
export function wantsColours(descriptor: number, environment: NodeJS.ProcessEnv): boolean {
  const { NO_COLOR: without, FORCE_COLOR: forced, TERM: terminal } = environment
  if (without !== undefined && without !== '') return false
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return terminal !== 'dumb' && isatty(descriptor)
}
