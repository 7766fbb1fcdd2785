"""The prediction explorer: what every head says, why, beside another text, and from layer to layer."""

from dataclasses import replace

import pytest
import torch
import transformers

from electra_lab.inside.explorers import PredictionExplorer
from electra_lab.inside.explorers.aligning import aligned, originals
from electra_lab.inside.trace import InputXGradient, IntegratedGradients, trace
from electra_lab.inside.views import display as display_module
from electra_lab.model.task_heads import ElectraForSequenceClassification
from electra_lab.pipelines import pipeline

TEXT, OTHER = "The old chef cooked the meal.", "The old dog cooked the meal."
FAST = {"steps": 2}


def question(passage, asked="the chef"):
    return {"question": asked, "context": passage}


def choices(context):
    return {"context": context, "choices": ["a dog slept", "a meal", "the old house"]}


FORMS = {
    "ElectraForPreTraining": (TEXT, OTHER),
    "ElectraForMaskedLM": ("The [MASK] cooked the meal.", "The [MASK] ate the meal."),
    "ElectraForCausalLM": ("The old", "The dog"),
    "ElectraForSequenceClassification": (TEXT, OTHER),
    "ElectraForTokenClassification": (TEXT, OTHER),
    "ElectraForQuestionAnswering": (question(TEXT), question(OTHER)),
    "ElectraForMultipleChoice": (choices(TEXT), choices(OTHER)),
}


@pytest.fixture(autouse=True)
def live_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ELECTRA_LAB_DISPLAY", raising=False)
    monkeypatch.setattr(display_module, "_chosen", None)


@pytest.fixture
def explore(heads, pair):
    def explore(name, text=None, other=None, **options):
        text = FORMS[name][0] if text is None else text
        options = {"tokenizer": pair.tokenizer, **FAST, **options}
        return PredictionExplorer(heads[name], text, other, **options)

    return explore


def click(view, **event):
    view.widget._handle_custom_msg({"event": "choose", **event}, [])


def logits_of(model, pair, *texts):
    """What the model returns by itself, without a trace."""
    with torch.no_grad():
        return model(**pair.tokenizer(*texts, return_tensors="pt"))


@pytest.mark.parametrize("name", FORMS)
def test_every_head_is_shown_alone_and_beside_another_text_in_every_form(explore, name):
    other = FORMS[name][1]
    explorer = explore(name)
    alone = len(explorer.views)
    assert len(explorer.panel.children) == len(explorer.layout()) + alone
    explorer.other = other
    assert len(explorer.views) > alone
    assert list(explorer.panel.children[len(explorer.layout()) :]) == [
        view.widget for view in explorer.views
    ]
    assert repr(explorer).startswith("PredictionExplorer\n")
    assert "the other text" in repr(explorer)
    assert explorer.to_html().count('type="application/json"') == len(explorer.views)
    explorer.controls["alone"].click()
    assert explorer.other is None
    assert len(explorer.views) == alone


@pytest.mark.parametrize("name", FORMS)
def test_the_last_layer_of_the_lens_says_what_the_head_says(explore, name):
    explorer = explore(name)
    seen, last = explorer._first.row, explorer.layers.values[-1]
    p = seen.probabilities[0]
    match explorer.kind:
        case "words":
            expected = p[explorer.target.position].topk(5).values.tolist()
        case "tags":
            expected = p[1:-1].amax(-1).tolist()
        case "span":
            best = explorer.outcome.first.answers[0]
            expected = [best.score]
            last = last[:1]
        case _:
            expected = p.tolist()
    assert last == pytest.approx(expected, abs=1e-5)
    assert len(explorer.layers.rows) == 3


