"""The progress bar of a run."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from tqdm import tqdm

from electra_lab.training.progress import ProgressBar
from electra_lab.training.state import TrainingState


def test_a_run_of_five_minutes_redraws_its_bar_a_few_hundred_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Notebook front ends get three messages for each redraw, and nbval keeps a thousand."""
    drawn: list[object] = []
    monkeypatch.setattr(tqdm, "display", lambda self, *_, **__: drawn.append(self))
    module = nn.Linear(1, 1)
    state = TrainingState(module, torch.optim.AdamW(module.parameters()), 6_000)
    with ProgressBar(state, shown=True) as bar:
        now = bar.bar.last_print_t
        monkeypatch.setattr(bar.bar, "_time", lambda: now)
        for _ in range(6_000):
            now += 0.05
            bar.advance()
    assert 50 < len(drawn) < 330
