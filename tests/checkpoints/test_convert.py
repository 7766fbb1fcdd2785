"""`electra-lab convert` on a checkpoint that TensorFlow wrote, against what TensorFlow computed."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file
from typer.testing import CliRunner

import electra_lab
from electra_lab import ElectraConfig, convert
from electra_lab.checkpoints.tensor_bundle import TensorBundle
from electra_lab.cli import app

from .bundle_writer import write_bundle

ORIGINAL = Path(__file__).parent / "fixtures" / "tensorflow" / "original"
EXPECTED = load_file(ORIGINAL / "expected.safetensors")
INPUTS = {name: EXPECTED[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
CLASSES = {"discriminator": "ElectraForPreTraining", "generator": "ElectraForMaskedLM"}
SIZES = {
    "discriminator": dict(hidden_size=64, intermediate_size=32),
    "generator": dict(hidden_size=16, intermediate_size=64),
}


def config_of(part, heads=1):
    return ElectraConfig(
        vocab_size=40,
        embedding_size=32,
        num_hidden_layers=2,
        num_attention_heads=heads,
        max_position_embeddings=24,
        **SIZES[part],
    )


def run(*arguments):
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


def assert_equal_logits(model, expected):
    """Equal where there is text; what stands over padding means nothing."""
    with torch.no_grad():
        logits = model(**INPUTS).logits
    seen = INPUTS["attention_mask"].bool()
    assert expected[seen].std() > 0.1
    torch.testing.assert_close(logits[seen], expected[seen], rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def variables():
    """The parameters in the fixture, by TensorFlow's names, to be changed and written again."""
    bundle = TensorBundle(ORIGINAL / "model.ckpt-3")
    return {name: bundle.read(name) for name in bundle.variables if "/adam_" not in name}


@pytest.mark.parametrize("part", CLASSES)
def test_both_parts_give_tensorflows_logits_here_and_in_transformers(part, tmp_path):
    result = run(ORIGINAL, tmp_path / "new", "--part", part)
    assert result.exit_code == 0, result.stderr
    ours = getattr(electra_lab, CLASSES[part]).from_pretrained(tmp_path / "new")
    assert_equal_logits(ours, EXPECTED[part])
    theirs, report = getattr(transformers, CLASSES[part]).from_pretrained(
        tmp_path / "new", output_loading_info=True
    )
    assert {key: list(value) for key, value in report.items() if value} == {}
    assert_equal_logits(theirs.eval(), EXPECTED[part])
    extra = {"architectures": [CLASSES[part]], "dtype": "float32"}
    assert ours.config == replace(config_of(part), extra=extra)


def test_a_configuration_says_how_many_heads_there_are(tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_of("discriminator", heads=4).to_dict()))
    result = run(ORIGINAL, tmp_path / "new", "--part", "discriminator", "--config", config)
    assert result.exit_code == 0, result.stderr
    assert "attention heads" not in result.stdout
    model = electra_lab.ElectraForPreTraining.from_pretrained(tmp_path / "new")
    assert_equal_logits(model, EXPECTED["discriminator_4_heads"])
    difference = EXPECTED["discriminator_4_heads"] - EXPECTED["discriminator"]
    assert difference.abs().max() > 0.1


def test_without_a_configuration_the_assumed_heads_and_what_was_left_out_are_said(tmp_path):
    said = run(ORIGINAL / "model.ckpt-3", tmp_path / "new", "--part", "generator").stdout
    assert "do not show the number of attention heads: 1 of size 16 is assumed" in said
    assert "discriminator_predictions (4), electra (34), and 165 variables of training" in said
    assert f"Tokenizer made from {ORIGINAL / 'vocab.txt'} (text is lower-cased)" in said


