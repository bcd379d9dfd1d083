"""Checks vectors/frames with Python's standard library alone: an encoder and a decoder that share no code with ours.

Usage: python3 check_frames.py FOLDER      prints what it checked; exit code 1 at the first difference.
"""
import json
import pathlib
import struct
import sys
import zlib


def encode(command: int, body: bytes) -> bytes:
    start = b"MAGC" + struct.pack(">BH", command, len(body)) + body
    return start + struct.pack(">I", zlib.crc32(start))


def decode(stream: bytes, body_bytes_max: int):
    """Frames of the stream and the error that ends it, None when it ends between or inside frames."""
    frames, at = [], 0
    while True:
        rest = stream[at:]
        if rest[:4] != b"MAGC"[: len(rest)]:
            return frames, "bad_magic"
        if len(rest) < 7:
            return frames, None
        command, length = struct.unpack(">BH", rest[4:7])
        if length > body_bytes_max:
            return frames, "frame_too_large"
        if len(rest) < 11 + length:
            return frames, None
        (crc,) = struct.unpack(">I", rest[7 + length : 11 + length])
        if crc != zlib.crc32(rest[: 7 + length]):
            return frames, "bad_checksum"
        frames.append((command, rest[7 : 7 + length]))
        at += 11 + length


def main(folder: pathlib.Path) -> None:
    good = json.loads((folder / "good.json").read_text())
    bad = json.loads((folder / "bad.json").read_text())
    assert good[0]["frame"] == "4d41474303000568656c6c6f77d6528e", "Message hello has changed"
    for row in good:
        frame, body = bytes.fromhex(row["frame"]), bytes.fromhex(row["body"])
        assert encode(row["command"], body) == frame, row["name"]
        assert decode(frame, 65535) == ([(row["command"], body)], None), row["name"]
    for row in bad:
        frames, error = decode(bytes.fromhex(row["stream"]), row.get("bodyBytesMax", 65535))
        assert error == row["error"], (row["name"], error)
        assert len(frames) == row.get("framesBefore", 0), row["name"]
    assert good and bad
    print(f"{len(good)} good and {len(bad)} bad frames agree")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
