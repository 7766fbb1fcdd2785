"""Weights that transformers' Keras and Flax models saved: the files they wrote, with their outputs."""

import json
import random
import shutil
import sys
import warnings
from pathlib import Path

import h5py
import msgpack
import pytest
import torch
import transformers
from safetensors.torch import load_file

import electra_lab
from electra_lab.checkpoints.convert import convert
from electra_lab.checkpoints.flax import read_msgpack, restore
from electra_lab.checkpoints.keras import read_h5
from electra_lab.checkpoints.weights import read_weights

FIXTURES = Path(__file__).parent / "fixtures"
FILES = {"keras": "tf_model.h5", "flax": "flax_model.msgpack"}
MODELS = ("ElectraForPreTraining", "ElectraForMaskedLM", "ElectraForMultipleChoice", "ElectraModel")
EACH = pytest.mark.parametrize(
    ("library", "name"), [(library, name) for library in FILES for name in MODELS]
)


@pytest.fixture(autouse=True)
def silence_is_kept():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _assert_equal_outputs(model, expected):
    """Equal where there is text; what stands over padding means nothing."""
    inputs = {name: value for name, value in expected.items() if name != "output"}
    with torch.no_grad():
        got = model(**inputs)[0]
    seen = expected["attention_mask"].bool()
    if got.shape[:2] != seen.shape:  # one number for each choice
        seen = torch.ones_like(got, dtype=torch.bool)
    assert expected["output"].std() > 0.05
    torch.testing.assert_close(got[seen], expected["output"][seen], rtol=1e-5, atol=1e-5)


@EACH
def test_a_checkpoint_gives_the_outputs_that_its_library_computed(library, name):
    folder = FIXTURES / library / name
    model = getattr(electra_lab, name).from_pretrained(folder)
    _assert_equal_outputs(model, load_file(folder / "expected.safetensors"))


@EACH
def test_converted_it_gives_them_in_transformers_too(library, name, tmp_path):
    folder = FIXTURES / library / name
    convert(folder, tmp_path / "new")
    model, report = getattr(transformers, name).from_pretrained(
        tmp_path / "new", output_loading_info=True
    )
    assert {key: list(value) for key, value in report.items() if value} == {}
    _assert_equal_outputs(model.eval(), load_file(folder / "expected.safetensors"))


def test_the_bare_model_loads_from_a_head_and_a_head_from_its_own_library_only(tmp_path):
    for library in FILES:
        folder = FIXTURES / library / "ElectraForPreTraining"
        whole = electra_lab.ElectraForPreTraining.from_pretrained(folder)
        bare = electra_lab.ElectraModel.from_pretrained(folder)
        for mine, theirs in zip(bare.parameters(), whole.electra.parameters(), strict=True):
            assert torch.equal(mine, theirs)


def test_formats_are_tried_from_the_newest_to_the_oldest(tmp_path):
    """Each holds other numbers, so the word table says which was read."""
    shutil.copytree(FIXTURES / "keras" / "ElectraModel", tmp_path, dirs_exist_ok=True)
    shutil.copy(FIXTURES / "flax" / "ElectraModel" / "flax_model.msgpack", tmp_path)
    tables = []
    electra_lab.ElectraModel(electra_lab.ElectraConfig.from_pretrained(tmp_path)).save_pretrained(
        tmp_path
    )
    weights = load_file(tmp_path / "model.safetensors")
    torch.save(
        {name: tensor + 1 for name, tensor in weights.items()}, tmp_path / "pytorch_model.bin"
    )
    formats = ("model.safetensors", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack")
    for name in formats:
        model = electra_lab.ElectraModel.from_pretrained(tmp_path)
        tables.append(model.embeddings.word.weight)
        (tmp_path / name).unlink()
    word = "embeddings.word_embeddings.weight"
    assert torch.equal(tables[0], weights[word])
    assert torch.equal(tables[1], weights[word] + 1)
    assert torch.equal(
        tables[2], read_weights(FIXTURES / "keras" / "ElectraModel")[f"electra.{word}"]
    )
    assert torch.equal(tables[3], read_weights(FIXTURES / "flax" / "ElectraModel")[word])
    with pytest.raises(FileNotFoundError, match="electra-lab convert"):
        read_weights(tmp_path)


@pytest.mark.parametrize(("library", "module"), [("keras", "h5py"), ("flax", "msgpack")])
def test_a_missing_reader_says_what_to_install(library, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=rf"needs {module}.*\"electra-lab\[convert\]\""):
        electra_lab.ElectraModel.from_pretrained(FIXTURES / library / "ElectraModel")


@pytest.mark.parametrize("library", FILES)
@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.99])
def test_half_a_file_is_refused_by_name(library, kept, tmp_path):
    shutil.copytree(FIXTURES / library / "ElectraModel", tmp_path, dirs_exist_ok=True)
    file = tmp_path / FILES[library]
    data = file.read_bytes()
    file.write_bytes(data[: kept if isinstance(kept, int) else int(kept * len(data))])
    with pytest.raises(ValueError, match=f"{file.name} is damaged"):
        electra_lab.ElectraModel.from_pretrained(tmp_path)


