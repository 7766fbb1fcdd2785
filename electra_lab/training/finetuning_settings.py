"""The numbers of a fine-tuning run, and which ones a task and a model get when none are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from electra_lab.model.config import ElectraConfig
from electra_lab.text.tasks.schema import TaskData

from .examples import LONGEST, LONGEST_OTHERS

SMALL_SET = 10_000
"""Rows of train below which a set is trained on for more epochs."""
SMALLEST_SET = 2_000
FEW_ROWS = 1_000
"""Rows of train below which even so many epochs are few steps for a low learning rate."""
SMALL_WIDTH = 256
"""Width of ELECTRA-Small, the narrowest that the authors fine-tuned."""
SMALL_DEPTH = 12


@dataclass(frozen=True)
class FinetuningSettings:
    """What a fine-tuning run is made with; ``for_task`` chooses by data and model.

    The defaults are those of google-research/electra for small and base (configure_finetuning.py).

    Attributes:
        epochs: passes over train.
        batch_size: examples in a batch (of questions, windows).
        learning_rate: of the head, at its peak.
        layer_decay: see ``layer_wise_groups``.
        warmup_share: of the steps; then the rate falls linearly to zero.
        weight_decay: not on LayerNorm and biases.
        clip_norm: limit of the gradient's norm.
        dropout: on states and on attention weights while the model learns (google-research/electra:
            .1); None: what the model's configuration has.
        max_length: tokens of a row; None: 128, of questions with context 384, or as many as the model
            has positions for.
        class_weights: None, ``"balanced"`` (all classes count alike) or a number for each label.
        swap_pairs: also train on every pair with its texts swapped (google-research/electra does where
            both say the same: MRPC, STS-B; classification_tasks.py).
        validation_share: part of train by which the best checkpoint is chosen, where the data has no
            validation split. 0: the last one is kept.
        patience: stop when so many epochs in a row were no better. None: never.
        seed: of the head, the order, dropout and the validation share.
        faithful: the authors' quirks: Adam without bias correction, decay from the first step on, the
            top layer at layer_decay ** 2, and the sum of the losses of a batch.

    Raises:
        ValueError: a number is out of its range.
    """

    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 1e-4
    layer_decay: float = 0.8
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    dropout: float | None = None
    max_length: int | None = None
    class_weights: str | Sequence[float | int] | None = None
    swap_pairs: bool = False
    validation_share: float = 0.1
    patience: int | None = None
    seed: int = 0
    faithful: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate", "clip_norm", "patience"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} is {value}; it must be above 0.")
        for name in ("warmup_share", "validation_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; it must be from 0 to below 1, such as 0.1."
                )
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is {self.dropout}; it must be from 0 to below 1, such as 0.1, or None for the "
                "model's own."
            )
        if not 0 < self.layer_decay <= 1:
            raise ValueError(
                f"layer_decay is {self.layer_decay}; it must be above 0 and at most 1."
            )

    @classmethod
    def for_task(
        cls, data: TaskData, config: ElectraConfig, *, from_scratch: bool = False, **changes: Any
    ) -> FinetuningSettings:
        """Settings for this data and a model of this shape.

        Where the authors' differ:

        - They train for 3 epochs, and 10 on their small sets (RTE 2,500 pairs, STS-B 5,700), which is
          800 steps and more. Three hundred examples in batches of 32 would be 30 steps: nothing
          moves. Sets below 10,000 rows get 10 epochs; below 2,000 rows 20, in batches of 16.
        - Their rate of 1e-4 is for a width of 256 and more and 12 layers. A narrower model gets 1e-3: of
          5e-4, 1e-3 and 2e-3 the best or equal to the best for micro on the validation part of the
          micro-world's tasks. A shallower one gets 5e-4 where train has fewer than 1,000 rows, so that
          the few steps go far enough: for mini on emotions and similarity better than 2e-4 and 4e-4
          with dropout; for names 4e-4 with it was better (a validation part of 30%, one seed). With
          more rows it gets 1e-4 as well, their dropout of .1 if it was pre-trained without, and one
          rate for all layers: on sentiment .644, with the authors' layer decay .611 (one seed).
        - Fresh weights (``from_scratch``) have no lower layers worth keeping: one rate for all. A
          shallow model of them gets 3e-4 on few rows: at 5e-4 mini's shape learned nothing of emotions
          (F1 0 against .39; with 2e-4 .41) and similarity (Pearson .01 against .17; with 2e-4 .14),
          on the same part, with the same seed.

        Args:
            changes: settings that are known; the others are chosen beside them.

        Raises:
            ValueError, TypeError: a change is out of its range, or there is no such setting.
        """
        unknown = sorted(changes.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise TypeError(
                f"There is no setting {', '.join(unknown)}; there are "
                f"{', '.join(field.name for field in fields(cls))}."
            )
        rows = len(data.train)
        chosen: dict[str, Any] = {}
        if rows < SMALL_SET:
            chosen["epochs"] = 10
        if rows < SMALLEST_SET:
            chosen["epochs"], chosen["batch_size"] = 20, 16
        if config.hidden_size >= 1024:
            chosen["learning_rate"], chosen["layer_decay"] = 5e-5, 0.9
        elif config.hidden_size < SMALL_WIDTH:
            chosen["learning_rate"] = 1e-3
        elif config.num_hidden_layers < SMALL_DEPTH:
            if rows < FEW_ROWS:
                chosen["learning_rate"] = 3e-4 if from_scratch else 5e-4
            else:
                chosen["layer_decay"] = 1.0
                if not config.hidden_dropout_prob:
                    chosen["dropout"] = 0.1
        if from_scratch:
            chosen["layer_decay"] = 1.0
        # a score of two texts is the same for both orders; who entails whom is not
        chosen["swap_pairs"] = data.problem_type == "regression" and data.is_pair
        return cls(**{**chosen, **changes})

    def longest(self, data: TaskData, config: ElectraConfig) -> int:
        """Tokens of a row.

        Raises:
            ValueError: ``max_length`` is more than the model has positions for.
        """
        if self.max_length is None:
            return min(LONGEST.get(data.task, LONGEST_OTHERS), config.max_position_embeddings)
        if self.max_length > config.max_position_embeddings:
            raise ValueError(
                f"max_length is {self.max_length}, but the model has "
                f"{config.max_position_embeddings} positions. Give at most as many."
            )
        return self.max_length
