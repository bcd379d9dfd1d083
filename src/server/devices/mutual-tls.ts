/** Whether clients are asked for a device certificate: `required` lets nobody without one past the handshake. */
export type MutualTls = 'off' | 'optional' | 'required'
