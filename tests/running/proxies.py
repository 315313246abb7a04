"""The shipped proxies, really running in front of an installation; only their ports and paths are changed."""

from __future__ import annotations

import os
import re
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning.embedded.processes import wait_until
from tests.fixtures.ports import free_port
from tests.running.installation import (
    ACME,
    DOMAIN,
    ROOT,
    Answer,
    Authority,
    Installation,
    ask,
    connect,
    listens,
    program,
    running,
    send,
)

NGINX, CADDYFILE = ROOT / "config" / "nginx", ROOT / "config" / "caddy" / "Caddyfile"
CUSTOMERS = "crm.acme.example"
# With what Debian's own nginx.conf says beside.
MAIN = """
{user}daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 256; }}
http {{
    access_log off; sendfile on; tcp_nopush on; types_hash_max_size 2048; default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on; gzip on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/conf.d/*.conf;
}}
"""


@dataclass(frozen=True)
class Edge:
    """A proxy in front of `behind`."""

    plain_port: int
    tls_port: int
    authority: Authority
    behind: Installation
    folder: Path

    def get(self, host: str, path: str = "/", **options: object) -> Answer:
        return ask(self.tls_port, host, path, tls=self.authority.browser, **options)  # type: ignore[arg-type]

    def plain(self, host: str, path: str = "/", **options: object) -> Answer:
        return ask(self.plain_port, host, path, **options)  # type: ignore[arg-type]

    def send(self, request: str) -> bytes:
        return send(self.tls_port, ACME, request.replace("\n", "\r\n").encode(), self.authority.browser)

    def handshake(self, version: ssl.TLSVersion, host: str = ACME) -> str | None:
        with self.authority.client(version).wrap_socket(connect(self.tls_port), server_hostname=host) as opened:
            return opened.version()


def configuration(folder: Path, behind: Installation, *, plain_port: int, tls_port: int) -> Callable[[str], str]:
    """What puts a shipped file into `folder`: ports and paths are changed, and nothing else."""
    changes = {
        "listen 80": f"listen 127.0.0.1:{plain_port}",
        "listen 443": f"listen 127.0.0.1:{tls_port}",
        "server 127.0.0.1:8000": f"server 127.0.0.1:{behind.port}",
        "/etc/nginx/qikbiz/": f"{folder}/qikbiz/",
        "/etc/qikbiz/tls/": f"{folder}/tls/",
        "/etc/letsencrypt/live/crm.acme.example/": f"{folder}/domain/",
        "/var/www/qikbiz-acme": f"{folder}/acme",
        "/opt/qikbiz/static/": f"{ROOT}/platform/qikbiz/web/static/",
    }

    def place(text: str) -> str:
        text = re.sub(r"(?m)^ *listen \[::\]:.*\n", "", text)
        for shipped, here in changes.items():
            text = text.replace(shipped, here)
        return text

    return place


@contextmanager
def nginx(folder: Path, behind: Installation, change: Callable[[str], str] = str) -> Iterator[Edge]:
    edge = Edge(free_port(), free_port(), Authority(), behind, folder)
    edge.authority.write_certificate(folder / "tls", DOMAIN, f"*.{DOMAIN}")
    edge.authority.write_certificate(folder / "domain", CUSTOMERS)
    (folder / "acme/.well-known/acme-challenge").mkdir(parents=True)
    (folder / "acme/.well-known/acme-challenge/token").write_text("proof")
    place = configuration(folder, behind, plain_port=edge.plain_port, tls_port=edge.tls_port)
    for name, target in (
        ("qikbiz.conf", "conf.d"),
        ("domain.conf", "conf.d"),
        ("plain.conf", "qikbiz"),
        ("tls.conf", "qikbiz"),
        ("served.conf", "qikbiz"),
    ):
        (folder / target).mkdir(exist_ok=True)
        (folder / target / name).write_text(change(place((NGINX / name).read_text())))
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user="user root; " if os.geteuid() == 0 else ""))
    command = [program("nginx"), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr
    with running(command):
        assert wait_until(lambda: listens(edge.tls_port), seconds=15)
        yield edge


@contextmanager
def caddy(folder: Path, behind: Installation, change: Callable[[str], str] = str) -> Iterator[Edge]:
    edge = Edge(free_port(), free_port(), Authority(), behind, folder)
    edge.authority.write_certificate(folder / "tls", DOMAIN, f"*.{DOMAIN}")
    # An authority of Caddy's own takes the place of the public one, which can't look at a machine in a test.
    ours = f"http_port {edge.plain_port}\n\thttps_port {edge.tls_port}\n\tdefault_bind 127.0.0.1\n\tskip_install_trust"
    changes = {
        "auto_https disable_redirects": f"auto_https disable_redirects\n\t{ours}",
        "\t\ton_demand\n": "\t\ton_demand\n\t\tissuer internal\n",
        "unix//run/caddy/": f"unix/{folder}/",
        "127.0.0.1:8000": f"127.0.0.1:{behind.port}",
        "/etc/qikbiz/tls/": f"{folder}/tls/",
        "/opt/qikbiz/static/": f"{ROOT}/platform/qikbiz/web/static/",
    }
    text = CADDYFILE.read_text()
    for shipped, here in changes.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    (folder / "Caddyfile").write_text(change(text))
    homes = {"HOME": str(folder), "XDG_DATA_HOME": f"{folder}/data", "XDG_CONFIG_HOME": f"{folder}/config"}
    command = [program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with running(command, homes):
        assert wait_until(lambda: listens(edge.tls_port) and listens(edge.plain_port), seconds=20)
        yield edge


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """A server that keeps what it is asked, word for word, and answers each with a short page."""
    told: list[str] = []

    class Keeper(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            text = b""
            while b"\r\n\r\n" not in text:
                text += self.request.recv(65536)
            told.append(text.decode())
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Keeper) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], told
        server.shutdown()