def test_classes_are_the_models_own_and_a_click_on_one_explains_it(explore, heads, pair):
    explorer = explore("ElectraForSequenceClassification")
    model = heads["ElectraForSequenceClassification"]
    p = logits_of(model, pair, TEXT).logits[0].softmax(-1)
    chart = explorer.outcome.chart
    assert chart.names == ["bad", "fair", "good"]
    assert chart.numbers == pytest.approx(p.tolist(), abs=1e-5)
    assert chart.chosen == int(p.argmax())
    other = (chart.chosen + 1) % 3
    click(chart, index=other)
    assert (explorer.target.label, chart.chosen) == (other, other)
    expected = trace(
        model, TEXT, tokenizer=pair.tokenizer, gradients=IntegratedGradients(label=other, steps=2)
    ).attributions
    assert explorer.why.scores == pytest.approx(expected.scores[0].tolist(), abs=1e-6)
    assert chart.names[other] in explorer.why.title
    explorer.controls["method"].value = "input x gradient"
    expected = trace(
        model, TEXT, tokenizer=pair.tokenizer, gradients=InputXGradient(label=other)
    ).attributions
    assert explorer.why.scores == pytest.approx(expected.scores[0].tolist(), abs=1e-6)


def test_the_shares_add_up_to_what_the_note_says(explore):
    explorer = explore("ElectraForSequenceClassification", steps=30)
    total = sum(explorer.why.scores)
    assert f"add up to {total:+.2f}".replace("-", "−").replace("0.", ".") in explorer.why.note
    found = explorer._attributions(explorer._first, explorer.target)
    assert total == pytest.approx(float(found.outcome - found.baseline_outcome), abs=0.02)


def test_two_texts_are_compared_number_by_number(explore, heads, pair):
    explorer = explore("ElectraForSequenceClassification", other=OTHER)
    model = heads["ElectraForSequenceClassification"]
    p, q = (logits_of(model, pair, text).logits[0].softmax(-1).tolist() for text in (TEXT, OTHER))
    assert explorer.outcome.chart.before == pytest.approx(p, abs=1e-5)
    assert explorer.outcome.chart.numbers == pytest.approx(q, abs=1e-5)
    assert explorer.why_other.originals == [None, None, None, "chef", *[None] * 5]
    assert explorer.why.scale == explorer.why_other.scale
    # one target for both, though the other text alone may be of another class
    asked = IntegratedGradients(label=explorer.target.label, steps=2)
    expected = trace(model, OTHER, tokenizer=pair.tokenizer, gradients=asked).attributions
    assert explorer.why_other.scores == pytest.approx(expected.scores[0].tolist(), abs=1e-6)
    explorer.controls["lens"].value = "difference"
    moved = [b - a for a, b in zip(p, q, strict=True)]
    assert explorer.layers.values[-1] == pytest.approx(moved, abs=1e-5)
    explorer.controls["lens"].value = "other"
    assert explorer.layers.values[-1] == pytest.approx(q, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"problem_type": "multi_label_classification"}, torch.sigmoid),
        ({"problem_type": "regression", "num_labels": 1, "id2label": {0: "stars"}}, lambda x: x),
    ],
)
def test_several_labels_and_a_number_are_shown_as_they_are(options, expected, pair):
    config = replace(
        pair.discriminator.config,
        **{"num_labels": 2, "id2label": {0: "no", 1: "yes"}, "label2id": None, **options},
    )
    torch.manual_seed(3)
    model = ElectraForSequenceClassification(config).eval()
    explorer = PredictionExplorer(model, TEXT, OTHER, tokenizer=pair.tokenizer, **FAST)
    own = expected(logits_of(model, pair, TEXT).logits[0]).tolist()
    assert explorer.outcome.chart.before == pytest.approx(own, abs=1e-5)
    assert explorer.layers.values[-1] == pytest.approx(own, abs=1e-5)
    explorer.to_png()


def test_tags_are_those_of_each_words_first_piece_and_a_cell_is_explained(explore, heads, pair):
    text, other = "the chefs cooked", "the dogs cooked"
    explorer = explore("ElectraForTokenClassification", text, other)
    model = heads["ElectraForTokenClassification"]
    p, q = (logits_of(model, pair, t).logits[0].softmax(-1)[[1, 2, 4]] for t in (text, other))
    shown = explorer.outcome.first
    assert shown.columns == ["the", "chefs", "cooked"]
    torch.testing.assert_close(torch.tensor(shown.values), p.T)
    assert shown.path == {(int(tag), word) for word, tag in enumerate(p.argmax(-1))}
    assert explorer.outcome.moved.columns == ["the", "chefs / dogs", "cooked"]
    torch.testing.assert_close(torch.tensor(explorer.outcome.moved.values), (q - p).T)
    # the default: the word that the model is least sure of
    assert explorer.target.position == [1, 2, 4][int(p.amax(-1).argmin())]
    click(shown, row=2, column=1)
    assert (explorer.target.label, explorer.target.position) == (2, 2)
    assert shown.target == (2, 1)
    asked = IntegratedGradients(label="good", position=2, steps=2)
    expected = trace(model, text, tokenizer=pair.tokenizer, gradients=asked).attributions
    assert explorer.why.scores == pytest.approx(expected.scores[0].tolist(), abs=1e-6)


