"""Changes to a pair before its training goes on."""

from dataclasses import replace

import pytest
import torch
import transformers
from safetensors.torch import save_file

from electra_lab import Pair, load_pair
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.training.continuing import (
    CORRECTION_HEAD_FILE,
    deepened,
    pair_to_go_on_with,
    soften_attention,
)
from electra_lab.training.objectives import make_objective
from electra_lab.training.pretraining import pretrain
from electra_lab.training.recipe import Recipe
from tests.training.tiny import TINY

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]


def saved_pair(folder, **sizes) -> Pair:
    """A small pair with LayerNorms that are not the usual ones."""
    recipe = replace(TINY, num_hidden_layers=2, **sizes)
    torch.manual_seed(0)
    config = recipe.config(len(VOCABULARY))
    objective = make_objective("electra", config, recipe.generator_config(config))
    for layer in objective.model.electra.encoder.layers:
        layer.feed_forward_norm.weight.data.uniform_(0.5, 1.5)
        layer.feed_forward_norm.bias.data.normal_(0.3, 0.2)
    Pair(objective.generator, objective.model, ElectraTokenizerFast(vocab=VOCABULARY)).save(folder)
    return load_pair(folder)


@pytest.fixture
def ids():
    return torch.randint(4, 7, (3, 16), generator=torch.Generator().manual_seed(0))


def test_softening_makes_scores_smaller_by_the_square_and_only_where_it_should(tmp_path, ids):
    """Sharp attention of a first layer comes back to what a softmax of softer scores gives; the layers
    above, the generator, and all but queries and keys stay."""
    pair = saved_pair(tmp_path / "pair")
    for layer in pair.discriminator.electra.encoder.layers:
        layer.attention.query.weight.data.mul_(100)
    pair.save(tmp_path / "sharp")
    before = load_pair(tmp_path / "sharp")
    after = pair_to_go_on_with(
        Recipe(continue_from=str(tmp_path / "sharp"), soften_layers=1, soften_factor=0.2)
    )
    sharp, soft = (
        pair.discriminator.electra(ids, output_attentions=True).attentions[0].detach()
        for pair in (before, after)
    )
    expected = sharp.double().log().mul(0.2**2).softmax(-1)
    torch.testing.assert_close(soft.double(), expected, atol=1e-5, rtol=1e-4)
    changed = {
        name
        for name, value in after.discriminator.state_dict().items()
        if not torch.equal(value, before.discriminator.state_dict()[name])
    }
    assert changed == {
        f"electra.encoder.layers.0.attention.{part}.weight" for part in ("query", "key")
    }
    for name, value in after.generator.state_dict().items():
        assert torch.equal(value, before.generator.state_dict()[name]), name


def test_added_layers_keep_what_was_there_and_hardly_change_what_comes_out(tmp_path, ids):
    """Weights below are the same; the last state, from wide layers, is what it was to a few hundredths,
    where layers drawn the usual way change it altogether."""
    old = saved_pair(tmp_path, embedding_size=256, hidden_size=256).discriminator
    new = deepened(old, 2)
    assert new.config.num_hidden_layers == len(new.electra.encoder.layers) == 4
    for name, value in old.state_dict().items():
        assert torch.equal(value, new.state_dict()[name]), name
    before, after = (m.electra(ids).last_hidden_state.detach() for m in (old, new))
    assert (after - before).square().mean() < 0.05**2 * before.square().mean()
    for layer in new.electra.encoder.layers[2:]:
        layer.attention.output.weight.data.normal_(std=256**-0.5)
        layer.feed_forward.contract.weight.data.normal_(std=1024**-0.5)
    changed = new.electra(ids).last_hidden_state.detach()
    assert (changed - before).square().mean() > 0.2**2 * before.square().mean()


