"""Checkpoints: both directions with transformers, and what happens when something is wrong."""

import errno
import json
import warnings
from dataclasses import replace

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import electra_lab
from electra_lab import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining, ElectraModel
from electra_lab.checkpoints import store
from electra_lab.checkpoints.parameter_names import HEAD_NAMES, from_hugging_face, to_hugging_face

CONFIG = ElectraConfig.from_preset("micro", vocab_size=60, initializer_range=0.2)
IDS = torch.randint(1, 60, (2, 9), generator=torch.Generator().manual_seed(0))


def fresh(head: str):
    torch.manual_seed(4)
    config = replace(CONFIG, is_decoder=head == "ElectraForCausalLM")
    return getattr(electra_lab, head)(config).eval()


@pytest.mark.parametrize("head", HEAD_NAMES)
def test_transformers_loads_what_we_save_without_a_message(head, tmp_path, caplog):
    ours = fresh(head)
    ours.save_pretrained(tmp_path / "saved")
    loaded, report = getattr(transformers, head).from_pretrained(
        tmp_path / "saved", output_loading_info=True
    )
    assert {key: list(value) for key, value in report.items() if value} == {}
    with torch.no_grad():
        ids = IDS[None] if head == "ElectraForMultipleChoice" else IDS
        expected, got = ours(ids)[0], loaded.eval()(ids)[0]
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    assert caplog.records == []


@pytest.mark.parametrize("head", HEAD_NAMES)
def test_saving_and_loading_changes_no_bit(head, tmp_path):
    ours = fresh(head)
    ours.save_pretrained(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = type(ours).from_pretrained(tmp_path)
    for (name, mine), (_, theirs) in zip(
        ours.named_parameters(), again.named_parameters(), strict=True
    ):
        assert torch.equal(mine, theirs), name
    assert not again.training
    assert replace(again.config, extra={}) == ours.config
    assert again.config.extra == {"architectures": [head], "dtype": "float32"}


def test_who_may_read_the_configuration_may_read_the_weights(tmp_path):
    fresh("ElectraModel").save_pretrained(tmp_path)
    (tmp_path / "other").touch()
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_half_precision_on_disk_is_float32_again_when_loaded(tmp_path):
    ours = fresh("ElectraForPreTraining")
    ours.save_pretrained(tmp_path, dtype=torch.float16)
    assert {t.dtype for t in load_file(tmp_path / "model.safetensors").values()} == {torch.float16}
    again = ElectraForPreTraining.from_pretrained(tmp_path)
    assert again.dtype == torch.float32
    with torch.no_grad():
        torch.testing.assert_close(again(IDS).logits, ours(IDS).logits, rtol=1e-2, atol=1e-2)


def test_the_bare_model_loads_from_a_discriminator_and_back(tmp_path):
    discriminator = fresh("ElectraForPreTraining")
    discriminator.save_pretrained(tmp_path / "full")
    bare = ElectraModel.from_pretrained(tmp_path / "full")
    torch.testing.assert_close(
        bare(IDS).last_hidden_state, discriminator.electra(IDS).last_hidden_state
    )
    bare.save_pretrained(tmp_path / "bare")
    with pytest.warns(UserWarning, match="no head for ElectraForPreTraining; head.dense.weight"):
        again = ElectraForPreTraining.from_pretrained(tmp_path / "bare")
    torch.testing.assert_close(again.electra(IDS).last_hidden_state, bare(IDS).last_hidden_state)


def test_a_discriminator_loaded_as_generator_says_what_that_means(tmp_path):
    fresh("ElectraForPreTraining").save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="never learned to fill in words"):
        ElectraForMaskedLM.from_pretrained(tmp_path)


@pytest.mark.parametrize("head", HEAD_NAMES)
def test_the_table_of_names_maps_every_parameter_there_and_back(head):
    names = [name for name, _ in fresh(head).named_parameters()]
    theirs = [to_hugging_face(name, head) for name in names]
    assert len(set(theirs)) == len(names)
    assert [from_hugging_face(name, head) for name in theirs] == names
    reference = getattr(transformers, head)(transformers.ElectraConfig(num_hidden_layers=2))
    missing = {name for name, _ in reference.named_parameters()} - set(theirs)
    assert missing <= {"generator_lm_head.weight"}


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(FileNotFoundError, match="no checkpoint 'maxi'.*bundled ones"):
        ElectraModel.from_pretrained("maxi")


def test_a_folder_without_weights_says_what_it_holds(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG.to_dict()))
    with pytest.raises(FileNotFoundError, match="no model.safetensors; it holds config.json"):
        ElectraModel.from_pretrained(tmp_path)


def test_a_broken_configuration_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="config.json is not valid JSON"):
        ElectraModel.from_pretrained(tmp_path)


def test_damaged_weights_are_named(tmp_path):
    fresh("ElectraModel").save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match="model.safetensors is damaged"):
        ElectraModel.from_pretrained(tmp_path)


def test_a_checkpoint_of_another_shape_names_parameter_and_both_shapes(tmp_path):
    fresh("ElectraModel").save_pretrained(tmp_path)
    message = (
        r"embeddings.word.weight is \(60, 64\) in the file and \(61, 64\) by the configuration"
    )
    with pytest.raises(ValueError, match=message):
        ElectraModel.from_pretrained(tmp_path, vocab_size=61)


def test_a_checkpoint_with_more_or_fewer_layers_than_it_says_is_refused(tmp_path):
    fresh("ElectraModel").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"no place for: encoder.layers.1\."):
        ElectraModel.from_pretrained(tmp_path, num_hidden_layers=1)
    with pytest.raises(ValueError, match=r"not complete: it lacks encoder.layers.2"):
        ElectraModel.from_pretrained(tmp_path, num_hidden_layers=3)


def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path, monkeypatch):
    first = fresh("ElectraForPreTraining")
    first.save_pretrained(tmp_path / "model")
    before = {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir()}

    def full_disk(weights, path, metadata):
        save_file(dict(list(weights.items())[:1]), path)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "save_file", full_disk)
    second = ElectraForPreTraining(CONFIG)
    with pytest.raises(OSError, match="No space left on device. What was there before is whole"):
        second.save_pretrained(tmp_path / "model")
    assert {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="Could not write .*file/model.*Nothing was left behind"):
        fresh("ElectraModel").save_pretrained(tmp_path / "file" / "model")
