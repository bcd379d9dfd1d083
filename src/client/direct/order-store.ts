// Where orders are kept that were handed over: by their payee those that are not settled, by their payer the ids.

/** A payment as it was handed over. */
export interface KeptOrder {
  /** Name of its payer. */
  readonly from: string
  /** COSE_Sign1. */
  readonly signed: Uint8Array
  readonly memo?: string | undefined
}

/** Keeps orders until the server has said what becomes of them. */
export interface OrderStore {
  /** What is there, oldest first. @throws {SealwireError} `data_unusable`. */
  load(): Promise<readonly KeptOrder[]>
  /** Resolves when it survives the end of the program. `key`: of digits, letters and `-`. @throws {SealwireError} `storage_full`, `data_unusable`. */
  add(key: string, order: KeptOrder): Promise<void>
  /** It is done with. It may come back after a crash. @throws {SealwireError} `data_unusable`. */
  remove(key: string): Promise<void>
}

/** Remembers which orders somebody else may have, until they have expired. */
export interface HandedStore {
  /** Whether it may be carried out by somebody else. `id`: as text. */
  has(id: string): boolean
  /**
   * Resolves when it survives the end of the program. `expiresAt`: ms since 1970.
   * @throws {SealwireError} `busy` for too many, `storage_full`, `data_unusable`: then it is not to be handed over.
   */
  add(id: string, expiresAt: number): Promise<void>
}
