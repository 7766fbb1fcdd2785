"""Each objective against its formula written out with loops, and what gradients may reach."""

import math

import pytest
import torch

from electra_lab.model.config import ElectraConfig
from electra_lab.training.objectives import OBJECTIVES, MaskedBatch, make_objective

PAD, UNK, CLS, SEP, MASK = range(5)
LENGTHS = [9, 6, 4]


@pytest.fixture
def batch() -> MaskedBatch:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 30, (3, 9), generator=generator)
    ids[:, 0] = CLS
    mask = (torch.arange(9) < torch.tensor(LENGTHS)[:, None]).long()
    for row, length in enumerate(LENGTHS):
        ids[row, length - 1] = SEP
        ids[row, length:] = PAD
    positions = torch.tensor([2, 5, 9 + 3, 18 + 1])
    masked = ids.clone()
    masked.view(-1)[positions] = MASK
    return MaskedBatch(ids, masked, positions, mask)


def objective_of(name: str, seed: int = 0, **settings: object) -> torch.nn.Module:
    torch.manual_seed(seed)
    config = ElectraConfig(
        vocab_size=30,
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
        initializer_range=0.5,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return make_objective(name, config, config.for_generator(0.5), **settings)


def rows(tensor: torch.Tensor, mask: torch.Tensor):
    """(row, column) of every token that is no padding."""
    return [tuple(place) for place in mask.nonzero().tolist()]


def plain_softmax(logits: torch.Tensor) -> list[float]:
    values = [math.exp(value) for value in logits.double().tolist()]
    return [value / sum(values) for value in values]


def plain_mlm(model, input_ids: torch.Tensor, batch: MaskedBatch) -> float:
    """Mean over the selected positions of -log p(original), from the model's own full forward."""
    logits = model(input_ids, batch.attention_mask).logits
    total = 0.0
    for position in batch.positions.tolist():
        row, column = divmod(position, input_ids.shape[1])
        total -= math.log(plain_softmax(logits[row, column])[batch.original_ids[row, column]])
    return total / len(batch.positions)


@pytest.fixture
def samples(monkeypatch, batch) -> torch.Tensor:
    """Fix what the generator samples: one lucky sample, equal to the original, among others."""
    original = batch.original_ids.view(-1)[batch.positions]
    fixed = torch.where(original == 7, 8, 7)
    fixed[1] = original[1]
    monkeypatch.setattr(
        "electra_lab.training.objectives.WithGenerator.sample", lambda self, *_: fixed
    )
    return fixed


def replaced_text(batch: MaskedBatch, samples: torch.Tensor) -> torch.Tensor:
    replaced = batch.original_ids.clone()
    for position, sample in zip(batch.positions.tolist(), samples.tolist(), strict=True):
        replaced[divmod(position, replaced.shape[1])] = sample
    return replaced


def plain_rtd(objective, batch, replaced, places) -> float:
    logits = objective.model(replaced, batch.attention_mask).logits
    total = 0.0
    for row, column in places:
        p_replaced = 1 / (1 + math.exp(-logits[row, column].item()))
        is_replaced = bool(replaced[row, column] != batch.original_ids[row, column])
        total -= math.log(p_replaced if is_replaced else 1 - p_replaced)
    return total / len(places)


def test_electra_is_mlm_plus_50_times_rtd_over_all_tokens_but_padding(batch, samples):
    objective = objective_of("electra")
    result = objective(batch)
    replaced = replaced_text(batch, samples)
    mlm = plain_mlm(objective.generator, batch.masked_ids, batch)
    rtd = plain_rtd(objective, batch, replaced, rows(replaced, batch.attention_mask))
    assert result.parts["mlm_loss"].item() == pytest.approx(mlm, rel=1e-4)
    assert result.parts["rtd_loss"].item() == pytest.approx(rtd, rel=1e-4)
    assert result.loss.item() == pytest.approx(mlm + 50 * rtd, rel=1e-4)


def test_electra_15_looks_at_the_selected_positions_only(batch, samples):
    objective = objective_of("electra_15")
    replaced = replaced_text(batch, samples)
    places = [divmod(position, 9) for position in batch.positions.tolist()]
    expected = plain_rtd(objective, batch, replaced, places)
    assert objective(batch).parts["rtd_loss"].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["electra", "electra_15"])
