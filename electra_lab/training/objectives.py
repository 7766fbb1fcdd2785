"""What a model learns from: ELECTRA and the four objectives it is compared with (paper, section 3.4).

| name             | input                           | loss                                        |
|------------------|---------------------------------|---------------------------------------------|
| `electra`        | samples of a small generator    | replaced or not, at every token             |
| `electra_15`     | the same                        | replaced or not, at the selected positions  |
| `replace_mlm`    | the same                        | original token, at the selected positions   |
| `all_tokens_mlm` | the same                        | original token, at every token, with a copy gate |
| `mlm` (BERT)     | [MASK]                          | original token, at the selected positions   |

Each is a module: it holds the models that it trains, and calling it with a batch gives the loss and
its parts. Only selected positions go through a head that has the vocabulary as its output, which
is most of what such a step would otherwise compute.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from electra_lab.model.config import ElectraConfig
from electra_lab.model.electra import ElectraModel, tie_embeddings
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining, MaskedLMHead

from .masking import replace_tokens
from .sampling import (
    check_share,
    check_temperature,
    mix_in_unigrams,
    sample_gumbel,
    sample_inverse_cdf,
)

Tokens = Int[Tensor, "batch seq"]
Selected = Int[Tensor, " selected"]


@dataclass(frozen=True)
class MaskedBatch:
    """One step's text, with the positions drawn for it.

    Args:
        original_ids: the text.
        masked_ids: the same with [MASK] at the selected positions (or at most of them).
        positions: the selected positions, flat (``row * seq + column``).
        attention_mask: 1 for tokens, 0 for padding; None where no row is padded. Where several
            sequences share a row, (batch, seq, seq): 1 where both tokens are of one sequence.
        token_type_ids: 0 for sentence A, 1 for sentence B; None: all 0.
        position_ids: place of each token in its sequence; None: 0, 1, 2 ... in each row.
    """

    original_ids: Tokens
    masked_ids: Tokens
    positions: Selected
    attention_mask: Tokens | Int[Tensor, "batch seq seq"] | None = None
    token_type_ids: Tokens | None = None
    position_ids: Tokens | None = None

    @property
    def attended(self) -> Bool[Tensor, "batch seq"] | None:
        """True for tokens, False for padding; None where no row is padded."""
        if self.attention_mask is None:
            return None
        mask = self.attention_mask.bool()
        return mask if mask.dim() == 2 else mask.diagonal(dim1=1, dim2=2)

    @property
    def tokens(self) -> int:
        """How many tokens the batch has, padding not counted."""
        attended = self.attended
        return self.original_ids.numel() if attended is None else int(attended.sum())

    def part(self, rank: int, size: int) -> MaskedBatch:
        """The rows that one of ``size`` processes takes: every ``size``-th, from row ``rank`` on."""
        if size == 1:
            return self
        seq = self.original_ids.shape[1]
        row, column = self.positions // seq, self.positions % seq
        own = row % size == rank
        rows = {
            f.name: value[rank::size].contiguous()
            for f in fields(self)
            if f.name != "positions" and (value := getattr(self, f.name)) is not None
        }
        return replace(self, **rows, positions=row[own] // size * seq + column[own])

    def to(self, device: torch.device | str) -> MaskedBatch:
        """The same batch on a device."""
        moved = {
            f.name: value.to(device)
            for f in fields(self)
            if (value := getattr(self, f.name)) is not None
        }
        return replace(self, **moved)


@dataclass(frozen=True)
class Loss:
    """What a step minimises, and what it is made of (for reports; detached)."""

    loss: Float[Tensor, ""]
    parts: dict[str, Float[Tensor, ""]]


class Objective(nn.Module):
    """One way to pre-train an encoder. Subclasses say in ``forward`` what their loss is.

    Args:
        config: the encoder to be trained (the discriminator's, the one that is fine-tuned later).
        generator_config: the small generator; objectives without one do not look at it.

    Attributes:
        name: how recipes call it.
        encoder: the ``ElectraModel`` that is kept after pre-training.
    """

    name: ClassVar[str]

    def __init__(self, config: ElectraConfig, generator_config: ElectraConfig) -> None:
        super().__init__()
        self.config = config
        self.generator_config = generator_config

    @property
    def encoder(self) -> ElectraModel:
        raise NotImplementedError

    def forward(self, batch: MaskedBatch) -> Loss:
        raise NotImplementedError


class MLM(Objective):
    """BERT's masked language modelling, with the whole encoder."""

    name = "mlm"

    def __init__(self, config: ElectraConfig, generator_config: ElectraConfig) -> None:
        super().__init__(config, generator_config)
        self.model = ElectraForMaskedLM(config)

    @property
    def encoder(self) -> ElectraModel:
        return self.model.electra

    def forward(self, batch: MaskedBatch) -> Loss:
        logits = selected_logits(self.model, batch.masked_ids, batch)
        loss = F.cross_entropy(logits, batch.original_ids.view(-1)[batch.positions])
        return Loss(loss, {"mlm_loss": loss.detach()})


class WithGenerator(Objective):
    """What the four objectives with a generator share: it learns by MLM, and its samples are the
    input of the model that is kept. Both use the same embeddings (paper, section 3.2).

    Args:
        weight: of the main loss beside the generator's (1). The paper's 50 for ``electra`` (appendix
            A) brings a binary cross-entropy over all tokens to the size of one over the vocabulary.
        temperature: T of the generator's softmax(logits / T) when it samples.
        sampling: ``"inverse_cdf"``, or ``"gumbel"``, the plain one; the same distribution.
        unigram_share: of the replacements, so many are not the generator's but unigram noise (see
            ``sampling.mix_in_unigrams``). A discriminator that meets nothing but the samples of a
            good generator overlooks a word that is plainly out of place. 0, as in ELECTRA: none.
        with_replacement: positions may be selected twice (google-research/electra).
        models: generator and model to go on with, as they are (their embeddings may be two sets of
            tables). Default: fresh ones.
    """

    default_weight: ClassVar[float]

    def __init__(
        self,
        config: ElectraConfig,
        generator_config: ElectraConfig,
        *,
        weight: float | None = None,
        temperature: float = 1.0,
        sampling: str = "inverse_cdf",
        unigram_share: float = 0.0,
        with_replacement: bool = False,
        models: tuple[ElectraForMaskedLM, Any] | None = None,
    ) -> None:
        super().__init__(config, generator_config)
        check_temperature(temperature)
        check_share(unigram_share)
        if sampling not in ("inverse_cdf", "gumbel"):
            raise ValueError(f"There is no sampling {sampling!r}; use 'inverse_cdf' or 'gumbel'.")
        self.weight = self.default_weight if weight is None else weight
        self.temperature = temperature
        self.sampling = sampling
        self.unigram_share = unigram_share
        self.with_replacement = with_replacement
        if models is not None:
            self.generator, self.model = models
            return
        self.generator = ElectraForMaskedLM(generator_config)
        self.model = self.make_model(config)
        tie_embeddings(self.generator, self.model)

    def make_model(self, config: ElectraConfig) -> ElectraForMaskedLM | ElectraForPreTraining:
        return ElectraForMaskedLM(config)

    @property
    def encoder(self) -> ElectraModel:
        return self.model.electra

    def main_loss(self, replaced_ids: Tokens, batch: MaskedBatch) -> Float[Tensor, ""]:
        """The loss of the model that is kept, from the text with replacements."""
        raise NotImplementedError

    main_part: ClassVar[str]

    def forward(self, batch: MaskedBatch) -> Loss:
        log_probabilities, replaced_ids = self.generate(batch)
        loss = F.nll_loss(log_probabilities, batch.original_ids.view(-1)[batch.positions])
        parts = {"mlm_loss": loss.detach()}
        for name, (weight, part) in self.weighted_losses(replaced_ids, batch).items():
            loss = loss + weight * part
            parts[name] = part.detach()
        return Loss(loss, parts)

    def weighted_losses(
        self, replaced_ids: Tokens, batch: MaskedBatch
    ) -> dict[str, tuple[float, Float[Tensor, ""]]]:
        """What stands beside the generator's loss: each loss by name, with its weight."""
        return {self.main_part: (self.weight, self.main_loss(replaced_ids, batch))}

    def generate(self, batch: MaskedBatch) -> tuple[Float[Tensor, "selected vocab"], Tokens]:
        """The generator's log-probabilities at the selected positions, and the text with the
        replacements there."""
        logits = selected_logits(self.generator, batch.masked_ids, batch)
        log_probabilities = F.log_softmax(logits.float(), dim=-1)
        samples = self.sample(logits.detach(), log_probabilities.detach())
        if self.unigram_share:
            originals = batch.original_ids.view(-1)[batch.positions]
            samples = mix_in_unigrams(samples, originals, self.unigram_share)
        replaced_ids = replace_tokens(
            batch.original_ids,
            batch.positions,
            samples,
            with_replacement=self.with_replacement,
        )
        return log_probabilities, replaced_ids

    def sample(
        self,
        logits: Float[Tensor, "selected vocab"],
        log_probabilities: Float[Tensor, "selected vocab"],
    ) -> Selected:
        """The generator's replacements; ids, so nothing flows back through them."""
        if self.sampling == "gumbel":
            return sample_gumbel(logits, self.temperature)
        if self.temperature == 1.0:
            return sample_inverse_cdf(log_probabilities.exp())
        return sample_inverse_cdf((logits.float() / self.temperature).softmax(-1))


class Electra(WithGenerator):
    """Replaced token detection at every token: ``min MLM + 50 * RTD`` (paper, section 2).

    Args:
        correction_weight: of a third loss: a second head on the discriminator names the original
            tokens at the selected positions, from the text with replacements (after Meng et al. 2021,
            COCO-LM, "corrective language modeling"; there with a copy gate, at all positions). One bit
            per token teaches a network that knows nothing slowly; naming words teaches it faster. The
            head is for training alone and no part of the pair; a run keeps it beside its pair, for the
            run that goes on. 0, as in ELECTRA: there is none.
    """

    name = "electra"
    main_part = "rtd_loss"
    default_weight = 50.0
    model: ElectraForPreTraining

    def __init__(
        self,
        config: ElectraConfig,
        generator_config: ElectraConfig,
        *,
        correction_weight: float = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__(config, generator_config, **settings)
        if correction_weight < 0:
            raise ValueError(f"correction_weight is {correction_weight}; it must be 0 or more.")
        self.correction_weight = correction_weight
        if correction_weight:
            self.correction_head = MaskedLMHead(config)
            self.model.init_weights(self.correction_head)
            # what is frequent is known where the generator is
            self.correction_head.bias.data.copy_(self.generator.head.bias.data)

    def make_model(self, config: ElectraConfig) -> ElectraForPreTraining:
        return ElectraForPreTraining(config)

    def weighted_losses(
        self, replaced_ids: Tokens, batch: MaskedBatch
    ) -> dict[str, tuple[float, Float[Tensor, ""]]]:
        states = encode(self.model.electra, replaced_ids, batch)
        losses = {self.main_part: (self.weight, self.rtd_loss(states, replaced_ids, batch))}
        if self.correction_weight:
            logits = self.correction_head(
                states.flatten(0, 1)[batch.positions], self.model.electra.embeddings.word.weight
            )
            correction = F.cross_entropy(
                logits.float(), batch.original_ids.view(-1)[batch.positions]
            )
            losses["correction_loss"] = (self.correction_weight, correction)
        return losses

    def main_loss(self, replaced_ids: Tokens, batch: MaskedBatch) -> Float[Tensor, ""]:
        return self.rtd_loss(encode(self.model.electra, replaced_ids, batch), replaced_ids, batch)

    def rtd_loss(
        self, states: Float[Tensor, "batch seq hidden"], replaced_ids: Tokens, batch: MaskedBatch
    ) -> Float[Tensor, ""]:
        # a lucky sample, equal to the original, counts as original
        labels = replaced_ids != batch.original_ids
        if batch.attended is not None:
            states, labels = states[batch.attended], labels[batch.attended]
        return F.binary_cross_entropy_with_logits(self.model.head(states), labels.to(states.dtype))


class Electra15(Electra):
    """Replaced token detection at the selected positions only."""

    name = "electra_15"

    def rtd_loss(
        self, states: Float[Tensor, "batch seq hidden"], replaced_ids: Tokens, batch: MaskedBatch
    ) -> Float[Tensor, ""]:
        states = states.flatten(0, 1)[batch.positions]
        labels = (replaced_ids != batch.original_ids).view(-1)[batch.positions]
        return F.binary_cross_entropy_with_logits(self.model.head(states), labels.to(states.dtype))


class ReplaceMLM(WithGenerator):
    """MLM at the selected positions, with the generator's samples in place of [MASK]."""

    name = "replace_mlm"
    main_part = "main_mlm_loss"
    default_weight = 1.0
    model: ElectraForMaskedLM

    def main_loss(self, replaced_ids: Tokens, batch: MaskedBatch) -> Float[Tensor, ""]:
        logits = selected_logits(self.model, replaced_ids, batch)
        return F.cross_entropy(logits, batch.original_ids.view(-1)[batch.positions])


class AllTokensMLM(WithGenerator):
    """The original token at every position, with a copy gate.

    The model says p = D * [the input token] + (1 - D) * softmax(logits), where the copy probability
    D is a sigmoid of the token's state (paper, section 3.4). It sees what ``electra`` sees, and
    learns to copy what was not replaced.
    """

    name = "all_tokens_mlm"
    main_part = "main_mlm_loss"
    default_weight = 1.0
    model: ElectraForMaskedLM

    def make_model(self, config: ElectraConfig) -> ElectraForMaskedLM:
        model = ElectraForMaskedLM(config)
        self.copy_gate = nn.Linear(config.hidden_size, 1)
        model.init_weights(self.copy_gate)
        return model

    def main_loss(self, replaced_ids: Tokens, batch: MaskedBatch) -> Float[Tensor, ""]:
        states = encode(self.model.electra, replaced_ids, batch)
        attended = batch.attended
        if attended is None:
            attended = torch.ones_like(replaced_ids, dtype=torch.bool)
        return -self.log_probability(
            states[attended], replaced_ids[attended], batch.original_ids[attended]
        ).mean()

    def log_probability(
        self,
        states: Float[Tensor, "tokens hidden"],
        input_ids: Int[Tensor, " tokens"],
        original_ids: Int[Tensor, " tokens"],
    ) -> Float[Tensor, " tokens"]:
        """log p(original token) for each token, in logarithms throughout, so that no small p is lost."""
        gate = self.copy_gate(states).squeeze(-1)
        logits = self.model.head(states, self.model.electra.embeddings.word.weight)
        softmax = -F.cross_entropy(logits, original_ids, reduction="none")
        written = F.logsigmoid(-gate) + softmax
        copied = F.logsigmoid(gate)
        return torch.where(input_ids == original_ids, torch.logaddexp(copied, written), written)


OBJECTIVES: dict[str, type[Objective]] = {
    objective.name: objective for objective in (Electra, MLM, ReplaceMLM, Electra15, AllTokensMLM)
}


def make_objective(
    name: str,
    config: ElectraConfig,
    generator_config: ElectraConfig,
    *,
    rtd_weight: float = 50.0,
    correction_weight: float = 0.0,
    temperature: float = 1.0,
    sampling: str = "inverse_cdf",
    unigram_share: float = 0.0,
    with_replacement: bool = False,
    models: tuple[ElectraForMaskedLM, ElectraForPreTraining] | None = None,
) -> Objective:
    """Build the objective of that name, with fresh models unless some are given.

    Args:
        rtd_weight: weight of replaced token detection beside the generator's MLM; the other
            objectives keep the weight 1 (both of their losses are of the same kind).
        correction_weight: see ``Electra``; the other objectives do not look at it.
        temperature, sampling, unigram_share, with_replacement: see ``WithGenerator``.
        models: a generator and a discriminator to go on with.

    Raises:
        ValueError: there is no objective of that name, or it trains no discriminator to go on with.
    """
    if name not in OBJECTIVES:
        raise ValueError(f"There is no objective {name!r}. There are {', '.join(OBJECTIVES)}.")
    kind = OBJECTIVES[name]
    if models is not None and not issubclass(kind, Electra):
        raise ValueError(
            f"The objective {name!r} trains no discriminator, so it cannot go on with a pair. Take "
            "'electra' or 'electra_15'."
        )
    if not issubclass(kind, WithGenerator):
        return kind(config, generator_config)
    of_electra: dict[str, Any] = {}
    if issubclass(kind, Electra):
        of_electra = {"weight": rtd_weight, "correction_weight": correction_weight}
    return kind(
        config,
        generator_config,
        temperature=temperature,
        sampling=sampling,
        unigram_share=unigram_share,
        with_replacement=with_replacement,
        models=models,
        **of_electra,
    )


def encode(
    encoder: ElectraModel, input_ids: Tokens, batch: MaskedBatch
) -> Float[Tensor, "batch seq hidden"]:
    """The encoder's last states of a batch, whatever version of its text goes in."""
    states: Tensor = encoder(
        input_ids,
        batch.attention_mask,
        batch.token_type_ids,
        batch.position_ids,
        return_dict=True,
    ).last_hidden_state
    return states


def selected_logits(
    model: ElectraForMaskedLM, input_ids: Tokens, batch: MaskedBatch
) -> Float[Tensor, "selected vocab"]:
    """A language model's logits at the selected positions.

    Only these go through the head, whose output is the vocabulary: most of what ``model(...)``
    computes.
    """
    states = encode(model.electra, input_ids, batch).flatten(0, 1)[batch.positions]
    logits: Tensor = model.head(states, model.electra.embeddings.word.weight)
    return logits
