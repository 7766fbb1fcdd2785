"""The comparison of the objectives: equal compute, and each objective's own sentence score."""

from dataclasses import replace

import pytest
import torch

from electra_lab.bench.objectives import (
    COUNTED_BATCHES,
    equal_compute,
    evaluate_objective,
    operations_per_step,
    run,
    sentence_scorer,
    table,
)
from electra_lab.training.objectives import OBJECTIVES
from electra_lab.training.pretraining import (
    build_objective,
    make_batches,
    make_tokenizer,
    pretrain,
    training_texts,
)

from ..training import tiny

TINY = replace(
    tiny.TINY,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    initializer_range=0.3,
    steps=2,
    warmup_steps=0,
    learning_rate=5e-4,
)


@pytest.fixture(scope="module", autouse=True)
def _text_is_made_once():
    """Making text is most of the time of so small a run, and no matter of these tests."""
    texts = training_texts(TINY)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("electra_lab.bench.objectives", "electra_lab.training.pretraining"):
            patch.setattr(f"{module}.training_texts", lambda recipe: texts)
        yield


@pytest.fixture(scope="module")
def trained() -> dict:
    return {
        name: pretrain(replace(TINY, objective=name), device="cpu", progress=False)
        for name in OBJECTIVES
    }


def test_every_objective_gets_the_operations_of_electras_steps():
    recipes = equal_compute(TINY, 100, OBJECTIVES)
    assert recipes["electra"].steps == 100
    texts = training_texts(TINY)
    tokenizer = make_tokenizer(TINY, texts)
    batches = make_batches(TINY, tokenizer, texts)
    spent = {
        name: recipe.steps * operations_per_step(build_objective(recipe, tokenizer), batches)
        for name, recipe in recipes.items()
    }
    for name, operations in spent.items():
        assert operations == pytest.approx(spent["electra"], rel=0.01), name
    # BERT's step has no generator, that of All-Tokens MLM a vocabulary at every token
    assert recipes["mlm"].steps > 100 > recipes["all_tokens_mlm"].steps


def test_operations_are_those_of_the_matrix_products_forward_and_backward():
    recipe = replace(TINY, objective="mlm")
    texts = training_texts(recipe)
    tokenizer = make_tokenizer(recipe, texts)
    objective = build_objective(recipe, tokenizer)
    batches = make_batches(recipe, tokenizer, texts)
    expected = 0
    for step in range(COUNTED_BATCHES):
        batch = batches.batch(step)
        rows, seq = batch.original_ids.shape
        selected, tokens = len(batch.positions), rows * seq
        projection = tokens * 8 * 16
        linear = tokens * (4 * 16 * 16 + 2 * 16 * 32)
        attention = 2 * rows * seq * seq * 16
        head = selected * (16 * 8 + 8 * len(tokenizer))
        expected += 3 * 2 * (projection + linear + attention + head)
    assert operations_per_step(objective, batches) == pytest.approx(
        expected / COUNTED_BATCHES, rel=0.01
    )


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_sentence_score_adds_up_what_the_model_says_of_each_token(name, trained):
    result = trained[name]
    objective, tokenizer = result.objective, result.tokenizer
    (score,) = sentence_scorer(result)(["The dog sleeps."])
    ids = tokenizer("The dog sleeps.", return_tensors="pt")["input_ids"]
    expected = 0.0
    with torch.no_grad():
        for column in range(ids.shape[1]):
            special = column in (0, ids.shape[1] - 1)
            if name.startswith("electra"):
                expected += torch.log(1 - objective.model(ids).logits[0, column].sigmoid()).item()
            elif not special:
                shown = ids.clone()
                if name == "mlm":
                    shown[0, column] = tokenizer.mask_token_id
                p = objective.model(shown).logits[0, column].softmax(-1)[ids[0, column]]
                if name == "all_tokens_mlm":
                    state = objective.encoder(ids).last_hidden_state[0, column]
                    copy = objective.copy_gate(state).sigmoid()
                    p = copy + (1 - copy) * p
                expected += p.log().item()
    assert score == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_is_measured_where_it_applies(name, trained):
    figures = evaluate_objective(trained[name], pairs=10, sentences=64)
    assert ("mlm_accuracy" in figures) is (not name.startswith("electra"))
    assert all(0 <= value <= 1 for value in figures.values())
    assert {"pairs_accuracy", "tagging_accuracy", "tagging_accuracy_random"} <= figures.keys()


def test_the_table_has_mean_and_deviation_over_the_seeds():
    runs = [
        {"objective": "mlm", "seed": seed, "steps": 7, "pairs_accuracy": value, "mlm_accuracy": 0.5}
        | {"tagging_accuracy": 0.25}
        for seed, value in enumerate((0.5, 0.7))
    ]
    runs.append(
        {"objective": "electra", "steps": 5, "pairs_accuracy": 1.0, "tagging_accuracy": 0.0}
    )
    head, mlm, electra = table({"runs": runs}).splitlines()
    assert "0.600 ± 0.141" in mlm
    assert mlm.endswith("0.500 ± 0.000")
    assert electra.split() == ["electra", "5", "1.000", "0.000", "-"]
    assert "minimal pairs" in head


def test_no_seeds_are_refused():
    with pytest.raises(ValueError, match="no seeds"):
        run(TINY, seeds=())
