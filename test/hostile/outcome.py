"""What happened, in the words of the list (misbehaviours.py)."""

import pathlib
import re
import select
import socket

from sealwire_classic import ACK, ERROR, Frame, Over
from sealwire_contract import FAULT, GOODBYE, HELLO, RESULT, WELCOME, cbor, encode, is_passing
from tls_wire import ALERT, DATA, alert_name
from web_wire import CLOSE

_page = pathlib.Path(__file__).resolve().parents[2] / "docs/protocol/errors.md"
CODES = {int(number, 16): code for code, number in re.findall(r"^\| `(\w+)` +\| `(\w\w)` ", _page.read_text(encoding="utf-8"), re.M)}
HELLO_FRAME = encode(HELLO, cbor.encode({"versions": [1], "client": "hostile"}))
NEVER = 0x0F
"""A command of the classic dialect that nothing answers but with a refusal."""
PROBED = Frame(ERROR, b"UNKN"), Frame(ERROR, b"NOLOG")


def attempt(send, *data):
    """Sends; a server that has closed the connection meanwhile is no fault of the row."""
    try:
        send(*data)
    except OSError:
        pass


FRAMING = {"MAGIC": "bad_magic", "CRC": "bad_checksum", "LIMIT": "frame_too_large"}


def classic(client, data):
    """What the classic dialect says to `data`. A refusal counts as one only when the connection lives, which is tried."""
    attempt(client.send_bytes, data)
    attempt(client.send, NEVER)
    try:
        first = client.read_frame()
    except (Over, socket.timeout) as reason:
        return "closed" if isinstance(reason, Over) else "silence"
    try:
        second = client.read_frame()
    except Over:
        return f"ended {word(first)}"
    return said(first) if second in PROBED else f"{said(first)} and {said(second)}"


def last_word(client, data=None):
    """What the classic dialect says at the end of a connection, as the contract would: `ended CODE`."""
    if data is not None:
        attempt(client.send_bytes, data)
    try:
        first = client.read_frame()
    except (Over, socket.timeout) as reason:
        return "closed" if isinstance(reason, Over) else "silence"
    rest = client.read_to_end()
    return f"ended {FRAMING.get(word(first), word(first))}" if not rest else f"{said(first)} and {rest}"


def said(frame):
    return f"refused {word(frame)}" if frame.command == ERROR else "answered" if frame.command == ACK else f"told {frame.command:02x} {frame.body!r}"


def word(frame):
    return frame.body.decode("latin1") if frame.command == ERROR else f"{frame.command:02x}"


def ignored(client, data):
    """`data` is answered with nothing: the answer to the next command comes first."""
    client.send_bytes(data)
    client.send(NEVER)
    found = client.read_frame()
    return "ignored" if found in PROBED else said(found)


def contract(client, data=None):
    """What the contract says to `data`: its first answer that is no event, and whether the connection lives behind it."""
    if data is not None:
        attempt(client.send_bytes, data)
    try:
        frame = client.read_frame()
        while is_passing(frame):
            frame = client.read_frame()
    except Over:
        return "closed"
    except socket.timeout:
        return "silence"
    return verdict(client, frame)


def verdict(client, frame):
    """The same of an answer that was read already."""
    if frame.command == ERROR:
        client.read_to_end()
        return f"ended {frame.body.decode('latin1')}"
    if frame.command in (WELCOME, GOODBYE):
        return {WELCOME: "welcomed", GOODBYE: "goodbye"}[frame.command]
    if frame.command == RESULT:
        client.quiet()
        return "answered"
    assert frame.command == FAULT, frame
    request, number, sentence = cbor.decode(frame.body)
    assert sentence
    if request is None:
        rest = client.read_to_end()
        return f"ended {CODES[number]}" if not rest else f"ended {CODES[number]} and {rest}"
    client.quiet()
    return f"refused {CODES[number]}"


def tls(wire, data):
    """What becomes of TLS records. A Hello behind them shows whether the connection lives."""
    attempt(wire.send, data)
    attempt(wire.send, wire.ours.seal(DATA, HELLO_FRAME))
    wire.tcp.settimeout(20)
    try:
        found = wire.next_record()
    except socket.timeout:
        return "silence"
    if found is None:
        return "closed"
    if found.type == ALERT:
        assert wire.next_record() is None
        return f"alert {alert_name(found.data)}"
    return "answered" if found.type == DATA else f"a record of type {found.type}"


def web(wire, data):
    """What becomes of WebSocket frames: the close, or the answer of the contract."""
    attempt(wire.send, data)
    try:
        found = wire.next_frame()
        if found is None:
            return "closed"
        if found[0] != CLOSE:
            return f"told {found[0]}"
        assert wire.next_frame() is None
    except socket.timeout:
        return "silence"
    return f"close {int.from_bytes(found[1][:2], 'big')}" if found[1] else "close"


def stream(tls_socket):
    """How a connection without frames ends."""
    data = b""
    try:
        while more := tls_socket.recv(65536):
            data += more
    except socket.timeout:
        return "silence"
    except OSError:
        pass
    return f"told {data[:40]!r}" if data else "closed"


def gone(connection, seconds=20):
    """Whether the server lets go of a connection that nobody reads: `closed` when it does."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return "closed" if poll.poll(seconds * 1000) else "still open"
