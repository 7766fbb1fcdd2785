"""One function for labelled data, wherever it lies: bundled, made by the micro-world, on the hub or in
a file of one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .bundled import BUNDLED, TWIN_PREFIX, TWIN_SIZES, BundledSet
from .choices import ChoiceLayout
from .columns import guessed_task, task_type
from .dividing import set_aside, text_of
from .errors import BadRowError, Checked, Row, check_characters, listed
from .files import (
    CONLLS,
    ENDINGS,
    PLAIN_TEXT,
    UPOS,
    WORDS,
    Split,
    is_conllu,
    read_file,
    words_are_numbered,
)
from .questions import QuestionLayout
from .schema import (
    PROBLEM_TYPES,
    ProblemType,
    TaskData,
    TaskType,
    datasets_library,
    make_dataset,
)
from .sequences import SequenceLayout
from .tokens import TokenLayout

VALIDATION_NAMES = ("validation", "valid", "val", "dev", "development", "validation_matched")
TEST_NAMES = ("test", "eval", "test_matched")


class Layout(Protocol):
    """From rows as they lie in a source to the standard columns of a task type."""

    task: TaskType
    labels: tuple[str, ...]
    problem_type: ProblemType | None

    def parse(self, values: dict[str, Any]) -> dict[str, Any]: ...

    def is_unlabelled(self, parsed: Mapping[str, Any]) -> bool: ...

    def settle(self, parsed: Sequence[Mapping[str, Any]]) -> None: ...

    def encode(self, parsed: dict[str, Any]) -> dict[str, Any]: ...

    def complaint(self, encoded: Sequence[Mapping[str, Any]]) -> str | None: ...


@dataclass
class Source:
    """What was found under a name: splits, and what is known about them.

    ``may_be_secret``: a test split without any label is not used, as sets of the hub have them; in a
    file of one's own it is a mistake.
    """

    name: str
    splits: dict[str, Split]
    task: TaskType | None = None
    columns: Mapping[str, Any] | None = None
    problem_type: ProblemType | None = None
    labels: Sequence[str] | None = None
    may_be_secret: bool = False


def load_task_data(
    source: str | Path | Mapping[str, Any] | Iterable[Any],
    *,
    task: str | None = None,
    columns: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
    problem_type: ProblemType | None = None,
    test: str | Path | None = None,
    test_share: float = 0.2,
    seed: int = 0,
    skip_bad_rows: bool = False,
    **options: Any,
) -> TaskData:
    """Labelled data from a bundled set, the micro-world, a file, a folder, the hub, or rows at hand.

    Args:
        source: one of

            - the name of a bundled set, see ``bundled_tasks``;
            - such a name with ``microworld/`` before it: sentences of the micro-world, labelled exactly,
              as many as ``train_size`` and ``test_size`` say (2000 and 500);
            - a file: CSV or TSV with a header, JSON, JSON lines, CoNLL or SQuAD, see ``read_file``;
            - a folder with such files called train, test and if there is one validation;
            - the name of a data set on the hub;
            - rows at hand: a list of dictionaries, a ``datasets.Dataset``, a table of pandas; or such
              splits by name, as a ``datasets.DatasetDict`` or ``{"train": [{...}, ...]}`` are.
        task: type of the task; by default the columns say it.
        columns: which columns hold what, where their names do not say it: ``{"text": "body"}``. Roles
            are the standard columns of ``TaskData`` and, for spans of characters, ``entities``. Columns
            of CoNLL files are numbered from 0; the default is the first and the last (of CoNLL-U the
            words and their parts of speech; where the first counts the words, the second).
        labels: their names and order. By default those that the source declares, or that train has.
        problem_type: of sequence classification; by default the labels say it: lists are multi-label
            (of names, of indices, or a 0 or 1 for each label), numbers with fractions or in a column
            called score are for regression.
        test: the split to test on: a file, or the name of a split on the hub ("validation[:500]"). By
            default the split of that name, or else the validation split, or else a part of train.
        test_share: which part of train is taken where there is no test split. Equal texts, and questions
            on one context, stay together.
        seed: of that choice, and of the micro-world.
        skip_bad_rows: leave bad rows out and count them (``TaskData.skipped``).
        options: for the hub those of ``datasets.load_dataset``: ``name`` (its subset), ``revision``,
            ``token``, ``split`` (what to train on, "train[:2000]") ...

    Raises:
        BadRowError: a row is bad, or a split has no usable rows or but one class.
        ValueError: a file cannot be read as a whole, columns were not found, or an argument is wrong.
        FileNotFoundError: there is no such file, or no train file in the folder.
        OSError: the hub gave no such data set.
        ModuleNotFoundError: the library ``datasets`` is not installed.
    """
    datasets_library()
    if not 0 < test_share < 1:
        raise ValueError(f"test_share is {test_share}; expected a part of train, such as 0.2.")
    if problem_type is not None and problem_type not in PROBLEM_TYPES:
        raise ValueError(
            f"problem_type is {problem_type!r}; expected one of {', '.join(PROBLEM_TYPES)}."
        )
    wanted = None if task is None else task_type(task)
    found = _find(source, wanted, test, seed, options)
    if wanted and found.task and wanted != found.task:
        raise ValueError(f"{found.name} is a set for {found.task}, not for {wanted}.")
    found.task = found.task or wanted
    if columns is not None:
        found.columns = columns
    found.problem_type = problem_type or found.problem_type
    skipped: Counter[str] = Counter()
    checks = {
        name: Checked(split.source, skip_bad_rows, skipped) for name, split in found.splits.items()
    }
    for name, split in found.splits.items():
        _check_not_empty(split.rows, name, split.source, skipped)
    found.labels = labels or found.labels
    layout = _layout(found, checks["train"])

    def parse(values: dict[str, Any]) -> dict[str, Any]:
        row = layout.parse(values)
        check_characters(row)
        return row

    parsed = {
        name: checks[name].each(((row, row.values) for row in split.rows), parse)
        for name, split in found.splits.items()
    }
    layout.settle([value for _, value in parsed["train"]])
    if test is None:
        _choose_test(parsed, layout if found.may_be_secret else None, checks)
    if "test" not in parsed:
        if len(parsed["train"]) == 1:
            raise checks["train"].error(
                parsed["train"][0][0],
                "It is the only row, and a part of the rows is set aside for the test. Give more"
                + (
                    "; an empty line stands between sentences."
                    if layout.task == "token_classification"
                    else "."
                ),
                skippable=False,
            )
        rows_of_all = len(parsed["train"])
        parsed["train"], parsed["test"] = _divided(parsed["train"], layout, test_share, seed)
        checks["test"] = checks["train"]
        if not parsed["test"]:
            raise BadRowError(
                checks["train"].source,
                None,
                f"its {rows_of_all} rows are too few to set a part aside for the test, of each class at "
                "least one. Give more, or a file to test on: test=FILE (--test FILE).",
                skippable=False,
            )
    made = {}
    for name, rows in parsed.items():
        if isinstance(layout, QuestionLayout):
            layout.ids.clear()  # questions are told apart within a split
        encoded = checks[name].each(rows, layout.encode)
        _check_not_empty(encoded, name, checks[name].source, skipped)
        ready = [value for _, value in encoded]
        complaint = layout.complaint(ready) if name == "train" else None
        if complaint:
            raise checks[name].error(encoded[0][0], complaint, skippable=False)
        made[name] = make_dataset(ready, layout.task, layout.problem_type)
    return TaskData(
        found.name,
        layout.task,
        **made,
        labels=layout.labels,
        problem_type=layout.problem_type,
        skipped=skipped,
    )


def _check_not_empty(rows: Sequence[Any], split: str, source: str, skipped: Counter[str]) -> None:
    if not rows:
        left_out = (
            f" Left out: {listed(f'{count} with {kind}' for kind, count in skipped.items())}."
            if skipped
            else ""
        )
        raise BadRowError(
            source,
            None,
            f"the {split} split is empty; expected at least one row.{left_out}",
            skippable=False,
        )


def _layout(found: Source, check: Checked) -> Layout:
    """What the columns of the train split mean.

    Raises:
        ValueError: they were not found.
    """
    train = found.splits["train"]
    columns, named, labels = train.columns(), found.columns or {}, found.labels
    if not columns:  # no row is of a form in which there could be some
        check.each(((row, None) for row in train.rows), lambda _: None)
        _check_not_empty([], "train", train.source, check.skipped)
    first = next(row for row in train.rows if row.problem is None)
    task = found.task or guessed_task(columns, named, first.values)
    if task in ("question_answering", "multiple_choice") and labels:
        raise ValueError(f"labels are given, and {task} has none.")
    if task != "sequence_classification" and found.problem_type:
        raise ValueError(
            f"problem_type is {found.problem_type!r}, and {task} has none; it is for "
            "sequence_classification."
        )
    if task == "question_answering":
        return QuestionLayout(columns, named, may_lack_answers=found.may_be_secret)
    if task == "multiple_choice":
        return ChoiceLayout(columns, named, train.classes)
    if task == "token_classification":
        usual = (0, -1)
        if columns[0] == "0" and is_conllu(first.values):
            usual = (WORDS, UPOS)
        elif columns[0] == "0" and words_are_numbered(r for r in train.rows if r.problem is None):
            usual = (1, -1)
        return TokenLayout(columns, named, train.classes, labels, usual)
    return SequenceLayout(columns, named, train.classes, labels, found.problem_type)


# -- which split is which


def _choose_test(
    parsed: dict[str, list[tuple[Row, Any]]], layout: Layout | None, checks: dict[str, Checked]
) -> None:
    """Drop splits whose labels are all secret, if a layout is there to tell; without a test split, the
    validation split is it."""
    for name in ("test", "validation"):
        rows = parsed.get(name, [])
        if layout and rows and all(layout.is_unlabelled(value) for _, value in rows):
            del parsed[name]
    if "test" not in parsed and "validation" in parsed:
        parsed["test"] = parsed.pop("validation")
        checks["test"] = checks["validation"]


def _divided(
    rows: list[tuple[Row, Any]], layout: Layout, share: float, seed: int
) -> tuple[list[tuple[Row, Any]], list[tuple[Row, Any]]]:
    """Rows -> train and test: of each class a share; what has the same text stays together."""
    texts = [text_of(value) for _, value in rows]
    if len(set(texts)) < 2:  # one text for all: nothing to keep apart
        texts = list(range(len(rows)))
    has_classes = layout.problem_type == "single_label_classification"
    classes = [value["label"] for _, value in rows] if has_classes else None
    chosen = set_aside(texts, classes, share, seed)
    train = [one for number, one in enumerate(rows) if number not in chosen]
    test = [one for number, one in enumerate(rows) if number in chosen]
    return train, test


def _normal(splits: Mapping[str, Any], name: str, train: str = "train") -> dict[str, Any]:
    """Splits by the names train, validation and test; one split alone is train.

    Raises:
        ValueError: none is called train.
    """
    if len(splits) == 1:
        train = next(iter(splits))
    if train not in splits:
        raise ValueError(f"{name} has no split {train}; its splits are {listed(splits)}.")
    found = {"train": splits[train]}
    for role, names in (("validation", VALIDATION_NAMES), ("test", TEST_NAMES)):
        there = next((one for one in names if one in splits), None)
        if there is not None:
            found[role] = splits[there]
    return found


# -- where rows come from


def _find(
    source: str | Path | Mapping[str, Any] | Iterable[Any],
    task: TaskType | None,
    test: str | Path | None,
    seed: int,
    options: dict[str, Any],
) -> Source:
    if not isinstance(source, Mapping | str | Path):
        source = {"train": source}
    if isinstance(source, Mapping):
        _refuse(options, "rows at hand")
        return _rows_at_hand(source, test)
    name = str(source)
    if not isinstance(source, Path):
        if name in BUNDLED:
            _refuse({**options, **({"test": test} if test else {})}, "a bundled set")
            return _bundled(name, BUNDLED[name])
        if name.startswith(TWIN_PREFIX):
            return _twin(name, seed, options)
    path = Path(source).expanduser()
    if path.exists():
        _refuse(options, "a file")
        return _own_files(path, task, test)
    looks_like_path = name.startswith((".", "/", "~")) or path.suffix.lower() in ENDINGS
    if isinstance(source, Path) or looks_like_path:
        raise FileNotFoundError(f"There is no file or folder {source}.")
    return _hub(name, test, options)


def _refuse(options: Mapping[str, Any], what: str) -> None:
    if options:
        raise ValueError(f"{listed(options)}: {what} has no such options.")


def _bundled(name: str, bundled: BundledSet) -> Source:
    splits = {split: read_file(file) for split, file in bundled.files().items()}
    for split, read in splits.items():
        read.source = f"{bundled.folder}/{split}{bundled.ending}"
    return Source(name, splits, bundled.task, bundled.columns, bundled.problem_type)


def _twin(name: str, seed: int, options: dict[str, Any]) -> Source:
    twin_of = name.removeprefix(TWIN_PREFIX)
    if twin_of not in BUNDLED:
        raise ValueError(f"There is no twin {name!r}; there are those of {listed(BUNDLED)}.")
    sizes = {split: options.pop(f"{split}_size", size) for split, size in TWIN_SIZES.items()}
    _refuse(options, "the micro-world, but for train_size and test_size,")
    from electra_lab.text.microworld.tasks import TWIN_LABELS, twin

    splits = {
        split: _split_of(f"{name}, {split}", twin(twin_of, size, split=split, seed=seed))
        for split, size in sizes.items()
    }
    bundled = BUNDLED[twin_of]
    labels = TWIN_LABELS.get(twin_of)
    return Source(name, splits, bundled.task, bundled.twin_columns, bundled.problem_type, labels)


def _rows_at_hand(source: Mapping[str, Any], test: str | Path | None) -> Source:
    splits = {name: _split_of(f"split {name}", rows) for name, rows in source.items()}
    found = _normal(splits, "source")
    if test is not None:
        if str(test) not in splits:
            raise ValueError(f"There is no split {test}; there are {listed(splits)}.")
        found["test"] = splits[str(test)]
    is_of_the_library = all(hasattr(rows, "features") for rows in source.values())
    return Source("rows at hand", found, may_be_secret=is_of_the_library)


def _own_files(path: Path, task: TaskType | None, test: str | Path | None) -> Source:
    files = {"train": path} if path.is_file() else _files_in(path)
    if test is not None:
        files["test"] = Path(test).expanduser()
    for file in files.values():
        if file.suffix.lower() == PLAIN_TEXT and task != "token_classification":
            raise ValueError(
                f"{file} is plain text, which has no labels. If it holds words and tags as CoNLL has "
                f"them, say task='token_classification' or let it end in {CONLLS[0]}; other labelled "
                f"data ends in {', '.join(ENDINGS)}."
            )
    return Source(path.stem, {split: read_file(file) for split, file in files.items()})


def _files_in(folder: Path) -> dict[str, Path]:
    """The files of the splits in a folder.

    Raises:
        FileNotFoundError: none is called train.
        ValueError: several could be one split.
    """
    found: dict[str, Path] = {}
    for role, names in (
        ("train", ("train",)),
        ("validation", VALIDATION_NAMES),
        ("test", TEST_NAMES),
    ):
        files = [
            file
            for file in sorted(folder.iterdir())
            if file.stem.lower() in names and file.suffix.lower() in (*ENDINGS, PLAIN_TEXT)
        ]
        if len(files) > 1:
            raise ValueError(
                f"In {folder}, {listed(file.name for file in files)} could all be the {role} split. "
                "Keep one, or give the files themselves: load_task_data(TRAIN, test=TEST)."
            )
        if files:
            found[role] = files[0]
    if "train" not in found:
        raise FileNotFoundError(
            f"There is no train file in {folder}; it has "
            f"{listed(sorted(file.name for file in folder.iterdir()))}. Expected train and test, each "
            f"with one of the endings {', '.join(ENDINGS)}."
        )
    return found


def _hub(name: str, test: str | Path | None, options: dict[str, Any]) -> Source:
    train = options.pop("split", None)

    def load(**more: Any) -> Any:
        try:
            return datasets_library().load_dataset(name, **options, **more)
        except Exception as error:  # its errors differ between versions, and few say what was asked
            raise OSError(
                f"{name!r} is no bundled set ({listed(BUNDLED)}) and no path here, and the hub gave no "
                f"such data set{f' with {options | more}' if options | more else ''}: {error}"
            ) from error

    if train is not None and test is not None:
        splits = {"train": load(split=train), "test": load(split=str(test))}
    else:
        splits = dict(load())
        if train is not None:
            splits = {**splits, "train": load(split=train)}
        splits = _normal(splits, name)
        if test is not None:
            splits["test"] = load(split=str(test))
    return Source(
        name,
        {split: _split_of(f"{name}, {split}", rows) for split, rows in splits.items()},
        may_be_secret=True,
    )


def _split_of(source: str, rows: Any) -> Split:
    """The rows of a ``Dataset``, or of anything that gives dictionaries."""
    is_pandas = hasattr(rows, "iterrows")
    features = {} if is_pandas else getattr(rows, "features", None) or {}
    rows = rows.to_dict("records") if is_pandas else rows
    read = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise ValueError(
                f"{source}, row {number} is {row!r:.60}; expected a dictionary with the columns as "
                'keys, such as {"text": ..., "label": ...}.'
            )
        read.append(Row(number, {str(name): _plain(value) for name, value in row.items()}))
    classes = {name: _class_names(feature) for name, feature in features.items()}
    return Split(source, read, {name: found for name, found in classes.items() if found})


def _plain(value: Any) -> Any:
    """Numbers and arrays of numpy as Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def _class_names(feature: Any) -> list[str]:
    """The names of a column of classes, or of lists of them."""
    if isinstance(feature, list):
        feature = feature[0]
    feature = getattr(feature, "feature", feature)
    return list(getattr(feature, "names", None) or [])
