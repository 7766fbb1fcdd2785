"""Pipelines against transformers' own, on the same random checkpoints and tokenizer."""

import pytest
import torch
import transformers

import electra_lab
from electra_lab import ElectraConfig, ElectraTokenizerFast, pipeline

VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "?", "the", "a", "cat", "dog"),
    *("sleep", "##s", "##ing", "sees", "small", "##er", "in", "garden", "who", "run", "##ner"),
    *("ann", "##a", "lives", "oslo", "b", "##c"),
]
TEXTS = [
    "The smaller cat sees Anna in the garden.",
    "A dog sleeps.",
    "Anna, the runner, lives in Oslo, and the abc cat sleeps in the smaller garden of a dog.",
    "",
    "The dog sees the small cat",
]
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """A folder for each head: a random model and the tokenizer."""
    root = tmp_path_factory.mktemp("checkpoints")
    sizes = dict(vocab_size=len(VOCABULARY), initializer_range=0.4)
    tagging = dict(id2label=dict(enumerate(LABELS)))
    for name, head, changes in (
        ("classification", "ElectraForSequenceClassification", dict(num_labels=3)),
        ("tagging", "ElectraForTokenClassification", tagging),
        ("answers", "ElectraForQuestionAnswering", {}),
        ("words", "ElectraForMaskedLM", {}),
        ("discriminator", "ElectraForPreTraining", {}),
        ("states", "ElectraModel", {}),
        ("choices", "ElectraForMultipleChoice", {}),
        ("decoder", "ElectraForCausalLM", dict(is_decoder=True)),
    ):
        torch.manual_seed(6)
        config = ElectraConfig.from_preset("micro", **sizes, **changes)
        getattr(electra_lab, head)(config).save_pretrained(root / name)
        ElectraTokenizerFast(vocab=VOCABULARY).save_pretrained(root / name)
    return root


def both(task, folder):
    return pipeline(task, folder, device="cpu"), transformers.pipeline(task, str(folder))


def same(got, expected):
    """Equal but for rounding, through lists and dictionaries."""
    if isinstance(expected, dict):
        assert got.keys() == expected.keys()
        for key in expected:
            same(got[key], expected[key])
    elif isinstance(expected, list):
        assert len(got) == len(expected)
        for mine, theirs in zip(got, expected, strict=True):
            same(mine, theirs)
    elif isinstance(expected, str | int):
        assert got == expected
    else:
        assert got == pytest.approx(float(expected), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(top_k=None),
        dict(top_k=2),
        dict(top_k=1),
        dict(function_to_apply="sigmoid"),
        dict(function_to_apply="none", top_k=None),
    ],
)
@pytest.mark.parametrize(
    "inputs", [TEXTS, TEXTS[0], [{"text": TEXTS[0], "text_pair": TEXTS[1]}], [TEXTS[1]]]
)
def test_text_classification_equals_transformers(inputs, options, checkpoints):
    ours, theirs = both("text-classification", checkpoints / "classification")
    same(ours(inputs, **options), theirs(inputs, **options))


@pytest.mark.parametrize("strategy", ["none", "simple", "first", "max", "average"])
@pytest.mark.parametrize("inputs", [TEXTS[:3], TEXTS[2]])
def test_token_classification_equals_transformers(inputs, strategy, checkpoints):
    ours, theirs = both("token-classification", checkpoints / "tagging")
    for ignored in (["O"], []):
        got = ours(inputs, aggregation_strategy=strategy, ignore_labels=tuple(ignored))
        same(got, theirs(inputs, aggregation_strategy=strategy, ignore_labels=ignored))
    assert ours(TEXTS[2], aggregation_strategy=strategy, ignore_labels=())


@pytest.mark.parametrize(
    "options", [{}, dict(top_k=3), dict(targets=["cat", "dog", "garden"]), dict(targets="cat")]
)
@pytest.mark.parametrize(
    "inputs",
    [
        "the [MASK] sleeps.",
        ["the [MASK] sleeps.", "a [MASK]"],
        "the [MASK] sees a [MASK] in the garden",
    ],
)
def test_fill_mask_equals_transformers(inputs, options, checkpoints):
    ours, theirs = both("fill-mask", checkpoints / "words")
    same(ours(inputs, **options), theirs(inputs, **options))


