"""Pushing to the hub, with huggingface_hub as the client of a stand-in hub on loopback.

The client reads HF_ENDPOINT when it is imported, so each test pushes in a process of its own.
"""

import json
from pathlib import Path

import pytest

from .hub_stand_in import TOKEN, in_fresh_process, stand_in_hub

BEGIN = """
import json
import torch
from electra_lab import (
    ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining, ElectraTokenizer, ElectraTokenizerFast,
    load_pair,
)
torch.manual_seed(0)
model = ElectraForPreTraining(ElectraConfig.from_preset("micro", vocab_size=60)).eval()
said = {}
"""
END = """
print("RESULTS" + json.dumps(said))
"""


def run(script: str, address: str, home: Path, **environment: str) -> dict:
    """What a script says, in a fresh process whose hub is the stand-in."""
    said: dict = in_fresh_process(BEGIN + script + END, None, address, home, **environment)
    return said


def commits(asked: list[str]) -> list[str]:
    return [line for line in asked if line.startswith("commit")]


def test_what_is_pushed_loads_again_with_equal_outputs(tmp_path):
    script = """
ids = torch.randint(5, 60, (2, 9))
info = model.push_to_hub("owner/model")
said["commit"] = info.oid, info.commit_url
again = ElectraForPreTraining.from_pretrained("owner/model", revision=info.oid)
said["logits"] = torch.equal(model(ids).logits, again(ids).logits)

vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s"]
text = "The cats <ent> [MASK] CATS"
for tokenizer in ElectraTokenizer(vocab=vocab), ElectraTokenizerFast(vocab=vocab):
    tokenizer.add_tokens(["<ent>"])
    name = f"owner/private-{type(tokenizer).__name__}"
    tokenizer.push_to_hub(name, private=True, commit_message="The words")
    again = type(tokenizer).from_pretrained(name, token="TOKEN")
    said[name] = again(text).input_ids == tokenizer(text).input_ids
    said[name + " alone"] = again.settings() == tokenizer.settings()
    try:
        type(tokenizer).from_pretrained(name, token=False, cache_dir="CACHE")
    except FileNotFoundError as error:
        said[name + " without a token"] = str(error)

pair = load_pair("micro")
pushed = pair.push_to_hub("owner/pair")
again = load_pair("owner/pair-discriminator")  # a half stands for its pair
batch = again.tokenizer("A dog slept.", return_tensors="pt")
said["same batch"] = pair.tokenizer("A dog slept.").input_ids == batch.input_ids[0].tolist()
said["pair"] = [
    torch.equal(ours(**batch).logits, theirs(**batch).logits)
    for ours, theirs in (
        (pair.generator, again.generator), (pair.discriminator, again.discriminator)
    )
]
said["pair's commits"] = sorted(pushed)
""".replace("TOKEN", TOKEN).replace("CACHE", str(tmp_path / "other"))
    with stand_in_hub(tmp_path / "hub") as (address, asked):
        said = run(script, address, tmp_path / "home", HF_TOKEN=TOKEN)
    oid, url = said["commit"]
    assert url.endswith(f"/owner/model/commit/{oid}")
    assert said["logits"]
    for name in ("owner/private-ElectraTokenizer", "owner/private-ElectraTokenizerFast"):
        assert said[name]
        assert said[name + " alone"]
        assert "private and no valid token was given" in said[name + " without a token"]
    assert said["same batch"]
    assert said["pair"] == [True, True]
    assert said["pair's commits"] == ["discriminator", "generator"]
    assert commits(asked) == [
        "commit of 2 files: Upload ElectraForPreTraining",
        "commit of 2 files: The words",
        "commit of 3 files: The words",
        "commit of 5 files: Upload generator",
        "commit of 5 files: Upload discriminator",
    ]
    assert [line for line in asked if line.startswith("created")] == [
        "created owner/model",
        "created private owner/private-ElectraTokenizer",
        "created private owner/private-ElectraTokenizerFast",
        "created owner/pair-generator",
        "created owner/pair-discriminator",
    ]
    assert sum(line.startswith("PUT") for line in asked) == 3  # each model's weights, sent once


