"""Metrics of a server, read by rules that are written here: Prometheus' text format 0.0.4, strictly.

Nothing here knows what the server's program looks like: HTTP is spoken over a plain socket, and what is not exactly the format ends the
test.
"""

import json
import re
import socket
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"^({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9eE.+-]+|NaN|[+-]Inf)$")
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}


class Wrong(Exception):
    pass


def request(port, text, host="127.0.0.1", timeout=20):
    """Sends these bytes and reads until the server closes: status, headers, body."""
    with socket.create_connection((host, port), timeout=timeout) as connection:
        connection.sendall(text)
        data = b""
        while part := connection.recv(65536):
            data += part
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        raise Wrong(f"no answer: {data[:200]!r}")
    status, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(status.split(" ")[1]), headers, body


def get(port, path, host="127.0.0.1", name=None, method="GET"):
    return request(port, f"{method} {path} HTTP/1.1\r\nHost: {name or host}:{port}\r\n\r\n".encode(), host)


def ready(port):
    status, headers, body = get(port, "/ready")
    if headers["content-type"] != "application/json":
        raise Wrong(headers)
    said = json.loads(body)
    if (status == 200) != said["ready"] or (status != 200 and not said["why"]):
        raise Wrong(f"{status} {said}")
    return said


def scrape(port):
    """The page as text and as {name: {labels as a sorted tuple of pairs: value}}, with a "types" of {name: type}."""
    status, headers, body = get(port, "/metrics")
    if status != 200 or headers["content-type"] != "text/plain; version=0.0.4; charset=utf-8":
        raise Wrong(f"{status} {headers}")
    if int(headers["content-length"]) != len(body):
        raise Wrong("a page of another length")
    text = body.decode("utf-8")
    return text, *parse(text)


def parse(text):
    if not text.endswith("\n"):
        raise Wrong("the last line has no end")
    types, samples, current, helped = {}, {}, None, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
            if not re.fullmatch(NAME, helped) or helped in types:
                raise Wrong(line)
        elif line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            if current != helped or kind not in TYPES or current in types:
                raise Wrong(line)
            types[current], samples[current] = kind, {}
        else:
            sample(line, current, types, samples)
    for name, kind in types.items():
        if kind == "counter" and not all(value >= 0 for value in samples[name].values()):
            raise Wrong(name)
        if kind == "histogram":
            check_histogram(name, samples[name])
    return types, samples


def sample(line, current, types, samples):
    found = SAMPLE.match(line)
    if not found:
        raise Wrong(f"no sample: {line!r}")
    name, labels, value = found.groups()
    of_histogram = types[current] == "histogram" and name in (f"{current}_bucket", f"{current}_sum", f"{current}_count")
    if name != current and not of_histogram:
        raise Wrong(f"{line!r} among {current}")
    pairs = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', labels or "")
    if len({label for label, _ in pairs}) != len(pairs):
        raise Wrong(line)
    key = tuple(sorted([*pairs, ("", name[len(current) :])] if of_histogram else pairs))
    if key in samples[current]:
        raise Wrong(f"twice: {line!r}")
    samples[current][key] = float(value.replace("Inf", "inf"))


def check_histogram(name, samples):
    """The steps grow, and the last one is the count."""
    series = {}
    for key, value in samples.items():
        part = dict(key)[""]
        rest = tuple(pair for pair in key if pair[0] not in ("", "le"))
        series.setdefault(rest, {}).setdefault(part, []).append((float(dict(key).get("le", "nan").replace("Inf", "inf")), value))
    for rest, parts in series.items():
        steps = sorted(parts["_bucket"])
        values = [value for _, value in steps]
        if values != sorted(values) or steps[-1][0] != float("inf") or [values[-1]] != [value for _, value in parts["_count"]]:
            raise Wrong(f"{name} {rest} {steps}")


def value(samples, name, **labels):
    """0 for what has not happened."""
    return samples[name].get(tuple(sorted(labels.items())), 0)


def names(samples):
    return set(samples)


if __name__ == "__main__":
    _, kinds, found = scrape(int(sys.argv[1]))
    for metric in kinds:
        for labels, number in found[metric].items():
            print(metric, dict(labels), number)
