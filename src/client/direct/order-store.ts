// Where orders are kept that were handed over and are not settled.

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

/** Keeps orders as long as the program runs. */
export class MemoryOrders implements OrderStore {
  readonly #orders = new Map<string, KeptOrder>()

  async load(): Promise<readonly KeptOrder[]> {
    return [...this.#orders.values()]
  }

  async add(key: string, order: KeptOrder): Promise<void> {
    this.#orders.set(key, order)
  }

  async remove(key: string): Promise<void> {
    this.#orders.delete(key)
  }
}
