// What the server tells its operator. The contract only: the command line decides where it goes and in what form.
// Never a body, a password, a key or a token; a name is written as it is and escaped by whoever prints it.

/** From the most talkative to the quietest. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

/** Plain values only, so that nothing secret travels inside an object. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>

/** Where the server writes. An event is a plain phrase in lower case, such as `client connected`. */
export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warning(event: string, fields?: LogFields): void
  /** `cause` is written with its stack; its message must not hold a secret. */
  error(event: string, fields?: LogFields, cause?: unknown): void
}

/** A log that says nothing, for tests and for programs that embed the server. */
export const silentLog: Log = Object.freeze({ debug() {}, info() {}, warning() {}, error() {} })
