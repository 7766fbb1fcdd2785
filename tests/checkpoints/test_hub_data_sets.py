"""Data sets of the hub, with the library datasets as the client of a stand-in hub on loopback.

The client reads HF_ENDPOINT when it is imported, so each test reads in a process of its own.
"""

import json
from pathlib import Path

import pytest

from .hub_stand_in import TOKEN, in_fresh_process, stand_in_hub

pytest.importorskip("datasets")

ROWS = [{"text": f'Cat {n} sat.\n\nIt slept, "well".', "label": n % 2} for n in range(3)]
TRAIN_FILE = "train.jsonl"
LOAD = """
import json, sys
from datasets import load_dataset
from electra_lab.text.corpus.rows import HubText

def rows(name, **options):
    return list(load_dataset(name, split="train", **options))

def paragraphs(name):
    return [document.paragraphs for document in HubText(name).documents()]

results = []
for reader, arguments in json.loads(sys.argv[1]):
    try:
        results.append(globals()[reader](**arguments))
    except Exception as error:
        results.append([type(error).__name__, str(error)])
print("RESULTS" + json.dumps(results))
"""


@pytest.fixture
def hub(tmp_path) -> Path:
    """A hub with a data set of JSON lines, one of CSV and a private one."""
    owner = tmp_path / "hub" / "datasets" / "owner"
    for name in ("lines", "private-lines", "table"):
        (owner / name).mkdir(parents=True)
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    for name in ("lines", "private-lines"):
        (owner / name / TRAIN_FILE).write_text(lines)
    (owner / "table" / "train.csv").write_text('text,label\nA cat sat.,0\n"A dog, asleep.",1\n')
    return tmp_path / "hub"


def read(requests: list[tuple[str, dict]], address: str, home: Path, **environment: str) -> list:
    """What each reader gives, in a fresh process whose hub is the stand-in."""
    return in_fresh_process(LOAD, requests, address, home, **environment)


def test_a_data_set_is_read_whole_or_streamed_and_again_with_the_network_off(hub, tmp_path):
    lines = dict(name="owner/lines")
    table = [{"text": "A cat sat.", "label": 0}, {"text": "A dog, asleep.", "label": 1}]
    texts = [[f"Cat {n} sat.", 'It slept, "well".'] for n in range(3)]
    with stand_in_hub(hub) as (address, asked):
        streamed = read(
            [("rows", dict(lines, streaming=True)), ("paragraphs", lines)], address, tmp_path / "s"
        )
        whole = [("rows", lines), ("rows", dict(name="owner/table"))]
        downloaded = read(whole, address, tmp_path / "home")
        asked.clear()
        again = read(whole, address, tmp_path / "home", HF_HUB_OFFLINE="1")
        offline_asked = list(asked)
        never_seen = read(
            [("rows", lines), ("paragraphs", lines)], address, tmp_path / "new", HF_HUB_OFFLINE="1"
        )
    assert streamed == [ROWS, texts]
    assert not list((tmp_path / "s").rglob("*.arrow"))  # nothing was kept of what was streamed
    assert downloaded == [ROWS, table]
    assert again == downloaded
    assert not offline_asked
    assert never_seen[0][0] == "ConnectionError"
    assert never_seen[1][0] == "OSError"
    assert "'owner/lines' is no path here" in never_seen[1][1]


def test_a_data_set_that_is_missing_or_private_is_an_error_and_a_token_opens_the_private_one(
    hub, tmp_path
):
    with stand_in_hub(hub) as (address, _):
        missing, missing_text, closed, opened = read(
            [
                ("rows", dict(name="owner/missing")),
                ("paragraphs", dict(name="owner/missing")),
                ("rows", dict(name="owner/private-lines")),
                ("rows", dict(name="owner/private-lines", token=TOKEN)),
            ],
            address,
            tmp_path / "home",
        )
    assert missing[0] == closed[0] == "DatasetNotFoundError"
    assert "owner/missing" in missing[1]
    assert missing_text[0] == "OSError"
    assert "'owner/missing' is no path here" in missing_text[1]
    assert opened == ROWS
