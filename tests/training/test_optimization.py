"""Groups, schedules, and Adam as the authors have it against that written out."""

import pytest
import torch
from torch import nn

from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForPreTraining
from electra_lab.training.objectives import OBJECTIVES, make_objective
from electra_lab.training.optimization import (
    check_groups,
    decay_groups,
    linear_schedule,
    make_optimizer,
    orthogonalised,
)

CONFIG = ElectraConfig.from_preset("micro", vocab_size=30)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_norms_and_biases_are_not_decayed_and_all_else_is(name):
    objective = make_objective(name, CONFIG, CONFIG.for_generator(0.5))
    decayed, undecayed = decay_groups(objective, 0.01)
    assert (decayed["weight_decay"], undecayed["weight_decay"]) == (0.01, 0.0)
    names = {id(p): n for n, p in objective.named_parameters()}
    for parameter in decayed["params"]:
        assert names[id(parameter)].endswith("weight")
        assert parameter.dim() == 2
    for parameter in undecayed["params"]:
        assert "norm" in names[id(parameter)] or names[id(parameter)].endswith("bias")
        assert parameter.dim() == 1
    tables = {n for i, n in names.items() if "embeddings" in n and "norm" not in n}
    assert tables <= {names[id(p)] for p in decayed["params"]}
    together = decayed["params"] + undecayed["params"]
    assert len({id(p) for p in together}) == len(together) == len(list(objective.parameters()))


def test_a_parameter_in_no_group_or_in_two_is_named():
    module = nn.Linear(2, 2)
    with pytest.raises(AssertionError, match="'bias': 0"):
        check_groups(module, [{"params": [module.weight]}])
    with pytest.raises(AssertionError, match="'weight': 2"):
        check_groups(module, [{"params": [module.weight, module.bias, module.weight]}])


def test_a_frozen_parameter_is_left_out():
    module = nn.Linear(2, 2)
    module.weight.requires_grad_(False)
    (group,) = decay_groups(module)
    assert [id(p) for p in group["params"]] == [id(module.bias)]


@pytest.mark.parametrize("faithful", [False, True])
def test_the_optimiser_is_adam_with_decoupled_decay_written_out(faithful):
    """Reference: m and v from zero, bias correction or none, update + decay * weight."""
    torch.manual_seed(0)
    module = nn.Linear(4, 3).double()
    learning_rates = [0.1, 0.05, 0.2, 0.1, 0.01]
    gradients = [
        {n: torch.randn_like(p) for n, p in module.named_parameters()} for _ in learning_rates
    ]
    beta1, beta2, eps, decay = 0.9, 0.999, 1e-6, 0.01
    expected = {}
    for name, parameter in module.named_parameters():
        weight = parameter.detach().clone()
        m, v = torch.zeros_like(weight), torch.zeros_like(weight)
        for step, (rate, gradient) in enumerate(zip(learning_rates, gradients, strict=True), 1):
            m = beta1 * m + (1 - beta1) * gradient[name]
            v = beta2 * v + (1 - beta2) * gradient[name] ** 2
            first, second = (1, 1) if faithful else (1 - beta1**step, 1 - beta2**step)
            update = (m / first) / ((v / second).sqrt() + eps)
            if name == "weight":
                update = update + decay * weight
            weight = weight - rate * update
        expected[name] = weight
    optimizer = make_optimizer(module, 1.0, faithful=faithful)
    for rate, gradient in zip(learning_rates, gradients, strict=True):
        for name, parameter in module.named_parameters():
            parameter.grad = gradient[name].clone()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    for name, parameter in module.named_parameters():
        torch.testing.assert_close(parameter.detach(), expected[name], rtol=1e-9, atol=1e-12)
    assert {group["lr"] for group in optimizer.param_groups} == {learning_rates[-1]}
    assert {group["eps"] for group in optimizer.param_groups} == {eps}


def test_the_authors_adam_takes_three_times_larger_steps_at_step_100():
    moved = {}
    for faithful in (False, True):
        weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        module = nn.Module()
        module.bias = weight
        optimizer = make_optimizer(module, 1.0, faithful=faithful)
        for _ in range(100):
            before = weight.item()
            weight.grad = torch.ones_like(weight)
            optimizer.step()
        moved[faithful] = abs(weight.item() - before)
    assert moved[True] / moved[False] == pytest.approx(3.2, abs=0.1)


def test_the_schedule_rises_to_the_peak_and_falls_to_just_above_zero():
    schedule = linear_schedule(100, 10)
    values = [schedule(step) for step in range(100)]
    assert values[0] == pytest.approx(0.1)
    assert values[9] == values[10] == 1.0
    assert values[55] == pytest.approx(0.5)
    assert values[99] == pytest.approx(1 / 90)
    assert values[:10] == sorted(values[:10])
    assert values[10:] == sorted(values[10:], reverse=True)


