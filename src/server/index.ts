export {
  type AccountIdentity,
  Accounts,
  type AccountsOptions,
  type AccountsParts,
  type Credentials,
  type RegistrationMode,
} from './accounts.ts'
export type { Machine } from './admission.ts'
export type { Log, LogFields, LogLevel } from './log.ts'
export { silentLog } from './log.ts'
export { realMachine } from './machine.ts'
export { type Server, startServer } from './server.ts'
export type { Endpoint, ServerOptions, ServerParts } from './server-options.ts'
