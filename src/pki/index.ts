export { type CertificateHost, certificateHosts } from './certificate-host.ts'
export type { IdentityFile } from './identity-folder.ts'
export { spkiPin } from './pin.ts'
export { loadServerIdentity, type ServerIdentity, type ServerIdentityOptions } from './server-identity.ts'
