"""What only older versions of transformers have: head masks, relative positions, pruning.

The fixtures hold a small model of transformers 4.37 and what it computes; fixtures/make.py made them.
"""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from electra_lab import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining, ElectraModel

FIXTURES = Path(__file__).parent / "fixtures"
KINDS = ["absolute", "relative_key", "relative_key_query"]
IDS = torch.randint(1, 50, (2, 9), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("kind", KINDS)
def test_relative_positions_and_head_masks_equal_transformers_4_37(kind, implementation):
    model = ElectraForPreTraining.from_pretrained(FIXTURES / kind)
    model.set_attn_implementation(implementation)
    expected = load_file(FIXTURES / kind / "expected.safetensors")
    inputs = {name: expected[name] for name in ("input_ids", "attention_mask")}
    real = expected["attention_mask"] == 1
    with torch.no_grad():
        fused = model(**inputs)
        plain = model(**inputs, output_attentions=True)
        masked = model(**inputs, head_mask=expected["head_mask"], output_attentions=True)
        masked_only = model(**inputs, head_mask=expected["head_mask"])
    for got, name in (
        (fused.logits[real], "logits"),
        (plain.logits[real], "logits"),
        (masked.logits[real], "masked_logits"),
        (masked_only.logits[real], "masked_logits"),
    ):
        torch.testing.assert_close(got, expected[name][real], rtol=1e-5, atol=1e-5)
    for got, name in ((plain, "attentions"), (masked, "masked_attentions")):
        torch.testing.assert_close(
            torch.stack(got.attentions), expected[name], rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_decoder_with_relative_positions_caches_exactly(kind):
    torch.manual_seed(0)
    config = ElectraConfig.from_preset(
        "micro",
        vocab_size=50,
        is_decoder=True,
        position_embedding_type=kind,
        initializer_range=0.2,
    )
    model = ElectraModel(config).eval()
    with torch.no_grad():
        whole = model(IDS).last_hidden_state
        first = model(IDS[:, :5])
        second = model(IDS[:, 5:], past_key_values=first.past_key_values)
    torch.testing.assert_close(second.last_hidden_state, whole[:, 5:], rtol=1e-4, atol=1e-5)


def fresh(**changes) -> ElectraForPreTraining:
    torch.manual_seed(0)
    config = ElectraConfig.from_preset("micro", vocab_size=50, initializer_range=0.2, **changes)
    return ElectraForPreTraining(config).eval()


def test_a_pruned_head_is_a_head_that_is_switched_off():
    model = fresh()
    mask = torch.ones(2, 4)
    mask[0, [1, 3]] = 0
    mask[1, 0] = 0
    with torch.no_grad():
        expected = model(IDS, head_mask=mask).logits
        model.electra.prune_heads({0: [3], 1: [0]})
        model.electra.prune_heads({0: [1, 3]})  # counted as before, 3 is gone already
        got = model(IDS).logits
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    assert model.electra.encoder.layers[0].attention.query.weight.shape == (64, 128)
    assert model.config.pruned_heads == {0: [1, 3], 1: [0]}


def test_a_pruned_model_survives_its_checkpoint(tmp_path):
    model = fresh()
    model.electra.prune_heads({1: [2]})
    model.save_pretrained(tmp_path)
    again = ElectraForPreTraining.from_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(again(IDS).logits, model(IDS).logits)


def test_impossible_head_masks_and_pruning_are_refused():
    model = fresh()
    with pytest.raises(
        ValueError, match=r"head_mask has the shape \(3,\); expected \(4,\).*\(2, 4\)"
    ):
        model(IDS, head_mask=torch.ones(3))
    with pytest.raises(ValueError, match="There is no layer 2; the layers are 0 to 1"):
        model.electra.prune_heads({2: [0]})
    with pytest.raises(ValueError, match=r"Cannot prune the heads \[4\] of layer 0"):
        model.electra.prune_heads({0: [4]})
    with pytest.raises(ValueError, match=r"leave at least one"):
        model.electra.prune_heads({0: [0, 1, 2, 3]})


@pytest.mark.parametrize("size", [30, 50, 70])
def test_a_resized_vocabulary_keeps_the_vectors_that_stay(size):
    torch.manual_seed(0)
    model = ElectraForMaskedLM(ElectraConfig.from_preset("micro", vocab_size=50)).eval()
    torch.nn.init.normal_(model.head.bias)
    ids = torch.randint(1, 30, (1, 6))
    with torch.no_grad():
        before = model(ids).logits
        table = model.resize_token_embeddings(size)
        after = model(ids).logits
    assert table is model.get_input_embeddings()
    assert table.weight.shape == (size, 64)
    assert model.config.vocab_size == after.shape[-1] == size
    kept = min(size, 50)
    torch.testing.assert_close(after[..., :kept], before[..., :kept])


def test_gradient_checkpointing_changes_no_gradient():
    model = fresh(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).train()
    labels = IDS % 2
    model(IDS, labels=labels).loss.backward()
    expected = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    model.gradient_checkpointing_enable()
    seen = []
    layer = model.electra.encoder.layers[0]
    layer.register_forward_pre_hook(lambda *_: seen.append(1))
    model(IDS, labels=labels).loss.backward()
    assert len(seen) == 2  # computed again on the way back
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], msg=name)
