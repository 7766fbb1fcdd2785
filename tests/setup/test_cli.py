"""The command: what it prints, how it fails, and that JupyterLab really answers."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from typer.testing import CliRunner

import electra_lab
from electra_lab import lab
from electra_lab.checkpoints.resources import notebooks_path
from electra_lab.cli import app
from electra_lab.lab import copy_notebooks

TOKEN = "for-this-test"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def device_as_before(monkeypatch):
    """--device sets ELECTRA_LAB_DEVICE, in the process of the command; here it is put back."""
    monkeypatch.setenv("ELECTRA_LAB_DEVICE", "")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Two small notebooks in place of the shipped ones."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "00_start_here.ipynb").write_text("first")
    (folder / "01_tokens.ipynb").write_text("second")
    (folder / "glossary.md").write_text("words")
    monkeypatch.setattr(lab, "notebooks_path", lambda: folder)
    return folder


def test_the_version_is_the_packages():
    assert run("--version").stdout == f"electra-lab {electra_lab.__version__}\n"


def test_python_dash_m_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "electra_lab", "--version"], capture_output=True, text=True
    )
    assert done.stdout == run("--version").stdout


def test_notebooks_are_copied_once(shipped, tmp_path):
    first = copy_notebooks(tmp_path / "deep" / "mine")
    assert first.new == ("00_start_here.ipynb", "01_tokens.ipynb")
    assert (tmp_path / "deep" / "mine" / "01_tokens.ipynb").read_text() == "second"
    assert (tmp_path / "deep" / "mine" / "glossary.md").read_text() == "words"
    second = copy_notebooks(tmp_path / "deep" / "mine")
    assert (second.new, second.same, second.kept) == ((), first.new, ())


def test_a_changed_notebook_is_kept_and_named(shipped, tmp_path):
    copy_notebooks(tmp_path / "mine")
    changed = tmp_path / "mine" / "01_tokens.ipynb"
    changed.write_text("solved")
    (tmp_path / "mine" / "00_start_here.ipynb").unlink()
    copied = copy_notebooks(tmp_path / "mine")
    assert changed.read_text() == "solved"
    assert (copied.new, copied.kept) == (("00_start_here.ipynb",), ("01_tokens.ipynb",))
    assert "Kept as they are, since they differ from the shipped ones: 01_tokens.ipynb" in str(
        copied
    )


def test_lab_hands_on_the_folder_and_the_options(shipped, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(lab, "open_lab", lambda *given: seen.append(given))
    assert run("lab", tmp_path / "mine", "--no-browser", "--port", "1").exit_code == 0
    assert run("lab", "--no-browser").exit_code == 0
    assert seen == [
        ((tmp_path / "mine").resolve(), ["--no-browser", "--port", "1"]),
        (shipped, ["--no-browser"]),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lab", "FILE"), "is a file; name a folder for the notebooks"),
        (("pretrain", "--output", "OUT", "--recipe", "macro"), "There is no recipe 'macro'"),
        (("pretrain", "--output", "OUT", "--device", "abacus"), "'abacus', which is no device"),
        (("pretrain", "--output", "OUT", "--precision", "int8"), "precision is 'int8'; use 'auto'"),
        (("bench", "microworld", "--device", "abacus"), "'abacus', which is no device"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(arguments, message, tmp_path, monkeypatch):
    (tmp_path / "FILE").write_text("mine")
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("electra-lab: ")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert (tmp_path / "FILE").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [("pretrain",), ("pretrain", "--output", "x", "--steps", "0"), ("bench", "moon"), ("labb",)],
)
def test_a_wrong_command_line_exits_with_2_and_names_the_help(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "--help" in result.stderr


def test_jupyterlab_missing_says_what_to_install(shipped, monkeypatch):
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    result = run("lab")
    assert result.exit_code == 2
    assert 'pip install "electra-lab[notebooks]"' in result.stderr


def test_pretrain_writes_a_pair_that_loads(tmp_path):
    result = run("pretrain", "--output", tmp_path / "run", "--steps", 3, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "3 steps in" in result.stdout
    assert electra_lab.load_pair(tmp_path / "run").tokenizer.mask_token == "[MASK]"
    again = run("pretrain", "--output", tmp_path / "run", "--steps", 3)
    assert again.exit_code == 2
    assert "resume" in again.stderr


def test_pretrain_in_16_bits(tmp_path):
    options = ("--steps", 3, "--device", "cpu", "--precision", "bfloat16")
    result = run("pretrain", "--output", tmp_path / "run", *options)
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "run" / "history.json").read_text(encoding="utf-8"))
    assert content["recipe"]["precision"] == "bfloat16"


def _get(url, token=TOKEN):
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
    return urllib.request.urlopen(request, timeout=10).read().decode()


def test_jupyterlab_opens_on_the_first_notebook_and_asks_nobody_for_news(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        "--allow-root",
    ]
    folders = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    server = subprocess.Popen(
        [sys.executable, "-m", "electra_lab", "lab", str(tmp_path / "mine"), *options],
        env={**os.environ, **{f"JUPYTER_{name}": str(tmp_path / name) for name in folders}},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/api/status", server)
        page = _get(f"{url}/lab/tree/00_start_here.ipynb")
        config = json.loads(
            page.partition('id="jupyter-config-data"')[2].split(">")[1].split("<")[0]
        )
        assert config["news"] == {"disabled": True}
        names = [entry["name"] for entry in json.loads(_get(f"{url}/api/contents"))["content"]]
        notebooks = [path.name for path in notebooks_path().glob("*.ipynb")]
        assert sorted(names) == sorted([*notebooks, "glossary.md"])
        opened = urllib.request.urlopen(f"{url}/?token={TOKEN}", timeout=10).geturl()
        assert opened.startswith(f"{url}/lab/tree/00_start_here.ipynb")
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _wait_for(url, server):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"the server stopped: {server.stderr.read()}")
        try:
            return _get(url)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    pytest.fail("the server did not answer")
