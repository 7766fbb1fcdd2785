"""What the models promise beyond their numbers: two attention paths, tying, sizes, clear refusals."""

import pytest
import torch

from electra_lab import (
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForMultipleChoice,
    ElectraForPreTraining,
    ElectraForQuestionAnswering,
    ElectraForSequenceClassification,
    ElectraForTokenClassification,
    ElectraModel,
    tie_embeddings,
)
from electra_lab.model.attention import attention_bias, fused_attention, written_out_attention
from electra_lab.model.encoder import CHUNK, FeedForward


@pytest.fixture
def config() -> ElectraConfig:
    return ElectraConfig.from_preset("micro", vocab_size=50, initializer_range=0.2)


@pytest.fixture
def discriminator(config) -> ElectraForPreTraining:
    torch.manual_seed(0)
    return ElectraForPreTraining(config).eval()


def test_written_out_and_fused_attention_agree_in_value_and_gradient():
    torch.manual_seed(1)
    query, key, value = (torch.randn(2, 3, 7, 8, requires_grad=True) for _ in range(3))
    mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1]])
    bias = attention_bias(mask, torch.float32)
    written, weights = written_out_attention(query, key, value, bias)
    fused = fused_attention(query, key, value, bias)
    torch.testing.assert_close(written, fused, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 7))
    assert weights[0, :, :, 5:].max() == 0
    outer = torch.randn_like(written)
    for mine, theirs in zip(
        torch.autograd.grad((written * outer).sum(), (query, key, value)),
        torch.autograd.grad((fused * outer).sum(), (query, key, value)),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


def test_a_row_that_may_look_nowhere_stays_finite(discriminator):
    ids = torch.randint(1, 50, (2, 5))
    mask = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0]])
    for implementation in ("eager", "sdpa"):
        discriminator.set_attn_implementation(implementation)
        assert discriminator(ids, attention_mask=mask).logits.isfinite().all()


def test_padding_does_not_change_the_real_tokens(discriminator):
    ids = torch.randint(1, 50, (1, 6))
    padded = torch.cat([ids, torch.zeros(1, 4, dtype=torch.long)], dim=1)
    mask = (torch.arange(10) < 6).long()[None]
    with torch.no_grad():
        alone = discriminator(ids).logits
        with_padding = discriminator(padded, attention_mask=mask).logits[:, :6]
    torch.testing.assert_close(alone, with_padding, rtol=1e-4, atol=1e-5)


