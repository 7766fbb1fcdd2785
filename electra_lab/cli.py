"""The command ``electra-lab``. What a command needs is imported when it runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from electra_lab import __version__

app = typer.Typer(
    name="electra-lab",
    help="Understand, train and debug ELECTRA.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
bench = typer.Typer(
    help="Measurements whose results the notebooks and the README show.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(bench, name="bench")

Device = Annotated[
    str | None,
    typer.Option(help="cpu, cuda, cuda:1, mps; default: the best that this machine has."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the checkpoint in the output folder.")
]


TrainSize = Annotated[
    int | None,
    typer.Option(min=1, help="Rows of train of a microworld/NAME.", show_default=False),
]
TestSize = Annotated[
    int | None,
    typer.Option(min=1, help="Rows of test of a microworld/NAME.", show_default=False),
]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show what the package says about bad input as one message, with exit code 2."""
    try:
        yield
    except (ValueError, TypeError, OSError, ModuleNotFoundError, ArithmeticError) as error:
        typer.echo(f"electra-lab: {error}", err=True)
        raise typer.Exit(2) from error


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"electra-lab {__version__}")
        raise typer.Exit()
    return wanted


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Understand, train and debug ELECTRA."""


@app.command(context_settings={"ignore_unknown_options": True})
def lab(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDER",
            help="Where to copy the notebooks to (in a clone, and with --model, it may be left out), "
            "then any options of `jupyter lab`, such as --no-browser.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Open a notebook on this model instead: a folder with a model or a pair, a bundled "
            "name or a hub id. It is written into FOLDER, or into the current folder.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Open JupyterLab on 00_start_here.ipynb, or on a notebook for a model of your own.

    With a FOLDER the notebooks are copied there first; those that you changed are kept.
    """
    from electra_lab.lab import copy_notebooks, need_jupyterlab, notebooks_of_the_clone, open_lab

    given = arguments or []
    has_folder = bool(given) and not given[0].startswith("-")
    options = given[1:] if has_folder else given
    with plain_errors():
        need_jupyterlab()
        if model is not None:
            from electra_lab.model_notebook import find_model, write_model_notebook

            found = find_model(model)
        if has_folder:
            copied = copy_notebooks(given[0])
            typer.echo(copied)
            folder = copied.folder
        else:
            folder = notebooks_of_the_clone() if model is None else Path.cwd()
        if model is None:
            open_lab(folder, options)
        else:
            written = write_model_notebook(found, folder)
            typer.echo(written)
            open_lab(folder, options, written.file.name)


@app.command()
def pretrain(
    output: Annotated[Path, typer.Option(help="Folder for the pair and its checkpoints.")],
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Name of a shipped recipe, or path of a TOML file; default: micro, and own_text with "
            "--text.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            "--corpus",
            help="Instead of the recipe's: a text file (also .jsonl, .xz, .gz, .zst), a folder of them, "
            "or a data set on the hub.",
        ),
    ] = None,
    pair: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PAIR",
            help="A pair to go on with: bundled name, folder or hub name.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Instead of the recipe's; warm-up in proportion.")
    ] = None,
    snapshots: Annotated[
        int | None,
        typer.Option(
            "--snapshots",
            min=0,
            metavar="STEPS",
            help="Instead of the recipe's: keep the pair every so many steps, to replay the run.",
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Instead of the recipe's: float32, bfloat16 (faster on a processor with AVX-512 BF16 "
            "or AMX) or auto (bfloat16 on a GPU that computes in it).",
            show_default=False,
        ),
    ] = None,
    device: Device = None,
    resume: Resume = False,
) -> None:
    """Train a generator and a discriminator together, on the micro-world or on your own text."""
    with plain_errors():
        from electra_lab.training.allocator import keep_freed_memory
        from electra_lab.training.distributed import Ranks, process_group
        from electra_lab.training.pretraining import pretrain as run
        from electra_lab.training.recipe import Recipe

        keep_freed_memory()
        settings = Recipe.load(recipe or ("own_text" if text else "micro"))
        if steps is not None:
            settings = settings.with_steps(steps)
        settings = replace(
            settings,
            text=text or settings.text,
            continue_from=pair or settings.continue_from,
            snapshot_every=settings.snapshot_every if snapshots is None else snapshots,
            precision=precision or settings.precision,
        )
        with process_group(_device(device)) as place:
            result = run(settings, output, seed=seed, device=place, resume=resume)
            if not Ranks.here().first:
                return
    typer.echo(f"{result.recipe.steps} steps in {result.seconds:.1f} s, written to {output}")
    typer.echo(f'Load it with load_pair("{output}")')


