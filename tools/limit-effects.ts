// What whoever reaches a limit sees of it, where its own row does not say so behind a semicolon. Codes are those of
// docs/protocol/errors.md. A limit without an effect is the size of a step or the length of a rest: nobody sees it reached.

import type { LimitName } from '../src/protocol/limits.ts'

const dropped = 'a new connection is dropped at its accept'
const refusedAtStart = 'the command ends (config_invalid)'
const takesMorePages = 'the answer says that there is more'

export const limitEffects: Readonly<Partial<Record<LimitName, string>>> = {
  frameBodyBytesMax: 'the connection ends (frame_too_large)',
  frameUnauthenticatedBytesMax: 'the connection ends (frame_too_large)',
  contractEnvelopeBytesMax: 'the connection ends (frame_too_large)',
  frameMsMax: 'the connection ends (frame_too_slow)',
  silentMsMax: 'the connection ends (frame_too_slow)',
  frameBytesPerSecondMin: 'the connection ends (frame_too_slow)',
  heldBytesMax: 'the connection ends (overrun)',
  acceptQueueMax: 'who connects waits, or tries again: the system does that',
  handshakeMsMax: 'the connection is cut',
  loginMsMax: 'the connection ends (login_too_slow)',
  joinMsMax: 'the connection ends (login_too_slow)',
  connectionsMax: dropped,
  connectionsUnauthenticatedMax: `${dropped}, or the oldest handshake is cut for it`,
  connectionsUnauthenticatedPerAddressMax: `${dropped}, or the oldest handshake of the address is cut for it`,
  connectionsPerSecondPerAddressMax: dropped,
  connectionsBurstPerAddressMax: dropped,
  handshakesPerSecondMax: dropped,
  residentBytesMax: dropped,
  endedMsMax: 'the connection is cut',
  drainMsMax: 'what is left is cut',
  webRequestBytesMax: 'answered 431, and closed',
  webMessageBytesMax: 'the WebSocket is closed (1009)',
  webEmptyFramesPerSecondMax: 'the WebSocket is closed (1008)',
  webEmptyFramesBurstMax: 'the WebSocket is closed (1008)',
  gatherMsMax: 'it is written',
  outputBytesHigh: 'nothing more is read from who writes there',
  requestsPerSecondUnauthenticatedMax: 'requests wait, then are refused (rate_limited)',
  requestsBurstUnauthenticatedMax: 'requests wait, then are refused (rate_limited)',
  nameCharactersMax: 'refused (name_invalid)',
  passwordCharactersMin: 'refused (password_invalid)',
  passwordCharactersMax: 'refused (password_invalid; login_refused at a login)',
  passwordHashConcurrencyMax: 'the next ones wait',
  loginFailuresFree: 'logins are refused for a while (rate_limited)',
  loginDelayMsMax: 'logins are refused as long (rate_limited)',
  loginFailuresPerAddressMax: 'logins from there are refused for a while (rate_limited)',
  tokenIdleMsMax: 'refused (login_refused)',
  deviceKeyMs: 'refused (login_refused): it expires',
  deviceChallengeMsMax: 'refused (login_refused)',
  whoEntriesMax: takesMorePages,
  messagesPerSecondPerAccountMax: 'messages wait, then are refused (rate_limited)',
  messagesBurstPerAccountMax: 'messages wait, then are refused (rate_limited)',
  readsPerSecondPerAccountMax: 'requests wait, then are refused (rate_limited)',
  readsBurstPerAccountMax: 'requests wait, then are refused (rate_limited)',
  messageDelayMsMax: 'refused (rate_limited)',
  chatRequestMsMax: 'it is declined',
  sessionsPerAccountMax: 'a login is refused (busy)',
  inboxEntriesPerSenderMax: 'more are refused (quota_exceeded)',
  inboxBytesMax: 'more are refused (quota_exceeded)',
  inboxTtlMs: 'it leaves the inbox',
  historyEntriesMax: takesMorePages,
  typingPerSecondMax: 'it is not passed on',
  searchesAtOnceMax: 'the next ones wait',
  directOffersBurstMax: 'more are refused (rate_limited)',
  deviceLinkMs: 'refused (invitation_expired)',
  filesPerAccountMax: 'more are refused (quota_exceeded)',
  messagesUnderWayMax: 'nothing more is read from that session until one is answered',
  requestsApartMax: 'nothing more is read from that session until one is answered',
  fileUnsentMs: 'it is removed',
  paymentRequestMs: 'it ends unpaid',
  signaturesAtOnceMax: 'the next ones wait',
  ledgerExportBytes: takesMorePages,
  checkpointMs: 'a checkpoint is signed',
  diskBytesFreeMin: 'what would be stored is refused (storage_full), what is there can be read',
  fileHashingMax: 'the next ones wait, then are refused (busy)',
  clientInboxBytesMax: 'more are asked for again when there is room',
  outboxBytesMax: 'more are refused (busy)',
  directSaysBurstMax: 'more are refused (busy)',
  directHeldBytesMax: 'more are refused (busy)',
  directHeardPerConversationMax: 'more are refused (busy)',
  ordersHeldPerContactMax: 'more are refused (busy)',
  operatorWaitMsMax: 'the command ends',
  operatorAnswerMsMax: 'the command ends',
  storeGroupMax: 'the next ones are committed together behind it',
  echoConnectionsMax: dropped,
  echoIdleMsMax: 'the connection is closed',
  contactsPageMax: takesMorePages,
  conversationsPageMax: takesMorePages,
  roomMembersPageMax: takesMorePages,
  paymentsPageMax: takesMorePages,
  exportPageMax: takesMorePages,
  operatorPageMax: takesMorePages,
  operatorRequestBytesMax: 'the connection of the command ends (frame_too_large)',
  operatorRequestMsMax: 'the connection of the command is cut',
  directCandidatesMax: 'refused (malformed)',
  roomMembersToldMax: 'in larger ones they do not hear it',
  configFileBytesMax: refusedAtStart,
  channelHandshakeBytesMax: 'the connection is cut',
  channelRecordBytesMax: 'the connection is cut',
  channelKeyFramesMax: 'the key is replaced; a peer that does not is cut',
  channelKeyBytesMax: 'the key is replaced; a peer that does not is cut',
  channelKeyMsMax: 'the key is replaced',
  channelFramesMax: 'the connection is closed; a client connects anew before',
  channelAgeMsMax: 'the connection is closed; a client connects anew before',
  channelEmptyMax: 'the connection is cut',
  channelEmptyPerSecondMax: 'the connection is cut',
  channelV1RecordBytesMax: 'the connection is cut',
  channelV1FramesMax: 'the connection is closed',
  logFileBytesMax: 'the next one is begun',
  logFilesMax: 'the oldest is removed',
}

/** The row's own words behind its semicolon, where they say what happens. */
export function limitEffect(name: LimitName, what: string): string {
  const own = what.indexOf('; ') < 0 ? '' : what.slice(what.indexOf('; ') + 2)
  return limitEffects[name] ?? (saysWhatHappens.test(own) ? own : '–')
}

/** What it bounds, without those words. */
export function limitSubject(what: string): string {
  const at = what.indexOf('; ')
  return at >= 0 && saysWhatHappens.test(what.slice(at + 2)) ? what.slice(0, at) : what
}

const saysWhatHappens =
  /^(more|longer|a longer|a slower|asking|one more|the oldest|the least|the one|those|over it|from|new connections|then|nobody|further|in further|of what|history|meanwhile|random|100 are)\b/