def test_a_mask_per_query_equals_the_same_mask_per_row(discriminator):
    ids = torch.randint(1, 50, (2, 6))
    per_row = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
    per_query = per_row[:, None, :].expand(2, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(
            discriminator(ids, attention_mask=per_query).logits[per_row == 1],
            discriminator(ids, attention_mask=per_row).logits[per_row == 1],
        )


def test_a_causal_mask_hides_what_comes_later(discriminator):
    ids = torch.randint(1, 50, (1, 6))
    changed = ids.clone()
    changed[0, 4] = (ids[0, 4] + 1) % 50
    causal = torch.ones(6, 6).tril()[None]
    with torch.no_grad():
        before = discriminator(ids, attention_mask=causal).logits
        after = discriminator(changed, attention_mask=causal).logits
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_an_output_reads_as_attributes_dictionary_and_tuple(discriminator):
    output = discriminator(torch.randint(0, 50, (1, 4)), output_hidden_states=True)
    assert output.keys() == ["logits", "hidden_states"]
    assert output["logits"] is output.logits is output[0]
    assert dict(output.items()).keys() == {"logits", "hidden_states"}
    assert "loss" not in output
    assert len(output) == 2
    with pytest.raises(KeyError, match="has no 'loss'; it has logits, hidden_states"):
        output["loss"]


def test_tied_embeddings_are_the_same_parameters_and_projections_are_not(config):
    generator = ElectraForMaskedLM(config.for_generator(1 / 4))
    discriminator = ElectraForPreTraining(config)
    tie_embeddings(generator, discriminator)
    for name, parameter in discriminator.electra.embeddings.named_parameters():
        assert generator.electra.embeddings.get_parameter(name) is parameter
    assert generator.electra.projection is not discriminator.electra.projection
    assert generator.electra.projection.weight.shape == (32, 64)
    assert discriminator.electra.projection.weight.shape == (128, 64)


def test_tying_tables_of_different_size_is_refused(config):
    other = ElectraConfig.from_preset("micro", vocab_size=51)
    with pytest.raises(ValueError, match=r"word.weight has the shape \(51, 64\).*\(50, 64\)"):
        tie_embeddings(ElectraForMaskedLM(other), ElectraForPreTraining(config))


@pytest.mark.parametrize(
    ("preset", "millions"), [("small", 13.5), ("base", 108.9), ("large", 334.1)]
)
def test_presets_have_the_sizes_of_the_paper(preset, millions):
    with torch.device("meta"):
        model = ElectraModel(ElectraConfig.from_preset(preset))
    assert round(model.num_parameters() / 1e6, 1) == millions


@pytest.mark.parametrize(
    ("preset", "fraction", "hidden", "heads"),
    [("small", 1 / 4, 64, 1), ("base", 1 / 3, 256, 4), ("large", 1 / 4, 256, 4)],
)
def test_generators_have_the_published_widths(preset, fraction, hidden, heads):
    discriminator = ElectraConfig.from_preset(preset)
    generator = discriminator.for_generator(fraction)
    assert (generator.hidden_size, generator.num_attention_heads) == (hidden, heads)
    assert generator.intermediate_size == 4 * hidden
    assert generator.embedding_size == discriminator.embedding_size
    assert generator.num_hidden_layers == discriminator.num_hidden_layers


def test_fresh_weights_are_a_truncated_normal_with_a_zero_pad_row():
    torch.manual_seed(0)
    model = ElectraModel(ElectraConfig(vocab_size=2000, num_hidden_layers=1))
    table = model.embeddings.word.weight
    assert table[0].abs().max() == 0
    assert table.abs().max() <= 0.04
    # cut at two standard deviations, a normal keeps .8796 of its deviation
    assert table[1:].std().item() == pytest.approx(0.02 * 0.8796, rel=0.01)
    assert model.encoder.layers[0].attention.query.bias.abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_gives_nearly_the_same_answer(discriminator, dtype):
    ids = torch.randint(1, 50, (2, 8))
    mask = torch.tensor([[1] * 8, [1] * 5 + [0] * 3])
    with torch.no_grad():
        expected = discriminator(ids, attention_mask=mask).logits
        got = discriminator.to(dtype)(ids, attention_mask=mask).logits
    assert got.dtype == dtype
    torch.testing.assert_close(got.float(), expected, rtol=0.1, atol=0.1)


IDS = torch.arange(8).reshape(2, 4)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (dict(), "one of the two; got neither"),
        (dict(input_ids=IDS, inputs_embeds=torch.zeros(2, 4, 64)), "one of the two; got both"),
        (dict(input_ids=IDS[0]), r"input_ids has the shape \(4,\).*input_ids\[None\]"),
        (dict(input_ids=IDS + 45), r"input_ids holds 52.*vocabulary of 50 rows \(0 to 49\)"),
        (dict(input_ids=IDS - 1), "input_ids holds -1"),
        (dict(input_ids=torch.zeros(1, 65, dtype=torch.long)), "65 tokens.*only 64 positions"),
        (dict(input_ids=IDS, attention_mask=torch.ones(2, 5)), r"\(2, 5\); expected \(2, 4\)"),
        (dict(input_ids=IDS, attention_mask=torch.ones(4)), r"\(4,\); expected \(2, 4\)"),
        (dict(input_ids=IDS, token_type_ids=IDS), "token_type_ids holds 7.*token type table of 2"),
        (dict(input_ids=IDS, position_ids=IDS + 60), "position_ids holds 67"),
        (dict(input_ids=IDS, position_ids=IDS[:, :2]), r"position_ids has the shape \(2, 2\)"),
        (dict(inputs_embeds=torch.zeros(2, 4, 63)), r"expected \(batch, seq, 64\)"),
        (dict(input_ids=IDS, labels=torch.zeros(2, 3)), r"labels has the shape \(2, 3\)"),
    ],
)
def test_bad_input_is_refused_with_what_was_given_and_expected(discriminator, inputs, message):
    with pytest.raises(ValueError, match=message):
        discriminator(**inputs)


