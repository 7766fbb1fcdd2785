"""A small notebook for one model: what it says of a text of one's own, and what it looked at."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.hub import CONFIG_FILE, VOCABULARY_FILES, is_hub_id
from electra_lab.checkpoints.pair import DISCRIMINATOR, GENERATOR
from electra_lab.checkpoints.resources import bundled_checkpoints
from electra_lab.checkpoints.store import read_config_file, resolve_folder
from electra_lab.checkpoints.weights import WEIGHTS_FILES
from electra_lab.training.history import HISTORY_FILES

PAIR = "Pair"
OWN = "electra_lab"  # the key of the notebook's metadata that says which model it is for


@dataclass(frozen=True)
class FoundModel:
    """A model, or a pair of them, before it is loaded.

    Attributes:
        name: what ``from_pretrained``, or for a pair ``load_pair``, is given.
        title: its name in a heading and in a file's name.
        kind: the class that its configuration names, or ``"Pair"``.
        named: whether the configuration named one; without, ``kind`` is the bare model.
        has_history: whether the rows of its training lie beside it.
    """

    name: str
    title: str
    kind: str
    named: bool = True
    has_history: bool = False


@dataclass(frozen=True)
class WrittenNotebook:
    """Where the notebook is, and whether it was there before."""

    file: Path
    kind: str
    new: bool

    def __str__(self) -> str:
        if self.new:
            return f"{self.file} written, for a model of the kind {self.kind}."
        return f"{self.file} was there already, for the same model; it is opened as it is."


@dataclass(frozen=True)
class _Kind:
    """What differs from head to head.

    Attributes:
        does: what a model of this kind says, to go on after its name.
        text: the source of TEXT.
        form: how a text of one's own is given.
        uses: public names of the package that the cell ``says`` needs.
        says: the cell that asks the model.
        after: what to know about its answer, and what to try with this head.
    """

    does: str
    text: str
    form: str
    uses: tuple[str, ...]
    says: str
    after: str


_SENTENCE = '"The girls with the dog have seen the ball."'
_WRONG = '"The girls with the dog has seen the ball."'
_MASKED = '"The girls with the dog [MASK] seen the ball."'
_ONE_OR_TWO = "One text; or two, as `(first, second)`, if the model was trained on pairs."

_KINDS = {
    PAIR: _Kind(
        does="a generator that proposes words, and a discriminator that says which were replaced",
        text=_WRONG,
        form="A sentence of at least a few words.",
        uses=("MaskExplorer", "ReplacedTokenExplorer"),
        says="ReplacedTokenExplorer(pair, TEXT)",
        after="Swap words in the sentence and see whether the discriminator notices. Below, mask a "
        "word: what does the generator propose, and does its proposal deceive the discriminator?",
    ),
    "ElectraForPreTraining": _Kind(
        does="a discriminator: it says for each token whether it was replaced",
        text=_WRONG,
        form="A sentence of at least a few words.",
        uses=("TokenHeatMap", "replaced_probabilities"),
        says="found = replaced_probabilities(model, tokenizer, TEXT)\n"
        "TokenHeatMap(found.tokens, found.probabilities)",
        after="The discriminator never filled in a word: for that, load its generator. With both halves "
        "beside each other (`NAME-generator` and `NAME-discriminator`, or `generator` and "
        "`discriminator` in one folder) `electra-lab lab --model NAME` shows what one proposes and "
        "the other makes of it.",
    ),
    "ElectraForMaskedLM": _Kind(
        does="a generator: it proposes words for `[MASK]`",
        text=_MASKED,
        form="A sentence with `[MASK]` in place of one or more words.",
        uses=("ProposalChart", "propose"),
        says="for proposals in propose(model, tokenizer, TEXT, top_k=min(10, len(tokenizer))):\n"
        "    display(ProposalChart(proposals.tokens, proposals.probabilities, title=TEXT))",
        after="If these are no words that fit at all, look at what this checkpoint is: a discriminator "
        "has no head for proposing, and loaded as a generator it gets random weights (loading then "
        "warns).",
    ),
    "ElectraForSequenceClassification": _Kind(
        does="a classifier: it says which class a text belongs to, or gives it a number",
        text=_SENTENCE,
        form=_ONE_OR_TWO,
        uses=("pipeline",),
        says='classify = pipeline("text-classification", model, tokenizer)\n'
        "for answer in classify(TEXT, top_k=None):\n"
        "    print(f\"{answer['label']:20}{answer['score']:8.3f}\")",
        after="A high probability is not a good reason. Change one word that should not matter (a name, "
        "a number, the final stop) and ask again.",
    ),
    "ElectraForTokenClassification": _Kind(
        does="a tagger: it gives each word a label",
        text=_SENTENCE,
        form="One text.",
        uses=("pipeline",),
        says='tag = pipeline("token-classification", model, tokenizer)\n'
        'for word in tag(TEXT, aggregation_strategy="first", ignore_labels=()):\n'
        "    print(f\"{word['word']:28}{word['entity_group']:12}{word['score']:8.3f}\")",
        after="Neighbouring words of the same label are joined. Write a name in small letters, or one "
        "that the tokenizer cuts into pieces, and see whether its label stays.",
    ),
    "ElectraForQuestionAnswering": _Kind(
        does="it answers a question with a span of a passage",
        text='{\n    "question": "Who has seen the ball?",\n'
        '    "context": "The girls with the dog have seen the ball. Anna gave the bread to Boris.",\n}',
        form="A question and the passage that holds its answer. A passage longer than the model is read "
        "in windows.",
        uses=("pipeline",),
        says='ask = pipeline("question-answering", model, tokenizer)\n'
        "answers = ask(TEXT, top_k=3)\n"
        "for answer in answers if isinstance(answers, list) else [answers]:\n"
        "    print(f\"{answer['score']:.3f}  {answer['answer']}\")",
        after="The model has to name a span, whether or not there is an answer. Ask something that the "
        "passage does not say, and look how sure it is.",
    ),
    "ElectraForMultipleChoice": _Kind(
        does="it chooses one of several continuations",
        text='{\n    "context": "The girls with the dog",\n'
        '    "choices": ["have seen the ball.", "has seen the ball."],\n}',
        form="A context, and two choices or more.",
        uses=("pipeline",),
        says='choose = pipeline("multiple-choice", model, tokenizer)\n'
        "answer = choose(TEXT)\n"
        'for choice, score in zip(TEXT["choices"], answer["scores"], strict=True):\n'
        '    print(f"{score:.3f}  {choice}")',
        after="Each choice is read with the context, and by itself. Put the choices into another order: "
        "their scores should move along. Then ask without the context (a single dot): is the choice "
        "the same?",
    ),
    "ElectraForCausalLM": _Kind(
        does="a decoder: it goes on where a text ends",
        text='"The girls with the dog"',
        form="The beginning of a text.",
        uses=("pipeline",),
        says='go_on = pipeline("text-generation", model, tokenizer)\n'
        "for seed in range(3):\n"
        "    (answer,) = go_on(TEXT, max_new_tokens=12, do_sample=True, seed=seed)\n"
        '    print(answer["generated_text"])',
        after="Each token sees only those before it: in the picture of attention, nothing stands above "
        "the diagonal.",
    ),
    "ElectraModel": _Kind(
        does="an encoder without a head: it gives each token a state, and says nothing",
        text=_SENTENCE,
        form=_ONE_OR_TWO,
        uses=(),
        says="",
        after="",
    ),
}
# the notebook that teaches a head's task; only these have labelled data to be wrong on
_TAUGHT_IN = {
    "ElectraForSequenceClassification": "10_sequence_classification",
    "ElectraForTokenClassification": "11_token_classification",
    "ElectraForQuestionAnswering": "12_question_answering",
    "ElectraForMultipleChoice": "13_multiple_choice",
}


def find_model(name: str | Path) -> FoundModel:
    """What kind of model a name stands for, without loading it.

    Args:
        name: a folder with a model, or with ``generator`` and ``discriminator`` in it; ``X`` where
            ``X-generator`` and ``X-discriminator`` are folders; a bundled name; or a hub id, of which
            the configuration is downloaded.

    Raises:
        NotADirectoryError: it is a file.
        FileNotFoundError: there is no such model, or a file is missing in its folder.
        ValueError: it is no ELECTRA, or has a head that is none of the package's.
        PermissionError, OSError: the hub does not let one in, or a download failed.
    """
    name = str(name)
    path = Path(name).expanduser().absolute()
    if path.is_file():
        raise NotADirectoryError(f"{path} is a file; name the folder that it lies in.")
    if path.is_dir():
        return _in_folder(path)
    if all(Path(f"{path}-{half}").is_dir() for half in (GENERATOR, DISCRIMINATOR)):
        return FoundModel(str(path), path.name, PAIR)
    bundled = bundled_checkpoints()
    if name in bundled:
        return FoundModel(name, name, *_kind_in(resolve_folder(name)))
    if f"{name}-{GENERATOR}" in bundled:
        return FoundModel(name, name, PAIR)
    if is_hub_id(name):
        return _on_the_hub(name)
    pairs = [one.removesuffix(f"-{GENERATOR}") for one in bundled if one.endswith(GENERATOR)]
    raise FileNotFoundError(
        f"There is no model {name!r}: no folder has this path, it is none of the bundled ones "
        f"({', '.join([*pairs, *bundled])}), and a name on the hub has the form owner/model."
    )


def write_model_notebook(found: FoundModel, folder: str | Path) -> WrittenNotebook:
    """Write the notebook for a model into ``folder``, over no other file.

    It is called after the model. Where a notebook of that name is there already, it stays: one for the
    same model is taken as it is, beside any other the new one gets a number.

    Raises:
        NotADirectoryError: ``folder`` is a file.
        ModuleNotFoundError: nbformat, which comes with the notebooks, is not installed.
        OSError: it cannot be written.
    """
    import nbformat

    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name a folder for the notebook.")
    name = "look_at_" + (re.sub(r"[^A-Za-z0-9_-]+", "_", found.title).strip("_") or "model")
    number, file = 1, folder / f"{name}.ipynb"
    while file.exists():
        if _is_for(file) == found.name:
            return WrittenNotebook(file, found.kind, new=False)
        number += 1
        file = folder / f"{name}_{number}.ipynb"
    beside = (folder / "09_looking_at_attention.ipynb").is_file()
    with atomic_file(file) as partial:
        nbformat.write(model_notebook(found, course_beside=beside), partial)
    return WrittenNotebook(file, found.kind, new=True)


def model_notebook(found: FoundModel, course_beside: bool = False) -> Any:
    """The notebook, never run, as nbformat has it.

    Args:
        course_beside: the course's notebooks lie in the same folder, so that they can be linked to.
    """
    from nbformat import v4

    made = [
        v4.new_markdown_cell(source) if kind == "markdown" else v4.new_code_cell(source)
        for kind, source in _cells(found, course_beside)
    ]
    # numbers instead of random ids: the same model gives the same file
    for number, cell in enumerate(made):
        cell["id"] = f"cell-{number}"
    return v4.new_notebook(
        cells=made,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            OWN: {"model": found.name},
        },
    )


def _cells(found: FoundModel, course_beside: bool) -> list[tuple[str, str]]:
    """(kind, source) of each cell."""
    kind = _KINDS[found.kind]
    pair = found.kind == PAIR
    cells = [
        (
            "markdown",
            f"# {_as_markdown(found.title)}\n\n{kind.does[0].upper()}{kind.does[1:]}."
            f"{'' if found.named else _NO_HEAD}\n\n"
            f"Write a text of your own here, then run all cells (*Run, Run All Cells*). {kind.form} "
            "Nothing leaves this machine.",
        ),
        ("code", f"MODEL = {found.name!r}\nTEXT = {kind.text}\n{_OTHER}"),
        ("markdown", "## The model"),
        ("code", _loading(found, kind.uses)),
    ]
    model, tokenizer = ("pair.discriminator", "pair.tokenizer") if pair else ("model", "tokenizer")
    if kind.says:
        cells += [("markdown", "## What it says"), ("code", kind.says), ("markdown", kind.after)]
        if pair:
            cells.append(("code", "MaskExplorer(pair, TEXT)"))
        cells += [
            ("markdown", _WHY),
            ("code", f"PredictionExplorer({model}, TEXT, OTHER, tokenizer={tokenizer})"),
        ]
    cells += [
        (
            "markdown",
            "## What it looks at\n\nEvery head of every layer; choose one with a click. Switch a head "
            "off and see in the bars below what the model says without it. A picture of attention is a "
            "question, not an answer: switching off is the answer.",
        ),
        ("code", f"AttentionExplorer({model}, {tokenizer}, TEXT)"),
        (
            "markdown",
            "## What it makes of words\n\nThe pieces of its vocabulary as points, near each other where "
            "their vectors are alike. On the left the word table, on the right what the encoder gets to "
            "see; choose a point for its nearest neighbours, and another layer or another text above.",
        ),
        ("code", f"EmbeddingExplorer({'pair' if pair else 'model, tokenizer'}, limit=500)"),
    ]
    if found.kind in _TAUGHT_IN:
        cells += [("markdown", _WRONG_ON), ("code", _ERRORS)]
    if found.has_history:
        text = ", text=TEXT" if pair else ""
        cells += [("markdown", _TRAINED), ("code", f"TrainingExplorer(MODEL{text})")]
    cells.append(("markdown", _next_steps(found.kind, course_beside)))
    return cells


_OTHER = "OTHER = None  # another text of the same form, to compare with"
_WHY = (
    "## Why it says so\n\nClick a prediction to see which tokens raised or lowered it, and what the "
    "head would say of each layer. Type a second text, or give one as `OTHER` above: one that differs "
    "in a single thing shows what that thing does."
)
_WRONG_ON = (
    "## Where it is wrong\n\nName labelled data and run the cell: every example with what the model "
    "said, the worst first, the confusion matrix, and slices. Choose an example to look into it."
)
_ERRORS = """\
DATA = ""  # a CSV, JSON, CoNLL or SQuAD file, a folder with train and test, or a data set's name
if DATA:
    display(ErrorExplorer(model, load_task_data(DATA), tokenizer=tokenizer))"""
_TRAINED = "## How it was trained\n\nThe figures that its training left beside it."
_NO_HEAD = (
    " Its `config.json` names no class under `architectures`, so it was taken for a bare encoder. If it "
    "has a head, put that class's name in place of `ElectraModel` below."
)


def _loading(found: FoundModel, uses: tuple[str, ...]) -> str:
    kind = found.kind
    names = {"AttentionExplorer", "EmbeddingExplorer", "default_device", *uses}
    names |= {"load_pair"} if kind == PAIR else {kind, "ElectraTokenizerFast"}
    if uses:
        names.add("PredictionExplorer")
    if kind in _TAUGHT_IN:
        names |= {"ErrorExplorer", "load_task_data"}
    if found.has_history:
        names.add("TrainingExplorer")
    # as isort has them: classes before functions
    listed = "".join(f"    {name},\n" for name in sorted(names, key=lambda n: (n[0].islower(), n)))
    lines = [f"from electra_lab import (\n{listed})\n"]
    if kind == PAIR:
        lines += ["pair = load_pair(MODEL).to(default_device())", "print(pair)"]
        return "\n".join(lines)
    decoder = ", is_decoder=True" if kind == "ElectraForCausalLM" else ""
    lines += [
        f"model = {kind}.from_pretrained(MODEL{decoder}).to(default_device())",
        "tokenizer = ElectraTokenizerFast.from_pretrained(MODEL)",
        "config = model.config",
        'print(f"{type(model).__name__}: {model.num_parameters():,} parameters, "',
        '      f"{config.num_hidden_layers} layers of {config.num_attention_heads} heads, "',
        '      f"at most {config.max_position_embeddings} tokens")',
    ]
    if kind in ("ElectraForSequenceClassification", "ElectraForTokenClassification"):
        lines.append('print("labels:", *config.id2label.values())')
    return "\n".join(lines)


def _next_steps(kind: str, course_beside: bool) -> str:
    def notebook(name: str) -> str:
        words = name.replace("_", " ")
        return f"[{words}]({name}.ipynb)" if course_beside else f"notebook {words}"

    model = "pair.discriminator" if kind == PAIR else "model"
    tokenizer = "pair.tokenizer" if kind == PAIR else "tokenizer"
    steps = [
        f"Everything that a forward pass computed, by name: `trace({model}, TEXT, "
        f"tokenizer={tokenizer})`; what it obeys and how to change it on the way is in "
        f"{notebook('09_looking_at_attention')}.",
        f"A prediction is wrong: {notebook('17_debugging_a_prediction')} goes from symptom to cause, "
        "five times.",
        f"Two checkpoints side by side, before and after training: {notebook('08_embedding_space')}.",
        "Keep a picture or a page that needs no kernel: put an explorer into a name, then "
        '`explorer.save("attention.html")` or `.save("attention.png")`.',
    ]
    taught = {**_TAUGHT_IN, "ElectraForCausalLM": "14_causal_language_model"}
    if kind in taught:
        steps.insert(2, f"How such a head is trained and measured: {notebook(taught[kind])}.")
    else:
        steps.append("Teach it a task: `electra-lab finetune --help`.")
    if not course_beside:
        steps.append("The notebooks that are named here: `electra-lab lab FOLDER` copies them.")
    return "## What to do next\n\n" + "\n".join(f"- {step}" for step in steps)


def _in_folder(folder: Path) -> FoundModel:
    """A model, or a pair, in a folder.

    Raises:
        FileNotFoundError: there is none, or a file is missing in it.
        ValueError: it is no ELECTRA, or has another head.
    """
    if (folder / CONFIG_FILE).is_file():
        kind, named = _kind_in(folder)
        _check_files(folder)
        return FoundModel(str(folder), folder.name, kind, named, _has_history(folder))
    if all((folder / half / CONFIG_FILE).is_file() for half in (GENERATOR, DISCRIMINATOR)):
        for half in (GENERATOR, DISCRIMINATOR):
            _kind_in(folder / half)
            _check_files(folder / half)
        return FoundModel(str(folder), folder.name, PAIR, has_history=_has_history(folder))
    inside = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG_FILE}"))
    if inside:
        raise FileNotFoundError(
            f"{folder} has no {CONFIG_FILE}, but models lie in its folders {', '.join(inside)}: "
            f"name one of them, such as {folder / inside[0]}."
        )
    raise FileNotFoundError(
        f"{folder} holds no model: it has no {CONFIG_FILE}; there is {_listed(folder)}. A model is a "
        "folder as save_pretrained writes it, here or in transformers; a pair is a folder with "
        f"{GENERATOR} and {DISCRIMINATOR} in it. An original checkpoint of TensorFlow becomes one with "
        "electra-lab convert."
    )


def _kind_in(folder: Path) -> tuple[str, bool]:
    """The class that a configuration names, and whether it names one.

    Raises:
        ValueError: it is no ELECTRA, or the class is none of the package's.
    """
    listed = read_config_file(folder / CONFIG_FILE).extra.get("architectures") or []
    if not listed:
        return "ElectraModel", False
    kind = listed if isinstance(listed, str) else str(listed[0])
    if kind not in _KINDS or kind == PAIR:
        raise ValueError(
            f"{folder / CONFIG_FILE} names the class {kind!r}, which is none of "
            f"{', '.join(name for name in _KINDS if name != PAIR)}."
        )
    return kind, True


def _check_files(folder: Path) -> None:
    """Say now what would be missing when the notebook runs.

    Raises:
        FileNotFoundError: weights or vocabulary are missing.
    """
    for files, what, remedy in (
        (WEIGHTS_FILES, "weights", "Copy the whole checkpoint."),
        (
            VOCABULARY_FILES,
            "vocabulary",
            "Copy the tokenizer's files there, or write them with tokenizer.save_pretrained(folder).",
        ),
    ):
        if not any((folder / file).is_file() for file in files):
            raise FileNotFoundError(
                f"{folder} has a {CONFIG_FILE} but no {what} ({' or '.join(files)}); there is "
                f"{_listed(folder)}. {remedy}"
            )


def _has_history(folder: Path) -> bool:
    return any((folder / name).is_file() for name in HISTORY_FILES)


def _on_the_hub(name: str) -> FoundModel:
    """A model of the hub, or a pair that stands in two repositories.

    Raises:
        FileNotFoundError: it has neither.
    """
    title = name.partition("/")[2]
    try:
        return FoundModel(name, title, *_kind_in(resolve_folder(name)))
    except FileNotFoundError as error:
        try:
            for half in (GENERATOR, DISCRIMINATOR):
                resolve_folder(f"{name}-{half}")
        except FileNotFoundError:
            raise FileNotFoundError(f"No folder has the path {name!r}, and: {error}") from error
        return FoundModel(name, title, PAIR)


def _is_for(file: Path) -> str | None:
    """The model that a notebook was written for; None for any other file."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["metadata"][OWN]["model"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_markdown(text: str) -> str:
    """Text that Markdown and HTML leave as it is."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|$&~])", r"\\\1", text)


def _listed(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return (", ".join(names[:12]) or "nothing") + more
