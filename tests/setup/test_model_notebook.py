"""The notebook for a model of one's own: written for every head, run, and never over another file."""

import ast
import json
import re
import shutil
from itertools import product

import nbformat
import pytest
import torch
import transformers
from nbclient import NotebookClient
from typer.testing import CliRunner

import electra_lab
from electra_lab import lab
from electra_lab.checkpoints import store
from electra_lab.checkpoints.resources import data_path
from electra_lab.cli import app
from electra_lab.model_notebook import (
    PAIR,
    FoundModel,
    find_model,
    model_notebook,
    write_model_notebook,
)

MICRO = data_path("checkpoints", "micro-discriminator")
TOKENIZER = ("vocab.txt", "tokenizer.json", "tokenizer_config.json")
TINY = dict(
    vocab_size=578,
    embedding_size=8,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=64,
)
HEADS = {
    "ElectraForSequenceClassification": "classify(TEXT",
    "ElectraForTokenClassification": "tag(TEXT",
    "ElectraForQuestionAnswering": "ask(TEXT",
    "ElectraForMultipleChoice": "choose(TEXT",
    "ElectraForPreTraining": "replaced_probabilities(model, tokenizer, TEXT)",
    "ElectraForMaskedLM": "propose(model, tokenizer, TEXT",
    "ElectraForCausalLM": "go_on(TEXT",
    "ElectraModel": None,
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Views as they are stored, on the CPU, and a current folder of the test's own."""
    monkeypatch.setenv("ELECTRA_LAB_DISPLAY", "static")
    monkeypatch.setenv("ELECTRA_LAB_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)


def saved(folder, kind="ElectraForSequenceClassification", library=electra_lab):
    """A model with random weights that reads with micro's vocabulary."""
    torch.manual_seed(0)
    labels = 2 if kind == "ElectraForQuestionAnswering" else 3
    model = getattr(library, kind)(library.ElectraConfig(**TINY, num_labels=labels))
    model.save_pretrained(folder)
    for name in TOKENIZER:
        shutil.copy(MICRO / name, folder)
    return folder


def sources(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def run(notebook, **changed):
    """Run the cells in this process, with other values of names that the reader may change. Returns
    all names, and what was shown as text."""
    shown = []
    names = {"display": lambda value: shown.append(repr(value)), "__name__": "__main__"}
    for source in sources(notebook):
        for name, value in changed.items():
            source = re.sub(rf"^{name} = .*", f"{name} = {value!r}", source, flags=re.MULTILINE)
        body = ast.parse(source).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
        if last is not None and (value := eval(ast.unparse(last), names)) is not None:
            names["display"](value)
    return names, shown


@pytest.mark.parametrize("kind", HEADS)
def test_each_head_gets_a_notebook_that_loads_it_asks_it_and_runs(kind, tmp_path, capsys):
    found = find_model(saved(tmp_path / "mine", kind))
    assert (found.kind, found.title) == (kind, "mine")
    notebook = model_notebook(found)
    nbformat.validate(notebook)
    names, shown = run(notebook)
    assert type(names["model"]).__name__ == kind
    assert names["TEXT"]
    asked = HEADS[kind]
    assert asked is None or any(asked in source for source in sources(notebook))
    explorers = [one.split("\n")[0] for one in shown if re.match(r"\w+Explorer\n", one)]
    wanted = ["PredictionExplorer", "AttentionExplorer", "EmbeddingExplorer"]
    assert explorers == wanted[kind == "ElectraModel" :]
    assert ("labels: LABEL_0 LABEL_1 LABEL_2" in capsys.readouterr().out) == (
        kind in ("ElectraForSequenceClassification", "ElectraForTokenClassification")
    )


def test_the_first_code_cell_is_for_a_text_of_ones_own(tmp_path):
    first = sources(model_notebook(find_model(saved(tmp_path / "mine"))))[0]
    names = {}
    exec(first, names)
    assert (names["MODEL"], type(names["TEXT"])) == (str(tmp_path / "mine"), str)


def test_a_notebook_runs_in_a_kernel_from_another_folder(tmp_path):
    folder = saved(tmp_path / "it's \\ mine", library=transformers)
    written = write_model_notebook(find_model(folder), tmp_path / "elsewhere" / "deep")
    notebook = nbformat.read(written.file, as_version=4)
    NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(written.file.parent)}}
    ).execute()
    pictures = [
        output.data["text/plain"].split("\n")[0]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert pictures == ["PredictionExplorer", "AttentionExplorer", "EmbeddingExplorer"]


@pytest.mark.parametrize("kind", ["ElectraForMaskedLM", "ElectraForQuestionAnswering"])
def test_a_folder_that_transformers_saved_is_one_like_others(kind, tmp_path):
    names, _ = run(model_notebook(find_model(saved(tmp_path / "theirs", kind, transformers))))
    assert type(names["model"]).__module__.startswith("electra_lab.")


def test_a_model_without_a_named_head_is_taken_for_the_bare_one_and_says_so(tmp_path):
    folder = saved(tmp_path / "mine", "ElectraModel")
    config = json.loads((folder / "config.json").read_text())
    del config["architectures"]
    (folder / "config.json").write_text(json.dumps(config))
    notebook = model_notebook(find_model(folder))
    assert "names no class under `architectures`" in notebook.cells[0].source
    assert "names no class" not in model_notebook(find_model(MICRO)).cells[0].source
    run(notebook)


def test_labelled_data_and_a_second_text_are_a_word_away(tmp_path):
    people = ("Anna", "Boris", "Clara", "David", "Emma", "Felix", "The girl", "The farmer", "She")
    lines = [
        f"LABEL_{place % 3},{who} sees {whom}."
        for place, (who, whom) in enumerate(product(people, ("it", "them", "us")))
    ]
    (tmp_path / "mine.csv").write_text("\n".join(["label,text", *lines]))
    notebook = model_notebook(find_model(saved(tmp_path / "mine")))
    _, without = run(notebook)
    names, shown = run(notebook, DATA=str(tmp_path / "mine.csv"), OTHER="The girls have seen her.")
    assert len(shown) == len(without) + 1
    assert shown[-1].startswith("ErrorExplorer")
    predictions = [one for one in (*without, *shown) if one.startswith("PredictionExplorer")]
    assert ["her" in one.split() for one in predictions] == [False, True]
    assert names["TEXT"] != names["OTHER"]
    for kind in ("ElectraForPreTraining", "ElectraModel", PAIR):
        assert not any("DATA" in one for one in sources(model_notebook(FoundModel("x", "x", kind))))


@pytest.mark.parametrize("kind", [PAIR, "ElectraForSequenceClassification"])
def test_a_model_with_its_history_beside_it_is_shown_with_it(kind, tmp_path):
    if kind == PAIR:
        electra_lab.load_pair("micro").save(tmp_path / "mine")
    else:
        saved(tmp_path / "mine")
    assert not find_model("mine").has_history
    file = "history.json" if kind == PAIR else "finetuning.json"
    rows = [{"step": step, "loss": 1 / step, "seconds": 0.1 * step} for step in (1, 2, 3)]
    (tmp_path / "mine" / file).write_text(json.dumps({"history": rows}))
    notebook = model_notebook(find_model("mine"))
    notebook.cells = [
        cell
        for cell in notebook.cells
        if not re.match(r"(Embedding|Attention|Prediction|Mask|Replaced)", cell.source)
    ]
    _, shown = run(notebook)
    assert "TrainingExplorer" in shown[-1]


def test_a_pair_is_shown_by_both_of_its_explorers(tmp_path):
    electra_lab.load_pair("micro").save(tmp_path / "run")
    found = find_model("run")
    assert (found.kind, found.name) == (PAIR, str(tmp_path / "run"))
    _, shown = run(model_notebook(found))
    assert [one.split("\n")[0] for one in shown] == [
        "ReplacedTokenExplorer",
        "MaskExplorer",
        "PredictionExplorer",
        "AttentionExplorer",
        "EmbeddingExplorer",
    ]


def test_bundled_names_and_halves_beside_each_other_are_found(tmp_path):
    assert find_model("micro").kind == PAIR
    assert find_model("micro-generator").kind == "ElectraForMaskedLM"
    for half in ("generator", "discriminator"):
        shutil.copytree(data_path("checkpoints", f"micro-{half}"), tmp_path / f"a-{half}")
    assert find_model("a") == find_model(tmp_path / "a")
    assert (find_model("a").kind, find_model("a").name) == (PAIR, str(tmp_path / "a"))


def test_a_hub_id_is_one_model_or_a_pair_of_two_repositories(monkeypatch):
    known = {"me/tagger", "me/run-generator", "me/run-discriminator"}

    def folder(name, options, *, weights, tokenizer):
        assert (weights, tokenizer) == (False, False)  # the configuration is enough
        if name not in known:
            raise FileNotFoundError(f"There is no repository {name}.")
        return MICRO

    monkeypatch.setattr(store, "hub_folder", folder)
    assert find_model("me/tagger").kind == "ElectraForPreTraining"
    assert (find_model("me/run").kind, find_model("me/run").name) == (PAIR, "me/run")
    with pytest.raises(FileNotFoundError, match="No folder has the path 'me/other', and: There is"):
        find_model("me/other")


def test_no_file_is_written_over(tmp_path):
    found = find_model(saved(tmp_path / "mine"))
    first = write_model_notebook(found, tmp_path)
    assert (first.file.name, first.new) == ("look_at_mine.ipynb", True)
    changed = nbformat.read(first.file, as_version=4)
    changed.cells[1].source = "TEXT = 'mine'"
    nbformat.write(changed, first.file)
    before = first.file.read_bytes()
    again = write_model_notebook(found, tmp_path)
    assert (again.file, again.new) == (first.file, False)
    other = find_model(saved(tmp_path / "deep" / "mine"))
    assert write_model_notebook(other, tmp_path).file.name == "look_at_mine_2.ipynb"
    assert write_model_notebook(other, tmp_path).new is False
    assert first.file.read_bytes() == before
    (tmp_path / "look_at_micro.ipynb").write_text("not a notebook")
    assert write_model_notebook(find_model("micro"), tmp_path).file.name == "look_at_micro_2.ipynb"
    assert (tmp_path / "look_at_micro.ipynb").read_text() == "not a notebook"


def test_a_name_that_is_markup_is_shown_as_it_is(tmp_path):
    folder = saved(tmp_path / "<img onerror=x> *a* [b](c)")
    written = write_model_notebook(find_model(folder), tmp_path)
    title = nbformat.read(written.file, as_version=4).cells[0].source.split("\n")[0]
    assert title == "# \\<img onerror=x\\> \\*a\\* \\[b\\]\\(c\\)"
    assert written.file.name == "look_at_img_onerror_x_a_b_c.ipynb"


def test_links_lead_to_notebooks_that_are_beside_it(tmp_path):
    found = find_model(saved(tmp_path / "mine"))
    apart = model_notebook(found).cells[-1].source
    assert "](" not in apart
    assert "electra-lab lab FOLDER" in apart
    (tmp_path / "09_looking_at_attention.ipynb").write_text("{}")
    written = write_model_notebook(found, tmp_path)
    beside = nbformat.read(written.file, as_version=4).cells[-1].source
    assert "(10_sequence_classification.ipynb)" in beside
    shipped = {path.name for path in data_path().parent.joinpath("notebooks").glob("*.ipynb")}
    for kind in (PAIR, *HEADS):
        cell = model_notebook(FoundModel("x", "x", kind), course_beside=True).cells[-1].source
        linked = [part.split(")")[0] for part in cell.split("](")[1:]]
        assert len(linked) >= 3
        assert set(linked) <= shipped


def without(folder, *names):
    for name in names:
        (folder / name).unlink()


def spoilt(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: shutil.rmtree(f), "There is no model"),
        (lambda f: without(f, "config.json"), "holds no model: it has no config.json"),
        (lambda f: without(f, "model.safetensors"), "has a config.json but no weights"),
        (lambda f: without(f, "vocab.txt", "tokenizer.json"), "but no vocabulary"),
        (lambda f: spoilt(f, model_type="bert"), "an ELECTRA model has 'electra'"),
        (lambda f: spoilt(f, architectures=["ElectraForPoetry"]), "the class 'ElectraForPoetry'"),
        (lambda f: (f / "config.json").write_text("{"), "is not valid JSON"),
        (
            lambda f: (shutil.copytree(f, f / "seed-0"), without(f, "config.json")),
            "models lie in its folders seed-0: name one of them, such as",
        ),
        (lambda f: (shutil.rmtree(f), f.write_text("mine")), "is a file; name the folder"),
    ],
)
def test_a_folder_without_a_model_is_one_message_and_nothing_is_written(
    spoil, message, tmp_path, monkeypatch
):
    monkeypatch.setattr(lab, "open_lab", lambda *given: pytest.fail("JupyterLab was started"))
    folder = saved(tmp_path / "mine")
    spoil(folder)
    result = CliRunner().invoke(app, ["lab", "notebooks", "--model", str(folder)])
    assert result.exit_code == 2
    assert result.stderr.startswith("electra-lab: ")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "notebooks").exists()
    assert not list(tmp_path.glob("*.ipynb"))


def test_the_command_writes_the_notebook_and_opens_it(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(lab, "open_lab", lambda *given: seen.append(given))
    done = CliRunner().invoke(app, ["lab", "--model", "micro", "--no-browser"])
    assert done.exit_code == 0, done.output
    assert "look_at_micro.ipynb written, for a model of the kind Pair." in done.stdout
    again = CliRunner().invoke(app, ["lab", "course", "--no-browser", "--model=micro"])
    assert again.exit_code == 0, again.output
    assert seen == [
        (tmp_path, ["--no-browser"], "look_at_micro.ipynb"),
        ((tmp_path / "course").resolve(), ["--no-browser"], "look_at_micro.ipynb"),
    ]
    assert (tmp_path / "course" / "09_looking_at_attention.ipynb").is_file()
    opened = nbformat.read(tmp_path / "course" / "look_at_micro.ipynb", as_version=4)
    assert "(09_looking_at_attention.ipynb)" in opened.cells[-1].source


def test_jupyterlab_missing_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["lab", "course", "--model", "micro"])
    assert result.exit_code == 2
    assert 'pip install "electra-lab[notebooks]"' in result.stderr
    assert not list(tmp_path.iterdir())
