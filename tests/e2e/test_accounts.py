"""Accounts over the wire: rows 24 and 25 of the bad-input families, sites apart, restarts, the command line."""

import base64
import json
import statistics
import time

import pytest

from account_writer import AccountWriter, bearer
from cairn_node import block_id, run_cli

NO_LIMIT = {"limits": {"account_calls_per_client": 0, "account_calls_per_handle": 0}}


@pytest.fixture
def node(make_node):
    return make_node(NO_LIMIT).start()


def me(node, token, **options):
    return node.request("GET", "/v1/me", [bearer(token)], **options)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=")


def test_accounts_and_their_tokens_outlive_a_restart(node):
    ada = AccountWriter("ada@example.org")
    assert ada.sign_up(node).status == 201
    token = ada.token(node)
    node.restart()
    assert ada.log_in(node).status == 200
    assert me(node, token).json() == {"handle": ada.handle, "version": 1}
    node.kill()
    node.start()
    assert me(node, token).status == 200


def test_row_24_tokens_of_others_are_refused(make_node):
    config = {"site": [{"hosts": ["a.test"]}, {"hosts": ["b.test"]}], **NO_LIMIT}
    node, other = make_node(config).start(), make_node(config).start()
    ada = AccountWriter("ada")
    for each in (node, other):
        for host in ("a.test", "b.test"):
            assert ada.sign_up(each, host=host).status == 201
    good = ada.token(node, host="a.test")
    assert me(node, good, host="a.test").status == 200
    header, payload, signature = good.encode().split(b".")
    claims = json.loads(base64.urlsafe_b64decode(payload + b"=="))
    bad = {
        "another site": (good, "b.test"),
        "another node": (ada.token(other, host="a.test"), "a.test"),
        "flipped": (good[:-1] + ("A" if good[-1] != "A" else "B"), "a.test"),
        "cut": (good[:-1], "a.test"),
        "none": (".".join(map(bytes.decode, (part({"alg": "none", "typ": "JWT"}), payload, b""))), "a.test"),
        "hs256": (
            b".".join((part({"alg": "HS256", "typ": "JWT"}), payload, signature)).decode(),
            "a.test",
        ),
        "other claims": (
            b".".join((header, part({**claims, "sub": "bob"}), signature)).decode(),
            "a.test",
        ),
        "empty": ("", "a.test"),
        "long": ("A" * 5000, "a.test"),
    }
    for name, (token, host) in bad.items():
        answer = me(node, token, host=host)
        assert answer.status == 401, (name, answer)
        assert answer.get("WWW-Authenticate") == "Bearer", name


def test_row_25_the_same_login_answer_twice(node):
    ada = AccountWriter("ada")
    ada.sign_up(node)
    body = ada.login_body(ada.nonce(node))
    headers = [("Content-Type", "application/json")]
    assert node.request("POST", f"{ada.path}/login", headers, body).status == 200
    assert node.request("POST", f"{ada.path}/login", headers, body).status == 401


def test_an_unknown_handle_is_answered_like_a_known_one(node):
    ada, nobody = AccountWriter("ada"), AccountWriter("abc")
    ada.sign_up(node)
    challenges = [
        node.request("POST", f"{who.path}/challenge", body=b"") for who in (ada, nobody)
    ]
    shapes = [
        (answer.status, [name for name, _ in answer.headers], sorted(answer.json()["kdf"]))
        for answer in challenges
    ]
    assert shapes[0] == shapes[1]
    stranger = AccountWriter("ada")
    refusals = [who.log_in(node) for who in (stranger, nobody)]
    assert refusals[0].body == refusals[1].body and refusals[0].status == 401

    times = {stranger: [], nobody: []}
    for _ in range(60):
        for who, taken in times.items():
            body = who.login_body(who.nonce(node))
            begin = time.perf_counter()
            node.request("POST", f"{who.path}/login", [("Content-Type", "application/json")], body)
            taken.append(time.perf_counter() - begin)
    known, unknown = (statistics.median(taken) for taken in times.values())
    print(f"a wrong login: {known * 1e6:.0f} us where the handle is known, {unknown * 1e6:.0f} us else")
    assert 0.5 < known / unknown < 2.0


def test_only_who_has_logged_in_may_write(make_node):
    node = make_node({"site": [{"hosts": ["*"], "write": "accounts"}], **NO_LIMIT}).start()
    ada = AccountWriter("ada")
    assert ada.sign_up(node).status == 201
    target = f"/v1/blocks/{block_id(b'mine')}"
    assert node.request("PUT", target, body=b"mine").status == 401
    assert node.request("PUT", target, [bearer(ada.token(node))], b"mine").status == 201
    assert node.request("GET", target).status == 200


def test_calls_about_accounts_are_limited(make_node):
    node = make_node({"limits": {"account_calls_per_client": 10}}).start()
    ada = AccountWriter("ada")
    answers = [node.request("POST", f"{ada.path}/challenge", body=b"") for _ in range(12)]
    assert [answer.status for answer in answers[:10]] == [200] * 10
    assert answers[-1].status == 429 and answers[-1].get("Retry-After") == "60"
    assert node.request("GET", "/v1/node").status == 200


def account(node, *words):
    return run_cli("account", *words, "--set", f"listen.admin={node.admin[0]}:{node.admin[1]}")


def test_the_operators_hand(make_node):
    node = make_node({"site": [{"hosts": ["*"], "signup": "invite"}], **NO_LIMIT}).start()
    ada = AccountWriter("ada@example.org")
    assert ada.sign_up(node).status == 403
    code = account(node, "invite").stdout.decode().strip()
    assert ada.sign_up(node, [("Cairn-Invite", code)]).status == 201
    assert AccountWriter("bob").sign_up(node, [("Cairn-Invite", code)]).status == 403
    listed = account(node, "list")
    assert listed.stdout.decode() == "ada@example.org  version 1  slots recovery\n"
    token = ada.token(node)
    assert b"blocked" in account(node, "block", "ada@example.org").stdout
    assert ada.log_in(node).status == 403
    assert node.request("POST", "/v1/token/refresh", [bearer(token)], b"").status == 403
    assert json.loads(account(node, "unblock", "ada@example.org", "--json").stdout)["blocked"] is False
    assert ada.log_in(node).status == 200
    gone = account(node, "show", "nobody")
    assert gone.returncode == 1 and b"cairn account list" in gone.stderr
