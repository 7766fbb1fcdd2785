"""A small stand-in for the hub, on loopback: it serves folders the way the hub serves repositories."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """``/owner/name/resolve/revision/file``. Repositories called private ask for the token
    ``let-me-in``; files called broken.* in ``broken`` repositories break off half-way."""

    root: Path
    asked: list[str]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.serve(with_body=False)

    def do_GET(self) -> None:
        self.serve(with_body=True)

    def serve(self, with_body: bool) -> None:
        self.asked.append(f"{self.command} {self.path}")
        owner, name, kind, revision, file = (self.path.strip("/").split("/", 4) + [""] * 5)[:5]
        folder = self.root / owner / name
        authorised = self.headers.get("Authorization") == "Bearer let-me-in"
        if kind != "resolve" or not folder.is_dir():
            return self.refuse(401, "RepoNotFound")
        if "gated" in name and not authorised:
            return self.refuse(403, "GatedRepo")
        if "private" in name and not authorised:
            return self.refuse(401, "RepoNotFound")
        if revision not in ("main", COMMIT):
            return self.refuse(404, "RevisionNotFound")
        if not (folder / file).is_file():
            return self.refuse(404, "EntryNotFound")
        content = (folder / file).read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            breaks = "broken" in name and file.endswith(".safetensors")
            self.wfile.write(content[: len(content) // 2] if breaks else content)
            self.close_connection = breaks

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stand_in_hub(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the folders ``root/owner/name``; yields the address and the list of requests."""
    handler = type("Handler", (Hub,), {"root": root, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