def test_added_layers_learn_and_their_attention_is_soft(tmp_path, ids):
    pair = saved_pair(tmp_path, embedding_size=64, hidden_size=64)
    new = deepened(pair.discriminator, 1, seed=1)
    weights = new.electra(ids, output_attentions=True).attentions[2]
    assert weights.max() < 0.7
    new(ids, labels=torch.ones_like(ids).float()).loss.backward()
    block = new.electra.encoder.layers[2]
    # what multiplies zero gets its gradient a step later
    assert block.feed_forward.contract.weight.grad.abs().max() > 0
    assert block.attention.output.weight.grad.abs().max() > 0
    other = deepened(pair.discriminator, 1, seed=2).electra.encoder.layers[2]
    assert not torch.equal(other.attention.query.weight, block.attention.query.weight)
    again = deepened(pair.discriminator, 1, seed=1).electra.encoder.layers[2]
    assert torch.equal(again.attention.query.weight, block.attention.query.weight)


def test_a_run_adds_layers_says_so_resumes_and_transformers_reads_it(tmp_path, ids):
    recipe = replace(TINY, continue_from="micro", added_layers=1)
    result = pretrain(recipe, tmp_path / "run", progress=False, stop_after=6)
    result = pretrain(recipe, tmp_path / "run", progress=False, resume=True)
    assert result.recipe.num_hidden_layers == 3
    assert result.pair.generator.config.num_hidden_layers == 2
    assert (
        result.pair.generator.electra.embeddings.word
        is result.objective.model.electra.embeddings.word
    )
    theirs = transformers.ElectraForPreTraining.from_pretrained(tmp_path / "run" / "discriminator")
    ours = load_pair(tmp_path / "run").discriminator
    assert ours.config.num_hidden_layers == 3
    with torch.no_grad():
        torch.testing.assert_close(
            theirs.eval()(ids).logits, ours(ids).logits, atol=1e-5, rtol=1e-4
        )


def test_a_run_goes_on_with_the_head_that_names_the_originals(tmp_path):
    """What the first run's head had learned is there at the next one's first step, and is not where the
    file is taken away or the head is not wanted."""
    recipe = replace(TINY, correction_weight=5.0, steps=60, learning_rate=5e-3)
    first = pretrain(recipe, tmp_path / "first", progress=False)
    file = tmp_path / "first" / CORRECTION_HEAD_FILE
    onwards = replace(
        recipe, continue_from=str(tmp_path / "first"), steps=4, learning_rate=1e-6, log_every=1
    )
    kept = pretrain(onwards, tmp_path / "kept", progress=False)
    for name, value in first.objective.correction_head.state_dict().items():
        torch.testing.assert_close(
            kept.objective.correction_head.state_dict()[name], value, atol=1e-4, rtol=0
        )
    file.rename(tmp_path / "aside")
    fresh = pretrain(onwards, tmp_path / "fresh", progress=False)
    assert fresh.history[0]["correction_loss"] > kept.history[0]["correction_loss"]
    plain = pretrain(replace(onwards, correction_weight=0.0), tmp_path / "plain", progress=False)
    assert "correction_loss" not in plain.history[0]
    assert not (tmp_path / "plain" / CORRECTION_HEAD_FILE).exists()
    save_file({"bias": torch.zeros(3)}, file)
    with pytest.raises(ValueError, match="does not fit the discriminator beside it"):
        pretrain(onwards, tmp_path / "wrong", progress=False)


def test_changes_need_a_pair_and_as_many_layers_as_it_has(tmp_path):
    for name in ("soften_layers", "added_layers"):
        with pytest.raises(ValueError, match=f"{name} is 1, but the run starts from random"):
            pretrain(replace(TINY, **{name: 1}), progress=False)
        with pytest.raises(ValueError, match=f"{name} is -1"):
            Recipe(**{name: -1})
    pair = load_pair("micro")
    layers = len(pair.discriminator.electra.encoder.layers)
    with pytest.raises(ValueError, match=f"{layers + 1} layers are to be softened"):
        soften_attention(pair.discriminator.electra, layers + 1, 0.3)
    with pytest.raises(ValueError, match=r"soften_factor is 0\.0"):
        Recipe(soften_factor=0.0)
