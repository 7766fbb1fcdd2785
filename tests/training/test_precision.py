"""A step in bfloat16, and a compiled one."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from electra_lab.model import attention
from electra_lab.model.attention import fused_attention
from electra_lab.model.config import ElectraConfig
from electra_lab.model.electra import ElectraModel
from electra_lab.training import optimization
from electra_lab.training.objectives import OBJECTIVES, MaskedBatch, make_objective
from electra_lab.training.optimization import orthogonalised
from electra_lab.training.precision import autocast
from electra_lab.training.pretraining import pretrain
from electra_lab.training.recipe import Recipe

TINY = Recipe(
    name="tiny",
    sentences=300,
    vocabulary_size=300,
    embedding_size=16,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    generator_fraction=0.5,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    initializer_range=0.1,
    batch_size=16,
    steps=12,
    warmup_steps=2,
    learning_rate=5e-3,
    log_every=1,
    objective="mlm",  # draws nothing from what it computes, so that two runs see the same text
)


def curve(recipe):
    result = pretrain(recipe, progress=False)
    return result, [row["loss"] for row in result.history]


def test_bfloat16_learns_the_same_and_keeps_weights_in_32_bits():
    _, expected = curve(replace(TINY, precision="float32"))
    rounded, found = curve(replace(TINY, precision="bfloat16"))
    assert found == pytest.approx(expected, rel=0.02)
    assert found != expected
    assert {p.dtype for p in rounded.objective.parameters()} == {torch.float32}
    assert expected[-1] < expected[0] - 0.3


def test_muons_products_are_in_16_bits_too_and_its_steps_point_the_same_way(monkeypatch):
    steps = []

    def watched(matrix):
        steps.append((matrix.clone(), orthogonalised(matrix)))
        return steps[-1][1]

    monkeypatch.setattr(optimization, "orthogonalised", watched)
    recipe = replace(TINY, muon_learning_rate=2e-3)
    _, expected = curve(replace(recipe, precision="float32"))
    assert {step.dtype for _, step in steps} == {torch.float32}
    steps.clear()
    rounded, found = curve(replace(recipe, precision="bfloat16"))
    assert {step.dtype for _, step in steps} == {torch.bfloat16}
    for matrix, step in steps:
        both = torch.stack([step.float(), orthogonalised(matrix)]).flatten(1)
        assert torch.corrcoef(both)[0, 1] > 0.95
    assert {p.dtype for p in rounded.objective.parameters()} == {torch.float32}
    assert found == pytest.approx(expected, rel=0.02)


def test_attention_in_16_bits_leaves_the_processors_kernel_where_gradients_are_wanted(monkeypatch):
    """There its way back is slow; what is computed is the same, and predicting still takes it."""
    torch.manual_seed(0)
    model = ElectraModel(ElectraConfig.from_preset("micro", vocab_size=60, hidden_dropout_prob=0.0,
                                                   attention_probs_dropout_prob=0.0))  # fmt: skip
    ids = torch.randint(5, 60, (4, 12))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    taken = []

    def watched(*arguments):
        taken.append(arguments[0].dtype)
        return fused_attention(*arguments)

    monkeypatch.setattr(attention, "fused_attention", watched)
    gradients = {}
    for precision in ("float32", "bfloat16"):
        model.zero_grad()
        with autocast(precision, "cpu"):
            states = model(ids, attention_mask=mask).last_hidden_state
        states[mask.bool()].float().square()[:, :7].sum().backward()
        gradients[precision] = torch.cat([p.grad.flatten() for p in model.parameters()])
    assert taken == [torch.float32] * len(model.encoder.layers)
    difference = gradients["bfloat16"] - gradients["float32"]
    assert difference.norm() < 0.05 * gradients["float32"].norm()
    taken.clear()
    with torch.no_grad(), autocast("bfloat16", "cpu"):
        model(ids, attention_mask=mask)
    assert taken == [torch.bfloat16] * len(model.encoder.layers)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_can_be_computed_in_bfloat16(name):
    torch.manual_seed(0)
    config = ElectraConfig.from_preset("micro", vocab_size=60)
    objective = make_objective(name, config, config.for_generator(0.5))
    ids = torch.randint(5, 60, (4, 12))
    positions = torch.arange(1, 48, 5)
    masked = ids.flatten().index_fill(0, positions, 4).view_as(ids)
    batch = MaskedBatch(ids, masked, positions)
    losses = {}
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(1)
        objective.eval()
        with autocast(precision, "cpu"):
            losses[precision] = objective(batch).loss
    losses["bfloat16"].backward()
    # another sample may be drawn where two are almost as likely
    assert losses["bfloat16"].item() == pytest.approx(losses["float32"].item(), rel=0.1)
    assert all(torch.isfinite(p.grad).all() for p in objective.parameters() if p.grad is not None)


def test_auto_is_float32_on_a_processor():
    with autocast("auto", "cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32
    with autocast("bfloat16", "cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.bfloat16


def test_another_precision_is_refused_before_anything_is_done():
    with pytest.raises(ValueError, match="float16"):
        Recipe(precision="float16")
    with pytest.raises(ValueError, match="float16"):
        autocast("float16", "cpu")


PROGRAM = """
import json, sys
from electra_lab.training.pretraining import pretrain
from electra_lab.training.recipe import Recipe
told = {}
for compiler in ("", "aot_eager"):
    recipe = Recipe.from_dict({**json.loads(sys.argv[1]), "steps": 4, "compiler": compiler})
    result = pretrain(recipe, progress=False)
    told[compiler] = [row["loss"] for row in result.history], list(result.objective.state_dict())
print(json.dumps(told))
"""


def test_a_compiled_step_learns_the_same_under_the_same_names():
    """Captured, and run by PyTorch's own kernels: what is tested is that nothing in the step stands in
    the compiler's way or changes when it is captured. In a process of its own, because the checks of
    shapes that the tests run with cannot be captured."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(TINY.to_dict())],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    (expected, names), (found, compiled_names) = told[""], told["aot_eager"]
    assert found == pytest.approx(expected, rel=1e-3)
    assert compiled_names == names


def test_a_compiler_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="no compiler 'gcc'"):
        pretrain(replace(TINY, compiler="gcc"), progress=False)
