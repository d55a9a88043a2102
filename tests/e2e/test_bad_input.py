"""Bad input, rows 1 to 7: message framing. A request whose end is in doubt is refused whole.

Each rule is tried in every place, spelling and blank of its fields, alone, behind a good
request and in small pieces, always with a hidden PUT that must never be carried out (see
hostile.py).
"""

import pytest

import hostile
from hostile import HOST, Poison, assert_refused, assert_untouched, field_variants, payload
from cairn_node import block_id
from raw_http import encode_chunks

LINES = {
    "put": b"PUT /v1/blocks/" + b"0" * 64 + b" HTTP/1.1",
    "post": b"POST /v1/blocks/missing HTTP/1.1",
    "get": b"GET / HTTP/1.1",
}


@pytest.fixture(scope="module")
def node(module_node):
    return module_node().start()


def as_params(cases):
    return [pytest.param(value, id=name) for name, value in cases.items()]


def chunked_before(data):
    """A body that a chunked reader ends at once, so that `data` would be the next request."""
    return b"0\r\n\r\n" + data


# -- rows 1 to 3: two lengths, strange and doubled codings -----------------------------------------

BOTH_LENGTHS = field_variants(
    {
        "both": [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        "zero": [b"Content-Length: 0", b"Transfer-Encoding: chunked"],
        "gzip": [b"Content-Length: 5", b"Transfer-Encoding: gzip"],
    }
)


@pytest.mark.parametrize("line", as_params(LINES))
@pytest.mark.parametrize("fields", as_params(BOTH_LENGTHS))
def test_row_1_content_length_with_transfer_encoding(node, fields, line):
    poison = Poison()
    assert_refused(node, payload(line, fields, chunked_before(poison.request)), poison, (400, 501))


CODINGS = [
    "gzip",
    "deflate",
    "compress",
    "identity",
    "xchunked",
    "chunkedx",
    "x-chunked",
    "chunked, gzip",
    "gzip, chunked",
    "identity, chunked",
    "chunked, identity",
    "chunked, chunked",
    '"chunked"',
    "'chunked'",
    "chunked;q=1",
    "chunked;",
    "chunked,",
    ",chunked",
    "",
    "chunk",
    "chunked\x0bx",
    "chunked\x00",
    "\x0bchunked",
    "chun ked",
    "chunked chunked",
    "chunked\xa0",
    "ch\u0443nked",
]
STRANGE_CODINGS = field_variants(
    {repr(coding): [b"Transfer-Encoding: " + coding.encode("utf-8")] for coding in CODINGS}
)


@pytest.mark.parametrize("fields", as_params(STRANGE_CODINGS))
def test_row_2_transfer_encoding_other_than_chunked(node, fields):
    """The payload after the head is a whole request: a reader that frames the body as empty
    runs it.
    """
    for line in LINES.values():
        poison = Poison()
        assert_refused(
            node,
            payload(line, fields, poison.request),
            poison,
            (400, 501),
            modes=("whole", "pipelined"),
        )


@pytest.mark.parametrize("spelling", ["chunked", "Chunked", "CHUNKED", " chunked ", "\tchunked\t"])
def test_row_2_chunked_in_any_case_is_still_a_body(node, spelling):
    """The twin that must pass: the hidden request is the block's own bytes."""
    poison = Poison()
    name = block_id(poison.request)
    with node.connect() as connection:
        connection.send(
            b"PUT /v1/blocks/%s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:%s\r\n\r\n"
            % (name.encode(), spelling.encode())
            + encode_chunks(poison.request, 7)
        )
        assert connection.read_response().status in (200, 201)
        connection.expect_quiet()
    assert node.get(name).body == poison.request
    assert_untouched(node, [poison])


TWICE = field_variants(
    {
        "same": [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
        "gzip": [b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"],
        "identity": [b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"],
        "empty": [b"Transfer-Encoding: ", b"Transfer-Encoding: chunked"],
    }
)


@pytest.mark.parametrize("fields", as_params(TWICE))
def test_row_3_transfer_encoding_twice(node, fields):
    poison = Poison()
    data = payload(LINES["put"], fields, chunked_before(poison.request))
    assert_refused(node, data, poison, (400, 501))


@pytest.mark.parametrize(
    "fields",
    as_params(
        field_variants(
            {
                "chunked": [b"Transfer-Encoding: chunked"],
                "keep": [b"Transfer-Encoding: chunked", b"Connection: keep-alive"],
            }
        )
    ),
)
def test_row_3_transfer_encoding_in_http_1_0(node, fields):
    poison = Poison()
    for line in LINES.values():
        data = payload(line.replace(b"1.1", b"1.0"), fields, chunked_before(poison.request))
        assert_refused(node, data, poison, modes=("whole", "pieces"))


# -- row 3 and 4: folding, blanks and control bytes in names ---------------------------------------

FOLDS = {
    "te": b"Transfer-Encoding:\r\n chunked",
    "te-tab": b"Transfer-Encoding:\r\n\tchunked",
    "te-late": b"Transfer-Encoding: chunked\r\n , identity",
    "te-hidden": b"X-Other: a\r\n Transfer-Encoding: chunked",
    "length": b"Content-Length:\r\n 4",
    "length-hidden": b"X-Other: a\r\n Content-Length: 4",
    "plain": b"X-Other: a\r\n b",
    "plain-tab": b"X-Other: a\r\n\tb",
    "blank-only": b"X-Other: a\r\n \r\nX-More: b",
    "empty": b"X-Other:\r\n b",
    "thrice": b"X-Other: a\r\n b\r\n c",
}


@pytest.mark.parametrize("place", ["first", "last", "middle", "apart"])
@pytest.mark.parametrize("field", as_params(FOLDS))
def test_row_4_folded_header(node, field, place):
    poison = Poison()
    data = payload(
        LINES["put"], hostile.arrangements([field])[place], chunked_before(poison.request)
    )
    assert_refused(node, data, poison)


@pytest.mark.parametrize("blank", [b" ", b"\t"])
def test_row_4_blank_before_the_first_field(node, blank):
    poison = Poison()
    assert_refused(node, payload(LINES["get"], [blank + HOST], poison.request), poison)
    assert_refused(node, payload(LINES["get"], [blank + b"X: y", HOST], poison.request), poison)


NAMES = {
    "space": b"Content-Length :",
    "tab": b"Content-Length\t:",
    "spaces": b"Transfer-Encoding  :",
    "inner": b"Content Length:",
    "empty": b":",
    "no-colon": b"Content-Length 4",
    "quoted": b'"Content-Length":',
    "paren": b"Content(Length):",
    "utf8": "Contént-Length:".encode(),
    **{
        f"control-{code:02x}": b"Content%cLength:" % code
        for code in (*range(32), 0x7F)
        if code not in (10, 13)
    },
    **{f"leading-{code:02x}": b"%cContent-Length:" % code for code in (0, 1, 11, 12, 0x7F)},
    **{f"high-{code:02x}": b"X%c:" % code for code in (0x80, 0xA0, 0xFF)},
}


@pytest.mark.parametrize("place", ["first", "last", "middle"])
@pytest.mark.parametrize("name", as_params(NAMES))
def test_row_4_bad_field_name(node, name, place):
    poison = Poison()
    data = payload(LINES["put"], hostile.arrangements([name + b" 4"])[place], poison.request)
    assert_refused(node, data, poison, modes=("whole", "pipelined"))


# -- row 5: Content-Length -------------------------------------------------------------------------

LENGTHS = [
    "4,4",
    "4, 4",
    "4 4",
    "+4",
    "-4",
    "0x4",
    "",
    "4.0",
    "4;",
    "4e0",
    "four",
    "٤",
    "'4'",
    '"4"',
    "-0",
    "+0",
    ",",
    "4,",
    ",4",
    "1_0",
    "4\x00",
    "0x",
    "NaN",
    "9" * 400 + "x",
]
BAD_LENGTHS = {
    **{repr(length)[:30]: [b"Content-Length: " + length.encode()] for length in LENGTHS},
    "equal": [b"Content-Length: 4", b"Content-Length: 4"],
    "different": [b"Content-Length: 4", b"Content-Length: 5"],
    "zero-first": [b"Content-Length: 0", b"Content-Length: 4"],
    "zeros": [b"Content-Length: 0", b"Content-Length: 0"],
    "thrice": [b"Content-Length: 4"] * 3,
    "good-bad": [b"Content-Length: 4", b"Content-Length: x"],
    "good-empty": [b"Content-Length: 4", b"Content-Length: "],
}


@pytest.mark.parametrize("fields", as_params(field_variants(BAD_LENGTHS)))
def test_row_5_bad_content_length(node, fields):
    for line in LINES.values():
        poison = Poison()
        assert_refused(
            node, payload(line, fields, poison.request), poison, modes=("whole", "pipelined")
        )


@pytest.mark.parametrize(
    "length",
    [
        2**24 + 1,
        2**31,
        2**32,
        2**32 + 4,
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        2**64 + 4,
        10**25,
        10**300,
    ],
)
def test_row_5_huge_content_length(node, length):
    """A length past 64 bits must not wrap to a small one."""
    poison = Poison()
    data = payload(LINES["put"], [HOST, b"Content-Length: %d" % length], poison.request)
    assert_refused(node, data, poison, (400, 413))


# -- row 6: bare LF, bare CR, NUL ------------------------------------------------------------------


def broken_lines():
    """A head of five lines with each line end replaced, and each control put in each part."""
    lines = [LINES["put"], HOST, b"X-One: a", b"Content-Length: 4", b"X-Two: b"]
    cases = {}
    for end_name, end in {"lf": b"\n", "cr": b"\r", "crcrlf": b"\r\r\n", "lfcr": b"\n\r"}.items():
        for index in range(len(lines) + 1):
            ends = [b"\r\n"] * (len(lines) + 1)
            ends[index] = end
            text = b"".join(line + ends[i] for i, line in enumerate([*lines, b""]))
            cases[f"{end_name}-{index}"] = text
    for name, byte in {"nul": b"\0", "cr": b"\r", "lf": b"\n"}.items():
        for index, line in enumerate(lines):
            for part, at in {
                "start": 0,
                "name": 3,
                "value": line.rindex(b" ") + 1,
                "end": len(line),
            }.items():
                if name == "lf" and part == "end":
                    continue  # the line end `\n\r\n` is among the cases of lfcr
                changed = [*lines[:index], line[:at] + byte + line[at:], *lines[index + 1 :]]
                cases[f"{name}-in-{index}-{part}"] = b"\r\n".join([*changed, b"", b""])
    cases["all-lf"] = b"\n".join([*lines, b"", b""])
    return cases


@pytest.mark.parametrize("head", as_params(broken_lines()))
def test_row_6_bare_line_ends_and_nul(node, head):
    poison = Poison()
    assert_refused(node, head + b"abcd" + poison.request, poison)


# -- row 7: chunks ---------------------------------------------------------------------------------

CHUNKS = {
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "17-digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    "2^64": b"10000000000000000\r\nhello\r\n0\r\n\r\n",
    "lf": b"5\nhello\r\n0\r\n\r\n",
    "lf-data": b"5\r\nhello\n0\r\n\r\n",
    "lf-last": b"5\r\nhello\r\n0\n\r\n",
    "lf-end": b"5\r\nhello\r\n0\r\n\n",
    "cr": b"5\rhello\r\n0\r\n\r\n",
    "empty": b"\r\nhello\r\n0\r\n\r\n",
    "no-crlf": b"5\r\nhello0\r\n\r\n",
    "two-more": b"5\r\nhelloXY0\r\n\r\n",
    "space-first": b" 5\r\nhello\r\n0\r\n\r\n",
    "space-after": b"5 \r\nhello\r\n0\r\n\r\n",
    "tab-after": b"5\t\r\nhello\r\n0\r\n\r\n",
    "underscore": b"0_5\r\nhello",
    "letter": b"g\r\nhello\r\n0\r\n\r\n",
    "nul": b"5\0\r\nhello\r\n0\r\n\r\n",
    "digits-space": b"5 5\r\nhello\r\n0\r\n\r\n",
    "ext-lf": b"5;a=b\nhello\r\n0\r\n\r\n",
    "ext-cr": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "ext-nul": b"5;a=\0\r\nhello\r\n",
    "ext-lf-in-quotes": b'5;a="\n"\r\nhello\r\n0\r\n\r\n',
    "comma": b"5,5\r\nhello\r\n0\r\n\r\n",
    "last-0x": b"5\r\nhello\r\n0x0\r\n\r\n",
    "last-no-crlf": b"5\r\nhello\r\n0\r\nX",
    "trailer-lf": b"5\r\nhello\r\n0\r\nA: b\n\r\n",
    "trailer-no-colon": b"5\r\nhello\r\n0\r\nnonsense\r\n\r\n",
    "trailer-folded": b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
    "trailer-nul": b"5\r\nhello\r\n0\r\nA: \0\r\n\r\n",
}


@pytest.mark.parametrize("target", [b"/v1/blocks", b"/v1/blocks/missing", b"/v1/blocks/batch"])
@pytest.mark.parametrize("body", as_params(CHUNKS))
def test_row_7_bad_chunk(node, body, target):
    poison = Poison()
    data = payload(
        b"POST %s HTTP/1.1" % target, [HOST, b"Transfer-Encoding: chunked"], body + poison.request
    )
    assert_refused(node, data, poison, (400, 413))
    assert node.missing([block_id(b"hello")]), "the body of a refused request was stored"


@pytest.mark.parametrize("size", [b"ffffffffffffffff", b"8000000000000000", b"0000000100000005"])
@pytest.mark.parametrize("target", [b"/v1/blocks", b"/v1/blocks/missing"])
def test_row_7_chunk_larger_than_any_body(node, size, target):
    """Its size must not wrap: what follows is data up to the limit, and then the end."""
    poison = Poison()
    data = payload(
        b"POST %s HTTP/1.1" % target,
        [HOST, b"Transfer-Encoding: chunked"],
        size + b"\r\nhello\r\n0\r\n\r\n" + poison.request + b"x" * (2 << 20),
    )
    assert_refused(node, data, poison, (400, 413), modes=("whole", "pipelined"))
    assert node.missing([block_id(b"hello")]), "the body of a refused request was stored"


@pytest.mark.parametrize(
    "extension",
    [b";a=" + b"x" * 3_000_000, b";a" * 1_500_000, b";" * 20_000, b';a="' + b"\\x" * 20_000 + b'"'],
    ids=["one", "many", "empty", "quoted"],
)
def test_row_7_endless_chunk_extension(node, extension):
    poison = Poison()
    data = payload(
        b"POST /v1/blocks HTTP/1.1",
        [HOST, b"Transfer-Encoding: chunked"],
        b"5" + extension + b"\r\nhello\r\n0\r\n\r\n" + poison.request,
    )
    assert_refused(node, data, poison, (400, 413, 431), modes=("whole", "pipelined"))


def test_row_7_extensions_on_every_chunk_are_bounded_in_sum(node):
    poison = Poison()
    body = b"".join(b"1;%s\r\nx\r\n" % (b"e" * 200) for _ in range(50_000)) + b"0\r\n\r\n"
    data = payload(
        b"POST /v1/blocks HTTP/1.1", [HOST, b"Transfer-Encoding: chunked"], body + poison.request
    )
    assert_refused(node, data, poison, (400, 413, 431), modes=("whole",))


@pytest.mark.parametrize(
    "chunks",
    [
        b"5;a=b\r\nhello\r\n0\r\n\r\n",
        b'5;a="b;c"\r\nhello\r\n0;z\r\n\r\n',
        b"0000000000000005\r\nhello\r\n0000\r\n\r\n",
        b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    ],
)
def test_row_7_allowed_chunk_forms_are_read(node, chunks):
    with node.connect() as connection:
        connection.send(
            payload(
                LINES["post"].replace(b"/missing", b""),
                [HOST, b"Transfer-Encoding: chunked"],
                chunks.replace(b"hello", b"HELLO").replace(b"he", b"HE").replace(b"llo", b"LLO"),
            )
        )
        answer = connection.read_response()
        assert answer.status in (200, 201) and answer.json()["id"] == block_id(b"HELLO"), answer
        connection.expect_quiet()


@pytest.mark.parametrize(
    "data",
    as_params(
        {
            "both": payload(LINES["get"], BOTH_LENGTHS["both-first"], b"0\r\n\r\n"),
            "gzip": payload(LINES["get"], [HOST, b"Transfer-Encoding: gzip"], b""),
            "folded": payload(LINES["get"], [HOST, b"X: a\r\n b"], b""),
            "lengths": payload(LINES["get"], [HOST, b"Content-Length: 4,4"], b""),
            "lf": payload(LINES["get"], [HOST], b"", b"\n"),
            "hosts": payload(LINES["get"], [HOST, HOST], b""),
        }
    ),
)
def test_the_admin_listener_has_the_same_gate(node, data):
    poison = Poison()
    assert_refused(
        node,
        data + poison.request,
        poison,
        (400, 501),
        address=node.admin,
        modes=("whole", "pieces"),
    )
