// The servers that hostile peers are let loose on: one for each kind of listener, and one with little patience.

import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'

export type HostileServers = AsyncDisposable & ReadonlyMap<string, ServerProcess>

const local = '127.0.0.1:0'
const metrics = ['--metrics', local]
/** So that a connection that only waits for more is not taken for one that was refused. */
const patient = { ...liftedRates, handshakeMsMax: 60_000, loginMsMax: 60_000 }
/** What `waiting.py` counts with, and rates that let nobody fill a link slowly. */
const impatient = {
  ...liftedRates,
  handshakeMsMax: 3_000,
  loginMsMax: 5_000,
  frameMsMax: 1_000,
  outputStallMsMax: 1_000,
  echoIdleMsMax: 1_500,
  messagesPerSecondPerAccountMax: 1_000_000,
  messagesBurstPerAccountMax: 1_000_000,
}
const kinds = {
  main: { limits: liftedRates, flags: metrics },
  sealed: { limits: patient, flags: [...metrics, '--sealed', local] },
  web: { limits: liftedRates, flags: [...metrics, '--web', local] },
  echo: { limits: patient, flags: [...metrics, '--echo', local, '--sealed', local, '--sealed-v1'] },
  impatient: { limits: impatient, flags: [...metrics, '--sealed', local, '--web', local, '--echo', local] },
} as const satisfies Record<string, ServerProcessOptions>

/** The servers of these names, all by default; they end with their scope. */
export async function startHostileServers(
  names = Object.keys(kinds) as readonly (keyof typeof kinds)[],
  options: ServerProcessOptions = {},
): Promise<HostileServers> {
  const servers = new Map<string, ServerProcess>()
  const end = async (): Promise<void> => void (await Promise.all([...servers.values()].map((server) => server[Symbol.asyncDispose]())))
  try {
    const started = names.map(async (name) => servers.set(name, await ServerProcess.start({ ...options, ...kinds[name] })))
    await Promise.all(started)
  } catch (reason) {
    await end()
    throw reason
  }
  return Object.assign(servers, { [Symbol.asyncDispose]: end })
}

/** What `hostile_peer.py` reads of them. */
export function placesOf(servers: HostileServers): string {
  return JSON.stringify(Object.fromEntries([...servers].map(([name, server]) => [name, placeOf(server)])))
}

function placeOf({ pid, authority, port, stdout }: ServerProcess): Readonly<Record<string, string | number | undefined>> {
  const found = (pattern: RegExp): string | undefined => pattern.exec(stdout)?.[1]
  return {
    pid,
    authority,
    tls: port,
    sealed: numberOf(found(/^sealwire listening on sealed:\/\/.*:(\d+)$/m)),
    pin: found(/^sealed fingerprint (\S+)$/m),
    web: numberOf(found(/^web +wss:\/\/.*:(\d+)\//m)),
    echo: numberOf(found(/^echo listening on tls:\/\/.*:(\d+)$/m)),
    metrics: numberOf(found(/^metrics +http:\/\/.*:(\d+)\//m)),
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
