// A device that is a program of its own, on Node, with the folder that says who it is.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Signer } from './certificates.ts'
import { keyHash } from './client-certificates.ts'
import type { PeerProgramFile } from './peer-program.ts'
import { type Peers, shownBy } from './peers.ts'
import { nodeBinary } from './python.ts'

/** FOLDER of test/support/peer-program.ts. */
export function folderOf({ authority }: Peers, own: Signer, expected: Signer): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'sealwire-peer-'))
  const hashes = [keyHash(expected.certificate)]
  const file: PeerProgramFile = { identity: shownBy(own), authority: authority.certificate.toString(), expected: hashes }
  writeFileSync(join(path, 'peers.json'), JSON.stringify(file), { mode: 0o600 })
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

/** A program of test/support on Node, killed with its scope. */
export class PeerProgram implements AsyncDisposable {
  readonly finished: Promise<number | null>
  readonly #kill: () => void
  output = ''
  #isOver = false
  #wake: (() => void) | undefined

  constructor(script: string, ...args: readonly string[]) {
    const child = spawn(nodeBinary, [fileURLToPath(new URL(script, import.meta.url)), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => this.#heard(text))
    this.#kill = () => void child.kill('SIGKILL')
    process.once('exit', this.#kill)
    this.finished = new Promise((resolve) =>
      child.once('close', (code) => {
        process.off('exit', this.#kill)
        this.#isOver = true
        this.#heard('')
        resolve(code)
      }),
    )
  }

  async printed(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.#isOver) throw new Error(`it ended before it said ${text}:\n${this.output}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Where it listens. */
  async port(): Promise<number> {
    await this.printed('.\n')
    return Number(/listening (\d+)/.exec(this.output)?.[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill()
    await this.finished
  }

  #heard(text: string): void {
    this.output += text
    this.#wake?.()
  }
}