def test_answers_are_those_of_the_pipeline(explore, heads, pair):
    passage = "The old chef cooked the meal, the dog slept in a house, the chef ate. " * 4
    explorer = explore("ElectraForQuestionAnswering", question(passage))
    model = heads["ElectraForQuestionAnswering"]
    answer = pipeline("question-answering", model, pair.tokenizer, device="cpu")
    windows = len(explorer._first.whole)
    assert windows > 1
    assert len(explorer.controls["row"].options) == windows
    shown_first = explorer.outcome.first.answers[0].score
    found = {}
    for row in range(windows):
        explorer.row = row
        for span in explorer.outcome.first.answers:
            assert span.score <= shown_first
            if span.first is not None:
                found[span.text] = max(span.score, found.get(span.text, 0))
    best = answer(question(passage), top_k=1, max_seq_len=32)
    assert max(found, key=found.get) == best["answer"]
    assert found[best["answer"]] == pytest.approx(best["score"], abs=1e-5)


def test_a_span_is_explained_by_its_start_or_its_end(explore):
    explorer = explore("ElectraForQuestionAnswering", other=question(OTHER))
    chart, tokens = explorer.outcome.first, explorer._first.row.tokens[0]
    for number, span in enumerate(list(chart.answers)):
        if span.first is None:
            continue
        explorer.controls["end"].value = 0
        click(chart, index=number)
        # of answers with the same start it is the clicked one that is marked
        assert (explorer.target.label, chart.chosen) == (0, number)
        assert explorer.why.title.startswith("What speaks for start at")
        explorer.controls["end"].value = 1
        assert (explorer.target.label, chart.chosen) == (1, number)
        assert tokens[explorer.target.position] == chart.tokens[span.last]
        assert explorer.why.title.startswith("What speaks for end at")
    # an end stays an end
    click(chart, index=0)
    assert explorer.target.label == 1
    chart.widget._handle_custom_msg({"event": "token", "index": 3}, [])
    assert tokens[explorer.target.position] == chart.tokens[3] == "cooked"
    # the words of both texts' answers, with the scores of each
    moved = explorer.outcome.moved
    for name, was in zip(moved.names, moved.before, strict=True):
        same = [span.score for span in chart.answers if span.text == name]
        assert not same or was == pytest.approx(same[0])


def test_choices_are_compared_by_what_they_say(explore, heads, pair):
    explorer = explore("ElectraForMultipleChoice", other=choices(OTHER))
    asked = pipeline("multiple-choice", heads["ElectraForMultipleChoice"], pair.tokenizer)
    said = asked(choices(TEXT))
    chart = explorer.outcome.chart
    assert chart.names == ["0. a dog slept", "1. a meal", "2. the old house"]
    assert max(chart.before) == pytest.approx(
        max(said["scores"]) if "scores" in said else said["score"]
    )
    click(chart, index=2)
    assert (explorer.row, explorer.target.label, chart.chosen) == (2, 2, 2)
    assert explorer.why.tokens[-4:] == ["the", "old", "house", "[SEP]"]
    assert explorer.why_other.tokens[-4:] == ["the", "old", "house", "[SEP]"]
    expected = trace(
        heads["ElectraForMultipleChoice"],
        choices(TEXT),
        tokenizer=pair.tokenizer,
        gradients=IntegratedGradients(steps=2),
    ).attributions
    assert explorer.why.scores == pytest.approx(
        expected.scores[2].tolist()[: len(explorer.why.tokens)]
    )


