"""An installation: what outlives the program, in one SQLite file, and what is done with it (conversations.md, files.md).

    alice = Installation("alice.db")
    alice.join(link, "alice")              # once; from then on the file is enough
    alice.call("contact.request", name="bob", id=new_id())
    alice.say({"to": "bob"}, "hello")      # durable when it returns; said once, whatever crashes
    alice.receive(until=lambda: ...)       # stores what comes, each entry once
"""

import collections
import hashlib
import random
import sqlite3
import time

import cbor2
from sealwire_client import Connection, Lost, Refused, find_authority, new_id, parse_link

REPEAT = ("busy", "unavailable", "unknown_outcome")
CHUNK_BYTES, CHUNKS_UNDER_WAY = 60_000, 4
ACKNOWLEDGE_EVERY = 7
SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = full;
create table if not exists fact (name text primary key, value);
create table if not exists outbox (number integer primary key, params blob);
create table if not exists entry (conversation, place, kind, id, author, body, target, emoji, is_on, what, file blob, arrival,
    primary key (conversation, place));
"""


class Installation:
    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.executescript(SCHEMA)
        self.live = collections.deque(maxlen=1_000)
        """Events that are told and not kept: marks, presence."""
        self._connection = None
        self._stored = self.fact("stored")
        self._since_acknowledged = 0

    def fact(self, name):
        row = self.database.execute("select value from fact where name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def join(self, link, name, **params):
        """Makes an account with an invitation. Everything but the first look at the chain goes to the authority of the link."""
        host, port, pin, invitation = parse_link(link)
        authority = find_authority(host, port, pin)
        connection = Connection(host, port, authority)
        account = connection.call("account.register", name=name, invitation=invitation, **params)
        facts = {"host": host, "port": port, "authority": authority, "name": account["name"], "token": account["token"]}
        with self.database:
            self.database.executemany("insert into fact values (?, ?)", facts.items())
        connection.goodbye()

    def connection(self):
        """The connection, logged in, with the inbox open behind what is stored here. A lost one is made again, a little later each time."""
        wait_seconds = 0.05
        while self._connection is None:
            try:
                made = Connection(self.fact("host"), self.fact("port"), self.fact("authority"), self._heard)
                made.call("account.resume", token=self.fact("token"))
                made.call("inbox.open", **({} if self._stored is None else {"after": self._stored}))
                self._connection = made
            except Lost:
                time.sleep(random.uniform(0, wait_seconds))
                wait_seconds = min(5, wait_seconds * 2)
        return self._connection

    def drop(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def call(self, method, **params):
        """For what may be asked for again after a lost connection: whatever has an id, and whatever only reads or sets."""
        while True:
            try:
                return self.connection().call(method, **params)
            except Lost:
                self.drop()

    # Saying something once.

    def say(self, to, text, **params):
        """`to` is {"to": NAME} or {"conversation": NUMBER}. The entry's place when it is durable on the server."""
        message = {**to, "id": new_id(), "body": text.encode(), **params}
        with self.database:
            self.database.execute("insert into outbox (params) values (?)", (cbor2.dumps(message),))
        return self.flush()

    def flush(self):
        """Says what is in the outbox, in its order: the next when the one before is answered. The place of the last one."""
        place = None
        for number, params in self.database.execute("select number, params from outbox order by number").fetchall():
            message = cbor2.loads(params)
            answer = self._send(message)
            place = answer["seq"]
            said = {"kind": "message", "from": self.fact("name"), "seq": place, "conversation": answer["conversation"], **message}
            with self.database:
                self.database.execute("delete from outbox where number = ?", (number,))
                self._keep(said)
        return place

    def _send(self, message):
        while True:
            try:
                return self.call("message.send", **message)
            except Refused as refusal:
                if refusal.code not in REPEAT:
                    raise
                time.sleep(random.uniform(0, 0.5))

    # Receiving everything once.

    def receive(self, until):
        """Stores what comes until `until()` is true."""
        while not until():
            try:
                self.connection().read()
            except Lost:
                self.drop()

    def _heard(self, name, data):
        if name != "inbox.entry":
            self.live.append((name, data))
        elif self._stored is None or data["seq"] > self._stored:
            with self.database:  # The entry and its place, in one step.
                self._keep(data["entry"], data["seq"])
                self.database.execute("insert or replace into fact values ('stored', ?)", (data["seq"],))
            self._stored = data["seq"]
            self._since_acknowledged += 1
            if self._since_acknowledged >= ACKNOWLEDGE_EVERY and self._connection is not None:
                self._connection.ask("inbox.ack", awaited=False, seq=self._stored)
                self._since_acknowledged = 0

    def acknowledge(self):
        if self._stored is not None:
            self.call("inbox.ack", seq=self._stored)
            self._since_acknowledged = 0

    def _keep(self, entry, arrival=None):
        conversation, place, target = entry["conversation"], entry["seq"], entry.get("target")
        columns = [conversation, place, *(entry.get(key) for key in ("kind", "id", "from", "body", "target", "emoji", "on", "what"))]
        file = cbor2.dumps(entry["file"]) if isinstance(entry.get("file"), dict) else None
        # An entry of one's own may come from the inbox too, anything else comes once.
        how = "insert or ignore" if entry["from"] == self.fact("name") else "insert"
        self.database.execute(f"{how} into entry values ({','.join('?' * 12)})", [*columns, file, arrival])
        where = "where conversation = ? and (place = ? or target = ? and kind in ('edit', 'reaction'))"
        if entry["kind"] == "edit":
            self.database.execute("update entry set body = ? where conversation = ? and place = ?", (entry.get("body"), conversation, target))
        if entry["kind"] == "delete":
            self.database.execute(f"update entry set body = null, file = null, emoji = null {where}", (conversation, target, target))

    def entries(self, conversation, columns="author, body"):
        """What is stored here of a conversation, in its order."""
        return self.database.execute(f"select {columns} from entry where conversation = ? order by place", (conversation,)).fetchall()

    def history(self, conversation, page=200):
        """What the server has of it, oldest first, page by page from the newest backwards."""
        found, more, before = [], True, {}
        while more:
            answer = self.call("message.history", conversation=conversation, max=page, **before)
            found, more = answer["entries"] + found, answer["more"]
            before = {"before": found[0]["seq"]} if found else {}
        return found

    # Files (files.md).

    def send_file(self, conversation, name, content, file=None, text=""):
        """Four chunks are under way at once; a lost connection goes on where the server says. The place of its message."""
        file, digest = file or new_id(), hashlib.sha256(content).digest()
        offset = 0
        while offset is not None:
            begun = self.call("file.begin", id=file, conversation=conversation, name=name, size=len(content), sha256=digest)
            offset = self._put(file, content, begun["offset"])
        return self.say({"conversation": conversation}, text, file=file)

    def _put(self, file, content, offset):
        try:
            connection, under_way = self.connection(), collections.deque()
            while offset < len(content) or under_way:
                if offset < len(content) and len(under_way) < CHUNKS_UNDER_WAY:
                    chunk = content[offset : offset + CHUNK_BYTES]
                    under_way.append(connection.ask("file.put", id=file, offset=offset, data=chunk))
                    offset += len(chunk)
                else:
                    connection.wait(under_way.popleft())
            connection.call("file.end", id=file)
            return None
        except Lost:
            self.drop()
            return offset

    def get_file(self, file):
        """The content of a file, as a message names it (id, size, sha256)."""
        content = bytearray()
        while len(content) < file["size"]:
            try:
                connection = self.connection()
                offsets = range(len(content), file["size"], CHUNK_BYTES)[:CHUNKS_UNDER_WAY]
                ahead = [connection.ask("file.get", id=file["id"], offset=offset, length=CHUNK_BYTES) for offset in offsets]
                for request in ahead:
                    content += connection.wait(request)["data"]
            except Lost:
                self.drop()
        if hashlib.sha256(content).digest() != file["sha256"]:
            raise ValueError("the file is not what was announced")
        return bytes(content)

    def close(self):
        if self._connection is not None:
            self._connection.goodbye()
        self._connection = None
        self.database.close()
