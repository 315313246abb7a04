"""The shipped firewall, loaded into a network of its own and knocked at from inside and outside (P9)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.embedded.processes import wait_until
from tests.running.installation import ROOT, program

pytestmark = pytest.mark.promise("P9")
RULES = ROOT / "config" / "nftables" / "qikbiz.nft"
SERVER, OUTSIDE, ADMINISTRATOR = "198.18.7.1", "198.18.7.2", "198.18.7.3"
PROGRAM = ("WEB", "EXPORTS", "IMPORTS", "MAIL", "CHECKS", "SWEEPER", "PROVISIONING")
ACCOUNTS = (*PROGRAM, "PROXY", "SYSTEM", "UPDATES", "CLOCK")
# Numbers that no account on this machine has; root is root.
NUMBERS = {name: 61_000 + index for index, name in enumerate(ACCOUNTS)} | {"SYSTEM": 0, "NOBODY": 61_900}
DATABASE, REDIS, MAIL, OTHER = 5432, 6380, 587, 25
# Addresses as bytes: a string would have Python load a codec, which other accounts may not read.
KNOCK = """
import os, socket, sys
host, number, source = sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3].encode()
# A packet belongs to whoever made its socket.
os.setuid(number)
for port in sys.argv[4:]:
    knocking = socket.socket()
    # The other end is this machine, whose kernel answers at once.
    knocking.settimeout(0.5)
    try:
        if source:
            knocking.bind((source, 0))
        knocking.connect((host, int(port)))
        print("in")
    except OSError as error:
        print("out", error)
"""
LISTEN = """
import socket, sys, time
held = [socket.create_server(("0.0.0.0", int(port))) for port in sys.argv[1:]]
print("ready", flush=True)
time.sleep(600)
"""


def adapted() -> str:
    """The shipped rules for the test's network: other addresses, and numbers for accounts that don't exist here."""
    text = RULES.read_text()
    for name in ("DATABASES", "REDIS", "MAIL_SERVERS", "RESOLVERS", "TIME_SERVERS"):
        text = re.sub(rf"(?m)^define {name} = \{{.*?\}}", f"define {name} = {{ {OUTSIDE} }}", text)
    text = re.sub(r"(?m)^define ADMINISTRATORS = \{.*?\}", f"define ADMINISTRATORS = {{ {ADMINISTRATOR} }}", text)
    for name in ACCOUNTS:
        text, changed = re.subn(rf'(?m)^define {name} = "[^"]+"', f"define {name} = {NUMBERS[name]}", text)
        assert changed == 1, name
    return text


@dataclass(frozen=True)
class Network:
    """A server with the rules, and the rest of the world on the other end of a wire."""

    inside: str
    outside: str

    def knock(self, port: int, *, source: str = OUTSIDE) -> bool:
        """From outside at the server."""
        return self._knock(self.outside, SERVER, [port], 0, source)[port]

    def reach(self, account: str, port: int, host: str = OUTSIDE) -> bool:
        """From the server, as that account."""
        return self.reached(account, port, host=host)[port]

    def reached(self, account: str, *ports: int, host: str = OUTSIDE) -> dict[int, bool]:
        """From the server, as that account: which of the ports let it in."""
        return self._knock(self.inside, host, ports, NUMBERS[account], "")

    def _knock(self, place: str, host: str, ports: Sequence[int], number: int, source: str) -> dict[int, bool]:
        knock = [sys.executable, "-S", "-c", KNOCK, host, str(number), source, *map(str, ports)]
        words = ["ip", "netns", "exec", place, *knock]
        said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
        return dict(zip(ports, (line == "in" for line in said), strict=True))


@contextmanager
def networks() -> Iterator[Network]:
    one = Network(f"qb-in-{os.getpid()}", f"qb-out-{os.getpid()}")
    with ExitStack() as on_exit:
        for name in (one.inside, one.outside):
            _run("ip", "netns", "add", name)
            on_exit.callback(_run, "ip", "netns", "delete", name)
        _run("ip", "link", "add", "qb0", "netns", one.inside, "type", "veth", "peer", "qb1", "netns", one.outside)
        for name, wire, addresses in (
            (one.inside, "qb0", [SERVER]),
            (one.outside, "qb1", [OUTSIDE, ADMINISTRATOR]),
        ):
            for address in addresses:
                _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", wire)
            for link in ("lo", wire):
                _run("ip", "-n", name, "link", "set", link, "up")
        for name in (one.inside, one.outside):
            listener = subprocess.Popen(
                ["ip", "netns", "exec", name, sys.executable, "-c", LISTEN, *map(str, PORTS)], stdout=subprocess.PIPE
            )
            on_exit.callback(listener.wait)
            on_exit.callback(listener.kill)
            assert listener.stdout
            assert listener.stdout.readline() == b"ready\n"
        yield one


PORTS = (22, 25, 53, 80, 443, 587, 5432, 6380, 8000)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    program("nft")
    program("ip")
    may_not = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode
    if os.geteuid() != 0 or may_not:
        pytest.skip("Making networks takes root and the right to make namespaces, which this machine does not give.")
    rules = tmp_path_factory.mktemp("rules") / "qikbiz.nft"
    rules.write_text(adapted())
    with networks() as one:
        assert wait_until(lambda: one.knock(5432), seconds=10), "without rules everything is open"
        _run("ip", "netns", "exec", one.inside, "nft", "-f", str(rules))
        yield one


def test_the_shipped_file_is_accepted_and_may_be_loaded_twice(tmp_path: Path) -> None:
    rules = tmp_path / "qikbiz.nft"
    rules.write_text(adapted())
    alone = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("This machine gives nobody a network of their own.")
    nft = program("nft")
    done = subprocess.run(
        [*alone, "sh", "-c", f"{nft} -c -f {rules} && {nft} -f {rules} && {nft} -f {rules} && {nft} list ruleset"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("policy drop") == 3


def test_every_account_is_declared_once_for_both_firewall_and_system() -> None:
    """What the rules name is what sysusers.d makes, or Debian's own."""
    declared = re.findall(r"(?m)^u (\S+)", (ROOT / "config/sysusers.d/qikbiz.conf").read_text())
    named = re.findall(r'(?m)^define \w+ = "(qikbiz-[a-z]+)"', RULES.read_text())
    assert sorted(declared) == sorted(named)