def test_an_empty_batch_gives_an_empty_result(discriminator):
    assert discriminator(torch.zeros(0, 5, dtype=torch.long)).logits.shape == (0, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(hidden_size=30, num_attention_heads=4), "hidden_size 30 cannot be shared by 4"),
        (dict(num_hidden_layers=0), "num_hidden_layers is 0; it must be 1 or more"),
        (dict(pad_token_id=30522), "pad_token_id 30522 lies outside"),
        (dict(position_embedding_type="rotary"), "'rotary' is not supported"),
        (dict(problem_type="ranking"), "problem_type is 'ranking'; expected regression"),
        (dict(num_labels=3, id2label={0: "no", 1: "yes"}), "num_labels is 3, but id2label names 2"),
    ],
)
def test_an_impossible_configuration_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ElectraConfig(**arguments)


def test_unknown_names_are_refused_with_the_known_ones(discriminator):
    with pytest.raises(ValueError, match="no preset 'tiny'. The presets are micro, small, base"):
        ElectraConfig.from_preset("tiny")
    with pytest.raises(ValueError, match="no activation 'swish'. Use one of gelu"):
        ElectraModel(ElectraConfig.from_preset("micro", hidden_act="swish"))
    with pytest.raises(ValueError, match="no attention implementation 'flash'. Use one of sdpa"):
        discriminator.set_attn_implementation("flash")
    with pytest.raises(ValueError, match="fraction is 0"):
        ElectraConfig().for_generator(0.0)


def test_a_configuration_survives_the_file_with_keys_it_does_not_know():
    config = ElectraConfig.from_dict({"model_type": "electra", "made_by": "me"})
    assert config.to_dict()["made_by"] == "me"
    assert ElectraConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ValueError, match="model_type 'bert'"):
        ElectraConfig.from_dict({"model_type": "bert"})


def test_a_callable_activation_works_and_cannot_be_saved():
    config = ElectraConfig.from_preset("micro", vocab_size=50, hidden_act=torch.tanh)
    assert ElectraModel(config)(IDS).last_hidden_state.isfinite().all()
    with pytest.raises(ValueError, match="config.json cannot hold"):
        config.to_dict()


def test_labels_follow_from_their_number_or_their_names():
    assert ElectraConfig().id2label == {0: "LABEL_0", 1: "LABEL_1"}
    named = ElectraConfig.from_dict({"id2label": {"0": "no", "1": "yes", "2": "perhaps"}})
    assert named.num_labels == 3
    assert named.label2id == {"no": 0, "yes": 1, "perhaps": 2}
    assert ElectraConfig(num_labels=1).id2label == {0: "LABEL_0"}


def test_task_heads_refuse_what_does_not_fit():
    config = ElectraConfig.from_preset("micro", vocab_size=50, num_labels=3)
    with pytest.raises(ValueError, match=r"labels has the shape \(3,\); expected \(2,\)"):
        ElectraForSequenceClassification(config)(IDS, labels=torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match=r"labels has the shape \(2,\); expected \(2, 4\)"):
        ElectraForTokenClassification(config)(IDS, labels=torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="Only start_positions was given"):
        ElectraForQuestionAnswering(config)(IDS, start_positions=torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"shape \(2, 4\); expected.*\(batch, choices, seq\)"):
        ElectraForMultipleChoice(config)(IDS)
    with pytest.raises(ValueError, match="summary_type is 'attn'; expected one of first, last"):
        ElectraForMultipleChoice(ElectraConfig.from_preset("micro", summary_type="attn"))


def test_classifier_dropout_defaults_to_the_encoders():
    for given, expected in ((None, 0.3), (0.5, 0.5), (0.0, 0.0)):
        config = ElectraConfig.from_preset(
            "micro", vocab_size=50, hidden_dropout_prob=0.3, classifier_dropout=given
        )
        assert ElectraForSequenceClassification(config).head.dropout.p == expected


@torch.no_grad()
def test_feed_forward_in_chunks_is_feed_forward() -> None:
    """Without gradients many tokens are taken in parts, also where the last part is smaller."""
    config = ElectraConfig(hidden_size=8, intermediate_size=32)
    feed_forward = FeedForward(config)
    sizes: list[int] = []
    feed_forward.expand.register_forward_hook(
        lambda module, inputs, output: sizes.append(output.shape[:2].numel())
    )
    states = torch.randn(30, CHUNK // 10, 8)
    taken = feed_forward(states)
    assert sizes == [CHUNK, CHUNK, 30 * (CHUNK // 10) - 2 * CHUNK]
    with torch.enable_grad():
        whole = feed_forward(states)
    assert sizes[3:] == [30 * (CHUNK // 10)]
    torch.testing.assert_close(taken, whole.detach())