@app.command()
def finetune(
    data: Annotated[
        str,
        typer.Option(
            help="A bundled set (also microworld/NAME), a CSV, JSON, CoNLL or SQuAD file, a folder with "
            "train and test, or a data set on the hub."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for the model and its figures.")],
    model: Annotated[
        str, typer.Option(help="Bundled name, folder or hub id; of a pair, its discriminator.")
    ] = "mini-discriminator",
    task: Annotated[
        str | None,
        typer.Option(
            help="sequence-classification, token-classification, question-answering or "
            "multiple-choice; default: the columns say it.",
            show_default=False,
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            help="File or hub split to test on; default: that of the data, or a part of it."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME",
            help="Which column holds what, as in text=body; several times. A role of several columns "
            "is there for each: label=joy label=anger.",
        ),
    ] = None,
    problem_type: Annotated[
        str | None,
        typer.Option(
            help="Of sequence classification: single_label_classification, multi_label_classification "
            "or regression; default: the labels say it.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...", help="The names of all labels, in order; default: those that occur."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the head, at its peak.")] = None,
    seed: Annotated[int, typer.Option(help="Of head, order, dropout and validation share.")] = 0,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Instead: so many runs, with seeds 0, 1, 2 ...")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="The same architecture with random weights.")
    ] = False,
    skip_bad_rows: Annotated[
        bool,
        typer.Option("--skip-bad-rows", help="Leave rows out that cannot be used; count them."),
    ] = False,
    train_size: TrainSize = None,
    test_size: TestSize = None,
    device: Device = None,
    resume: Resume = False,
) -> None:
    """Teach a pre-trained model a task, and show what it reaches beside the simplest rules."""
    with plain_errors():
        from electra_lab.model.config import ElectraConfig
        from electra_lab.text.tasks import load_task_data
        from electra_lab.training import finetuning
        from electra_lab.training.allocator import keep_freed_memory
        from electra_lab.training.distributed import Ranks, process_group
        from electra_lab.training.finetuning_settings import FinetuningSettings

        keep_freed_memory()
        read = load_task_data(
            data,
            task=task,
            test=test,
            columns=_columns(column),
            labels=None if labels is None else [label.strip() for label in labels.split(",")],
            skip_bad_rows=skip_bad_rows,
            **_given(problem_type=problem_type, train_size=train_size, test_size=test_size),
        )
        given = _given(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
        settings = FinetuningSettings.for_task(
            read,
            ElectraConfig.from_pretrained(finetuning.encoder_name(model)),
            from_scratch=from_scratch,
            **given,
        )
        with process_group(_device(device)) as place:
            options: dict[str, Any] = dict(
                settings=settings, from_scratch=from_scratch, device=place, resume=resume
            )
            several = None
            if seeds is None:
                result = finetuning.finetune(read, model, output, **options)
            else:
                several = finetuning.finetune_seeds(
                    read, model, output, seeds=range(seeds), **options
                )
                result = several.results[-1]
            if not Ranks.here().first:
                return
        typer.echo(result.data)
        typer.echo(result.table())
    if several is not None:
        typer.echo(f"Over {len(several.results)} seeds, mean and standard deviation:")
        for name, value in several.mean.items():
            typer.echo(f"  {name}: {value:.3f} ± {several.spread[name]:.3f}")
    cut = {name: rows for name, rows in result.cut.items() if rows}
    if cut:
        listed = ", ".join(f"{rows} of {name}" for name, rows in cut.items())
        typer.echo(f"Rows that were too long for the model and lost their end: {listed}")
    where = output if several is None else output / f"seed-{result.settings.seed}"
    typer.echo(f"{result.seconds:.1f} s, written to {output}")
    typer.echo(f'Load it with pipeline("{_PIPELINES[result.data.task]}", "{where}")')


_PIPELINES = {
    "sequence_classification": "text-classification",
    "token_classification": "token-classification",
    "question_answering": "question-answering",
    "multiple_choice": "multiple-choice",
}


def _given(**options: Any) -> dict[str, Any]:
    """Those that are there."""
    return {name: value for name, value in options.items() if value is not None}


def _columns(given: list[str] | None) -> dict[str, Any] | None:
    """``ROLE=NAME`` as a dictionary; a role that is there several times has a list."""
    if not given:
        return None
    columns: dict[str, list[str]] = {}
    for one in given:
        role, equals, name = one.partition("=")
        if not (role and equals and name):
            raise ValueError(f"--column is {one!r}; expected ROLE=NAME, such as text=body.")
        columns.setdefault(role, []).append(name)
    return {role: names if len(names) > 1 else names[0] for role, names in columns.items()}


@app.command()
def run(
    task: Annotated[str, typer.Option(help="text-classification, fill-mask, ...")],
    model: Annotated[
        str | None,
        typer.Option(help="Bundled name, folder or hub id; pre-training tasks default to micro."),
    ] = None,
    device: Device = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows computed together.")] = 32,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Each line in is a JSON value, each line out its answer."),
    ] = False,
) -> None:
    """Answer each line of standard input with a pipeline."""
    with plain_errors():
        place = _device(device)
        lines = [line.rstrip("\n") for line in sys.stdin]
        inputs = [
            _json_line(number, line) if jsonl else line
            for number, line in enumerate(lines, start=1)
            if line.strip()
        ]
        from electra_lab.pipelines import pipeline

        answers = pipeline(task, model, device=place, batch_size=batch_size)(inputs)
        for answer in answers:
            typer.echo(json.dumps(answer, ensure_ascii=False) if jsonl else _readable(answer))


@app.command()
def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="An original TensorFlow checkpoint (its folder, or the beginning of its files' names), "
            "or a folder with tf_model.h5 or flax_model.msgpack.",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="A new folder.")],
    part: Annotated[
        str | None,
        typer.Option(help="discriminator or generator; an original checkpoint holds both."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Its config.json; without it, sizes are read off the shapes."),
    ] = None,
    vocab: Annotated[
        Path | None, typer.Option(help="Its vocab.txt; default: the one beside the checkpoint.")
    ] = None,
) -> None:
    """Turn a checkpoint of TensorFlow, Keras or Flax into one that loads here and in transformers."""
    with plain_errors():
        from electra_lab.checkpoints.convert import convert as run

        typer.echo(run(source, output, part, config=config, vocab=vocab))


