export {
  type PeerMethod,
  type PeerMethodRow,
  peerMethods,
  type PeerMethods,
  type PeerParams,
  type PeerResult,
  peerVersion,
} from './methods.ts'
