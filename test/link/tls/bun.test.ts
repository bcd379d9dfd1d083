import { listenBunTls } from '../../../src/link/tls/bun.ts'
import { clientCertificateCompliance } from '../../compliance/client-certificates.ts'
import { tlsListenerCompliance } from '../../compliance/tls-listener.ts'

tlsListenerCompliance('TLS of Bun', async (...parts) => listenBunTls(...parts))
clientCertificateCompliance('TLS of Bun', async (...parts) => listenBunTls(...parts))
