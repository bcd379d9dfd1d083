// The contract's frames (contract.md). Their bodies are CBOR; packet.ts reads and writes them.

/** The commands by their names. */
export const contractCommands = {
  /** Client, first: which versions it speaks. */
  hello: 0x10,
  /** Server's answer: the version chosen, limits, features. */
  welcome: 0x11,
  /** Client: calls a method. */
  request: 0x12,
  /** Server: what the method answered. */
  result: 0x13,
  /** Server: why there is no result, or, without an id, why the connection ends. */
  fault: 0x14,
  /** Server: something happened. */
  event: 0x15,
  /** Either: nothing more comes; the other answers with its own and both close. */
  goodbye: 0x16,
} as const

/** The version of the contract that this code speaks. */
export const contractVersion = 1
