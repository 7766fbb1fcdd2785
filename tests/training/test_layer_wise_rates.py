"""The deeper a layer, the lower its rate."""

import pytest
import torch

from electra_lab.model.config import ElectraConfig
from electra_lab.model.task_heads import ElectraForSequenceClassification
from electra_lab.training.optimization import layer_wise_groups, make_optimizer


@pytest.fixture(scope="module")
def model():
    return ElectraForSequenceClassification(
        ElectraConfig(vocab_size=20, embedding_size=8, hidden_size=16, num_hidden_layers=3,
                      intermediate_size=16, position_embedding_type="relative_key")
    )  # fmt: skip


def rates(model, groups):
    name_of = {id(p): name for name, p in model.named_parameters()}
    return {name_of[id(p)]: group["lr"] for group in groups for p in group["params"]}


@pytest.mark.parametrize(("faithful", "more"), [(False, 0), (True, 1)])
def test_the_rate_falls_by_a_power_a_layer(model, faithful, more):
    found = rates(model, layer_wise_groups(model, 1e-3, 0.5, faithful=faithful))
    assert found.keys() == dict(model.named_parameters()).keys()
    for name, rate in found.items():
        if name.startswith("head."):
            power = 0
        elif ".layers." in name:
            power = 3 - int(name.split(".layers.")[1].split(".")[0]) + more
        else:  # embeddings and their projection
            power = 4 + more
        assert rate == pytest.approx(1e-3 * 0.5**power), name


def test_norms_and_biases_are_not_decayed_at_any_depth(model):
    groups = layer_wise_groups(model, 1e-3, 0.5, weight_decay=0.3)
    name_of = {id(p): name for name, p in model.named_parameters()}
    for group in groups:
        for parameter in group["params"]:
            name = name_of[id(parameter)]
            plain = name.endswith("bias") or "norm" in name
            assert group["weight_decay"] == (0.0 if plain else 0.3), name
    assert groups[0]["lr"] == 1e-3  # what the history calls the learning rate


def test_one_rate_for_all_where_nothing_falls(model):
    optimizer = make_optimizer(model, 1e-3)
    assert {group["lr"] for group in optimizer.param_groups} == {1e-3}
    assert len(make_optimizer(model, 1e-3, layer_decay=0.8).param_groups) == 2 * 5


def test_a_step_is_as_long_as_the_rate(model):
    torch.manual_seed(0)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = make_optimizer(model, 1e-3, layer_decay=0.5, weight_decay=0.0)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    expected = rates(model, optimizer.param_groups)
    for name, parameter in model.named_parameters():  # Adam's first step has the length of its rate
        moved = (before[name] - parameter.detach()).abs().max().item()
        assert moved == pytest.approx(expected[name], rel=0.02), name


@pytest.mark.parametrize("decay", [0.0, 1.5])
def test_a_decay_out_of_its_range_is_refused(model, decay):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        layer_wise_groups(model, 1e-3, decay)


def test_muon_has_one_rate(model):
    with pytest.raises(ValueError, match="Leave one of them out"):
        make_optimizer(model, 1e-3, muon_learning_rate=1e-2, layer_decay=0.8)
