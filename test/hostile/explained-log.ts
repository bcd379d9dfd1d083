// What a server may log while hostile peers are at it. Everything else is a line that nobody can explain, and fails the test.

const protocolErrors = [
  'bad_magic',
  'bad_checksum',
  'frame_too_large',
  'frame_too_slow',
  'login_too_slow',
  'overrun',
  'version_unsupported',
  'unexpected',
  'malformed',
]
const ends = ['closed', 'truncated', 'corrupt', 'ended', 'reset', 'slow_consumer', 'terminated']
/** `docs/tls-errors.md`, "What the server logs", and `handshake` for what the sealed channel does not take. */
const handshakeFailures = [
  'timeout',
  'closed',
  'not_tls',
  'version',
  'nothing_in_common',
  'protocol',
  'distrusted',
  'damaged',
  'web',
  'other',
  'handshake',
]

type Fields = Readonly<Record<string, unknown>>
const explained: Readonly<Record<string, (fields: Fields) => boolean>> = {
  'server started': any,
  'file written': any,
  'invitation made': any,
  'connections bounded by descriptors': any,
  'ledger proved': any,
  'version 1 of the sealed channel is on, which does not stop anybody in the middle': any,
  'sealed v1 connections': any,
  'client connected': any,
  'client disconnected': ({ end }) => ends.includes(String(end)),
  'session refused': ({ code }) => protocolErrors.includes(String(code)),
  'handshakes failed': (fields) => Object.keys(fields).every((why) => ['time', 'level', 'event', ...handshakeFailures].includes(why)),
  'account registered': any,
  'logged in': any,
  'login refused': any,
  'device enrolled': any,
}

/** The lines of a log in JSON that nothing explains. */
export function unexplained(log: string): readonly string[] {
  return linesOf(log).filter((line) => {
    const fields = fieldsOf(line)
    return fields['level'] === 'error' || explained[String(fields['event'])]?.(fields) !== true
  })
}

/** Sessions that began and have not ended. */
export function openSessions(log: string): number {
  const events = linesOf(log).map((line) => fieldsOf(line)['event'])
  const count = (event: string): number => events.filter((each) => each === event).length
  return count('client connected') - count('client disconnected')
}

function linesOf(log: string): readonly string[] {
  return log.split('\n').filter((line) => line !== '')
}

function fieldsOf(line: string): Fields {
  try {
    return JSON.parse(line) as Fields
  } catch {
    return {}
  }
}

function any(): boolean {
  return true
}
