"""From token ids to vectors: what the token is, where it stands, which sentence it belongs to."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor, nn

from .config import ElectraConfig
from .dropout import Dropout


class ElectraEmbeddings(nn.Module):
    """Sum of word, position and token type vectors, then LayerNorm and dropout.

    All of it is ``embedding_size`` wide. ELECTRA may keep this smaller than the encoder
    (``hidden_size``); the linear projection between the two stands in ``ElectraModel``, since
    generator and discriminator share these tables but not the projection (paper, section 3.2;
    google-research/electra, run_pretraining.py).
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        size = config.embedding_size
        self.word = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        self.position = nn.Embedding(config.max_position_embeddings, size)
        self.token_type = nn.Embedding(config.type_vocab_size, size)
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)
        # with relative positions attention knows the order, and this table is not used
        self.adds_positions = config.position_embedding_type == "absolute"

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"] | None = None,
        token_type_ids: Int[Tensor, "batch_or_1 seq"] | None = None,
        position_ids: Int[Tensor, "batch_or_1 seq"] | None = None,
        inputs_embeds: Float[Tensor, "batch seq embedding"] | None = None,
    ) -> Float[Tensor, "batch seq embedding"]:
        """Give either ``input_ids`` or ``inputs_embeds``, which takes the place of the word vectors.

        Token types default to 0 (all of it sentence A), positions to 0, 1, 2 ...
        """
        if inputs_embeds is None:
            assert input_ids is not None
            inputs_embeds = self.word(input_ids)
        # the ids that are not given are known: rows of the tables do without looking them up
        types = (
            self.token_type.weight[0] if token_type_ids is None else self.token_type(token_type_ids)
        )
        total = inputs_embeds + types
        if self.adds_positions and position_ids is None:
            total = total + self.position.weight[: inputs_embeds.shape[1]]
        elif self.adds_positions:
            total = total + self.position(position_ids)
        return self.dropout(self.norm(total))