@pytest.mark.parametrize("port", [80, 443])
def test_the_world_reaches_the_proxy(network: Network, port: int) -> None:
    assert network.knock(port)


@pytest.mark.parametrize("port", [8000, 5432, 6380, 25, 587, 53])
def test_the_world_reaches_nothing_else(network: Network, port: int) -> None:
    assert not network.knock(port)


def test_only_administrators_networks_reach_ssh(network: Network) -> None:
    assert not network.knock(22)
    assert network.knock(22, source=ADMINISTRATOR)


@pytest.mark.promise("P12")
@pytest.mark.parametrize("account", PROGRAM)
def test_each_kind_of_process_reaches_what_it_works_with_and_nothing_else(network: Network, account: str) -> None:
    found = network.reached(account, DATABASE, REDIS, 53, MAIL, OTHER, 80, 443, 22, 8000)
    works_with = {DATABASE, REDIS, 53} | ({MAIL} if account == "MAIL" else set())
    assert {port for port, is_open in found.items() if is_open} == works_with


def test_other_hosts_are_not_reached_on_the_databases_port_either(network: Network) -> None:
    assert not network.reach("WEB", DATABASE, ADMINISTRATOR)


def test_an_account_that_nobody_named_reaches_nothing(network: Network) -> None:
    assert network.reached("NOBODY", *PORTS) == dict.fromkeys(PORTS, False)


@pytest.mark.parametrize(
    ("account", "gets_in"),
    [("PROXY", True), ("WEB", True), ("SYSTEM", True), ("IMPORTS", False), ("MAIL", False), ("NOBODY", False)],
)
def test_only_the_proxy_comes_to_the_program_as_one_that_is_believed(
    network: Network, account: str, gets_in: bool
) -> None:
    assert network.reach(account, 8000, "127.0.0.1") == gets_in


def test_the_machine_itself_gets_updates_but_no_databases(network: Network) -> None:
    assert network.reach("SYSTEM", 443)
    assert network.reach("UPDATES", 80)
    for account in ("SYSTEM", "UPDATES", "PROXY", "CLOCK"):
        assert not network.reach(account, DATABASE), account