@pytest.mark.parametrize("width", [64, 256, 768])
def test_heads_are_those_of_the_released_models(width, tmp_path):
    """small is 256 wide and has 4 heads, base 768 and 12 (paper, appendix A)."""
    named = {
        "electra/embeddings/word_embeddings": (9, 8),
        "electra/embeddings/position_embeddings": (7, 8),
        "electra/embeddings/token_type_embeddings": (2, 8),
        "electra/embeddings_project/kernel": (8, width),
        "electra/embeddings_project/bias": (width,),
        "discriminator_predictions/dense/kernel": (width, width),
        "discriminator_predictions/dense_1/kernel": (width, 1),
        "discriminator_predictions/dense_1/bias": (1,),
    }
    square = ("attention/self/query", "attention/self/key", "attention/self/value")
    for module in (*square, "attention/output/dense"):
        named[f"electra/encoder/layer_0/{module}/kernel"] = (width, width)
        named[f"electra/encoder/layer_0/{module}/bias"] = (width,)
    named["electra/encoder/layer_0/intermediate/dense/kernel"] = (width, 5)
    named["electra/encoder/layer_0/intermediate/dense/bias"] = (5,)
    named["electra/encoder/layer_0/output/dense/kernel"] = (5, width)
    for module in ("electra/encoder/layer_0/output/dense", "discriminator_predictions/dense"):
        named[f"{module}/bias"] = (width,)
    norms = ("attention/output/LayerNorm", "output/LayerNorm")
    for module in (*(f"encoder/layer_0/{norm}" for norm in norms), "embeddings/LayerNorm"):
        size = 8 if module.startswith("emb") else width
        named[f"electra/{module}/gamma"] = named[f"electra/{module}/beta"] = (size,)
    write_bundle(
        tmp_path / "old" / "m", {name: torch.zeros(shape) for name, shape in named.items()}
    )
    convert(tmp_path / "old", tmp_path / "new", "discriminator")
    config = ElectraConfig.from_pretrained(tmp_path / "new")
    assert (config.num_attention_heads, config.hidden_size) == (width // 64, width)
    assert (config.num_hidden_layers, config.intermediate_size) == (1, 5)
    assert (config.vocab_size, config.max_position_embeddings) == (9, 7)


def test_the_tokenizer_goes_with_the_model(tmp_path):
    convert(ORIGINAL, tmp_path / "new", "discriminator")
    ours = electra_lab.ElectraTokenizerFast.from_pretrained(tmp_path / "new")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "new")
    for text in ("A b1c Z?", "c2 [MASK] é"):
        assert ours(text)["input_ids"] == theirs(text)["input_ids"]
    assert ours.tokenize("A b1") == ["a", "b", "##1"]


def test_a_vocabulary_is_taken_from_where_it_is_said_to_be(tmp_path):
    shutil.copytree(ORIGINAL, tmp_path / "old")
    pieces = (tmp_path / "old" / "vocab.txt").read_text()
    (tmp_path / "old" / "vocab.txt").unlink()
    result = convert(tmp_path / "old", tmp_path / "none", "generator")
    assert "No vocabulary was found" in str(result)
    assert not list((tmp_path / "none").glob("*token*"))
    cased = tmp_path / "cased.txt"
    cased.write_text(pieces.replace("\na\n", "\nA\n"))
    result = convert(tmp_path / "old", tmp_path / "new", "generator", vocab=cased)
    assert "has upper-case pieces: text is not lower-cased" in str(result)
    tokenizer = electra_lab.ElectraTokenizerFast.from_pretrained(tmp_path / "new")
    assert tokenizer.tokenize("A b") == ["A", "b"]
    cased.write_text(pieces + "more\n")
    with pytest.raises(ValueError, match=r"has 41 pieces, but the word table has 40 rows"):
        convert(tmp_path / "old", tmp_path / "other", "generator", vocab=cased)
    with pytest.raises(FileNotFoundError, match="There is no vocabulary .*gone.txt"):
        convert(tmp_path / "old", tmp_path / "other", "generator", vocab=tmp_path / "gone.txt")
    assert not (tmp_path / "other").exists()


