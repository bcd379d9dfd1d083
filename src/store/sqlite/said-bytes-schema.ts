// Step 6 of the schema: how much of what an account has said is kept, and reactions by message.

/** Released: never edited, see migrations.ts. */
export const saidBytesSchema = `
  -- Bytes of body and data of the account's entries that are not deleted.
  alter table inbox add column said_bytes integer not null default 0 check (said_bytes >= 0);
  insert into inbox (account_id, said_bytes)
    select author_id, sum(coalesce(length(body), 0) + coalesce(length(data), 0)) from entry where deleted_at is null group by author_id
    on conflict (account_id) do update set said_bytes = excluded.said_bytes;
  -- How many reactions a message has: there are only so many.
  create index entry_reaction on entry (target) where kind = 'reaction';
`
