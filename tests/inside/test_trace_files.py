"""A trace in a file: what comes back is what went in, and files that are none are refused."""

import json
from dataclasses import fields

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from electra_lab.inside.trace import IntegratedGradients, SwitchOffHeads, Trace, trace

TEXT = "The chef cooked the dogs."
INPUTS = {
    "ElectraModel": TEXT,
    "ElectraForPreTraining": [TEXT, "a dog"],
    "ElectraForMaskedLM": ["the [MASK] ate the meal", "a dog"],
    "ElectraForSequenceClassification": ("the dog", "a dog slept"),
    "ElectraForQuestionAnswering": ("the dog", "the old dog slept. " * 12),
    "ElectraForMultipleChoice": {"context": "the dog", "choices": ["ate", "slept in the house"]},
}


def assert_equal(found, expected):
    for field in fields(Trace):
        if field.name not in ("layers", "attributions") and not torch.is_tensor(
            getattr(expected, field.name)
        ):
            assert getattr(found, field.name) == getattr(expected, field.name), field.name
    ours, theirs = found.tensors(), expected.tensors()
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype
        assert torch.equal(ours[name], tensor), name
    assert repr(found) == repr(expected)
    assert repr(found.attributions) == repr(expected.attributions)


@pytest.mark.parametrize("name", INPUTS)
def test_a_trace_comes_back_as_it_was(heads, pair, name, tmp_path):
    found = trace(heads[name], INPUTS[name], tokenizer=pair.tokenizer)
    for number, one in enumerate((found, found.select(0))):
        one.save(tmp_path / f"{number}.safetensors")
        assert_equal(Trace.load(tmp_path / f"{number}.safetensors"), one)


def test_attributions_and_interventions_come_back(pair, tmp_path):
    found = trace(
        pair.discriminator,
        [TEXT, "a dog"],
        tokenizer=pair.tokenizer,
        interventions=[SwitchOffHeads(0, 1)],
        gradients=IntegratedGradients(position=2, steps=3),
    )
    found.save(tmp_path / "one.safetensors")
    again = Trace.load(tmp_path / "one.safetensors")
    assert_equal(again, found)
    assert again.attributions.targets == found.attributions.targets
    assert again.attributions.steps == 3
    assert torch.equal(again.attributions.completeness, found.attributions.completeness)
    assert again.interventions == ("SwitchOffHeads(layer=0, heads=1)",)


def test_any_program_reads_the_file(pair, tmp_path):
    found = trace(pair.discriminator, "caf\u00e9 \u4f60 </script>", tokenizer=pair.tokenizer)
    found.save(tmp_path / "one.safetensors")
    with safe_open(tmp_path / "one.safetensors", framework="np") as file:
        attention = file.get_tensor("layers.1.attention")
        header = json.loads(file.metadata()["trace"])
    assert attention.tolist() == found.layers[1].attention.tolist()
    assert header["texts"] == [["caf\u00e9 \u4f60 </script>", None]]
    assert header["tokens"] == found.tokens


def test_what_is_no_trace_is_refused(pair, tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        Trace.load(tmp_path / "none.safetensors")
    other = tmp_path / "weights.safetensors"
    save_file({"a": torch.ones(2)}, other)
    with pytest.raises(ValueError, match="is no trace"):
        Trace.load(other)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not one")
    with pytest.raises(ValueError, match="damaged"):
        Trace.load(broken)
    trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer).save(other)
    with safe_open(other, framework="pt") as file:
        names, metadata = list(file.keys()), file.metadata()
        tensors = {name: file.get_tensor(name) for name in names}
    del tensors["layers.0.queries"]
    save_file(tensors, broken, metadata)
    with pytest.raises(ValueError, match="damaged, or no trace"):
        Trace.load(broken)
    save_file(tensors, broken, {**metadata, "trace": "{"})
    with pytest.raises(ValueError, match="damaged, or no trace"):
        Trace.load(broken)
