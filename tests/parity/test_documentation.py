"""What the transformers documentation shows for ELECTRA in PyTorch, with the import changed.

Each function is one documented use: the same classes, calls and arguments, with sentences of our own.
It runs once on transformers and once on electra_lab, on the same checkpoints, which transformers saved.
"""

import math
import os
import subprocess
import sys

import pytest
import torch
import transformers

import electra_lab

from .comparing import assert_same, random_checkpoint

WORDS = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "?", "<", ">", "mask"),
    *("the", "my", "a", "in", "of", "is", "and", "with", "who", "was", "cat", "cats", "chases"),
    *("bread", "paints", "old", "grey", "mouse", "soup", "served", "hot", "cold", "bowl", "spoon"),
    *("eaten", "this", "tea", "##room", "sells", "good", "cake", "ada", "love", "##lace", "wrote"),
    *("notes", "on", "a", "machine", "lives", "london", "and", "turin", "capital", "italy", "rome"),
    *("short", "one", "much", "long", "##er", "sentence", "that", "needs", "padding"),
]
VOCABULARY = list(dict.fromkeys(WORDS))
EMOTIONS = ["sadness", "joy", "love", "anger", "fear", "surprise"]
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Folders by the kind of checkpoint, written by transformers."""
    root = tmp_path_factory.mktemp("checkpoints")
    for kind, head, changes in (
        ("discriminator", "ElectraForPreTraining", {}),
        ("generator", "ElectraForMaskedLM", {}),
        ("emotion", "ElectraForSequenceClassification", dict(id2label=dict(enumerate(EMOTIONS)))),
        ("choices", "ElectraForMultipleChoice", {}),
        ("names", "ElectraForTokenClassification", dict(id2label=dict(enumerate(NAMES)))),
        ("answers", "ElectraForQuestionAnswering", {}),
    ):
        model = random_checkpoint(head, root / kind, vocab_size=len(VOCABULARY), **changes)
        assert type(model).__module__.startswith("transformers.")
        tokenizer = transformers.ElectraTokenizerFast(
            vocab={piece: i for i, piece in enumerate(VOCABULARY)}
        )
        tokenizer.save_pretrained(root / kind)
    return root


def configuration_and_model(library, checkpoints):
    configuration = library.ElectraConfig()
    model = library.ElectraModel(configuration)
    configuration = model.config
    return [
        {name: getattr(configuration, name) for name in DOCUMENTED_FIELDS},
        sorted(tuple(parameter.shape) for parameter in model.parameters()),
    ]


DOCUMENTED_FIELDS = [
    *("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
    *("intermediate_size", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob"),
    *("max_position_embeddings", "type_vocab_size", "initializer_range", "layer_norm_eps"),
    *("summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout"),
    *("pad_token_id", "use_cache", "classifier_dropout", "is_decoder", "add_cross_attention"),
    *("tie_word_embeddings", "id2label", "label2id", "num_labels", "problem_type"),
    *("output_attentions", "output_hidden_states", "return_dict"),
]


def bare_model(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "discriminator")
    model = library.ElectraModel.from_pretrained(checkpoints / "discriminator")
    inputs = tokenizer("My cat chases the grey mouse", return_tensors="pt")
    outputs = model(**inputs)
    return dict(inputs), outputs.last_hidden_state


def replaced_token_detection(library, checkpoints):
    discriminator = library.ElectraForPreTraining.from_pretrained(checkpoints / "discriminator")
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "discriminator")
    fake_sentence = "The old cat bread the grey mouse"
    fake_tokens = tokenizer.tokenize(fake_sentence, add_special_tokens=True)
    fake_inputs = tokenizer.encode(fake_sentence, return_tensors="pt")
    discriminator_outputs = discriminator(fake_inputs)
    predictions = torch.round((torch.sign(discriminator_outputs[0]) + 1) / 2)
    return fake_tokens, fake_inputs, discriminator_outputs[0], predictions.squeeze().tolist()


def causal_language_model(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "generator")
    config = library.ElectraConfig.from_pretrained(checkpoints / "generator")
    config.is_decoder = True
    model = library.ElectraForCausalLM.from_pretrained(checkpoints / "generator", config=config)
    inputs = tokenizer("My cat chases the grey mouse", return_tensors="pt")
    outputs = model(**inputs)
    return outputs.logits


def masked_language_model(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "generator")
    model = library.ElectraForMaskedLM.from_pretrained(checkpoints / "generator")
    inputs = tokenizer("The capital of Italy is [MASK].", return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    mask_token_index = (inputs.input_ids == tokenizer.mask_token_id)[0].nonzero(as_tuple=True)[0]
    predicted_token_id = logits[0, mask_token_index].argmax(axis=-1)
    labels = tokenizer("The capital of Italy is Rome.", return_tensors="pt")["input_ids"]
    labels = torch.where(inputs.input_ids == tokenizer.mask_token_id, labels, -100)
    outputs = model(**inputs, labels=labels)
    return logits, tokenizer.decode(predicted_token_id), outputs.loss, round(outputs.loss.item(), 2)


def masked_language_model_without_electras_mask(library, checkpoints):
    """One version of the page masks with <mask>, which is no token of ELECTRA's: nothing is found."""
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "generator")
    model = library.ElectraForMaskedLM.from_pretrained(checkpoints / "generator")
    inputs = tokenizer("The capital of Italy is <mask>.", return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    mask_token_index = (inputs.input_ids == tokenizer.mask_token_id)[0].nonzero(as_tuple=True)[0]
    predicted_token_id = logits[0, mask_token_index].argmax(axis=-1)
    return logits, mask_token_index.tolist(), tokenizer.decode(predicted_token_id)


def sequence_classification(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "emotion")
    model = library.ElectraForSequenceClassification.from_pretrained(checkpoints / "emotion")
    inputs = tokenizer("My cat chases the grey mouse", return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    predicted_class_id = logits.argmax().item()
    label = model.config.id2label[predicted_class_id]
    num_labels = len(model.config.id2label)
    model = library.ElectraForSequenceClassification.from_pretrained(
        checkpoints / "emotion", num_labels=num_labels
    )
    loss = model(**inputs, labels=torch.tensor([1])).loss
    return logits, label, num_labels, loss, round(loss.item(), 2)


def multi_label_classification(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "emotion")
    model = library.ElectraForSequenceClassification.from_pretrained(
        checkpoints / "emotion", problem_type="multi_label_classification"
    )
    inputs = tokenizer("My cat chases the grey mouse", return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    chosen = torch.sigmoid(logits).squeeze(dim=0) > 0.5
    predicted_class_ids = torch.arange(0, logits.shape[-1])[chosen]
    num_labels = len(model.config.id2label)
    model = library.ElectraForSequenceClassification.from_pretrained(
        checkpoints / "emotion", num_labels=num_labels, problem_type="multi_label_classification"
    )
    one_hot = torch.nn.functional.one_hot(
        predicted_class_ids[None, :].clone(), num_classes=num_labels
    )
    labels = torch.sum(one_hot, dim=1).to(torch.float)
    return logits, predicted_class_ids, model(**inputs, labels=labels).loss


def automatic_classes_in_half_precision(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "emotion")
    model = library.AutoModelForSequenceClassification.from_pretrained(
        checkpoints / "emotion", torch_dtype=torch.bfloat16
    )
    inputs = tokenizer("Ada Lovelace wrote notes on a machine", return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    predicted_class_id = outputs.logits.argmax(dim=-1).item()
    assert outputs.logits.dtype == torch.bfloat16
    return outputs.logits, model.config.id2label[predicted_class_id]


def padded_batch(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "discriminator")
    model = library.AutoModel.from_pretrained(checkpoints / "discriminator")
    inputs = tokenizer(
        ["A short one", "This is a much longer sentence that needs no padding"],
        padding=True,
        return_tensors="pt",
    )
    outputs = model(**inputs)
    return dict(inputs), outputs.last_hidden_state[inputs.attention_mask.bool()]


def multiple_choice(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "choices")
    model = library.ElectraForMultipleChoice.from_pretrained(checkpoints / "choices")
    prompt = "In this tearoom the soup is served hot, in a bowl."
    choice0 = "It is eaten with a spoon."
    choice1 = "It is cold cake."
    labels = torch.tensor(0).unsqueeze(0)
    encoding = tokenizer([prompt, prompt], [choice0, choice1], return_tensors="pt", padding=True)
    outputs = model(**{k: v.unsqueeze(0) for k, v in encoding.items()}, labels=labels)
    return dict(encoding), outputs.loss, outputs.logits


def token_classification(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "names")
    model = library.ElectraForTokenClassification.from_pretrained(checkpoints / "names")
    inputs = tokenizer(
        "Ada Lovelace lives in London and Turin", add_special_tokens=False, return_tensors="pt"
    )
    with torch.no_grad():
        logits = model(**inputs).logits
    predicted_token_class_ids = logits.argmax(-1)
    classes = [model.config.id2label[t.item()] for t in predicted_token_class_ids[0]]
    loss = model(**inputs, labels=predicted_token_class_ids).loss
    return dict(inputs), logits, classes, loss, round(loss.item(), 2)


def question_answering(library, checkpoints):
    tokenizer = library.AutoTokenizer.from_pretrained(checkpoints / "answers")
    model = library.ElectraForQuestionAnswering.from_pretrained(checkpoints / "answers")
    question, text = "Who was Ada Lovelace?", "Ada Lovelace wrote notes on a machine"
    inputs = tokenizer(question, text, return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    answer_start_index = outputs.start_logits.argmax()
    answer_end_index = outputs.end_logits.argmax()
    predict_answer_tokens = inputs.input_ids[0, answer_start_index : answer_end_index + 1]
    answer = tokenizer.decode(predict_answer_tokens, skip_special_tokens=True)
    losses = []
    for start, end in ((11, 12), (14, 15)):  # the second answer lies beyond the text
        target_start_index, target_end_index = torch.tensor([start]), torch.tensor([end])
        outputs = model(
            **inputs, start_positions=target_start_index, end_positions=target_end_index
        )
        losses.append(outputs.loss)
    return dict(inputs), outputs.start_logits, outputs.end_logits, answer, losses


def classifier_pipeline(library, checkpoints):
    classifier = library.pipeline(
        task="text-classification", model=str(checkpoints / "emotion"), device="cpu"
    )
    return classifier("This tearoom sells good cake.")


EXAMPLES = [
    configuration_and_model,
    bare_model,
    replaced_token_detection,
    causal_language_model,
    masked_language_model,
    masked_language_model_without_electras_mask,
    sequence_classification,
    multi_label_classification,
    padded_batch,
    multiple_choice,
    token_classification,
    question_answering,
    classifier_pipeline,
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.__name__)
def test_the_documented_example_gives_transformers_output(example, checkpoints):
    expected = example(transformers, checkpoints)
    assert_same(example(electra_lab, checkpoints), expected, tolerance=1e-5)


def test_auto_classes_in_half_precision_give_transformers_output(checkpoints):
    example = automatic_classes_in_half_precision
    expected_logits, expected_label = example(transformers, checkpoints)
    logits, label = example(electra_lab, checkpoints)
    assert label == expected_label
    # bfloat16 keeps 8 binary digits, and the two models round at different places
    assert_same(logits, expected_logits, tolerance=0.05)


@pytest.mark.parametrize("argument", ["dtype", "torch_dtype"])
def test_the_pipeline_in_half_precision_gives_transformers_output(argument, checkpoints):
    answers = []
    for library in (transformers, electra_lab):
        classifier = library.pipeline(
            task="text-classification",
            model=str(checkpoints / "emotion"),
            device="cpu",
            **{argument: torch.float16},
        )
        assert classifier.model.dtype == torch.float16
        answers.append(classifier("This tearoom sells good cake."))
    assert_same(answers[1], answers[0], tolerance=2e-3)  # float16 keeps 11 binary digits


def test_the_command_line_gives_what_transformers_pipeline_gives(checkpoints):
    model = str(checkpoints / "emotion")
    command = [
        *(sys.executable, "-m", "electra_lab", "run", "--task", "text-classification"),
        *("--model", model, "--device", "cpu"),
    ]
    result = subprocess.run(
        command,
        input="This tearoom sells good cake.\n",
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert result.returncode == 0, result.stderr
    (expected,) = transformers.pipeline("text-classification", model, device="cpu")(
        "This tearoom sells good cake."
    )
    line = dict(part.split(": ") for part in result.stdout.strip().split("  "))
    assert line.keys() == expected.keys()
    assert line["label"] == expected["label"]
    assert math.isclose(float(line["score"]), expected["score"], abs_tol=6e-5)  # four decimals


@pytest.mark.parametrize("cls", ["ElectraTokenizer", "ElectraTokenizerFast"])
def test_the_documented_tokenizer_methods_give_transformers_ids(cls, checkpoints, tmp_path):
    file = tmp_path / "vocab.txt"
    file.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    ours = getattr(electra_lab, cls)(str(file))
    theirs = getattr(transformers, cls).from_pretrained(checkpoints / "discriminator")
    first, second = "The cat chases cake.", "Who wrote notes?"
    pair = theirs(first, second)
    a, b = (theirs(text, add_special_tokens=False)["input_ids"] for text in (first, second))
    assert ours.build_inputs_with_special_tokens(a, b) == pair["input_ids"]
    assert ours.build_inputs_with_special_tokens(a) == theirs(first)["input_ids"]
    assert ours.create_token_type_ids_from_sequences(a, b) == pair["token_type_ids"]
    assert ours.create_token_type_ids_from_sequences(a) == theirs(first)["token_type_ids"]
    mask = theirs(first, second, return_special_tokens_mask=True)["special_tokens_mask"]
    assert ours.get_special_tokens_mask(a, b) == mask
    for already in (ours, theirs):
        assert already.get_special_tokens_mask(pair["input_ids"], None, True) == mask
    tokens = theirs.tokenize("Ada Lovelace wrote notes")
    assert ours.convert_tokens_to_string(tokens) == theirs.convert_tokens_to_string(tokens)