def test_a_correction_is_the_original_tokens_cross_entropy_read_from_the_replaced_text(
    name, batch, samples
):
    objective = objective_of(name, correction_weight=3.0)
    replaced = replaced_text(batch, samples)
    states = objective.model.electra(replaced, batch.attention_mask).last_hidden_state
    table = objective.model.electra.embeddings.word.weight
    total = 0.0
    for position in batch.positions.tolist():
        place = divmod(position, 9)
        logits = objective.correction_head(states[place], table)
        total -= math.log(plain_softmax(logits)[batch.original_ids[place]])
    parts = objective(batch).parts
    assert parts["correction_loss"].item() == pytest.approx(total / len(batch.positions), rel=1e-4)
    without = objective_of(name)(batch)
    assert parts["mlm_loss"] == without.parts["mlm_loss"]
    assert parts["rtd_loss"].item() == pytest.approx(without.parts["rtd_loss"].item(), rel=1e-5)
    expected = without.loss + 3 * parts["correction_loss"]
    assert objective(batch).loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_correction_starts_from_what_the_generator_knows_of_frequencies():
    pair = objective_of("electra")
    torch.nn.init.normal_(pair.generator.head.bias)
    objective = make_objective(
        "electra",
        pair.config,
        pair.generator_config,
        correction_weight=1.0,
        models=(pair.generator, pair.model),
    )
    torch.testing.assert_close(objective.correction_head.bias, pair.generator.head.bias)
    assert objective.correction_head.bias is not pair.generator.head.bias


def test_mlm_is_the_cross_entropy_at_the_selected_positions(batch):
    objective = objective_of("mlm")
    expected = plain_mlm(objective.model, batch.masked_ids, batch)
    assert objective(batch).loss.item() == pytest.approx(expected, rel=1e-4)


def test_replace_mlm_reads_samples_where_mlm_reads_mask(batch, samples):
    objective = objective_of("replace_mlm")
    main = plain_mlm(objective.model, replaced_text(batch, samples), batch)
    small = plain_mlm(objective.generator, batch.masked_ids, batch)
    assert objective(batch).loss.item() == pytest.approx(small + main, rel=1e-4)


def test_all_tokens_mlm_mixes_copying_and_softmax(batch, samples):
    objective = objective_of("all_tokens_mlm")
    torch.nn.init.normal_(objective.copy_gate.weight)
    replaced = replaced_text(batch, samples)
    states = objective.model.electra(replaced, batch.attention_mask).last_hidden_state
    logits = objective.model(replaced, batch.attention_mask).logits
    places = rows(replaced, batch.attention_mask)
    total = 0.0
    for row, column in places:
        original = batch.original_ids[row, column]
        copy = torch.sigmoid(objective.copy_gate(states[row, column])).item()
        p = (1 - copy) * plain_softmax(logits[row, column])[original]
        if replaced[row, column] == original:
            p += copy
        total -= math.log(p)
    result = objective(batch)
    assert result.parts["main_mlm_loss"].item() == pytest.approx(total / len(places), rel=1e-4)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_padding_changes_nothing(name, batch, monkeypatch):
    original = batch.original_ids.view(-1)[batch.positions]
    monkeypatch.setattr(
        "electra_lab.training.objectives.WithGenerator.sample",
        lambda self, *_: (original + 1).clamp(max=29),
    )
    objective = objective_of(name)
    wider = MaskedBatch(
        *(
            torch.nn.functional.pad(ids, (0, 4), value=PAD)
            for ids in (batch.original_ids, batch.masked_ids)
        ),
        batch.positions + batch.positions // 9 * 4,
        torch.nn.functional.pad(batch.attention_mask, (0, 4)),
    )
    torch.testing.assert_close(objective(wider).loss, objective(batch).loss)


