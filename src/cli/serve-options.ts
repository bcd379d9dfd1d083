// What can be said to `serve`, declared once: the flag, the environment variable and the help follow from a row, and its name
// is the key in the configuration file. Other variables that begin with SEALWIRE_ are left alone, because container platforms
// set some for a service of that name (SEALWIRE_PORT, SEALWIRE_SERVICE_HOST); no row may use one of those.

export interface ServeOptionRow {
  /** The flag as the help shows it: `--listen <host:port>`. */
  readonly flag: string
  readonly variable: string
  /** Takes a list: the flag may be repeated, the variable has commas, the file has an array (limits: a table). */
  readonly many: boolean
  readonly what: string
  /** The default in words, for the help. */
  readonly fallback: string
}

export const serveOptions = {
  listen: row('--listen <host:port>', 'SEALWIRE_LISTEN', 'listen here; port 0 lets the system choose', '127.0.0.1:5555', true),
  data: row('--data <dir>', 'SEALWIRE_DATA', 'folder of keys, certificates, database and logs', './sealwire-data'),
  host: row('--host <name>', 'SEALWIRE_HOST', 'name or address of this server for its certificate', 'this machine alone', true),
  registration: row('--registration <mode>', 'SEALWIRE_REGISTRATION', 'who may register: invite, open or closed', 'invite'),
  classic: row('--classic', 'SEALWIRE_CLASSIC', 'speak the classic dialect too (--no-classic: do not)', 'no'),
  echo: row('--echo <host:port>', 'SEALWIRE_ECHO', 'an echo service over TLS at this address', 'none'),
  'log-level': row('--log-level <level>', 'SEALWIRE_LOG_LEVEL', 'debug, info, warning or error', 'info'),
  'log-format': row('--log-format <format>', 'SEALWIRE_LOG_FORMAT', 'pretty, json or classic', 'pretty on a terminal, else json'),
  limits: row('--limit <name=value>', 'SEALWIRE_LIMIT', 'change a bound', 'docs/LIMITS.md', true),
} as const satisfies Record<string, ServeOptionRow>

export type ServeOptionName = keyof typeof serveOptions

/** The file to read further values from; it has a flag and a variable, and no key. */
export const configOption = row('--config <file>', 'SEALWIRE_CONFIG', 'read values from this TOML file', 'none')

export const registrations = ['invite', 'open', 'closed'] as const
export type Registration = (typeof registrations)[number]

export const logLevels = ['debug', 'info', 'warning', 'error'] as const
export const logFormats = ['pretty', 'json', 'classic'] as const
export type LogFormat = (typeof logFormats)[number]

function row(flag: string, variable: string, what: string, fallback: string, many = false): ServeOptionRow {
  return { flag, variable, many, what, fallback }
}
