"""Figures of a run while it goes on: means over a window of steps, and the progress bar."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from .distributed import Ranks
from .state import HasLoss, Row, TrainingState


class NonFiniteLossError(ArithmeticError):
    """The loss or its gradient became NaN or infinite."""


class Window:
    """Figures of the steps since the last row (or since the resume); means over all processes.

    The losses stay where they were computed until a row is due: looking at a number on an
    accelerator waits for it.
    """

    def __init__(self, first_step: int, ranks: Ranks | None = None) -> None:
        self.first_step = first_step
        self.ranks = ranks or Ranks()
        self.losses: list[dict[str, Tensor]] = []
        self.tokens = 0
        self.began = time.perf_counter()

    def add(self, tokens: int, result: HasLoss, gradient_norm: Tensor) -> None:
        """Note one step's figures."""
        self.tokens += tokens
        self.losses.append(
            {"loss": result.loss.detach(), **result.parts, "gradient_norm": gradient_norm}
        )

    def check(self) -> dict[str, float]:
        """The mean of each part; empty where there were no steps.

        Raises:
            NonFiniteLossError: one of them was NaN or infinite.
        """
        if not self.losses:
            return {}
        names = list(self.losses[0])
        table = torch.stack([torch.stack([row[name] for name in names]) for row in self.losses])
        table = self.ranks.mean(table)
        finite = table.isfinite().all(1)
        if not finite.all():
            wrong = int((~finite).int().argmax())
            values = ", ".join(
                f"{name} = {value:g}"
                for name, value in zip(names, table[wrong].tolist(), strict=True)
            )
            raise NonFiniteLossError(
                f"Training stopped being finite at step {self.first_step + wrong + 1}: {values}. "
                "The last checkpoint, if there is one, is from before it. Resume from it with a "
                "lower learning rate or a longer warm-up, or look at the batch of that step."
            )
        return dict(zip(names, table.mean(0).tolist(), strict=True))

    def row(self, learning_rate: float, seconds: float) -> Row:
        elapsed = max(time.perf_counter() - self.began, 1e-9)
        return {
            "step": self.first_step + len(self.losses),
            **self.check(),
            "learning_rate": learning_rate,
            "tokens_per_second": self.tokens * self.ranks.size / elapsed,
            "seconds": seconds,
        }


# Seconds between two redraws of the bar. In a notebook each is several messages, and a reader that
# waits for the cell to end (nbval does) loses the last ones when more than a thousand pile up.
REDRAW_SECONDS = 1.0


class ProgressBar:
    """tqdm's bar, in terminals and in notebooks: steps, time left, loss, tokens per second."""

    def __init__(self, state: TrainingState, shown: bool) -> None:
        from tqdm.auto import tqdm

        self.bar = tqdm(
            total=state.total_steps,
            initial=state.step,
            disable=not shown,
            desc="training",
            unit="step",
            mininterval=REDRAW_SECONDS,
        )

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def advance(self) -> None:
        self.bar.update()

    def report(self, row: Row) -> None:
        self.bar.set_postfix_str(
            f"loss {row['loss']:.3f}, {row['tokens_per_second']:,.0f} tokens/s", refresh=False
        )
