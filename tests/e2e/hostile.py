"""Hostile requests: variants around one broken rule, and the proof that nothing of them took
effect.

Every payload carries a hidden `PUT` of a block made for it alone (the poison). If any part of
the payload is ever taken as a request, that block is there afterwards, whatever the answers
looked like.
"""

import itertools

import raw_http
from cairn_node import block_id

_serial = itertools.count(1)

ORDINARY = [b"User-Agent: hostile", b"Accept: */*", b"X-Pad: 1"]
HOST = b"Host: localhost"


class Poison:
    """A block nobody may store, and the request that would store it."""

    def __init__(self):
        self.data = b"poison %d" % next(_serial)
        self.id = block_id(self.data)
        self.request = (
            b"PUT /v1/blocks/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
            % (self.id.encode(), len(self.data), self.data)
        )


def arrangements(bad):
    """The bad field lines in every place where a parser may look at them differently."""
    return {
        "first": [*bad, HOST, *ORDINARY],
        "last": [HOST, *ORDINARY, *bad],
        "middle": [HOST, *ORDINARY[:1], *bad, *ORDINARY[1:]],
        "reversed": [HOST, *ORDINARY, *reversed(bad)],
        "apart": [*bad[:1], HOST, *ORDINARY, *bad[1:]],
    }


def spellings(field):
    """One field line with its name in other cases and other blanks around its value."""
    name, _, value = field.partition(b":")
    value = value.strip(b" \t")
    return {
        "plain": name + b": " + value,
        "lower": name.lower() + b": " + value,
        "upper": name.upper() + b": " + value,
        "mixed": name.swapcase() + b": " + value,
        "tight": name + b":" + value,
        "tabbed": name + b":\t" + value + b"\t",
        "loose": name + b":   " + value + b"  ",
    }


def field_variants(rules):
    """{case name: [field lines]} for rules {name: [bad field lines]}: places x spellings."""
    out = {}
    for rule, bad in rules.items():
        for place, lines in arrangements(bad).items():
            out[f"{rule}-{place}"] = lines
        for index, field in enumerate(bad):
            for spelling, line in spellings(field).items():
                changed = [*bad[:index], line, *bad[index + 1 :]]
                out[f"{rule}-{spelling}{index}"] = [HOST, *ORDINARY, *changed]
    return out


def payload(request_line, fields, body, newline=b"\r\n"):
    return newline.join([request_line, *fields, b"", b""]) + body


def _send(connection, data, step):
    if step is None:
        return connection.send_quietly(data)
    for start in range(0, len(data), step):
        part = data[start : start + step]
        if connection.send_quietly(part) < len(part):
            break
    return None


def assert_refused(
    node, data, poison, allowed=(400,), address=None, modes=("whole", "pipelined", "pieces")
):
    """The payload is refused with `Connection: close`, and nothing after it is ever read.

    It comes whole, after a good request on the same connection, and in pieces of 7 bytes.
    """
    address = address or node.http
    for mode in modes:
        with raw_http.Connection(address) as connection:
            good = raw_http.encode_request("GET", "/v1/blocks/" + "0" * 64)
            prefix = good if mode == "pipelined" else b""
            _send(connection, prefix + data, 7 if mode == "pieces" else None)
            if prefix:
                assert connection.read_response().status == 404
            answer = connection.read_response()
            assert answer.status in allowed, f"{mode}: {answer} for {data[:300]!r}"
            assert answer.closes, f"{mode}: no Connection: close in {answer} for {data[:300]!r}"
            connection.expect_close()
    assert_untouched(node, [poison])


def assert_untouched(node, poisons):
    """No poison was stored, and the node answers others as ever."""
    ids = [poison.id for poison in poisons]
    assert node.missing(ids) == ids, "a smuggled request was carried out"
    node.assert_alive()
