"""Random checkpoints of transformers, and the comparison of results of any shape."""

import torch
import transformers

SIZES = dict(
    embedding_size=16,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=40,
)


def random_checkpoint(head, folder, *, attention="sdpa", seed=3, **changes):
    """A model of transformers with random weights that all matter, saved in a folder."""
    torch.manual_seed(seed)
    config = transformers.ElectraConfig(**{**SIZES, "initializer_range": 0.3, **changes})
    model = getattr(transformers, head)._from_config(config, attn_implementation=attention)
    with torch.no_grad():  # fresh biases and LayerNorms are trivial
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.eval().save_pretrained(folder)
    return model


def assert_same(got, expected, tolerance=1e-5):
    """Equal through lists, tuples and dictionaries; numbers and tensors up to the tolerance."""
    if isinstance(expected, torch.Tensor):
        assert got.dtype == expected.dtype
        torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)
    elif isinstance(expected, dict):
        assert got.keys() == expected.keys()
        for name in expected:
            assert_same(got[name], expected[name], tolerance)
    elif isinstance(expected, list | tuple):
        assert len(got) == len(expected)
        for mine, theirs in zip(got, expected, strict=True):
            assert_same(mine, theirs, tolerance)
    elif isinstance(expected, float):
        assert abs(got - expected) <= tolerance
    else:
        assert got == expected
