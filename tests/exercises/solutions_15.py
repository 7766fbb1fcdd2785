"""Solutions and mutants of notebook 15."""

import re

import torch


def name_on_disk(name, table):
    module, _, parameter = name.rpartition(".")
    parts = module.split(".")
    numbers = [part for part in parts if part.isdecimal()]
    pattern = ".".join("{}" if part.isdecimal() else part for part in parts)
    if pattern not in table:
        return None
    return f"{table[pattern].format(*numbers)}.{parameter}"


def parameter_forgotten(name, table):
    found = name_on_disk(name, table)
    return None if found is None else found.rpartition(".")[0]


def always_weight(name, table):
    found = parameter_forgotten(name, table)
    return None if found is None else f"{found}.weight"


def always_the_first_layer(name, table):
    return name_on_disk(re.sub(r"\.\d+\.", ".0.", name), table)


def last_digit(name, table):
    found = name_on_disk(name, table)
    return None if found is None else re.sub(r"\.\d*(\d)\.", r".\1.", found)


def one_digit_only(name, table):
    module, _, parameter = name.rpartition(".")
    pattern = re.sub(r"\.\d\.", ".{}.", module)
    numbers = re.findall(r"\.(\d)\.", module)
    return f"{table[pattern].format(*numbers)}.{parameter}" if pattern in table else None


def no_numbers(name, table):
    module, _, parameter = name.rpartition(".")
    return f"{table[module]}.{parameter}" if module in table else None


def looked_up_whole(name, table):
    pattern = re.sub(r"\.\d+\.", ".{}.", name)
    return table.get(pattern)


def not_filled_in(name, table):
    module, _, parameter = name.rpartition(".")
    pattern = re.sub(r"\.\d+\.", ".{}.", module)
    return f"{table[pattern]}.{parameter}" if pattern in table else None


def unknown_kept(name, table):
    return name_on_disk(name, table) or name


def never_translated(name, table):
    return name


def by_the_last_word(name, table):
    module, _, parameter = name.rpartition(".")
    number = "".join(re.findall(r"\.(\d+)\.", module))
    for ours, theirs in table.items():
        if ours.rpartition(".")[2] == module.rpartition(".")[2]:
            return f"{theirs.replace('{}', number)}.{parameter}"
    return None


def compare(wanted, found):
    both = wanted.keys() & found.keys()
    return (
        wanted.keys() - found.keys(),
        found.keys() - wanted.keys(),
        {name for name in both if wanted[name] != found[name]},
    )


def sets(wanted, found):
    missing, left_over, other = compare(wanted, found)
    return set(missing), set(left_over), set(other)


def wrong_way_round(wanted, found):
    missing, left_over, other = sets(wanted, found)
    return left_over, missing, other


def one_side_only(wanted, found):
    missing, left_over, other = sets(wanted, found)
    return missing | left_over, missing | left_over, other


def shapes_count_as_missing(wanted, found):
    missing, left_over, other = sets(wanted, found)
    return missing | other, left_over, other


def pairs_compared(wanted, found):
    ours, theirs = set(wanted.items()), set(found.items())
    return (
        {name for name, _ in ours - theirs},
        {name for name, _ in theirs - ours},
        sets(wanted, found)[2],
    )


def numbers_counted(wanted, found):
    missing, left_over, other = sets(wanted, found)
    numbers = {name: torch.Size(shape).numel() for name, shape in wanted.items()}
    return (
        missing,
        left_over,
        {n for n in other if numbers[n] != torch.Size(found[n]).numel()},
    )


def absent_is_another_shape(wanted, found):
    missing, left_over, _ = sets(wanted, found)
    return missing, left_over, {n for n in wanted if found.get(n) != wanted[n]}


def shapes_ignored(wanted, found):
    return *sets(wanted, found)[:2], set()


def counted(wanted, found):
    return tuple(len(part) for part in sets(wanted, found))


def without_copies(tensors):
    kept, written, same = {}, {}, {}
    for name, tensor in tensors.items():
        key = (tensor.data_ptr(), tensor.shape, tensor.stride())
        if key in kept:
            same[name] = kept[key]
        else:
            kept[key] = name
            written[name] = tensor
    return written, same


def _by(key, tensors):
    kept, written, same = {}, {}, {}
    for name, tensor in tensors.items():
        first = kept.setdefault(key(tensor), name)
        if first == name:
            written[name] = tensor
        else:
            same[name] = first
    return written, same


def same_numbers(tensors):
    return _by(lambda t: (tuple(t.shape), tuple(t.flatten().tolist())), tensors)


def same_object(tensors):
    return _by(id, tensors)