def test_the_authors_schedule_multiplies_decay_and_warm_up():
    schedule = linear_schedule(100, 10, faithful=True)
    for step in range(100):
        assert schedule(step) == pytest.approx((1 - step / 100) * min(1, step / 10))
    assert schedule(0) == 0.0
    assert max(schedule(step) for step in range(100)) == pytest.approx(0.9)


def test_without_warm_up_the_first_step_has_the_peak():
    assert linear_schedule(10)(0) == 1.0
    assert linear_schedule(10, faithful=True)(0) == 1.0


@pytest.mark.parametrize(("total", "warmup"), [(0, 0), (10, 11), (10, -1)])
def test_a_schedule_that_cannot_be_is_refused(total, warmup):
    with pytest.raises(ValueError, match="warmup_steps is"):
        linear_schedule(total, warmup)


def encoder_and_gradients(steps=4):
    torch.manual_seed(0)
    config = ElectraConfig(
        vocab_size=50,
        embedding_size=16,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
    )
    module = ElectraForPreTraining(config)
    gradients = [
        {n: torch.randn_like(p) for n, p in module.named_parameters()} for _ in range(steps)
    ]
    return module, gradients


def step_with(optimizer, module, gradients):
    for name, parameter in module.named_parameters():
        parameter.grad = gradients[name].clone()
    optimizer.step()


def test_a_matrix_comes_out_nearly_orthogonal_and_in_its_own_direction():
    torch.manual_seed(0)
    for shape in ((24, 60), (60, 24), (32, 32)):
        matrix = torch.randn(shape)
        result = orthogonalised(matrix)
        values = torch.linalg.svdvals(result)
        assert values.min().item() > 0.4
        assert values.max().item() < 1.3
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        exact = left @ right
        cosine = torch.cosine_similarity(result.flatten(), exact.flatten(), dim=0)
        assert cosine.item() > 0.9


def test_muon_takes_the_encoders_matrices_and_adam_the_rest():
    module, gradients = encoder_and_gradients()
    reference, _ = encoder_and_gradients()
    optimizer = make_optimizer(module, 0.01, muon_learning_rate=0.02)
    check_groups(module, optimizer.param_groups)
    adam = make_optimizer(reference, 0.01)
    for some in gradients:
        step_with(optimizer, module, some)
        step_with(adam, reference, some)
    theirs = dict(reference.named_parameters())
    for name, parameter in module.named_parameters():
        same = torch.equal(parameter, theirs[name])
        assert same is not ("encoder" in name and parameter.dim() == 2), name


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch has Muon from 2.9 on")
def test_muon_is_pytorchs_own_up_to_its_half_precision():
    module, gradients = encoder_and_gradients()
    reference, _ = encoder_and_gradients()
    before = {n: p.detach().clone() for n, p in module.named_parameters()}
    optimizer = make_optimizer(module, 0.01, muon_learning_rate=0.02, weight_decay=0.1)
    matrices = {n: p for n, p in reference.named_parameters() if "encoder" in n and p.dim() == 2}
    theirs = torch.optim.Muon(
        matrices.values(), lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"
    )
    for some in gradients:
        step_with(optimizer, module, some)
        step_with(theirs, reference, some)
    ours = dict(module.named_parameters())
    for name, expected in matrices.items():
        moved, wanted = ours[name] - before[name], expected - before[name]
        assert (moved - wanted).norm() < 0.05 * wanted.norm(), name


def test_muon_goes_on_exactly_where_its_state_was_saved(tmp_path):
    module, gradients = encoder_and_gradients()
    optimizer = make_optimizer(module, 0.01, muon_learning_rate=0.02)
    for some in gradients[:2]:
        step_with(optimizer, module, some)
    torch.save([module.state_dict(), optimizer.state_dict()], tmp_path / "state.pt")
    for some in gradients[2:]:
        step_with(optimizer, module, some)
    other, _ = encoder_and_gradients()
    resumed = make_optimizer(other, 0.01, muon_learning_rate=0.02)
    weights, state = torch.load(tmp_path / "state.pt", weights_only=True)
    other.load_state_dict(weights)
    resumed.load_state_dict(state)
    for some in gradients[2:]:
        step_with(resumed, other, some)
    for one, two in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_muon_and_the_authors_own_way_exclude_each_other():
    with pytest.raises(ValueError, match="faithful"):
        make_optimizer(nn.Linear(2, 2), 0.1, faithful=True, muon_learning_rate=0.1)
