// Where an entry is: its conversation and its place there in one number, so that one index has all in reading order.

/** Above every place in a conversation. */
export const seqEnd = 2n ** 32n

/** The key of an entry; also of a bound between two. */
export function keyOf(conversationId: bigint, seq: bigint): bigint {
  return conversationId * seqEnd + seq
}

export function conversationOf(key: bigint): bigint {
  return key / seqEnd
}

export function seqOf(key: bigint): bigint {
  return key % seqEnd
}
