// A server as it is for hours: many who say nothing, some who ask, two who talk and pay, people who come and go, some of them cut off
// anywhere, some who stop reading, and a certificate that is replaced again and again.

import { CertificatePairs } from '../support/certificate-pairs.ts'
import { OpensslFolder } from '../support/openssl.ts'
import { ServerProcess } from '../support/server-process.ts'
import { Crowd } from './crowd.ts'
import { Pair } from './pair.ts'
import { type LogLine, logOf, unexplained } from './server-log.ts'
import { until } from './until.ts'
import { type Look, slopePerHour, Watch } from './watch.ts'

export interface SoakOptions {
  /** A program that can be watched. */
  readonly program: string
  readonly idle: number
  readonly active: number
  /** Who come and go, a second. */
  readonly churn: number
  /** Who stop reading, are dropped, and come back. */
  readonly slow: number
  readonly seconds: number
  /** Not looked at: what is used for the first time makes the heap grow. */
  readonly startSeconds: number
  /** Between two looks. */
  readonly everyMs: number
  /** Between two certificates. */
  readonly reloadMs: number
  /** Of the two who talk and pay. */
  readonly paceMs: number
}

export interface Soaked {
  /** Of the heap without its garbage, after the start, in bytes an hour. */
  readonly slopeBytes: number
  readonly heapMiB: readonly number[]
  readonly residentMiB: readonly number[]
  /** When all have come who stay, and when all have gone who go. */
  readonly descriptors: readonly number[]
  /** How late the event loop was, in ms: the median of the looks and the highest of them. */
  readonly lateP99: readonly number[]
  readonly reloads: number
  readonly slowDropped: number
  /** Messages of each of the two, and as many payments. */
  readonly said: readonly number[]
  readonly crowd: Readonly<Record<string, unknown>>
  readonly wrong: readonly string[]
}

export async function soak(options: SoakOptions): Promise<Soaked> {
  using made = new OpensslFolder()
  const pairs = new CertificatePairs(made)
  pairs.put()
  const flags = ['--cert', pairs.certificate, '--key', pairs.key]
  const { program, paceMs } = options
  await using server = await ServerProcess.start({ program, flags, limits: { outputStallMsMax: stallMs } })
  const place = { server: { host: '127.0.0.1', port: server.port } }
  await using pair = await Pair.start({ data: server.data, pin: server.fingerprint, places: [place, place], paceMs })
  await using crowd = new Crowd('soak_crowd.py', [...sizesOf(options), `127.0.0.1:${server.port}:${pairs.authority}`])
  await crowd.expect('ready', crowdMsMax)
  const watch = new Watch(server)
  const before = await watch.settled(settledBytes)
  crowd.goOn()
  const reloads = await wear(watch, { server, pairs, options })
  crowd.goOn()
  const seen = JSON.parse(await crowd.line(crowdMsMax)) as CrowdFigures
  const after = await watch.settled(settledBytes)
  const { said, wrong } = await pair.finish(crowdMsMax)
  // What has failed is counted, and logged once a second.
  for (let looks = 0; looks < logLooksMax && missing(seen, options, logOf(server)).length > 0; looks++) await Bun.sleep(logLookMs)
  return {
    ...figuresOf(watch.looks, options.startSeconds),
    descriptors: [before.descriptors, after.descriptors],
    ...{ reloads, slowDropped: droppedIn(logOf(server)), said, crowd: seen },
    wrong: [...wrong, ...seen.reasons, ...unexplained(server, new Set(['handshakes failed'])), ...missing(seen, options, logOf(server))],
  }
}

interface CrowdFigures extends Record<string, unknown> {
  readonly came: number
  /** When all who go were to be gone. */
  readonly stayed: number
  readonly asked: number
  readonly slow_dropped: number
  readonly cut_in_handshake: number
  readonly reasons: readonly string[]
}

function sizesOf({ idle, active, churn, slow }: SoakOptions): readonly string[] {
  const sizes = Object.entries({ idle, active, churn, slow, stall: stallMs / 1_000 })
  return sizes.flatMap(([name, size]) => [`--${name}`, String(size)])
}

/** Looks again and again, and replaces the certificate; how often. */
async function wear(watch: Watch, on: { server: ServerProcess; pairs: CertificatePairs; options: SoakOptions }): Promise<number> {
  const { seconds, everyMs, reloadMs } = on.options
  const begun = performance.now()
  let reloads = 0
  for (let looks = 1; performance.now() - begun < seconds * 1_000; looks++) {
    await Bun.sleep(Math.max(0, begun + looks * everyMs - performance.now()))
    const { heapBytes, residentBytes, descriptors, late } = await watch.look()
    if (looks % toldEvery === 0)
      console.log(`soak: ${inMiB(heapBytes)} MiB of ${inMiB(residentBytes)}, ${descriptors} descriptors, p99 ${late.p99} ms late`)
    if (performance.now() - begun < (reloads + 1) * reloadMs) continue
    await reload(on)
    reloads++
  }
  return reloads
}

async function reload({ server, pairs }: { server: ServerProcess; pairs: CertificatePairs }): Promise<void> {
  const serial = pairs.put()
  server.signal('SIGHUP')
  await until('the new certificate is shown', crowdMsMax, () => pairs.shown(server.port) === serial)
}

function figuresOf(all: readonly Look[], startSeconds: number) {
  const looks = all.filter(({ seconds }) => seconds > startSeconds)
  const p99 = looks.map(({ late }) => late.p99).toSorted((one, other) => one - other)
  const course = (value: (look: Look) => number): readonly number[] => fewOf(looks).map((look) => inMiB(value(look)))
  return {
    slopeBytes: Math.round(slopePerHour(looks, ({ heapBytes }) => heapBytes)),
    heapMiB: course(({ heapBytes }) => heapBytes),
    residentMiB: course(({ residentBytes }) => residentBytes),
    lateP99: [p99[Math.floor(p99.length / 2)], p99.at(-1)].map((ms = Number.NaN) => Math.round(ms * 10) / 10),
  }
}

/** Ten of them, evenly. */
function fewOf(looks: readonly Look[]): readonly Look[] {
  return Array.from({ length: shown }, (_, at) => looks[Math.floor((at * (looks.length - 1)) / (shown - 1))]).filter(
    (look) => look !== undefined,
  )
}

function inMiB(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 100) / 100
}

/** What has not happened, and should have; and what has happened without a reason. */
function missing(seen: CrowdFigures, { idle, active, churn, seconds, slow }: SoakOptions, log: readonly LogLine[]): readonly string[] {
  const { came, stayed, slow_dropped: seenDropped, cut_in_handshake: cut } = seen
  const dropped = droppedIn(log)
  const failed = log.reduce((sum, { event, closed = 0 }) => sum + (event === 'handshakes failed' ? Number(closed) : 0), 0)
  return [
    ...(stayed === idle + active ? [] : [`${stayed} have stayed`]),
    ...(came > (churn * seconds) / 2 ? [] : [`only ${came} have come and gone`]),
    ...(dropped >= slow && dropped === seenDropped ? [] : [`${dropped} were dropped for not reading, ${seenDropped} have seen it`]),
    ...(failed === cut ? [] : [`${failed} handshakes have failed, ${cut} were cut`]),
  ]
}

function droppedIn(log: readonly LogLine[]): number {
  return log.filter(({ end }) => end === 'slow_consumer').length
}

const stallMs = 3_000
const crowdMsMax = 600_000
const settledBytes = 2 ** 20
const shown = 10
const toldEvery = 20
const [logLooksMax, logLookMs] = [20, 500]