@pytest.mark.parametrize("inputs", [TEXTS[0], TEXTS])
def test_feature_extraction_equals_transformers(inputs, checkpoints):
    ours, theirs = both("feature-extraction", checkpoints / "states")
    got, expected = ours(inputs), theirs(inputs)
    if isinstance(inputs, str):
        got, expected = [got], [expected]
    for mine, their in zip(got, expected, strict=True):
        torch.testing.assert_close(torch.tensor(mine), torch.tensor(their), rtol=1e-4, atol=1e-4)


def test_generation_continues_greedily_as_transformers(checkpoints):
    ours = pipeline("text-generation", checkpoints / "decoder", device="cpu")
    theirs = transformers.ElectraForCausalLM.from_pretrained(checkpoints / "decoder")
    ids = ours.tokenizer("the cat", add_special_tokens=False)["input_ids"]
    prompt = torch.tensor([[ours.tokenizer.cls_token_id, *ids]])
    expected = theirs.generate(
        prompt, max_new_tokens=6, do_sample=False, pad_token_id=0, eos_token_id=None
    )
    words = ours.tokenizer.decode(expected[0, 3:].tolist(), skip_special_tokens=True)
    assert ours("the cat", max_new_tokens=6) == [{"generated_text": f"the cat {words}"}]
    only_new = ours("the cat", max_new_tokens=6, return_full_text=False)
    assert only_new == [{"generated_text": words}]


def test_replaced_tokens_are_scored_at_their_place_in_the_text(checkpoints):
    ours = pipeline("replaced-token-detection", checkpoints / "discriminator", device="cpu")
    answers = ours(TEXTS, threshold=0.3)
    for text, answer in zip(TEXTS, answers, strict=True):
        batch = ours.tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            expected = ours.model(**batch).logits[0].sigmoid()[1:-1].tolist()
        assert [word["score"] for word in answer] == pytest.approx(expected, abs=1e-5)
        assert [word["replaced"] for word in answer] == [score >= 0.3 for score in expected]
        for word in answer:
            piece = text[word["start"] : word["end"]].lower()
            assert word["word"] in (piece, f"##{piece}", "[UNK]")


