"""The formula for a step's operations against PyTorch's own counter, which watches every product."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from electra_lab.bench.pretraining import batch_of
from electra_lab.model.config import ElectraConfig
from electra_lab.model.pretrained import PreTrainedModel
from electra_lab.training.costs import (
    encoder_operations,
    masked_lm_head_operations,
    step_operations,
    total,
)
from electra_lab.training.objectives import OBJECTIVES, make_objective

SIZES = st.fixed_dictionaries(
    {
        "vocab_size": st.integers(110, 200),
        "embedding_size": st.sampled_from([8, 16, 24]),
        "hidden_size": st.sampled_from([16, 32]),
        "num_hidden_layers": st.integers(1, 3),
        "num_attention_heads": st.sampled_from([1, 2]),
        "intermediate_size": st.sampled_from([16, 40]),
    }
)


def _counted(objective, batch):
    for module in objective.modules():
        if isinstance(module, PreTrainedModel):
            module.set_attn_implementation("eager")  # the CPU's fused kernel is not counted
    with FlopCounterMode(display=False) as counter:
        objective(batch).loss.backward()
    return counter.get_total_flops()


@pytest.mark.parametrize("name", OBJECTIVES)
@settings(max_examples=5, deadline=None)
@given(sizes=SIZES, fraction=st.sampled_from([0.25, 0.5]), rows=st.integers(1, 4))
def test_the_formula_gives_what_the_counter_counts(name, sizes, fraction, rows):
    config = ElectraConfig(**sizes)
    generator_config = config.for_generator(fraction)
    batch = batch_of(rows, 20, config.vocab_size)
    operations = step_operations(
        name, config, generator_config, rows=rows, length=20, selected=len(batch.positions)
    )
    torch.manual_seed(0)
    objective = make_objective(name, config, generator_config)
    assert total(operations) == _counted(objective, batch)
    assert ("generator" in operations) == (name != "mlm")


def test_a_step_that_computes_its_activations_twice_is_counted_once():
    """Wide feed-forward blocks are computed again on the way back, but not their products."""
    config = ElectraConfig(
        vocab_size=120,
        embedding_size=8,
        hidden_size=8,
        num_hidden_layers=1,
        intermediate_size=20_000,
    )
    generator_config = config.for_generator(1.0)
    batch = batch_of(2, 40, config.vocab_size)
    operations = step_operations(
        "electra", config, generator_config, rows=2, length=40, selected=len(batch.positions)
    )
    assert total(operations) == _counted(make_objective("electra", config, generator_config), batch)


def test_only_the_products_of_attention_grow_with_the_square_of_the_length():
    config = ElectraConfig.from_preset("small")
    short, long = (encoder_operations(config, 1, length) for length in (64, 256))
    growth = {part: long[part] / short[part] for part in short}
    assert growth == {
        "projection": 4,
        "attention, linear": 4,
        "attention, products": 16,
        "feed-forward": 4,
    }


def test_the_vocabulary_at_every_position_would_cost_more_than_the_rest_of_the_generator():
    """The reason for computing it at the selected positions only."""
    generator = ElectraConfig.from_preset("small").for_generator()
    rest = sum(encoder_operations(generator, 32, 128).values())
    assert masked_lm_head_operations(generator, 32 * 128) > 4 * rest
    assert masked_lm_head_operations(generator, 32 * 19) < rest


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objective": "gpt"}, "no objective 'gpt'"),
        ({"selected": 41}, "selected is 41.*40 positions"),
    ],
)
def test_what_cannot_be_is_refused(changes, said):
    config = ElectraConfig.from_preset("micro")
    wanted = {"objective": "electra", "rows": 2, "length": 20, "selected": 6, **changes}
    with pytest.raises(ValueError, match=said):
        step_operations(wanted.pop("objective"), config, config.for_generator(0.5), **wanted)
