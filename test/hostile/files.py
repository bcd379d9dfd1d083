"""Files that are sent and fetched wrongly (docs/protocol/files.md)."""

import hashlib

from methods import asked
from misbehaviours import List
from sealwire_contract import chat, fresh_id

rows = List("files")
CONTENT = bytes(range(256)) * 4


def begun(stage, size=len(CONTENT), content=CONTENT):
    """Somebody who has announced a file, and its id."""
    alice, bob = stage.person("alice"), stage.person("bob")
    chat(alice, bob)
    file = fresh_id()
    announced = {"id": file, "conversation": alice.conversation, "name": "x", "size": size, "sha256": hashlib.sha256(content).digest()}
    alice.call("file.begin", **announced)
    # So that the server keeps no descriptor open for it: it would be one that the row leaves behind.
    stage.callback(lambda: stage.person_again(alice).call("file.abandon", id=file))
    return alice, file, announced


@rows.misbehaves("put-unannounced", "sends chunks of a file that it never announced", "refused not_found")
def put_unannounced(stage):
    mallory = stage.person()
    return [
        asked(mallory, method, id=fresh_id(), **params)
        for method, params in (
            ("file.put", {"offset": 0, "data": b"x"}),
            ("file.end", {}),
            ("file.get", {"offset": 0, "length": 1}),
            ("file.abandon", {}),
        )
    ]


@rows.misbehaves("out-of-order", "sends chunks out of order, and with holes", "refused conflict")
def out_of_order(stage):
    alice, file, _ = begun(stage)
    found = [asked(alice, "file.put", id=file, offset=offset, data=b"x" * 100) for offset in (100, 1, 1_000)]
    alice.call("file.put", id=file, offset=0, data=CONTENT[:100])
    return [*found, *(asked(alice, "file.put", id=file, offset=offset, data=b"x" * 100) for offset in (200, 101))]


@rows.misbehaves("overlapping", "sends chunks that overlap what is there", "refused conflict")
def overlapping(stage):
    alice, file, _ = begun(stage)
    alice.call("file.put", id=file, offset=0, data=CONTENT[:500])
    return [asked(alice, "file.put", id=file, offset=offset, data=b"y" * 100) for offset in (0, 1, 450, 499)]


@rows.misbehaves("over-size", "sends more than it announced", "refused file_invalid")
def over_size(stage):
    alice, file, _ = begun(stage)
    found = [asked(alice, "file.put", id=file, offset=0, data=CONTENT + b"x")]
    alice.call("file.put", id=file, offset=0, data=CONTENT)
    return [*found, asked(alice, "file.put", id=file, offset=len(CONTENT), data=b"x")]


@rows.misbehaves("end-early", "ends a file that is not whole", "refused file_invalid")
def end_early(stage):
    alice, file, _ = begun(stage)
    found = [asked(alice, "file.end", id=file)]
    alice.call("file.put", id=file, offset=0, data=CONTENT[:-1])
    return [*found, asked(alice, "file.end", id=file), asked(alice, "file.get", id=file, offset=0, length=10)]


@rows.misbehaves("other-content", "sends another content than announced", "refused file_invalid")
def other_content(stage):
    alice, file, _ = begun(stage)
    alice.call("file.put", id=file, offset=0, data=CONTENT[::-1])
    return asked(alice, "file.end", id=file)


@rows.misbehaves("other-words", "announces another file under the same id", "refused conflict")
def other_words(stage):
    alice, _, announced = begun(stage)
    return [asked(alice, "file.begin", **{**announced, **other}) for other in ({"size": 1}, {"name": "y"}, {"sha256": bytes(32)})]


@rows.misbehaves("of-others", "fetches, fills, ends, sends and removes the file of somebody else", "refused not_found")
def of_others(stage):
    _, file, _ = begun(stage)
    mallory = stage.person()
    asks = (
        ("file.get", {"offset": 0, "length": 1}),
        ("file.put", {"offset": 0, "data": b"x"}),
        ("file.end", {}),
        ("file.find", {}),
        ("file.abandon", {}),
    )
    return [asked(mallory, method, id=file, **params) for method, params in asks]


@rows.misbehaves("sizes", "announces sizes and chunks that there are not", "refused malformed")
def sizes(stage):
    mallory = stage.person()
    begin = {"conversation": 1, "name": "x", "sha256": bytes(32)}
    found = [asked(mallory, "file.begin", id=fresh_id(), size=size, **begin) for size in (-1, 5_000_000_001, 2**53, "1", None)]
    found += [
        asked(mallory, "file.begin", id=fresh_id(), size=1, **{**begin, **other})
        for other in ({"name": ""}, {"name": "x" * 256}, {"sha256": bytes(31)})
    ]
    found += [
        asked(mallory, "file.put", id=fresh_id(), offset=0, data=bytes(60_001)),
        asked(mallory, "file.get", id=fresh_id(), offset=0, length=60_001),
    ]
    return [*found, asked(mallory, "file.get", id=fresh_id(), offset=0, length=0), asked(mallory, "file.get", id=fresh_id(), offset=-1, length=1)]


@rows.misbehaves("pages-apart", "sends chunks and ends of one file all at once, in the wrong order", "answered or refused")
def pages_apart(stage):
    alice, file, _ = begun(stage)
    ids = [alice.ask("file.put", id=file, offset=offset, data=CONTENT[offset : offset + 128]) for offset in range(896, -1, -128)]
    ids += [alice.ask("file.end", id=file), alice.ask("file.put", id=file, offset=0, data=b"late")]
    answers = {alice.read_frame().command for _ in ids}
    return "answered or refused" if answers <= {0x13, 0x14} else f"{answers}"
