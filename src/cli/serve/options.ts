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
  cert: row(
    '--cert <file>',
    'SEALWIRE_CERT',
    "the operator's own certificate chain in PEM, with --key",
    "made by the server's own authority",
  ),
  key: row('--key <file>', 'SEALWIRE_KEY', 'the private key of --cert in PEM', 'none'),
  registration: row('--registration <mode>', 'SEALWIRE_REGISTRATION', 'who may register: invite, open or closed', 'invite'),
  classic: row('--classic', 'SEALWIRE_CLASSIC', 'speak the classic dialect too (--no-classic: do not)', 'no'),
  'mutual-tls': row('--mutual-tls <mode>', 'SEALWIRE_MUTUAL_TLS', 'device certificates: optional, required or off', 'optional'),
  'join-listen': row('--join-listen <host:port>', 'SEALWIRE_JOIN_LISTEN', 'join here without a certificate, and do nothing else', 'none'),
  sealed: row('--sealed <host:port>', 'SEALWIRE_SEALED', 'speak the sealed channel here, usually at port 1337', 'nowhere', true),
  'sealed-v1': row(
    '--sealed-v1',
    'SEALWIRE_SEALED_V1',
    'echo there for clients of version 1 too, which authenticates nobody: loopback only',
    'no',
  ),
  web: row('--web <host:port>', 'SEALWIRE_WEB', 'let browsers connect here with WebSockets', 'nowhere', true),
  'web-origin': row('--web-origin <origin>', 'SEALWIRE_WEB_ORIGIN', 'let pages of this origin connect too', 'the same host and port', true),
  echo: row('--echo <host:port>', 'SEALWIRE_ECHO', 'an echo service over TLS at this address', 'none'),
  metrics: row('--metrics <host:port>', 'SEALWIRE_METRICS', 'tell metrics and readiness here, over HTTP: loopback only', 'nowhere'),
  'log-level': row('--log-level <level>', 'SEALWIRE_LOG_LEVEL', 'debug, info, warning or error', 'info'),
  'log-format': row('--log-format <format>', 'SEALWIRE_LOG_FORMAT', 'pretty, json or classic', 'pretty on a terminal, else json'),
  limits: row('--limit <name=value>', 'SEALWIRE_LIMIT', 'change a bound', 'docs/LIMITS.md', true),
} as const satisfies Record<string, ServeOptionRow>

export type ServeOptionName = keyof typeof serveOptions

/** The file to read further values from; it has a flag and a variable, and no key. */
export const configOption = row('--config <file>', 'SEALWIRE_CONFIG', 'read values from this TOML file', 'none')

export const registrations = ['invite', 'open', 'closed'] as const
export type Registration = (typeof registrations)[number]

export const mutualTlsModes = ['optional', 'required', 'off'] as const

export const logLevels = ['debug', 'info', 'warning', 'error'] as const
export const logFormats = ['pretty', 'json', 'classic'] as const
export type LogFormat = (typeof logFormats)[number]

function row(flag: string, variable: string, what: string, fallback: string, many = false): ServeOptionRow {
  return { flag, variable, many, what, fallback }
}
