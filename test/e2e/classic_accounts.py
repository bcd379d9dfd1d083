"""The rows of the classic table on Register and Login; classic_table.py plays them."""

import time

from sealwire_classic import ACK, ERROR, LOGIN, PASSWORD, REGISTER, Frame, Unexpected
from stage import row

IMPOSSIBLE_NAMES = {
    "empty": "",
    "a space": "al ice",
    "a line feed": "al\nice",
    "NUL": "al\0ice",
    "33 characters": "a" * 33,
    "zero width": "al\u200bice",
    "right to left override": "al\u202eice",
    "an accent alone": "\u0301",
    "two scripts": "\u0430lice",
}


@row("Register: Ack OK")
def registers(stage):
    stage.person("alice")


@row("Register: a password may hold colons, 12 to 128 characters of any script")
def registers_with_odd_passwords(stage):
    for password in ("a:b:c:d:e:f:", "x" * 12, "\u00e9" * 128, "\U0001f512" * 12):
        name = stage.name("alice")
        for log_in in ("register", "login"):
            client = stage.client()
            getattr(client, log_in)(name, password)
            client.acked("OK")
            stage.settle()


@row("Register: USER! the name is taken, in any case")
def name_taken(stage):
    alice = stage.person("alice")
    stage.settle()
    other = stage.client()
    for name in (alice.name, alice.name.upper()):
        other.register(name)
        other.refused("USER!")
    other.register(stage.name("alice"))
    other.acked("OK")


@row("Register: USER! the name looks like one that is taken")
def name_confusable(stage):
    name = stage.name("ali0ce")
    client = stage.client()
    client.register(name)
    client.acked("OK")
    stage.settle()
    other = stage.client()
    other.register(name.replace("0", "O"))
    other.refused("USER!")


@row("Register and Login: BADF no colon")
def no_colon(stage):
    client = stage.client()
    for command in (REGISTER, LOGIN):
        for body in (b"", b"alice", b"alice correct-horse-battery"):
            client.send(command, body)
            client.refused("BADF")


@row("Register and Login: BADF not UTF-8")
def not_utf8(stage):
    client = stage.client()
    for command in (REGISTER, LOGIN):
        for body in (b"al\xffice:" + PASSWORD.encode(), b"alice:\xc0\x80-correct-horse", b"alice:\xed\xa0\x80-correct-horse"):
            client.send(command, body)
            client.refused("BADF")


@row("Register and Login: BADF an impossible name")
def impossible_name(stage):
    client = stage.client()
    for command in (REGISTER, LOGIN):
        for name in IMPOSSIBLE_NAMES.values():
            client.send(command, f"{name}:{PASSWORD}")
            client.refused("BADF")


@row("Register: BADF an impossible password")
def impossible_password(stage):
    client = stage.client()
    name = stage.name("alice")
    for password in ("", "x" * 11, "x" * 129, "e\u0301" * 6):
        client.register(name, password)
        client.refused("BADF")
    client.register(name)
    client.acked("OK")


@row("Register: DENY registration is not open, and Login is answered all the same")
def registration_not_open(stage):
    for server in ("invite", "closed"):
        client = stage.client(server)
        client.register(stage.name("alice"))
        client.refused("DENY")
        client.login(stage.name("alice"))
        client.refused("AUTH!")


@row("Register and Login: DENY this connection has logged in already")
def already_logged_in(stage):
    alice = stage.person("alice")
    name = alice.name
    for command in (REGISTER, LOGIN):
        alice.send(command, f"{stage.name('bob')}:{PASSWORD}")
        alice.refused("DENY")
        alice.send(command, f"{name}:{PASSWORD}")
        alice.refused("DENY")


@row("Login: Ack OK, in any case of the name and any composition of the password")
def logs_in(stage):
    name, password = stage.name("alice"), "caf\u00e9-caf\u00e9-caf\u00e9"
    for log_in, name, password in (
        ("register", name, password),
        ("login", name, password),
        ("login", name.upper(), password),
        ("login", name, password.replace("\u00e9", "e\u0301")),
    ):
        client = stage.client()
        getattr(client, log_in)(name, password)
        client.acked("OK")
        stage.settle()


@row("Login: AUTH! wrong name or password, and the connection can try again")
def wrong_password(stage):
    alice = stage.person("alice")
    stage.settle()
    other = stage.client()
    for name, password in ((alice.name, "wrong-horse-battery"), (stage.name("nobody"), PASSWORD), (alice.name, "short")):
        other.login(name, password)
        other.refused("AUTH!")
    other.login(alice.name)
    other.acked("OK")


@row("Register and Login: BUSY too many at once")
def too_many_at_once(stage):
    clients = [stage.client("hashes") for _ in range(4)]
    for client in clients:
        client.register(stage.name("alice"))
    for client in clients:
        client.flush()
    answers = [client.read_frame() for client in clients]
    # One is hashed and one waits; how many others find room depends on when they arrive.
    if Frame(ERROR, b"BUSY") not in answers or not set(answers) <= {Frame(ACK, b"OK"), Frame(ERROR, b"BUSY")}:
        raise Unexpected(f"four registrations at once are answered {answers}")
    for client, answer in zip(clients, answers):
        if answer.command == ERROR:
            until_answered(client, REGISTER, PASSWORD, Frame(ACK, b"OK"), 400)


@row("Login: BUSY too many failures, for as long as the delay lasts")
def too_many_failures(stage):
    alice = stage.person("alice")
    stage.settle()
    other = stage.client()
    for _ in range(5):
        other.login(alice.name, "wrong-horse-battery")
        other.refused("AUTH!")
    stage.settle()
    began = time.monotonic()
    until_answered(other, LOGIN, "wrong-horse-battery", Frame(ERROR, b"BUSY"), 3)
    other.login(alice.name)
    other.flush()
    answer = other.read_frame()
    # The delay is a second from the last failure. On a slow machine it may be over by now, but not before.
    if answer != Frame(ERROR, b"BUSY") and (answer != Frame(ACK, b"OK") or time.monotonic() - began < 1):
        raise Unexpected(f"a login within the delay is answered {answer}")
    if answer.command == ERROR:
        until_answered(other, LOGIN, PASSWORD, Frame(ACK, b"OK"), 100)


def until_answered(client, command, password, wanted, tries):
    for _ in range(tries):
        client.send(command, f"{client.name}:{password}")
        client.flush()
        if client.read_frame() == wanted:
            return
        time.sleep(0.1)
    raise Unexpected(f"{client.name} tried {tries} times and was never answered {wanted}")
