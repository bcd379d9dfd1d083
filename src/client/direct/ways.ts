// How one talks with a contact: over a direct link, or through the server, and then why.

/**
 * Why there is no direct link: `off` it was not asked for · `offline` there is no server to meet through · `connecting` it is being
 * made · `not_listening` nobody takes offers there, or the two have not agreed to talk, or one blocks: programs are told no more · `unreachable` no
 * address leads there · `untrusted` somebody else was there · `lost` it broke, and is made again · `not_contact` is never told.
 */
export type WhyRelayed = 'off' | 'offline' | 'connecting' | 'not_contact' | 'not_listening' | 'unreachable' | 'untrusted' | 'lost'

/** How one talks with a contact now. What is said goes through the server in any case, so that every device gets it. */
export type Way =
  /** With these devices of theirs, by their ids. */
  { readonly way: 'direct'; readonly devices: readonly string[] } | { readonly way: 'relayed'; readonly why: WhyRelayed }
