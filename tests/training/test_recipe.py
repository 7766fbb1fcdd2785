"""Recipes: the shipped one, and what is wrong with a broken one."""

import pytest

from electra_lab.training.recipe import Recipe


def test_the_micro_recipe_is_an_electra_of_about_a_thousand_steps():
    recipe = Recipe.load("micro")
    assert recipe.name == "micro"
    assert recipe.objective == "electra"
    assert 500 <= recipe.steps <= 2000
    config = recipe.config(500)
    generator = recipe.generator_config(config)
    assert generator.hidden_size < config.hidden_size
    assert generator.embedding_size == config.embedding_size


def test_a_recipe_is_read_from_a_path_and_is_called_as_the_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("steps = 20\nwarmup_steps = 2\nlearning_rate = 1\n")
    recipe = Recipe.load(file)
    assert (recipe.name, recipe.steps, recipe.learning_rate) == ("mine", 20, 1.0)
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_unknown_keys_are_refused_by_name(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("steps = 20\nlerning_rate = 1e-3\nwarmup = 3\n")
    with pytest.raises(ValueError, match=r"mine\.toml: A recipe has no 'lerning_rate', 'warmup'\."):
        Recipe.load(file)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("steps = 'many'", "steps is 'many'"),
        ("steps = 2.5", r"steps is 2\.5"),
        ("steps = true", "steps is True"),
        ("faithful = 1", "faithful is 1"),
        ("steps = 0", "steps is 0"),
        ("steps = 10\nwarmup_steps = 11", "warmup_steps is 11 of 10"),
        ("initialization = 'xavier'", "initialization is 'xavier'"),
        ("text = 'wikipedia'", "no text 'wikipedia'"),
        ("text_lines = 'rows'", "text_lines is 'rows'"),
        ("vocabulary_sample = 0", "vocabulary_sample is 0"),
        ("word_table = 'glove'", "word_table is 'glove'"),
        ("held_out = 1", "held_out is 1"),
        ("steps = ", "not valid TOML"),
    ],
)
def test_a_value_that_does_not_fit_is_named(tmp_path, line, message):
    file = tmp_path / "mine.toml"
    file.write_text(line + "\n")
    with pytest.raises(ValueError, match=message):
        Recipe.load(file)


def test_a_recipe_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(FileNotFoundError, match=r"no recipe 'macro'.*micro"):
        Recipe.load("macro")


def test_with_steps_keeps_the_share_of_warm_up():
    recipe = Recipe(steps=1000, warmup_steps=100).with_steps(30)
    assert (recipe.steps, recipe.warmup_steps) == (30, 3)


@pytest.mark.parametrize(
    "text", ["microworld", "owner/name", "some/where/deep", "/gone/away.txt", "."]
)
def test_text_is_the_micro_world_a_path_or_a_name_on_the_hub(text):
    assert Recipe(text=text).text == text


def test_the_recipe_for_a_persons_own_text_is_shipped():
    recipe = Recipe.load("own_text")
    assert (recipe.vocabulary_size, recipe.max_length) == (8192, 128)
    config = recipe.config(8192)
    assert recipe.generator_config(config).hidden_size == config.hidden_size * 3 // 8