def test_a_whole_tokenizer_beside_the_checkpoint_keeps_its_settings(tmp_path):
    shutil.copytree(ORIGINAL, tmp_path / "old")
    tokenizer = electra_lab.ElectraTokenizerFast(ORIGINAL / "vocab.txt", do_lower_case=False)
    tokenizer.save_pretrained(tmp_path / "old")
    convert(tmp_path / "old", tmp_path / "new", "generator")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "new" / file).read_bytes() == (tmp_path / "old" / file).read_bytes()
    (tmp_path / "old" / "vocab.txt").unlink()
    (tmp_path / "old" / "tokenizer_config.json").unlink()
    convert(tmp_path / "old", tmp_path / "json", "generator")
    assert (tmp_path / "json" / "tokenizer.json").is_file()
    assert not (tmp_path / "json" / "vocab.txt").exists()


def test_a_generator_that_is_the_discriminators_encoder_is_found(variables, tmp_path):
    """As the authors' untied_generator=False and electra_objective=False leave it."""
    one = {name: v for name, v in variables.items() if not name.startswith("generator/")}
    one["generator_predictions/dense/kernel"] = torch.randn(64, 32)
    write_bundle(tmp_path / "old" / "m", one)
    convert(tmp_path / "old", tmp_path / "g", "generator")
    convert(tmp_path / "old", tmp_path / "d", "discriminator")
    generator = electra_lab.ElectraForMaskedLM.from_pretrained(tmp_path / "g")
    discriminator = electra_lab.ElectraForPreTraining.from_pretrained(tmp_path / "d")
    theirs = discriminator.electra.state_dict()
    for name, tensor in generator.electra.state_dict().items():
        assert torch.equal(tensor, theirs[name]), name


def test_a_generator_with_embeddings_of_its_own_keeps_them(variables, tmp_path):
    """As the authors' untied_generator_embeddings=True leaves it."""
    own = {
        name.replace("electra/", "generator/"): torch.randn_like(v)
        for name, v in variables.items()
        if name.startswith("electra/embeddings/")
    }
    write_bundle(tmp_path / "old" / "m", {**variables, **own})
    convert(tmp_path / "old", tmp_path / "g", "generator")
    generator = electra_lab.ElectraForMaskedLM.from_pretrained(tmp_path / "g")
    expected = own["generator/embeddings/word_embeddings"]
    assert torch.equal(generator.electra.embeddings.word.weight, expected)
    convert(tmp_path / "old", tmp_path / "d", "discriminator")
    discriminator = electra_lab.ElectraForPreTraining.from_pretrained(tmp_path / "d")
    expected = variables["electra/embeddings/word_embeddings"]
    assert torch.equal(discriminator.electra.embeddings.word.weight, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"discriminator_predictions/dense_1/bias": None},
            "no complete ElectraForPreTraining: it lacks head.score.bias",
        ),
        (
            {"electra/encoder/layer_1/attention/self/key/kernel": None},
            "lacks electra.encoder.layers.1.attention.key.weight",
        ),
        (
            {"electra/encoder/layer_0/intermediate/dense/kernel": None},
            "lacks the matrix that is called electra.encoder.layer.0.intermediate.dense.weight",
        ),
        (
            {"electra/embeddings/word_embeddings": torch.zeros(40)},
            "lacks the matrix that is called electra.embeddings.word_embeddings.weight",
        ),
        (
            {"electra/encoder/layer_1/output/dense/kernel": torch.zeros(33, 64)},
            r"contract.weight is \(64, 33\) in the file and \(64, 32\) by the configuration",
        ),
        (
            {"electra/encoder/layer_7/output/dense/bias": torch.zeros(64)},
            "no place for: electra.encoder.layers.7.feed_forward.contract.bias",
        ),
        (
            {
                "discriminator_predictions/dense/kernel": None,
                "discriminator_predictions/dense/bias": None,
                "discriminator_predictions/dense_1/kernel": None,
                "discriminator_predictions/dense_1/bias": None,
            },
            "It has no discriminator: --part generator",
        ),
    ],
)
def test_what_is_missing_left_over_or_misshapen_is_named(change, message, variables, tmp_path):
    changed = {**variables, **change}
    write_bundle(tmp_path / "old" / "m", {n: v for n, v in changed.items() if v is not None})
    with pytest.raises(ValueError, match=message):
        convert(tmp_path / "old", tmp_path / "new", "discriminator")
    assert not (tmp_path / "new").exists()