def test_the_generators_words_and_the_discriminators_tokens(explore, heads, pair):
    generator = explore("ElectraForMaskedLM", other=FORMS["ElectraForMaskedLM"][1])
    logits = logits_of(heads["ElectraForMaskedLM"], pair, generator.text).logits[0, 2]
    shown = dict(zip(generator.outcome.chart.names, generator.outcome.chart.before, strict=True))
    words = pair.tokenizer.convert_ids_to_tokens(logits.topk(6).indices.tolist())
    assert set(words) <= set(shown)
    assert shown[words[0]] == pytest.approx(float(logits.softmax(-1).max()), abs=1e-5)
    click(generator.outcome.chart, index=3)
    assert generator.outcome.chart.chosen == 3
    assert generator.outcome.chart.names[3] in generator.why.title
    plain = explore("ElectraForMaskedLM", TEXT)
    assert len(plain.outcome.chart.names) == 7
    discriminator = explore("ElectraForPreTraining", other=OTHER)
    own = logits_of(heads["ElectraForPreTraining"], pair, TEXT).logits[0].sigmoid().tolist()
    assert discriminator.outcome.first.probabilities == pytest.approx(own, abs=1e-5)
    assert discriminator.outcome.second.originals[3] == "chef"
    assert discriminator.outcome.moved.names[2] == "chef / dog"
    click(discriminator.outcome.first, index=5)
    assert discriminator.target.position == 5


def test_a_click_on_a_word_hides_it_in_the_other_text_wherever_it_stands(explore):
    explorer = explore("ElectraForSequenceClassification", ("The dogs ate.", "A meal cooked."))
    click(explorer.why, index=3)  # ##s: the word has two pieces
    assert explorer.other == ("The [MASK] ate.", "A meal cooked.")
    assert explorer.why_other.originals[2] == "dog ##s"
    at = explorer.why_other.tokens.index("meal")
    click(explorer.why_other, index=at)
    assert explorer.other == ("The [MASK] ate.", "A [MASK] cooked.")
    assert explorer.controls["other_second"].value == "A [MASK] cooked."
    click(explorer.why, index=0)
    assert explorer.controls["hint"].value == "[CLS] stands for no word of the text."
    asked = explore("ElectraForQuestionAnswering")
    asked.hide(asked.why.tokens.index("meal"))
    assert asked.other == question("The old chef cooked the [MASK].")
    chosen = explore("ElectraForMultipleChoice")
    chosen.row = 1
    chosen.hide(len(chosen.why.tokens) - 2)
    assert chosen.other["choices"] == ["a dog slept", "a [MASK]", "the old house"]


def test_what_is_typed_beside_takes_the_rest_from_the_first_text(explore):
    explorer = explore("ElectraForQuestionAnswering")
    controls = explorer.controls
    controls["other_first"].value = "the dog"
    assert explorer.other == question(TEXT, "the dog")
    assert controls["other_second"].value == ""
    controls["other_second"].value = OTHER
    assert explorer.other == question(OTHER, "the dog")
    controls["first"].value = "a dog"
    assert explorer.text == question(TEXT, "a dog")
    assert explorer.other == question(OTHER, "the dog")
    for field in ("other_first", "other_second"):
        controls[field].value = ""
    assert explorer.other is None


@pytest.mark.parametrize(
    "name", ["ElectraForSequenceClassification", "ElectraForTokenClassification"]
)
def test_a_text_that_cannot_be_read_gives_a_message_and_the_next_one_works(explore, name):
    explorer = explore(name, other=OTHER)
    for text, said in (
        (" ", "The text is empty. Give at least one word."),
        ("dog " * 40, "The input has 42 tokens, the model 32 positions. Shorten the text"),
    ):
        explorer.controls["first"].value = text
        assert explorer.views[0].note.startswith(said)
        assert explorer.controls["hint"].value == explorer.message == explorer.views[0].note
        assert explorer.why.tokens == explorer.layers.columns == []
        explorer.to_html()
    explorer.controls["first"].value = TEXT
    assert explorer.why.tokens[1:4] == ["the", "old", "chef"]
    assert explorer.why_other.tokens[3] == "dog"
    assert explorer.views[0].note == ""


