"""Fixtures of the end-to-end tests: nodes that die with their test, a deadline on every test."""

import resource
import signal

import pytest

import cairn_node
from cairn_node import Node
from chain_writer import ChainWriter

DEFAULT_DEADLINE_S = 60


def pytest_configure(config):
    """Many tests hold thousands of sockets; children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(autouse=True)
def deadline(request):
    """No test outlives its deadline, whatever it waits for."""
    marker = request.node.get_closest_marker("deadline")
    seconds = marker.args[0] if marker else DEFAULT_DEADLINE_S

    def expire(_signal, _frame):
        raise TimeoutError(f"test took more than {seconds} s")

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the nodes that still run have said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for node in cairn_node.LIVE_NODES:
            report.sections.append((f"node {node.directory.name}", node.output(3000)))


@pytest.fixture
def make_node(tmp_path):
    """Makes nodes for one test: make_node(config, ...) -> a Node that is not started yet."""
    made = []

    def make(config=None, **options):
        node = Node(tmp_path / f"node{len(made)}", config, **options)
        made.append(node)
        return node

    yield make
    for node in made:
        node.remove()


@pytest.fixture(scope="module")
def module_node(tmp_path_factory):
    """Makes nodes that live as long as the test file; for tests that leave no state behind."""
    made = []

    def make(config=None, **options):
        node = Node(tmp_path_factory.mktemp("module") / "node", config, **options)
        made.append(node)
        return node

    yield make
    for node in made:
        node.remove()


@pytest.fixture
def node(make_node):
    """A started node with its defaults; modules that want another name their own `node`."""
    return make_node().start()


@pytest.fixture
def chain(node):
    """A chain of three links on the node."""
    writer = ChainWriter()
    writer.create(node)
    assert writer.append(node, writer.several(3)).status == 201
    return writer
