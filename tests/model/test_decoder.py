"""The decoder against transformers: causal mask, cache, cross-attention, generation."""

import pytest
import torch
import transformers

from electra_lab import ElectraConfig, ElectraForCausalLM, ElectraModel
from electra_lab.model.causal_lm import next_token_distribution
from electra_lab.model.decoder import KeyValueCache

IDS = torch.randint(1, 80, (3, 8), generator=torch.Generator().manual_seed(2))
PADDING = torch.tensor([[1] * 8, [1] * 6 + [0] * 2, [1] * 3 + [0] * 5])
SOURCE = torch.randn(3, 5, 32, generator=torch.Generator().manual_seed(3))
SOURCE_MASK = torch.tensor([[1] * 5, [1] * 4 + [0], [1] * 2 + [0] * 3])


def theirs_and_ours(folder, cross: bool = False):
    torch.manual_seed(5)
    config = transformers.ElectraConfig(
        vocab_size=80,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=40,
        initializer_range=0.3,
        is_decoder=True,
        add_cross_attention=cross,
    )
    theirs = transformers.ElectraForCausalLM._from_config(config, attn_implementation="eager")
    theirs.eval().save_pretrained(folder)
    return theirs, ElectraForCausalLM.from_pretrained(folder)


def close(got, expected):
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("cross", [False, True])
def test_logits_and_loss_equal_transformers(cross, implementation, tmp_path):
    theirs, ours = theirs_and_ours(tmp_path, cross)
    ours.set_attn_implementation(implementation)
    inputs = dict(input_ids=IDS, attention_mask=PADDING, labels=IDS.masked_fill(PADDING == 0, -100))
    if cross:
        inputs |= dict(encoder_hidden_states=SOURCE, encoder_attention_mask=SOURCE_MASK)
    expected, got = theirs(**inputs), ours(**inputs)
    close(got.logits[PADDING == 1], expected.logits[PADDING == 1])
    close(got.loss, expected.loss)


def test_attention_and_cross_attention_weights_equal_transformers(tmp_path):
    theirs, ours = theirs_and_ours(tmp_path, cross=True)
    inputs = dict(
        input_ids=IDS, encoder_hidden_states=SOURCE, output_attentions=True, use_cache=False
    )
    expected, got = theirs(**inputs), ours(**inputs)
    for kind in ("attentions", "cross_attentions"):
        assert len(got[kind]) == 2
        for mine, their in zip(got[kind], expected[kind], strict=True):
            close(mine, their)


@pytest.mark.parametrize("kept", [1, 3, torch.tensor([0, 4])])
def test_only_the_asked_logits_are_computed(kept, tmp_path):
    theirs, ours = theirs_and_ours(tmp_path)
    close(ours(IDS, logits_to_keep=kept).logits, theirs(IDS, logits_to_keep=kept).logits)


@pytest.mark.parametrize("form", ["cache", "tuple"])
@pytest.mark.parametrize("cross", [False, True])
def test_cached_logits_equal_uncached_ones(cross, form, tmp_path):
    _, ours = theirs_and_ours(tmp_path, cross)
    source = dict(encoder_hidden_states=SOURCE) if cross else {}
    whole = ours(IDS, **source, use_cache=False)
    assert whole.past_key_values is None
    cache, parts = None, []
    for piece in IDS.split([3, 1, 4], dim=1):
        output = ours(piece, **source, past_key_values=cache)
        cache = output.past_key_values
        assert isinstance(cache, KeyValueCache)
        if form == "tuple":
            cache = cache.to_tuple()
        parts.append(output.logits)
    close(torch.cat(parts, dim=1), whole.logits)


def test_the_cache_goes_on_with_padding_and_given_positions(tmp_path):
    theirs, ours = theirs_and_ours(tmp_path)
    left_padding = PADDING.flip(1)
    positions = (left_padding.cumsum(1) - 1).clamp(min=0)
    expected = theirs(IDS, attention_mask=left_padding, position_ids=positions).logits
    first = ours(IDS[:, :6], attention_mask=left_padding[:, :6], position_ids=positions[:, :6])
    second = ours(
        IDS[:, 6:],
        attention_mask=left_padding,
        position_ids=positions[:, 6:],
        past_key_values=first.past_key_values,
    )
    close(second.logits, expected[:, 6:])


def test_cache_position_places_new_tokens(tmp_path):
    _, ours = theirs_and_ours(tmp_path)
    by_cache_position = ours(IDS, cache_position=torch.arange(4, 12)).logits
    by_position_ids = ours(IDS, position_ids=torch.arange(4, 12)[None]).logits
    assert torch.equal(by_cache_position, by_position_ids)
    assert not torch.allclose(by_cache_position, ours(IDS).logits)