def test_a_folder_and_a_live_transformers_model_say_what_ours_does(heads, pair, tmp_path):
    model = heads["ElectraForTokenClassification"]
    model.save_pretrained(tmp_path / "model")
    pair.tokenizer.save_pretrained(tmp_path / "model")
    own = PredictionExplorer(model, TEXT, tokenizer=pair.tokenizer, **FAST)
    folder = PredictionExplorer(tmp_path / "model", TEXT, **FAST)
    theirs = transformers.ElectraForTokenClassification.from_pretrained(tmp_path / "model")
    tokenizer = transformers.ElectraTokenizer.from_pretrained(tmp_path / "model")
    live = PredictionExplorer(theirs, TEXT, OTHER, tokenizer=tokenizer, **FAST)
    for explorer in (folder, live):
        torch.testing.assert_close(
            torch.tensor(explorer.outcome.first.values), torch.tensor(own.outcome.first.values)
        )
        assert explorer.why.scores == pytest.approx(own.why.scores, abs=1e-4)
    live.hide(3)
    assert live.other == "The old [MASK] cooked the meal."
    bundled = PredictionExplorer("micro-generator", "the [MASK] sleeps .", **FAST)
    assert bundled.kind == "words"


def test_refused_calls_say_what_there_is(explore, heads, pair, tmp_path):
    explorer = explore("ElectraForTokenClassification")
    with pytest.raises(ValueError, match="There is no label 'x'; the labels are bad, fair, good"):
        explorer.explain("x", 1)
    with pytest.raises(IndexError, match="There is no label 7; the labels are 0 to 2"):
        explorer.explain(7, 1)
    with pytest.raises(ValueError, match="say which token is meant"):
        explorer.explain("good")
    with pytest.raises(IndexError, match="There is no token 99; the tokens are 0 to 8"):
        explorer.explain("good", 99)
    with pytest.raises(IndexError, match="There is no row 1; the rows are 0 to 0"):
        explorer.row = 1
    with pytest.raises(ValueError, match="method is 'guess'; expected 'integrated gradients' or"):
        explorer.method = "guess"
    with pytest.raises(IndexError, match="no token 3 in that text"):
        explorer.hide(3, other=True)
    explorer.explain("good", 3)
    assert (explorer.target.label, explorer.target.position) == (2, 3)
    with pytest.raises(ValueError, match="leave position out"):
        explore("ElectraForSequenceClassification").explain("good", 3)
    with pytest.raises(ValueError, match="steps is 0; it must be 1 or more"):
        explore("ElectraForTokenClassification", steps=0)
    with pytest.raises(ValueError, match="The bare model has no head"):
        PredictionExplorer(heads["ElectraModel"], TEXT, tokenizer=pair.tokenizer)
    with pytest.raises(ValueError, match="give question and context"):
        explore("ElectraForQuestionAnswering", TEXT)
    with pytest.raises(ValueError, match="needs its tokenizer"):
        PredictionExplorer(heads["ElectraModel"], TEXT)
    heads["ElectraModel"].save_pretrained(tmp_path / "bare")
    config = tmp_path / "bare" / "config.json"
    config.write_text(config.read_text().replace('"ElectraModel"', '"BertModel"'))
    with pytest.raises(ValueError, match="names BertModel in architectures; expected one of"):
        PredictionExplorer(tmp_path / "bare", TEXT, tokenizer=pair.tokenizer)


@pytest.mark.parametrize(
    ("first", "second", "pairs", "were"),
    [
        ("abcd", "axycd", [(0, 0), (2, 3), (3, 4)], [None, "b", None, None, None]),
        ("abc", "axc", [(0, 0), (1, 1), (2, 2)], [None, "b", None]),
        ("ac", "abc", [(0, 0), (1, 2)], [None, "(nothing)", None]),
        ("abc", "ac", [(0, 0), (2, 1)], [None, None]),
    ],
)
def test_tokens_in_the_place_of_others_are_their_partners(first, second, pairs, were):
    assert aligned(first, second) == pairs
    assert originals(first, second) == were