@app.command()
def course(
    output: Annotated[Path, typer.Option(help="Folder for the course.")] = Path("build/course"),
    only: Annotated[
        str | None,
        typer.Option(help="Numbers of notebooks, such as 03,09; default: all.", show_default=False),
    ] = None,
    execute: Annotated[
        bool,
        typer.Option(
            help="Run the solved notebooks and make a page of each. All of them take a while."
        ),
    ] = True,
) -> None:
    """Build the course: notebooks for students, solved ones, a page of each, plans and a guide.

    What is there and up to date is not made again, so a build that was stopped goes on where it was.
    ELECTRA_LAB_MODEL names the pair that the notebooks run on.
    """
    from electra_lab.course.build import build_course

    numbers = None if only is None else [number.strip() for number in only.split(",")]
    with plain_errors():
        typer.echo(build_course(output, numbers, run=execute))


def _json_line(number: int, line: str) -> object:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(
            f"Line {number} is no JSON ({error}): {line[:80]!r}. Leave --jsonl out for plain text."
        ) from error


def _readable(answer: object) -> str:
    """One line for an answer; a list of answers as a line for each."""
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        return "\n".join(_readable(one) for one in answer)
    if isinstance(answer, dict):
        return "  ".join(
            f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}"
            for name, value in answer.items()
        )
    return json.dumps(answer)


Seeds = Annotated[int, typer.Option(min=1, help="How many seeds: 0, 1, 2 ...")]
RecipeName = Annotated[str, typer.Option(help="Name of a shipped recipe, or path of a TOML file.")]
Results = Annotated[
    Path | None,
    typer.Option(
        help="File for the results; default: in a clone in data/results, elsewhere in this folder.",
        show_default=False,
    ),
]


@bench.command()
def microworld(
    seeds: Seeds = 3,
    recipe: RecipeName = "micro",
    output: Results = None,
    device: Device = None,
) -> None:
    """Train on the micro-world with several seeds and measure what the models learned."""
    with plain_errors():
        _device(device)
        from electra_lab.bench.microworld import run

        run(recipe, tuple(range(seeds)), output=_results_file("microworld", output))