def test_greedy_generation_equals_transformers_with_and_without_cache(tmp_path):
    theirs, ours = theirs_and_ours(tmp_path)
    prompt = IDS[:2, :4]
    expected = theirs.generate(
        prompt, max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None
    )
    assert torch.equal(ours.generate(prompt, max_new_tokens=12), expected)
    assert torch.equal(ours.generate(prompt, max_new_tokens=12, use_cache=False), expected)


def test_sampling_follows_its_seed(tmp_path):
    _, ours = theirs_and_ours(tmp_path)
    asked = dict(max_new_tokens=10, do_sample=True, temperature=1.5)
    first = ours.generate(IDS, seed=1, **asked)
    assert torch.equal(first, ours.generate(IDS, seed=1, **asked))
    assert not torch.equal(first, ours.generate(IDS, seed=2, **asked))


def test_top_k_and_top_p_keep_what_transformers_keeps():
    logits = 3 * torch.randn(6, 50, generator=torch.Generator().manual_seed(8))
    top_k = transformers.TopKLogitsWarper(7)
    top_p = transformers.TopPLogitsWarper(0.8)
    for temperature in (0.7, 1.0, 2.0):
        scaled = logits / temperature
        close(next_token_distribution(logits, temperature), scaled.softmax(-1))
        close(
            next_token_distribution(logits, temperature, top_k=7), top_k(None, scaled).softmax(-1)
        )
        close(
            next_token_distribution(logits, temperature, top_p=0.8),
            top_p(None, scaled).softmax(-1),
        )
        close(
            next_token_distribution(logits, temperature, top_k=7, top_p=0.8),
            top_p(None, top_k(None, scaled)).softmax(-1),
        )


def test_a_row_that_has_ended_is_filled_with_padding(tmp_path):
    _, ours = theirs_and_ours(tmp_path)
    asked = dict(max_new_tokens=8, do_sample=True, temperature=3.0, seed=0)
    free = ours.generate(IDS, **asked)
    end = int(free[0, 9])  # the second new token of the first row
    stopped = ours.generate(IDS, **asked, eos_token_id=end)
    ended = (stopped[:, 8:] == end).int().cumsum(1) > 0
    after = torch.cat([torch.zeros(3, 1, dtype=torch.bool), ended[:, :-1]], dim=1)
    assert after.any()
    assert not after.all()
    assert (stopped[:, 8:][after] == 0).all()
    assert torch.equal(stopped[:, :10], free[:, :10])


CONFIG = dict(vocab_size=80, embedding_size=16, hidden_size=32, num_hidden_layers=1)


def test_what_only_a_decoder_takes_is_refused_elsewhere(tmp_path):
    encoder = ElectraModel(ElectraConfig(**CONFIG))
    decoder = ElectraModel(ElectraConfig(**CONFIG, is_decoder=True))
    cache = decoder(IDS).past_key_values
    with pytest.raises(ValueError, match="this model is no decoder"):
        encoder(IDS, past_key_values=cache)
    with pytest.raises(ValueError, match="this model has no cross-attention"):
        decoder(IDS, encoder_hidden_states=SOURCE)
    with pytest.raises(ValueError, match="past_key_values has 2 layers, the model has 1"):
        decoder(IDS, past_key_values=KeyValueCache(2))
    with pytest.raises(ValueError, match="has 3 tensors; expected"):
        decoder(IDS, past_key_values=[(SOURCE, SOURCE, SOURCE)])
    with pytest.raises(ValueError, match="is_decoder is False. Set both"):
        ElectraConfig(add_cross_attention=True)
    with pytest.warns(UserWarning, match="sees the words that it is to guess"):
        ElectraForCausalLM(ElectraConfig(**CONFIG))


def test_text_that_would_grow_too_long_and_bad_settings_are_refused(tmp_path):
    _, ours = theirs_and_ours(tmp_path)
    with pytest.raises(ValueError, match="8 tokens and 33 new ones make 41.*only 40 positions"):
        ours.generate(IDS, max_new_tokens=33)
    cache = ours(IDS[:, :1].expand(3, 38)).past_key_values
    with pytest.raises(ValueError, match="3 tokens and 38 in the cache"):
        ours(IDS[:, :3], past_key_values=cache)
    logits = torch.zeros(1, 4)
    for setting, message in (
        (dict(temperature=0.0), "temperature is 0.0; it must be above 0"),
        (dict(top_k=0), "top_k is 0"),
        (dict(top_p=1.5), "top_p is 1.5"),
    ):
        with pytest.raises(ValueError, match=message):
            next_token_distribution(logits, **setting)
