"""Loading from the hub, with huggingface_hub as the client of a stand-in hub on loopback.

The client reads HF_ENDPOINT when it is imported, so each test loads in a process of its own.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from electra_lab import ElectraConfig, ElectraForPreTraining, ElectraTokenizer

from .hub_stand_in import commit_of, in_fresh_process, stand_in_hub

FIXTURES = Path(__file__).parent / "fixtures"
OTHER_LIBRARIES = ("keras", "flax")

# Between its attempts the client waits for 23 seconds in all, and has no setting for it.
IMPATIENT = """
import time
time.sleep = lambda seconds: None
"""
LOAD = """
import json, sys
from electra_lab import ElectraForPreTraining, ElectraTokenizer
results = []
for arguments in json.loads(sys.argv[1]):
    try:
        if "words" in arguments["name"]:
            tokenizer = ElectraTokenizer.from_pretrained(arguments["name"])
            results.append([type(tokenizer).__name__, tokenizer.encode("the cat")])
            continue
        model = ElectraForPreTraining.from_pretrained(**arguments)
        results.append([str(model.dtype), sum(p.double().sum().item() for p in model.parameters())])
    except Exception as error:
        results.append([type(error).__name__, str(error)])
print("RESULTS" + json.dumps(results))
"""


@pytest.fixture(scope="module")
def model() -> ElectraForPreTraining:
    torch.manual_seed(0)
    return ElectraForPreTraining(ElectraConfig.from_preset("micro", vocab_size=60))


@pytest.fixture(scope="module")
def repositories(model, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    for name in ("plain", "private", "gated", "broken", "no-weights", "no-config"):
        model.save_pretrained(root / "owner" / name)
    (root / "owner" / "no-weights" / "model.safetensors").unlink()
    (root / "owner" / "no-config" / "config.json").unlink()
    (root / "owner" / "no-words").mkdir()
    (root / "owner" / "no-words" / "notes.txt").write_text("none")
    weights = load_file(root / "owner" / "plain" / "model.safetensors")
    torch_file, sharded = root / "owner" / "torch-file", root / "owner" / "sharded"
    for folder in (torch_file, sharded):
        model.save_pretrained(folder)
        (folder / "model.safetensors").unlink()
    torch.save({k: t.half() for k, t in weights.items()}, torch_file / "pytorch_model.bin")
    names = sorted(weights)
    parts = {"model-1-of-2.safetensors": names[:5], "model-2-of-2.safetensors": names[5:]}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, sharded / file)
    index = {"weight_map": {name: file for file, part in parts.items() for name in part}}
    (sharded / "model.safetensors.index.json").write_text(json.dumps(index))
    for library in OTHER_LIBRARIES:
        shutil.copytree(FIXTURES / library / "ElectraForPreTraining", root / "owner" / library)
    return root


def load(requests: list[dict], address: str, cache: Path, **environment: str) -> list:
    """The outcome of each ``from_pretrained(**request)``, in a fresh process."""
    return in_fresh_process(IMPATIENT + LOAD, requests, address, cache, **environment)


def test_a_hub_checkpoint_loads_once_and_then_offline(model, repositories, tmp_path):
    total = sum(p.double().sum().item() for p in model.parameters())
    with stand_in_hub(repositories) as (address, asked):
        requests = [
            dict(name="owner/plain"),
            dict(name="owner/plain", revision=commit_of(repositories / "owner" / "plain")),
            dict(name="owner/private", token="let-me-in"),
            dict(name="owner/sharded"),
            dict(name="owner/torch-file"),
            dict(name="owner/torch-file", dtype="auto"),
            dict(name="owner/torch-file", torch_dtype="bfloat16"),
        ]
        results = load(requests, address, tmp_path)
        got = [request for request in asked if request.startswith("GET")]
    assert [dtype for dtype, _ in results] == [
        *["torch.float32"] * 5,
        "torch.float16",
        "torch.bfloat16",
    ]
    assert [value for _, value in results[:4]] == [pytest.approx(total, abs=1e-9)] * 4
    assert results[4][1] == pytest.approx(total, abs=1e-2)
    weights = [request for request in got if "plain" in request and "safetensors" in request]
    assert len(weights) == 1  # the second load took it from the cache

    # the stand-in is gone now
    offline = load(
        [dict(name="owner/plain"), dict(name="owner/never-seen")],
        address,
        tmp_path,
        HF_HUB_OFFLINE="1",
    )
    assert offline[0] == results[0]
    assert offline[1][0] == "FileNotFoundError"
    assert "not downloaded before, and the network is switched off" in offline[1][1]
    cached, unreachable = load(
        [dict(name="owner/plain", local_files_only=True), dict(name="owner/never-seen")],
        address,
        tmp_path,
    )
    assert cached == results[0]
    assert unreachable[0] == "FileNotFoundError"
    assert "Could not reach the hub" in unreachable[1]


def test_a_tokenizer_without_a_model_loads_once_and_then_with_the_network_down(
    repositories, tmp_path
):
    ElectraTokenizer(
        vocab=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat"]
    ).save_pretrained(repositories / "owner" / "words")
    words = [dict(name="owner/words")]
    unseen = [*words, dict(name="owner/other-words")]
    loaded = ["ElectraTokenizer", [2, 5, 6, 3]]
    with stand_in_hub(repositories) as (address, _):
        there = load([*unseen, dict(name="owner/no-words")], address, tmp_path)
    assert there[0] == loaded
    assert "has no repository 'owner/other-words'" in there[1][1]
    assert "has no vocab.txt and no tokenizer.json, so it holds no tokenizer" in there[2][1]
    # It never had a special_tokens_map.json: that it cannot be asked for now is no matter.
    for environment, reason in (({}, "Could not reach"), ({"HF_HUB_OFFLINE": "1"}, "switched off")):
        away = load(unseen, address, tmp_path, **environment)
        assert away[0] == loaded
        assert away[1][0] == "FileNotFoundError"
        assert reason in away[1][1]


def test_repositories_that_hold_only_keras_or_flax_weights_load(repositories, tmp_path):
    with stand_in_hub(repositories) as (address, _):
        requests = [{"name": f"owner/{library}"} for library in OTHER_LIBRARIES]
        results = load(requests, address, tmp_path)
    for library, (dtype, total) in zip(OTHER_LIBRARIES, results, strict=True):
        local = ElectraForPreTraining.from_pretrained(repositories / "owner" / library)
        assert dtype == "torch.float32"
        assert total == sum(p.double().sum().item() for p in local.parameters())


def test_what_goes_wrong_on_the_hub_is_said_plainly(repositories, tmp_path):
    expected = {
        "owner/missing": ("FileNotFoundError", "has no repository 'owner/missing'"),
        "owner/private": ("FileNotFoundError", "or it is private and no valid token was given"),
        "owner/gated": ("PermissionError", "owner/gated is gated: ask for access"),
        "owner/no-config": ("FileNotFoundError", "has no config.json"),
        "owner/no-weights": ("FileNotFoundError", "has no weights that can be read"),
        "owner/broken": ("OSError", "The download of model.safetensors of owner/broken failed"),
    }
    requests = [dict(name=name) for name in expected]
    requests.append(dict(name="owner/plain", revision="v9"))
    with stand_in_hub(repositories) as (address, _):
        results = load(requests, address, tmp_path)
    for result, (kind, text) in zip(results, expected.values(), strict=False):
        assert result[0] == kind
        assert text in result[1]
    assert "has no revision 'v9'" in results[-1][1]
    assert not list(tmp_path.rglob("owner--broken/snapshots/*/model.safetensors"))