@pytest.mark.parametrize("name", ["electra", "electra_15"])
def test_no_gradient_flows_through_sampling(name, batch):
    """The discriminator's loss alone leaves the generator's own layers untouched; what reaches the
    shared embeddings comes from the discriminator's side."""
    objective = objective_of(name)
    objective.zero_grad()
    result = objective(batch)
    (result.loss - plain_graph_mlm(objective, batch)).backward()
    own = [
        parameter
        for part in (objective.generator.electra.encoder, objective.generator.head)
        for parameter in part.parameters()
    ]
    largest = max(p.grad.abs().max().item() for p in own)
    assert largest < 1e-4
    reached = [p.grad.abs().max().item() for p in objective.model.electra.encoder.parameters()]
    assert max(reached) > 1e-2


def plain_graph_mlm(objective, batch: MaskedBatch) -> torch.Tensor:
    """The generator's loss again, with its graph, from the documented forward."""
    labels = torch.full_like(batch.original_ids, -100)
    labels.view(-1)[batch.positions] = batch.original_ids.view(-1)[batch.positions]
    return objective.generator(batch.masked_ids, batch.attention_mask, labels=labels).loss


def test_the_generator_learns_from_its_own_loss_alone(batch):
    gradients = []
    for weight in (0.0, 50.0):
        objective = objective_of("electra", rtd_weight=weight)
        torch.manual_seed(1)
        objective(batch).loss.backward()
        gradients.append([p.grad.clone() for p in objective.generator.electra.encoder.parameters()])
    for without, with_discriminator in zip(*gradients, strict=True):
        torch.testing.assert_close(without, with_discriminator)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_parameter_learns(name, batch):
    objective = objective_of(name)
    objective(batch).loss.backward()
    without = [
        n
        for n, p in objective.named_parameters()
        if p.grad is None or (p.grad.abs().max() == 0 and "token_type" not in n)
    ]
    assert without == []


@pytest.mark.parametrize("name", sorted(set(OBJECTIVES) - {"mlm"}))
def test_both_models_use_the_same_tables(name):
    objective = objective_of(name)
    assert objective.generator.electra.embeddings is objective.model.electra.embeddings
    assert objective.encoder is objective.model.electra


def test_only_selected_positions_go_through_the_generators_head(batch):
    objective = objective_of("electra")
    seen = []
    objective.generator.head.register_forward_hook(
        lambda module, inputs, output: seen.append(tuple(output.shape))
    )
    objective(batch)
    assert seen == [(len(batch.positions), 30)]


def test_gumbel_and_inverse_cdf_give_the_same_distribution_of_replacements(batch):
    shares = []
    for sampling in ("gumbel", "inverse_cdf"):
        objective = objective_of("electra", sampling=sampling, temperature=2.0)
        logits = torch.randn(5, generator=torch.Generator().manual_seed(0)).expand(20_000, -1)
        torch.manual_seed(0)
        samples = objective.sample(logits, logits.log_softmax(-1))
        shares.append(samples.bincount(minlength=5) / 20_000)
        expected = (logits[0] / 2).softmax(-1)
        torch.testing.assert_close(shares[-1], expected, atol=0.015, rtol=0)


@pytest.mark.parametrize("name", ["electra", "electra_15", "replace_mlm", "all_tokens_mlm"])
def test_with_unigrams_only_the_replacements_are_words_of_the_text(name, batch, samples):
    originals = batch.original_ids.view(-1)[batch.positions]
    for share, expected in ((1.0, originals), (0.0, samples)):
        objective = objective_of(name, unigram_share=share)
        _, replaced = objective.generate(batch)
        found = replaced.view(-1)[batch.positions]
        assert sorted(found.tolist()) == sorted(expected.tolist())
        kept = torch.ones(replaced.numel(), dtype=torch.bool)
        kept[batch.positions] = False
        assert torch.equal(replaced.view(-1)[kept], batch.original_ids.view(-1)[kept])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "bert"}, "no objective 'bert'"),
        ({"name": "electra", "sampling": "argmax"}, "no sampling 'argmax'"),
        ({"name": "electra", "temperature": 0.0}, "temperature is"),
        ({"name": "electra", "unigram_share": 1.1}, "unigram_share is"),
        ({"name": "electra", "correction_weight": -1.0}, "correction_weight is -1"),
    ],
)
def test_unknown_settings_are_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        objective_of(**settings)