@pytest.mark.parametrize("library", FILES)
def test_changed_bytes_are_read_or_refused_by_name(library, tmp_path):
    """Neither format has checksums; what does not make sense is refused, whatever it is."""
    file = tmp_path / FILES[library]
    whole = (FIXTURES / library / "ElectraModel" / file.name).read_bytes()
    chance = random.Random(0)
    understood = 0
    for _ in range(80):
        data = bytearray(whole)
        for _ in range(10):
            data[chance.randrange(len(data))] = chance.randrange(256)
        file.write_bytes(data)
        try:
            read_weights(tmp_path)
        except ValueError as error:
            understood += file.name in str(error)
            continue
        understood += 1
    assert understood == 80


@pytest.mark.parametrize("library", FILES)
def test_missing_left_over_and_misshapen_parameters_are_named(library, tmp_path):
    shutil.copytree(FIXTURES / library / "ElectraForPreTraining", tmp_path, dirs_exist_ok=True)
    load = electra_lab.ElectraForPreTraining.from_pretrained
    with pytest.raises(
        ValueError, match=r"not complete: it lacks electra.encoder.layers.2.attention"
    ):
        load(tmp_path, num_hidden_layers=3)
    with pytest.raises(ValueError, match=r"no place for: electra.encoder.layers.1.attention"):
        load(tmp_path, num_hidden_layers=1)
    shapes = r"feed_forward.expand.weight is \(12, 8\) in the file and \(16, 8\)"
    with pytest.raises(ValueError, match=shapes):
        load(tmp_path, intermediate_size=16)


def test_all_that_flax_writes_is_read_back():
    tree = restore(FIXTURES / "flax" / "leaves.msgpack")
    expected = {
        "whole": torch.arange(6.0).reshape(2, 3),
        "in_chunks": torch.arange(24.0).reshape(4, 6) / 8,
        "half": torch.arange(3, dtype=torch.float16),
        "bfloat16": (torch.arange(3) / 2).to(torch.bfloat16),
        "scalar": torch.tensor(0.25),
        "complex": torch.tensor(1 + 2j, dtype=torch.complex128),
    }
    for name, tensor in expected.items():
        torch.testing.assert_close(tree.pop(name), tensor, rtol=0, atol=0)
    assert tree.pop("inside")["integers"].tolist() == [0, 1, 2]
    assert tree == {"number": 3}


def test_a_complex_number_of_its_own_type_is_read(tmp_path):
    """flax 0.7 has the type, but writes a complex number as a scalar of NumPy's."""
    file = tmp_path / "f.msgpack"
    file.write_bytes(msgpack.packb({"a": msgpack.ExtType(2, msgpack.packb((1.0, 2.0)))}))
    assert restore(file) == {"a": 1 + 2j}


def _array(shape, kind, data):
    return msgpack.ExtType(1, msgpack.packb((shape, kind, data)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": 3}, "holds a, which is no array but int"),
        ({"a": {"b": "text"}}, "holds a/b, which is no array but str"),
        ([1, 2], "holds no tree of arrays"),
        ({"a": msgpack.ExtType(9, b"")}, "extension type 9 is not one of flax's"),
        ({"a": _array([2], "float32", b"1234")}, "4 bytes are not what shape"),
        ({"a": _array([2], "load", b"1234")}, "type 'load' is not supported"),
        ({"a": msgpack.ExtType(1, msgpack.packb(5))}, "was not written by flax"),
        ({"__msgpack_chunked_array__": True}, "was not written by flax"),
    ],
)
def test_what_flax_would_not_write_is_refused(content, message, tmp_path):
    (tmp_path / "f.msgpack").write_bytes(msgpack.packb(content))
    with pytest.raises(ValueError, match=f"f.msgpack.*{message}"):
        read_msgpack(tmp_path / "f.msgpack")


def test_an_h5_file_of_something_else_is_refused(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["numbers"] = [1, 2]
    with pytest.raises(ValueError, match=r"f.h5 holds no layers with variables"):
        read_h5(tmp_path / "f.h5")


def test_a_folder_converts_as_what_it_says_it_is_or_as_it_is_told(tmp_path):
    shutil.copytree(FIXTURES / "keras" / "ElectraForMaskedLM", tmp_path / "old")
    config = json.loads((tmp_path / "old" / "config.json").read_text())
    for architectures in ([], ["BertModel"]):
        changed = json.dumps({**config, "architectures": architectures})
        (tmp_path / "old" / "config.json").write_text(changed)
        with pytest.raises(
            ValueError, match=r"no model of this package. Say what it is with --part"
        ):
            convert(tmp_path / "old", tmp_path / "new")
    assert convert(tmp_path / "old", tmp_path / "new", "generator").parameters == 1438
    with pytest.raises(ValueError, match="no complete ElectraForPreTraining: it lacks head.dense"):
        convert(tmp_path / "old", tmp_path / "other", "discriminator")
    assert not (tmp_path / "other").exists()
