export { type CertificateHost, certificateHost, certificateHosts } from './certificate-host.ts'
export type { IdentityFile } from './identity-folder.ts'
export { formatInviteLink, type InviteLink, invitationHash, newInvitation, parseInviteLink, type Transport } from './invite-link.ts'
export {
  nextSealedKeyFile,
  openSealedKeys,
  pinsOf,
  readSealedKeys,
  rotateSealedKey,
  sealedKeyFile,
  type SealedPins,
  sealedPins,
  settleSealedKeys,
  tooEarly,
} from './sealed-key.ts'
export { type CheckpointClaim, makeCheckpoint, openCheckpoint, type SignedCheckpoint } from './checkpoint.ts'
export { type Contradiction, contradictionIn, momentText } from './history.ts'
export {
  certifyLedgerKey,
  findLedgerKey,
  LedgerKey,
  type LedgerKeyClaim,
  ledgerKeyFile,
  ledgerPublicFile,
  openLedgerCertificate,
  openLedgerKey,
  parseLedgerPublicKey,
  publicPem,
  readLedgerPublicKey,
} from './ledger-key.ts'
export { makeReceipt, type Receipt, type ReceiptParts, verifyReceipt } from './receipt.ts'
export { amountOf, type ReceiptLeg, type ReceiptPosting } from './receipt-row.ts'
export { type PeerChecks, peerKeyHash, verifyPeer } from './peer-certificate.ts'
export { isPin, spkiPin } from './pin.ts'
export { loadServerIdentity, type ServerIdentity, type ServerIdentityOptions } from './server-identity.ts'
export { makeCertificateRequest, readCertificateRequest } from './certificate-request.ts'
export { certificateKeyHash, type DeviceIssuer, deviceIssuer, deviceRenewalTime, type IssuedDevice } from './device-certificate.ts'
export { type DeviceKeys, deviceKeysPem, newDeviceKeys, readDeviceKeys } from './device-keys.ts'
export {
  deviceId,
  ed25519KeyHash,
  type EnrolledKeys,
  type Enrolment,
  makeEnrolment,
  makeKeyStatement,
  openEnrolment,
  openKeyStatement,
  serverIdBytes,
  spkiHash,
} from './enrolment.ts'
export { type LoginChallenge, makeLoginProof, openLoginProof, proofRefused } from './login-proof.ts'