def test_a_branch_or_a_proposal_leaves_the_main_branch_as_it_is(tmp_path):
    script = """
def bias(**where):
    return ElectraForPreTraining.from_pretrained(**where).head.score.bias.item()

model.push_to_hub("owner/model")
for value, where in ((1.0, dict(revision="dev")), (2.0, dict(create_pr=True))):
    torch.nn.init.constant_(model.head.score.bias, value)
    info = model.push_to_hub("owner/model", **where)
said["proposal"] = info.pr_url, info.pr_revision
said["biases"] = [
    bias(name="owner/model", revision=revision) for revision in (None, "dev", info.pr_revision)
]
torch.nn.init.constant_(model.head.score.bias, 3.0)
model.push_to_hub("owner/model", revision="dev")
said["later"] = bias(name="owner/model", revision="dev")
said["strange"] = [
    model.push_to_hub(f"stranger/{name}", create_pr=True, revision=revision).pr_url
    for name, revision in (("model", None), ("other", "main"))
]
"""
    theirs = [tmp_path / "hub" / "stranger" / name for name in ("model", "other")]
    for folder in theirs:
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_text("theirs")
    with stand_in_hub(tmp_path / "hub") as (address, _):
        said = run(script, address, tmp_path / "home", HF_TOKEN=TOKEN)
    assert said["proposal"] == [f"{address}/owner/model/discussions/1", "refs/pr/1"]
    assert said["biases"] == [0.0, 1.0, 2.0]
    assert said["later"] == 3.0
    assert said["strange"] == [
        f"{address}/stranger/{folder.name}/discussions/1" for folder in theirs
    ]
    for folder in theirs:
        assert [path.name for path in folder.iterdir()] == ["notes.txt"]


ATTEMPTS = """
for name, options in json.loads('''ATTEMPTS'''):
    try:
        said[name] = "pushed", model.push_to_hub(name, **options)
    except Exception as error:
        said[name] = type(error).__name__, str(error)
"""


@pytest.mark.parametrize("hub_is", ["there", "away", "switched off"])
def test_what_goes_wrong_with_a_push_is_said_plainly_and_nothing_is_committed(hub_is, tmp_path):
    known = dict(token=TOKEN)
    expected = {
        "there": {
            "owner/no-token": ({}, "PermissionError", "missing or not valid (401).*hf auth login"),
            "owner/wrong-token": (dict(token="x"), "PermissionError", "or pass token="),
            "owner/none-stored": (dict(token=True), "PermissionError", "or set HF_TOKEN"),
            "stranger/model": (known, "PermissionError", "may not write to stranger/model (403)"),
            "owner/broken": (known, "OSError", "upload to owner/broken failed, and nothing was"),
            "owner/both": (
                dict(known, create_pr=True, revision="dev"),
                "ValueError",
                "revision is 'dev'. Give one of the two",
            ),
            "a/b/c": (known, "ValueError", "'a/b/c' cannot be the name of a repository"),
        },
        "away": {
            "owner/model": (known, "OSError", "upload to owner/model failed, and nothing was")
        },
        "switched off": {"owner/model": (known, "OSError", "the network is switched off")},
    }[hub_is]
    attempts = json.dumps([(name, options) for name, (options, _, _) in expected.items()])
    script = ATTEMPTS.replace("ATTEMPTS", attempts)
    offline = {"HF_HUB_OFFLINE": "1"} if hub_is == "switched off" else {}
    with stand_in_hub(tmp_path / "hub") as (address, asked):
        if hub_is == "there":
            said = run(script, address, tmp_path / "home")
    if hub_is != "there":
        said = run(script, address, tmp_path / "home", **offline)
    for name, (_, kind, text) in expected.items():
        assert said[name][0] == kind
        for part in text.split(".*"):
            assert part in said[name][1]
    assert not commits(asked)
    assert not [path for path in tmp_path.glob("hub/**/*") if path.is_file()]
    assert not (tmp_path / "hub" / "owner" / "both").exists()
