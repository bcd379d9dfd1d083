// The two conversations of the echo client: one greeting, as the first seed has it, or line by line, as the fourth.

import type { Clock } from '../../domain/index.ts'
import { type DialledLink, dialTls, Flusher } from '../../link/index.ts'
import type { Limits } from '../../protocol/index.ts'
import type { EchoConfig } from '../echo.ts'
import { inputLines } from './input.ts'
import type { TextOutput } from './output.ts'
import { payloadText } from './payload.ts'
import { EchoPeer } from './peer.ts'
import { parseCertificates, readText } from './pem.ts'
import { formatEndpoint } from '../options/endpoint.ts'

/** A stream such as `process.stdin`. */
export type EchoInput = AsyncIterable<Uint8Array> & { destroy(): unknown }

export interface EchoParts {
  readonly limits: Limits
  readonly clock: Clock
  readonly input: EchoInput
  /** Whether input and output are a person at a terminal, who is shown a prompt. */
  readonly terminal: boolean
  readonly output: TextOutput
  readonly errors: TextOutput
}

/**
 * Dials, talks and hangs up.
 * @throws {SealwireError} `certificate_invalid` for the CA file; `unreachable`, `untrusted`, `connection_lost`, or what
 * `EchoPeer` throws.
 */
export async function runEcho(config: EchoConfig, parts: EchoParts): Promise<void> {
  const { limits, clock, output } = parts
  const link = await dial(config, parts)
  const peer = new EchoPeer(link, limits, clock)
  link.attach(peer)
  output.write('SSL Handshake successful.\n')
  try {
    if (config.interactive) await talk(peer, config, parts)
    else await greet(peer, config, parts)
    await peer.close()
    output.write('Connection closed.\n')
  } catch (reason) {
    if (peer.end === 'ended') output.write('Server disconnected (EOF).\n')
    throw reason
  } finally {
    link.terminate()
    await output.drained()
  }
}

async function dial({ server, authority, timeoutMs, dangerouslySkipVerification }: EchoConfig, parts: EchoParts): Promise<DialledLink> {
  const { limits, clock, output, errors } = parts
  const roots = authority === undefined ? {} : { roots: readRoots(authority) }
  if (dangerouslySkipVerification) errors.write(warning)
  const context = { limits, flusher: new Flusher(limits, clock) }
  const connected = (): void => void output.write(`Connected to ${formatEndpoint(server)}\n`)
  return dialTls({ ...server, ...roots, timeoutMs, dangerouslySkipVerification }, context, connected)
}

function readRoots(path: string): string {
  const text = readText(path, 'certificate_invalid', 'certificate')
  return parseCertificates(path, text).join('')
}

async function greet(peer: EchoPeer, { timeoutMs }: EchoConfig, { output, limits }: EchoParts): Promise<void> {
  output.write(`Sending: ${greeting}\n`)
  const answer = await peer.ask(Buffer.from(greeting), timeoutMs)
  output.write(`Echo: ${payloadText(answer, limits.echoAnswerBytesMax)}\n`)
}

async function talk(peer: EchoPeer, { timeoutMs }: EchoConfig, { input, terminal, output, limits }: EchoParts): Promise<void> {
  const prompt = terminal ? '> ' : ''
  let prompting = true
  // A person who is typing is told at once that nobody listens any more.
  void peer.over.then(() => input.destroy())
  output.write(prompt)
  try {
    for await (const line of inputLines(input, limits.echoAnswerBytesMax)) {
      prompting = false
      if (isExit(line)) return
      const answer = await peer.ask(line, timeoutMs)
      output.write(`Echo: ${payloadText(answer, limits.echoAnswerBytesMax)}\n${prompt}`)
      prompting = true
      // Whoever reads our output sets the pace; when nobody does any more, there is nothing left to do.
      await output.drained()
      if (output.closed) return
    }
  } catch (reason) {
    throw peer.failure ?? reason
  } finally {
    if (prompting && prompt !== '') output.write('\n')
  }
  if (peer.failure !== undefined) throw peer.failure
}

function isExit(line: Uint8Array): boolean {
  return Buffer.from(line).toString('latin1').trimEnd() === '/exit'
}

const greeting = 'Hello from SSL client!'

const warning =
  'sealwire: warning: the certificate is not checked (--dangerously-skip-verification): whoever answers can read and change all that is sent.\n'