@bench.command()
def objectives(
    seeds: Seeds = 3,
    recipe: RecipeName = "micro",
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of ELECTRA whose cost each gets; default: the recipe's."),
    ] = None,
    output: Results = None,
) -> None:
    """Train all five objectives with equal compute, on the CPU, and compare what they learned."""
    with plain_errors():
        from electra_lab.bench.objectives import run

        file = _results_file("objectives", output)
        run(recipe, tuple(range(seeds)), steps=steps, output=file)


@bench.command()
def inference(
    rounds: Annotated[int, typer.Option(min=1, help="Times that each shape is computed.")] = 200,
    threads: Annotated[int, typer.Option(min=1, help="Threads that PyTorch may use.")] = 2,
    output: Results = None,
) -> None:
    """Time predictions on the CPU beside transformers' with the same checkpoint, in turn."""
    with plain_errors():
        from electra_lab.bench.inference import run

        run(rounds, threads=threads, output=_results_file("inference", output))


@bench.command("pretraining")
def pretraining_bench(
    rounds: Annotated[int, typer.Option(min=1, help="Processes for each side, in turn.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Threads that PyTorch may use.")] = 2,
    output: Results = None,
) -> None:
    """Time a pre-training step on the CPU beside one composed from transformers' parts."""
    with plain_errors():
        from electra_lab.bench.pretraining import run

        run(rounds, threads=threads, output=_results_file("pretraining", output))


@bench.command("finetuning")
def finetuning_bench(
    rounds: Annotated[int, typer.Option(min=1, help="Epochs of each side, in turn.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads that PyTorch may use.")] = 2,
    sentences: Annotated[int, typer.Option(min=1, help="Sentences of an epoch.")] = 1000,
    output: Results = None,
) -> None:
    """Time an epoch of fine-tuning on the CPU beside transformers' Trainer on the same batches."""
    with plain_errors():
        from electra_lab.bench.finetuning import run

        file = _results_file("finetuning", output)
        run(rounds, threads=threads, sentences_per_epoch=sentences, output=file)


@bench.command("tasks")
def tasks_bench(
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A bundled set (mini learns it) or microworld/NAME (micro does); several times; "
            "default: all.",
            show_default=False,
        ),
    ] = None,
    seeds: Seeds = 3,
    curve: Annotated[
        bool, typer.Option("--curve", help="Also learn from an eighth, a quarter, half of train.")
    ] = False,
    train_size: TrainSize = None,
    test_size: TestSize = None,
    output: Results = None,
    device: Device = None,
) -> None:
    """Learn the sets with pre-training and without, beside simple rules; the results are merged."""
    with plain_errors():
        _device(device)
        from electra_lab.bench.tasks import run
        from electra_lab.training.allocator import keep_freed_memory

        keep_freed_memory()
        run(
            data or (),
            tuple(range(seeds)),
            curve=curve,
            train_size=train_size,
            test_size=test_size,
            output=_results_file("tasks", output),
        )


@bench.command()
def mini(
    pair: Annotated[str, typer.Option(help="Bundled name, folder or hub name.")] = "mini",
    corpus: Annotated[
        Path | None,
        typer.Option(help="Text that it was trained on: the documents held out are measured."),
    ] = None,
    text: Annotated[Path | None, typer.Option(help="Text that it never saw.")] = None,
    recipe: RecipeName = "mini",
    output: Results = None,
    device: Device = None,
) -> None:
    """Measure a pair that was trained on real text: masked words, replaced tokens, minimal pairs."""
    with plain_errors():
        _device(device)
        from electra_lab.bench.mini import run

        file = _results_file("mini", output)
        run(pair, corpus=corpus, text=text, recipe=recipe, output=file)


def _results_file(name: str, given: Path | None) -> Path | None:
    """Where results go: an installed package is not written to."""
    from electra_lab.checkpoints.resources import in_clone

    return given or (None if in_clone() else Path(f"{name}.json"))


def _device(name: str | None) -> str | None:
    """Make a named device the default one, so that a wrong name is refused by default_device."""
    if name is None:
        return None
    os.environ["ELECTRA_LAB_DEVICE"] = name
    from electra_lab.devices import default_device

    return str(default_device())
