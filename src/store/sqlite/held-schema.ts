// Step 15 of the schema: what waits for somebody is found by them.

/** Released: never edited, see migrations.ts. */
export const heldSchema = `
  create index transfer_waiting on transfer (payee_id) where status = 'pending';
`