def test_variables_that_no_part_has_are_left_out_and_counted(variables, tmp_path):
    more = {"task_specific/cola/dense/bias": torch.zeros(2), "electra/pooler/bias": torch.zeros(2)}
    more["discriminator_predictions/scale"] = torch.zeros(1)
    write_bundle(tmp_path / "old" / "m", {**variables, **more})
    said = str(convert(tmp_path / "old", tmp_path / "new", "discriminator"))
    assert re.search(r"discriminator_predictions \(1\), electra \(1\), .*task_specific \(1\)", said)


def test_a_fine_tuned_checkpoint_says_what_it_holds(variables, tmp_path):
    tuned = {name: v for name, v in variables.items() if name.startswith("electra/")}
    write_bundle(tmp_path / "old" / "m", {**tuned, "task_specific/a/bias": torch.zeros(2)})
    with pytest.raises(
        ValueError, match=r"electra \(39\), task_specific \(1\).*neither part's head"
    ):
        convert(tmp_path / "old", tmp_path / "new", "generator")


@pytest.mark.parametrize("width", [32, 100, 144])
def test_a_width_that_heads_of_64_cannot_share_asks_for_a_configuration(width, variables, tmp_path):
    """144 is that of the authors' debug mode, with 4 heads: it cannot be told."""
    intermediate = "electra/encoder/layer_0/intermediate/dense/kernel"
    write_bundle(tmp_path / "old" / "m", {**variables, intermediate: torch.zeros(width, 32)})
    with pytest.raises(ValueError, match=f"size of {width}, which heads of .*give --config"):
        convert(tmp_path / "old", tmp_path / "new", "discriminator")


def test_a_configuration_of_another_model_is_refused_by_its_shapes(tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_of("discriminator").to_dict()))
    result = run(ORIGINAL, tmp_path / "new", "--part", "generator", "--config", config)
    assert result.exit_code == 2
    assert "has another shape than its configuration says" in result.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gone", "new"), "There is no checkpoint gone. Expected an original TensorFlow"),
        (("empty", "new"), "There is no checkpoint in empty; it holds nothing. Expected"),
        (("file.txt", "new"), "file.txt is a file, and no index of a TensorFlow checkpoint"),
        (("ORIGINAL", "new"), "Say which part to convert: --part discriminator or --part gen"),
        (("ORIGINAL", "new", "--part", "both"), "part is 'both'; expected discriminator or"),
        (("ORIGINAL", "full", "--part", "generator"), "full is there already and is not an"),
        (("ORIGINAL", "file.txt", "--part", "generator"), "file.txt is there already"),
        (
            ("ORIGINAL", "new", "--part", "generator", "--config", "gone"),
            "There is no configuration gone",
        ),
        (
            ("ORIGINAL", "new", "--part", "generator", "--config", "file.txt"),
            "file.txt is not valid JSON",
        ),
        (("half", "new", "--part", "generator"), "is cut off: "),
    ],
)
def test_bad_input_is_one_message_and_leaves_everything_as_it_was(
    arguments, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "full"):
        Path(folder).mkdir()
    Path("full", "mine").write_text("mine")
    Path("file.txt").write_text("mine")
    shutil.copytree(ORIGINAL, "half")
    data = Path("half", "model.ckpt-3.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    before = sorted(Path().rglob("*"))
    result = run(*(ORIGINAL if word == "ORIGINAL" else word for word in arguments))
    assert result.exit_code == 2
    assert result.stderr.startswith("electra-lab: ")
    assert message in result.stderr
    assert sorted(Path().rglob("*")) == before
    assert Path("full", "mine").read_text() == Path("file.txt").read_text() == "mine"


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    from electra_lab.checkpoints import convert as module

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write_tokenizer", full)
    with pytest.raises(OSError, match="Nothing was left behind"):
        convert(ORIGINAL, tmp_path / "new", "generator")
    assert list(tmp_path.iterdir()) == []
