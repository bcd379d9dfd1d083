export { certificateHost } from './certificate-host.ts'
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
export { contradictionIn, momentText } from './history.ts'
export {
  findLedgerKey,
  LedgerKey,
  ledgerKeyFile,
  ledgerPublicFile,
  openLedgerCertificate,
  openLedgerKey,
  parseLedgerPublicKey,
  publicPem,
  readLedgerPublicKey,
} from './ledger-key.ts'
export { makeReceipt, type Receipt, type ReceiptParts, verifyReceipt } from './receipt.ts'
export { amountOf } from './receipt-row.ts'
export { type PeerChecks, peerKeyHash, verifyPeer } from './peer-certificate.ts'
export { isPin, spkiPin } from './pin.ts'
export { loadServerIdentity, type ServerIdentity } from './server-identity.ts'
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
export { makeLoginProof, openLoginProof, proofRefused } from './login-proof.ts'
