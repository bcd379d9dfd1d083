import { listenNodeTls } from '../../../src/link/tls/node-listen.ts'
import { clientCertificateCompliance } from '../../compliance/client-certificates.ts'
import { tlsListenerCompliance } from '../../compliance/tls-listener.ts'

tlsListenerCompliance('TLS of Node', listenNodeTls)
clientCertificateCompliance('TLS of Node', listenNodeTls)
