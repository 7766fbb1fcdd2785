"""Weights in the other formats that transformers wrote, and files that are not what they seem."""

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file

from electra_lab import ElectraConfig, ElectraModel
from electra_lab.checkpoints.weights import read_weights


@pytest.fixture
def folder(tmp_path):
    ElectraModel(ElectraConfig.from_preset("micro", vocab_size=60)).save_pretrained(tmp_path)
    return tmp_path


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Explosive(folder / "proof")))
    with pytest.raises(ValueError, match="holds something else than tensors"):
        ElectraModel.from_pretrained(folder)
    assert not (folder / "proof").exists()


class Explosive:
    """Unpickled, it would leave a file as proof."""

    def __init__(self, proof):
        self.proof = str(proof)

    def __reduce__(self):
        return (open, (self.proof, "w"))


def test_a_torch_file_that_is_no_table_of_tensors_is_refused(folder):
    (folder / "model.safetensors").unlink()
    torch.save([1, 2], folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="holds no table of tensors"):
        read_weights(folder)


def test_safetensors_come_before_older_formats(folder):
    torch.save({}, folder / "pytorch_model.bin")
    assert read_weights(folder).keys() == load_file(folder / "model.safetensors").keys()


def test_a_missing_shard_and_an_index_that_points_elsewhere_are_refused(folder):
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "part-1.safetensors"}}))
    with pytest.raises(FileNotFoundError, match="lists part-1.safetensors, which is not there"):
        read_weights(folder)
    index.write_text(json.dumps({"weight_map": {"a": "../secret.safetensors"}}))
    with pytest.raises(ValueError, match="names files outside its folder"):
        read_weights(folder)
    index.write_text("[]")
    with pytest.raises(ValueError, match="is no index of shards"):
        read_weights(folder)


def test_an_unknown_dtype_is_refused(folder):
    with pytest.raises(ValueError, match="dtype is 'float99'"):
        ElectraModel.from_pretrained(folder, dtype="float99")


def test_a_configuration_can_be_handed_in_or_changed(folder):
    config = ElectraConfig.from_pretrained(folder)
    config.is_decoder = True
    assert ElectraModel.from_pretrained(folder, config=config).config.is_decoder
    assert ElectraModel.from_pretrained(folder, is_decoder=True).config.is_decoder
    assert not ElectraModel.from_pretrained(folder).config.is_decoder
