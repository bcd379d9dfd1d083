// Certificates and TLS servers of the openssl program: everything that the product itself would never make or be.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its key, by the paths of their PEM files. */
export interface CertificateFiles {
  readonly name: string
  readonly certificate: string
  readonly key: string
}

export interface OpensslRequest {
  /** The common name. */
  readonly subject: string
  /** Default: signs itself. */
  readonly issuer?: CertificateFiles
  /** Lines of extensions, such as `subjectAltName=DNS:localhost`. Default: none. */
  readonly extensions?: readonly string[]
  /** In hours from now; default -1 and 24. */
  readonly from?: number
  readonly until?: number
  /** Default: a fresh P-256 key. */
  readonly key?: string
  /** The arguments that make another kind of key. */
  readonly keyArguments?: readonly string[]
}

export const authorityExtensions = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
]

/** A temporary folder of certificates, gone at the end of its scope. */
export class OpensslFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'sealwire-openssl-'))
  #made = 0

  /** Makes a certificate, as `openssl req` and `openssl ca` do. */
  make({ subject, issuer, extensions = [], from = -1, until = 24, key, keyArguments = p256 }: OpensslRequest): CertificateFiles {
    const name = `${++this.#made}`
    const keyFile = key ?? this.file(`${name}.key`)
    if (key === undefined) this.run('genpkey', ...keyArguments, '-out', keyFile)
    const signer = issuer ?? { name, certificate: '', key: keyFile }
    const certificate = this.file(`${name}.crt`)
    const request = this.file(`${name}.csr`)
    const config = this.#config(name, extensions)
    this.run('req', '-new', '-key', keyFile, '-subj', `/CN=${subject}`, '-out', request, '-config', config)
    const by = issuer === undefined ? ['-selfsign'] : ['-cert', signer.certificate]
    const times = ['-startdate', openSslTime(from), '-enddate', openSslTime(until)]
    this.run('ca', '-batch', '-notext', '-config', config, ...by, '-keyfile', signer.key, ...times, '-in', request, '-out', certificate)
    return { name: subject, certificate, key: keyFile }
  }

  file(name: string): string {
    return join(this.path, name)
  }

  run(...args: readonly string[]): string {
    return execFileSync('openssl', args, { encoding: 'utf8', cwd: this.path, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  #config(name: string, extensions: readonly string[]): string {
    writeFileSync(this.file(`${name}.index`), '')
    const lines = [
      '[req]',
      'distinguished_name=dn',
      '[dn]',
      '[ca]',
      'default_ca=own',
      '[own]',
      `database=${this.file(`${name}.index`)}`,
      `new_certs_dir=${this.path}`,
      'rand_serial=yes',
      'default_md=sha256',
      'policy=any',
      'unique_subject=no',
      ...(extensions.length === 0 ? [] : ['x509_extensions=ext']),
      '[any]',
      'commonName=supplied',
      '[ext]',
      ...extensions,
    ]
    const path = this.file(`${name}.cnf`)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  }
}

/** `openssl s_server` at a port of its own choosing, killed with its scope. */
export class OpensslServer implements AsyncDisposable {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start({ certificate, key }: CertificateFiles, ...flags: readonly string[]): Promise<OpensslServer> {
    const args = ['s_server', '-accept', '127.0.0.1:0', '-naccept', '1000', '-cert', certificate, '-key', key, ...flags]
    const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'] })
    process.once('exit', () => child.kill('SIGKILL'))
    let said = ''
    const port = await new Promise<number>((resolve, reject) => {
      const heard = (bytes: Buffer): void => {
        said += bytes.toString()
        const found = /^ACCEPT .*:(\d+)\n/m.exec(said)
        if (found !== null) resolve(Number(found[1]))
      }
      child.stdout.on('data', heard)
      child.stderr.on('data', heard)
      child.once('close', () => reject(new Error(`openssl s_server ended: ${said}`)))
    })
    return new OpensslServer(child, port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }
}

function openSslTime(hours: number): string {
  return `${new Date(Date.now() + hours * hourMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`
}

const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
const hourMs = 60 * 60 * 1000