def test_multiple_choice_scores_each_choice_with_its_context(checkpoints):
    ours = pipeline("multiple-choice", checkpoints / "choices", device="cpu")
    theirs = transformers.ElectraForMultipleChoice.from_pretrained(checkpoints / "choices")
    choices = ["a dog sleeps", "the cat", "anna lives in oslo"]
    batch = ours.tokenizer([TEXTS[0]] * 3, choices, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = theirs(**{k: v[None] for k, v in batch.items()}).logits[0].softmax(-1)
    answer = ours({"context": TEXTS[0], "choices": choices})
    assert answer["scores"] == pytest.approx(expected.tolist(), abs=1e-5)
    assert answer["choice"] == choices[int(expected.argmax())] == choices[answer["index"]]


CONTEXT = " ".join(["The small dog sleeps in the garden."] * 14 + ["Anna lives in Oslo."])


def best_span_by_hand(ours, question: str, context: str, max_answer_len: int) -> dict:
    """Every span of a context that fits into one window, scored from the definition."""
    batch = ours.tokenizer(question, context, return_offsets_mapping=True)
    inputs = {k: torch.tensor([batch[k]]) for k in ("input_ids", "token_type_ids")}
    with torch.no_grad():
        output = ours.model(**inputs)
    sides = batch.sequence_ids()
    allowed = [i for i, side in enumerate(sides) if side == 1]
    places = [0, *allowed]
    start = dict(zip(places, output.start_logits[0, places].softmax(-1).tolist(), strict=True))
    end = dict(zip(places, output.end_logits[0, places].softmax(-1).tolist(), strict=True))
    spans = [
        (start[i] * end[j], i, j) for i in allowed for j in allowed if i <= j < i + max_answer_len
    ]
    score, first, last = max(spans)
    offsets = batch["offset_mapping"]
    begin, stop = offsets[first][0], offsets[last][1]
    return {"score": score, "start": begin, "end": stop, "answer": context[begin:stop]}


@pytest.mark.parametrize("max_answer_len", [1, 4])
def test_the_best_answer_is_the_likeliest_span(max_answer_len, checkpoints):
    ours = pipeline("question-answering", checkpoints / "answers", device="cpu")
    for context in TEXTS[:3]:
        got = ours(
            question="who sleeps?",
            context=context,
            max_answer_len=max_answer_len,
            align_to_words=False,
        )
        same(got, best_span_by_hand(ours, "who sleeps?", context, max_answer_len))


def test_a_long_context_is_read_in_windows_to_its_end(checkpoints):
    ours = pipeline("question-answering", checkpoints / "answers", device="cpu")
    assert len(ours.tokenizer(CONTEXT)["input_ids"]) > ours.longest
    answers = ours(
        {"question": "who lives?", "context": CONTEXT},
        top_k=2000,
        max_answer_len=3,
        doc_stride=10,
        handle_impossible_answer=True,
    )
    assert [answer["score"] for answer in answers] == sorted(
        (answer["score"] for answer in answers), reverse=True
    )
    places = [(answer["start"], answer["end"]) for answer in answers]
    assert len(places) == len(set(places))
    assert {"answer": "", "start": 0, "end": 0}.items() <= max(
        answers, key=lambda answer: answer["answer"] == ""
    ).items()
    found = {answer["answer"] for answer in answers}
    assert {"Anna", "in Oslo.", "small dog"} <= found  # the last ones lie in the last window
    for answer in answers:
        assert CONTEXT[answer["start"] : answer["end"]] == answer["answer"]


def test_answers_are_made_of_whole_words_unless_asked_otherwise(checkpoints):
    ours = pipeline("question-answering", checkpoints / "answers", device="cpu")
    asked = dict(question="who?", context="runner sleeping", top_k=20, max_answer_len=1)
    assert {a["answer"] for a in ours(**asked)} == {"runner", "sleeping"}
    assert "ner" in {a["answer"] for a in ours(**asked, align_to_words=False)}


def test_batches_of_any_size_give_the_answers_in_order(checkpoints):
    texts = TEXTS * 5
    folder = checkpoints / "classification"
    one_by_one = [pipeline("text-classification", folder, device="cpu")(text)[0] for text in texts]
    for batch_size in (1, 4, 100):
        together = pipeline(
            "text-classification", folder, device="cpu", batch_size=batch_size, progress=False
        )
        same(together(texts), one_by_one)


def test_half_precision_and_device_are_taken(checkpoints):
    ours = pipeline(
        "text-classification", checkpoints / "classification", device=-1, dtype=torch.float16
    )
    assert ours.model.dtype == torch.float16
    full = pipeline("text-classification", checkpoints / "classification", device="cpu")
    assert ours(TEXTS[0], top_k=None)[0]["score"] == pytest.approx(
        full(TEXTS[0], top_k=None)[0]["score"], abs=1e-2
    )


def test_what_a_pipeline_cannot_do_is_said(checkpoints):
    with pytest.raises(ValueError, match="no task 'translation'. There are text-classification"):
        pipeline("translation")
    with pytest.raises(ValueError, match="needs a model that was fine-tuned for it"):
        pipeline("text-classification")
    model = electra_lab.ElectraModel.from_pretrained(checkpoints / "states")
    with pytest.raises(ValueError, match="needs its tokenizer"):
        pipeline("feature-extraction", model)
    with pytest.raises(ValueError, match="batch_size is 0"):
        pipeline("feature-extraction", checkpoints / "states", batch_size=0)
    fill = pipeline("fill-mask", checkpoints / "words", device="cpu")
    with pytest.raises(ValueError, match=r"no \[MASK\] in 'the cat'"):
        fill("the cat")
    with pytest.raises(ValueError, match=r"\['tiger'\] given"):
        fill("the [MASK]", targets=["cat", "tiger"])
    with pytest.raises(TypeError, match="takes a text.*got 7"):
        fill(7)
    answers = pipeline("question-answering", checkpoints / "answers", device="cpu")
    with pytest.raises(ValueError, match="neither empty"):
        answers(question="who?", context=" ")
    tags = pipeline("token-classification", checkpoints / "tagging", device="cpu")
    with pytest.raises(ValueError, match="aggregation_strategy is 'best'; expected one of none"):
        tags("the cat", aggregation_strategy="best")
    choices = pipeline("multiple-choice", checkpoints / "choices", device="cpu")
    with pytest.raises(ValueError, match="takes {'context': text, 'choices'"):
        choices("the cat")