def memory_alone(tensors):
    return _by(lambda t: t.data_ptr(), tensors)


def memory_and_shape(tensors):
    return _by(lambda t: (t.data_ptr(), t.shape), tensors)


def last_name_kept(tensors):
    written, same = without_copies(dict(reversed(tensors.items())))
    return dict(reversed(written.items())), same


def everything_written(tensors):
    return dict(tensors), {}


def dropped_names_forgotten(tensors):
    return without_copies(tensors)[0], {}


def other_way_round(tensors):
    written, same = without_copies(tensors)
    return written, {kept: dropped for dropped, kept in same.items()}


def one_dictionary(tensors):
    return without_copies(tensors)[0]


def kept_names_listed(tensors):
    written, same = without_copies(tensors)
    return written, {**{name: name for name in written}, **same}


SOLUTIONS = {"15.1": name_on_disk, "15.2": compare, "15.3": without_copies}
MUTANTS = {
    "15.1": {
        "weight or bias is forgotten": parameter_forgotten,
        "a bias becomes a weight": always_weight,
        "always the first layer": always_the_first_layer,
        "only the last digit of a layer": last_digit,
        "layers of one digit only": one_digit_only,
        "no numbers at all": no_numbers,
        "the whole name is looked up": looked_up_whole,
        "the number is not filled in": not_filled_in,
        "an unknown name is kept": unknown_kept,
        "nothing is translated": never_translated,
        "only the last word is compared": by_the_last_word,
    },
    "15.2": {
        "missing and left over exchanged": wrong_way_round,
        "names on one side, whichever": one_side_only,
        "another shape counts as missing, too": shapes_count_as_missing,
        "name and shape compared together": pairs_compared,
        "the numbers are counted, so that a transposed matrix fits": numbers_counted,
        "what is missing has another shape": absent_is_another_shape,
        "shapes are not compared": shapes_ignored,
        "the names are counted": counted,
    },
    "15.3": {
        "equal numbers are one tensor": same_numbers,
        "only the same object is one tensor": same_object,
        "a part of a tensor is the tensor": memory_alone,
        "a transposed view is the tensor": memory_and_shape,
        "the last name is kept": last_name_kept,
        "everything is written": everything_written,
        "what was dropped is forgotten": dropped_names_forgotten,
        "kept -> dropped": other_way_round,
        "one dictionary only": one_dictionary,
        "kept names stand for themselves": kept_names_listed,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "15.1": {
        "weight or bias is forgotten": "The last part is gone: weight and bias of a module need",
        "a bias becomes a weight": "It should end in 'bias', as the name that was given",
        "always the first layer": "The module is right, the layer is not",
        "only the last digit of a layer": "The module is right, the layer is not",
        "layers of one digit only": "Its module has a number where the table has {}: put {} there,",
        "no numbers at all": "Its module has a number where the table has {}: put {} there,",
        "the whole name is looked up": "The last part, weight or bias, is not in the table: take",
        "the number is not filled in": "The number of the layer is still to be put in the place of",
        "an unknown name is kept": "A name that is made up would be looked for in vain",
        "nothing is translated": "which is our own name",
        "only the last word is compared": "Compare the whole module with the table's keys, not",
    },
    "15.2": {
        "missing and left over exchanged": "Missing and left over are the wrong way round",
        "names on one side, whichever": "The first two sets are the same: names that are on one",
        "another shape counts as missing, too": "Where only the shapes differ, a name belongs to",
        "name and shape compared together": "Where only the shapes differ, a name belongs to the",
        "the numbers are counted, so that a transposed matrix fits": "(8, 4) and (4, 8) hold as",
        "what is missing has another shape": "The third set has names that only one side knows",
        "shapes are not compared": "The names of another shape should be",
        "the names are counted": "Each of the three should be a set of names; they are (2, 1, 2)",
    },
    "15.3": {
        "equal numbers are one tensor": "It has the same numbers as 'first_bias' today, but in a",
        "only the same object is one tensor": "'output' is written, too",
        "a part of a tensor is the tensor": "It begins where 'word' begins, but it is only a part",
        "a transposed view is the tensor": "It has the memory and the shape of 'word', but it",
        "the last name is kept": "Of the same tensor the first name is the one that is kept",
        "everything is written": "Everything is written. 'word', 'output' and 'third_use' are",
        "what was dropped is forgotten": "'output' and 'third_use' are the tensor that is written",
        "kept -> dropped": "'output' and 'third_use' are the tensor that is written as",
        "one dictionary only": "The function should return two dictionaries: name -> tensor",
        "kept names stand for themselves": "'output' and 'third_use' are the tensor that is",
    },
}
