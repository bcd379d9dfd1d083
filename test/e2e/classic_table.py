"""Plays every row of the table of docs/protocol/classic.md, each answer and each Error, in three ways of sending.

    python3 classic_table.py main=HOST:PORT:AUTHORITY invite=… closed=… hashes=… tight=… roomy=…

Prints one line a row and ends with 1 at the first that fails. test/e2e/classic.test.ts says how the servers are started.
"""

import classic_accounts
import classic_chats
from stage import arguments, play

ROWS = (classic_accounts, classic_chats)  # Imported, they have said what there is to play.

if __name__ == "__main__":
    play(arguments())
