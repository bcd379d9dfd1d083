// Step 11 of the schema: since when something waits is known of an inbox, and no more of each entry in it.
//
// An index of all entries by their moment was written twice for every message, when it came and when it was acknowledged, for what
// happens to few of them after weeks.

/** Released: never edited, see migrations.ts. */
export const inboxAgeSchema = `
  -- Nothing that waits came before. It stays when what waited has left: then whoever looks for what is too old puts it right.
  -- Null: nothing has come since somebody looked.
  alter table inbox add column waiting_since integer;
  update inbox set waiting_since = (select min(at) from inbox_entry where inbox_entry.account_id = inbox.account_id);
  create index inbox_waiting_since on inbox (waiting_since) where waiting_since is not null;
  drop index inbox_entry_at;
`
