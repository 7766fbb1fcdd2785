"""A small stand-in for the hub, on loopback: it serves folders the way the hub serves repositories, and
takes uploads as the hub takes them."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "let-me-in"
KINDS = {"models": "", "datasets": "datasets"}  # the hub's kinds of repositories and their folders


def commit_of(folder: Path) -> str:
    """A repository's commit: forty digits that hang on everything in it."""
    digest = hashlib.sha1()
    for file in files_of(folder):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str = "", commit: str = "", content: Any = None) -> None:
        self.status = status
        headers = {"X-Error-Code": code, "X-Repo-Commit": commit}
        self.headers = {name: value for name, value in headers.items() if value}
        self.content = b"" if content is None else json.dumps(content).encode()


class Hub(BaseHTTPRequestHandler):
    """Repositories are folders ``root/owner/name``, data sets ``root/datasets/owner/name``; a branch
    other than main has ``@branch`` behind its name.

    Those called private ask for the token ``let-me-in``, and so does every upload. To the owner
    ``stranger`` nobody may write, only propose. In ``broken`` repositories, weights in safetensors
    break off half-way on their way down and never arrive on their way up.
    """

    root: Path
    asked: list[str]
    large_files: dict[str, bytes]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = urlsplit(self.path)
        self.query = parse_qs(address.query)
        parts = address.path.strip("/").split("/")
        kind = "datasets" if parts[0] == "datasets" else "models"
        try:
            if parts[0] == "api":
                self.say(self.answer_api(*parts[1:]))
            elif parts[0] == "large-files":
                self.take_large_file(parts[1])
            elif parts[-1] == "batch":
                self.say(self.large_file_batch(parts[-6], parts[-5].removesuffix(".git")))
            else:
                owner, name, resolve, revision, *file = parts[kind == "datasets" :]
                if resolve != "resolve":
                    raise Refused(404)
                self.serve(self.folder(kind, owner, name, revision), "/".join(map(unquote, file)))
        except Refused as refusal:
            self.send(refusal.status, refusal.headers, refusal.content)

    # -- repositories

    def is_known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def folder(self, kind: str, owner: str, name: str, revision: str = "main") -> Path:
        """The folder of a repository's revision, for those who may see it."""
        main = self.root / KINDS[kind] / owner / name
        branch = main.with_name(f"{name}@{unquote(revision).replace('/', '-')}")
        if not main.is_dir() or ("private" in name and not self.is_known()):
            raise Refused(401, "RepoNotFound")
        if "gated" in name and not self.is_known():
            raise Refused(403, "GatedRepo")
        if branch.is_dir():
            return branch
        if revision not in ("main", commit_of(main)):
            raise Refused(404, "RevisionNotFound")
        return main

    def serve(self, folder: Path, file: str) -> None:
        commit = commit_of(folder)
        if not (folder / file).is_file():
            raise Refused(404, "EntryNotFound", commit)
        content = (folder / file).read_bytes()
        first, last = 0, len(content) - 1
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
        }
        wanted = self.headers.get("Range")
        if wanted:
            begin, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(begin), min(int(end or last), last)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        breaks = "broken" in folder.name and file.endswith(".safetensors")
        self.send(206 if wanted else 200, headers, content[first : last + 1], breaks)

    # -- what the hub tells and takes

    def answer_api(self, kind: str, *parts: str) -> Any:
        if (kind, *parts) == ("repos", "create"):
            return self.create()
        if kind not in KINDS or len(parts) < 2:
            raise Refused(404)
        owner, name, *rest = parts
        if not rest:
            return self.describe(kind, owner, name, "main")
        action, revision = rest[0], unquote(rest[1]) if len(rest) > 1 else "main"
        if action == "revision":
            return self.describe(kind, owner, name, revision)
        if action == "tree":
            return self.tree(self.folder(kind, owner, name, revision), "/".join(rest[2:]))
        if action == "paths-info":
            folder = self.folder(kind, owner, name, revision)
            wanted = {unquote(path) for path in parse_qs(self.body.decode()).get("paths", [])}
            return [entry for entry in self.tree(folder, "") if entry["path"] in wanted]
        if action not in ("branch", "preupload", "commit"):
            raise Refused(404)
        self.allow_writing(owner)
        if action == "branch":
            main = self.folder(kind, owner, name)
            shutil.copytree(main, main.with_name(f"{name}@{revision}"), dirs_exist_ok=True)
            return {}
        folder = self.folder(kind, owner, name, revision)
        if action == "preupload":
            return {"files": [self.how_to_send(file) for file in json.loads(self.body)["files"]]}
        return self.commit(folder, f"{owner}/{name}")

    def describe(self, kind: str, owner: str, name: str, revision: str) -> dict[str, Any]:
        folder = self.folder(kind, owner, name, revision)
        siblings = [{"rfilename": entry["path"]} for entry in self.tree(folder, "")]
        said = {"id": f"{owner}/{name}", "sha": commit_of(folder), "siblings": siblings}
        return {**said, "private": "private" in name, "disabled": False, "tags": []}

    def tree(self, folder: Path, inside: str) -> list[dict[str, Any]]:
        entries = []
        for file in files_of(folder):
            path = file.relative_to(folder).as_posix()
            oid = hashlib.sha1(file.read_bytes()).hexdigest()
            entries.append({"type": "file", "path": path, "size": file.stat().st_size, "oid": oid})
        found = [entry for entry in entries if entry["path"].startswith(inside)]
        if not found:
            raise Refused(404, "EntryNotFound")
        return found

    def allow_writing(self, owner: str) -> None:
        if not self.is_known():
            raise Refused(401)
        if owner == "stranger" and "create_pr" not in self.query:
            raise Refused(403)

    def create(self) -> dict[str, str]:
        asked_for = json.loads(self.body)
        owner, name = asked_for["organization"] or "owner", asked_for["name"]
        self.allow_writing(owner)
        folder = self.root / KINDS[f"{asked_for.get('type', 'model')}s"] / owner / name
        said = {"url": f"{self.address}/{owner}/{name}"}
        if folder.is_dir():
            raise Refused(409, content=said)
        folder.mkdir(parents=True)
        private = asked_for.get("private") or asked_for.get("visibility") == "private"
        self.asked.append(f"created {'private ' * private}{owner}/{name}")
        return said

    def how_to_send(self, file: dict[str, Any]) -> dict[str, Any]:
        large = file["path"].endswith(".safetensors")
        mode = "lfs" if large else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}

    def large_file_batch(self, owner: str, name: str) -> dict[str, Any]:
        if not self.is_known():
            raise Refused(401)
        self.folder("models", owner, name)
        place = f"{self.address}/large-files/{'broken-' * ('broken' in name)}"
        objects = json.loads(self.body)["objects"]
        for wanted in objects:
            if wanted["oid"] not in self.large_files:
                wanted["actions"] = {"upload": {"href": place + wanted["oid"]}}
        return {"transfer": "basic", "objects": objects}

    def take_large_file(self, oid: str) -> None:
        if oid != hashlib.sha256(self.body).hexdigest():
            raise Refused(400)
        self.large_files[oid] = self.body
        self.send(200, {})

    def commit(self, folder: Path, repository: str) -> dict[str, Any]:
        lines = [json.loads(line) for line in self.body.splitlines()]
        content = {}
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                content[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                content[value["path"]] = self.large_files[value["oid"]]
        proposal = None
        if "create_pr" in self.query:
            proposed = folder.with_name(f"{folder.name}@refs-pr-1")
            folder = shutil.copytree(folder, proposed)
            proposal = f"{self.address}/{repository}/discussions/1"
        for path, written in content.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(written)
        (summary,) = (line["value"]["summary"] for line in lines if line["key"] == "header")
        self.asked.append(f"commit of {len(content)} files: {summary}")
        oid = commit_of(folder)
        commit_url = f"{self.address}/{repository}/commit/{oid}"
        return {"commitUrl": commit_url, "commitOid": oid, "pullRequestUrl": proposal}

    # -- answers

    @property
    def address(self) -> str:
        return f"http://{self.headers['Host']}"

    def say(self, content: Any) -> None:
        headers = {"Content-Type": "application/json"}
        self.send(200, headers, json.dumps(content).encode())

    def send(
        self, status: int, headers: dict[str, str], content: bytes = b"", breaks: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if breaks else content)
            self.close_connection = breaks

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stand_in_hub(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the folders in ``root``; yields the address and the list of requests and commits."""
    handler = type("Handler", (Hub,), {"root": root, "asked": [], "large_files": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def in_fresh_process(
    program: str, requests: Any, address: str, home: Path, **environment: str
) -> Any:
    """What a program prints behind "RESULTS", as JSON, when it is given the requests in a process whose
    hub is the stand-in: the client reads HF_ENDPOINT when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(requests)],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("HF_")},
            "HF_ENDPOINT": address,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_XET": "1",  # large files go the older way, which the stand-in knows
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "RESULTS" in done.stdout, done.stderr
    return json.loads(done.stdout.split("RESULTS")[1])
