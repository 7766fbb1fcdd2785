"""The training loop: one for every kind of training.

It knows nothing of ELECTRA. It is given a module that turns a batch into a ``Loss``, a source that
has a batch for every step, an optimiser and a schedule; it brings seeds, progress, callbacks, rows
of figures, checkpoints and exact resume.

What a run is depends on its step alone: ``source.batch(step)`` is the data position, the schedule is
a function of the step, and the state of the random generators is kept in the checkpoint. So a run
that was killed and resumed continues as if nothing had happened.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from .checkpoint import (
    CHECKPOINT_FILE,
    load_checkpoint,
    random_states,
    save_checkpoint,
    set_random_states,
)
from .distributed import Ranks
from .optimization import Schedule
from .precision import autocast
from .progress import ProgressBar, Window
from .state import Evaluation, HasLoss, Row, TrainingState


@runtime_checkable
class Batch(Protocol):
    """What one step trains on."""

    @property
    def tokens(self) -> int:
        """How many tokens it has, for tokens per second."""
        ...

    def to(self, device: torch.device | str) -> Any: ...


@runtime_checkable
class BatchSource(Protocol):
    """Hands out the batch of any step, always the same one: that is what makes a resume exact."""

    def batch(self, step: int) -> Batch: ...


def train(
    module: nn.Module,
    source: BatchSource,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    *,
    steps: int,
    seed: int = 0,
    device: torch.device | str = "cpu",
    clip_norm: float = 1.0,
    precision: str = "auto",
    log_every: int = 10,
    folder: str | Path | None = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
    stop_after: int | None = None,
    evaluation: Evaluation | None = None,
    evaluate_every: int | None = None,
    settings: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    callbacks: Iterable[object] = (),
    progress: bool = True,
) -> TrainingState:
    """Train ``module`` and return where the run ended.

    Args:
        module: ``module(batch)`` returns an object with ``loss`` and ``parts``, as
            ``objectives.Loss`` has them. It is left in training mode.
        source: has the batch of each step.
        optimizer: its groups' ``lr`` are taken as the peak.
        schedule: step -> factor of the peak.
        steps: length of the whole run.
        seed: of every random number drawn while training (dropout, sampling). The random state
            outside is left as it was.
        device: where the batches are sent; the module is there already.
        clip_norm: limit of the global gradient norm (google-research/electra: 1.0).
        precision: of the forward pass; see ``precision.autocast``.
        log_every: steps between two rows of the history.
        folder: where ``checkpoint.pt`` is kept; None: nothing is written.
        checkpoint_every: steps between two checkpoints; None: only one at the end.
        resume: go on from the checkpoint in ``folder``, if there is one.
        stop_after: end this call after so many steps of the run, with a checkpoint; the schedule is
            still that of ``steps``.
        evaluation: adds figures to rows, and may end the run; see ``state.Evaluation``.
        evaluate_every: steps between two evaluations; there is a row for each, and one at the end.
        settings: what the run was made with (plain values); kept in the checkpoint, and a resume
            with others is refused.
        defaults: what a setting is where a checkpoint, made before there was such a setting, lacks it.
        callbacks: see ``Callback``.
        progress: show a bar with loss, tokens per second and time left.

    Raises:
        NonFiniteLossError: the loss became NaN or infinite; the checkpoint before it stays.
        ValueError: ``resume`` without a folder; or the checkpoint has other settings or parameters.
        FileExistsError: the folder has a checkpoint, and ``resume`` was not asked for.
        OSError: a checkpoint cannot be written; the one before it stays whole.
    """
    state = TrainingState(module, optimizer, steps)
    settings = dict(settings or {})
    ranks = Ranks.here()
    callbacks = tuple(callbacks) if ranks.first else ()
    file = checkpoint_file(folder, resume)
    for group in optimizer.param_groups:
        group.setdefault("peak_lr", group["lr"])
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    last = steps if stop_after is None else min(stop_after, steps)
    with _kept_random_state(device):
        torch.manual_seed(ranks.seed(seed))
        if resume and file is not None and file.is_file():
            load_checkpoint(file, state, settings, device, dict(defaults or {}))
        if evaluation is not None:
            evaluation.begin(state)
        module.train()
        trained = ranks.wrap(module)
        _tell(callbacks, "on_start", state, state)
        began = time.perf_counter() - state.seconds
        window = Window(state.step, ranks)
        with ProgressBar(state, progress and ranks.first) as bar:
            while state.step < last and not state.stopped:
                batch = source.batch(state.step)
                _set_learning_rate(optimizer, schedule(state.step))
                with autocast(precision, device):
                    result = trained(batch.to(device))
                norm = _take_step(
                    result, optimizer, parameters, clip_norm, autocast(precision, device)
                )
                window.add(batch.tokens, result, norm)
                del result  # what its graph holds would live on beside the next step's
                state.step += 1
                state.seconds = time.perf_counter() - began
                ended = state.step == steps
                evaluated = evaluate_every is not None and state.step % evaluate_every == 0
                if state.step % log_every == 0 or evaluated or ended:
                    row = window.row(optimizer.param_groups[0]["lr"], state.seconds)
                    if evaluation is not None and (evaluated or ended):
                        _evaluate(evaluation, row, state, ranks)
                    window = Window(state.step, ranks)
                    _tell(callbacks, "on_log", row, state)
                    state.history.append(row)
                    bar.report(row)
                _tell(callbacks, "on_step", state, state)
                bar.advance()
                due = checkpoint_every is not None and state.step % checkpoint_every == 0
                if file is not None and (due or state.step == last or state.stopped):
                    window.check()
                    save_checkpoint(file, state, settings, device)
        state.seconds = time.perf_counter() - began
        _tell(callbacks, "on_end", state, state)
    return state


def _take_step(
    result: HasLoss,
    optimizer: torch.optim.Optimizer,
    parameters: list[nn.Parameter],
    clip_norm: float,
    products: AbstractContextManager[Any],
) -> Tensor:
    """Backward, clip, update (with Muon's ``products`` as precise as those of the model); returns the
    gradient's norm before clipping."""
    optimizer.zero_grad(set_to_none=True)
    result.loss.backward()
    norm = nn.utils.clip_grad_norm_(parameters, clip_norm)
    with products:
        optimizer.step()
    return norm


def _set_learning_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor


def checkpoint_file(folder: str | Path | None, resume: bool) -> Path | None:
    """Where a run in this folder keeps its checkpoint; None where nothing is written.

    Raises:
        ValueError: ``resume`` without a folder.
        FileExistsError: there is a checkpoint, and ``resume`` was not asked for.
    """
    if folder is None:
        if resume:
            raise ValueError("resume needs the folder of the run that is to go on; got none.")
        return None
    file = Path(folder) / CHECKPOINT_FILE
    if file.is_file() and not resume:
        raise FileExistsError(
            f"{file} is the checkpoint of an earlier run. Pass resume=True (--resume) to go on "
            "with it, or train into another folder."
        )
    return file


def _evaluate(evaluation: Evaluation, row: Row, state: TrainingState, ranks: Ranks) -> None:
    """Put what an evaluation measures into the row; all ranks go on, or all stop."""
    device = next(state.module.parameters()).device
    with _kept_random_state(device):
        row.update(evaluation.measure(state))
    state.module.train()
    wishes = torch.tensor(float(state.stopped and ranks.first), device=device)
    state.stopped = bool(ranks.mean(wishes) > 0)


def _tell(callbacks: tuple[object, ...], event: str, argument: Any, state: TrainingState) -> None:
    """Call every callback that has a method for the event. Looking on changes nothing: random states
    and training mode are afterwards what they were."""
    methods = [getattr(callback, event) for callback in callbacks if hasattr(callback, event)]
    if not methods:
        return
    with _kept_random_state(next(state.module.parameters()).device):
        for method in methods:
            method(argument)
    state.module.train()


@contextmanager
def _kept_random_state(device: torch.device | str) -> Iterator[None]:
    """Give the random generators' states back when the block ends."""
    before = random_states(device)
    try:
        yield
    finally:
        set_random_states(before, device)
