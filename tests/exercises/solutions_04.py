"""Solutions of notebook 04, and the mistakes that its checks must find."""

import copy

from torch import nn
from torch.nn import functional as F


def layer_norm(states, gain, bias, eps):
    mean = states.mean(dim=-1, keepdim=True)
    variance = states.var(dim=-1, keepdim=True, unbiased=False)
    return (states - mean) / (variance + eps).sqrt() * gain + bias


def _normal(states, dim, eps, unbiased=False):
    mean = states.mean(dim=dim, keepdim=True)
    return (states - mean) / (states.var(dim=dim, keepdim=True, unbiased=unbiased) + eps).sqrt()


def over_the_tokens(states, gain, bias, eps):
    return _normal(states, 1, eps) * gain + bias


def one_mean_for_all(states, gain, bias, eps):
    return _normal(states, (1, 2), eps) * gain + bias


def unbiased_variance(states, gain, bias, eps):
    return _normal(states, -1, eps, unbiased=True) * gain + bias


def eps_outside_the_root(states, gain, bias, eps):
    spread = states.std(dim=-1, keepdim=True, unbiased=False)
    return (states - states.mean(dim=-1, keepdim=True)) / (spread + eps) * gain + bias


def std_plus_eps(states, gain, bias, eps):
    centred = states - states.mean(dim=-1, keepdim=True)
    return centred / (states.std(dim=-1, keepdim=True) + eps) * gain + bias


def gain_and_bias_forgotten(states, gain, bias, eps):
    return _normal(states, -1, eps)


def mean_kept(states, gain, bias, eps):
    spread = (states.var(dim=-1, keepdim=True, unbiased=False) + eps).sqrt()
    return states / spread * gain + bias


def wrap(states, block, norm):
    return norm(states + block(states))


def residual_forgotten(states, block, norm):
    return norm(block(states))


def norm_forgotten(states, block, norm):
    return states + block(states)


def pre_norm(states, block, norm):
    return states + block(norm(states))


def normalised_before_adding(states, block, norm):
    return states + norm(block(states))


def result_added_to_itself(states, block, norm):
    states = block(states)
    return norm(states + states)


def subtracted(states, block, norm):
    return norm(states - block(states))


def count_layer(hidden_size, intermediate_size):
    attention = 4 * (hidden_size * hidden_size + hidden_size)
    expand = hidden_size * intermediate_size + intermediate_size
    contract = intermediate_size * hidden_size + hidden_size
    norms = 2 * 2 * hidden_size
    return attention + expand + contract + norms


def biases_forgotten(hidden_size, intermediate_size):
    matrices = 4 * hidden_size * hidden_size + 2 * hidden_size * intermediate_size
    return matrices + 4 * hidden_size


def norms_forgotten(hidden_size, intermediate_size):
    return count_layer(hidden_size, intermediate_size) - 4 * hidden_size


def one_norm(hidden_size, intermediate_size):
    return count_layer(hidden_size, intermediate_size) - 2 * hidden_size


def output_forgotten(hidden_size, intermediate_size):
    return count_layer(hidden_size, intermediate_size) - hidden_size * (hidden_size + 1)


def inner_width_fixed(hidden_size, intermediate_size):
    return count_layer(hidden_size, 4 * hidden_size)


class MendedStack(nn.Module):
    def __init__(self, make_layer, layers):
        super().__init__()
        self.layers = nn.ModuleList(make_layer() for _ in range(layers))

    def forward(self, states):
        for layer in self.layers:
            states = states + F.dropout(layer(states), p=0.1, training=self.training)
        return states


class PlainList(MendedStack):
    def __init__(self, make_layer, layers):
        nn.Module.__init__(self)
        self.layers = [make_layer() for _ in range(layers)]


class OneLayerForAll(MendedStack):
    def __init__(self, make_layer, layers):
        super().__init__(make_layer, 0)
        self.layers = nn.ModuleList([make_layer()] * layers)


class Copies(MendedStack):
    def __init__(self, make_layer, layers):
        super().__init__(make_layer, 0)
        layer = make_layer()
        self.layers = nn.ModuleList(copy.deepcopy(layer) for _ in range(layers))


class OneLayerTooFew(MendedStack):
    def __init__(self, make_layer, layers):
        super().__init__(make_layer, layers - 1)


class DropoutAlways(MendedStack):
    def forward(self, states):
        for layer in self.layers:
            states = states + F.dropout(layer(states), p=0.1)
        return states


class DropoutNever(MendedStack):
    def forward(self, states):
        for layer in self.layers:
            states = states + layer(states)
        return states


class DropoutOnTheSum(MendedStack):
    def forward(self, states):
        for layer in self.layers:
            states = F.dropout(states + layer(states), p=0.1, training=self.training)
        return states


class MoreDropout(MendedStack):
    def forward(self, states):
        for layer in self.layers:
            states = states + F.dropout(layer(states), training=self.training)
        return states


class WithoutResidual(MendedStack):
    def forward(self, states):
        for layer in self.layers:
            states = F.dropout(layer(states), p=0.1, training=self.training)
        return states


class AllReadTheInput(MendedStack):
    def forward(self, states):
        return states + sum(
            F.dropout(layer(states), p=0.1, training=self.training) for layer in self.layers
        )


SOLUTIONS = {"04.1": layer_norm, "04.2": wrap, "04.3": count_layer, "04.4": MendedStack}

MUTANTS = {
    "04.1": {
        "over the tokens": over_the_tokens,
        "one mean for all tokens": one_mean_for_all,
        "n - 1 in the variance": unbiased_variance,
        "eps outside the root": eps_outside_the_root,
        "std as it is, and eps behind it": std_plus_eps,
        "gain and bias are forgotten": gain_and_bias_forgotten,
        "the mean is not subtracted": mean_kept,
    },
    "04.2": {
        "the residual is forgotten": residual_forgotten,
        "the norm is forgotten": norm_forgotten,
        "pre-norm": pre_norm,
        "normalised before adding": normalised_before_adding,
        "the result is added to itself": result_added_to_itself,
        "subtracted instead of added": subtracted,
    },
    "04.3": {
        "biases are forgotten": biases_forgotten,
        "norms are forgotten": norms_forgotten,
        "one norm": one_norm,
        "the output layer is forgotten": output_forgotten,
        "the inner width is taken for 4 times the width": inner_width_fixed,
    },
    "04.4": {
        "a plain list": PlainList,
        "one layer in all places": OneLayerForAll,
        "copies of one layer": Copies,
        "one layer too few": OneLayerTooFew,
        "dropout in eval, too": DropoutAlways,
        "no dropout": DropoutNever,
        "dropout on the sum": DropoutOnTheSum,
        "dropout's default share": MoreDropout,
        "the residual is lost": WithoutResidual,
        "all layers read the input": AllReadTheInput,
    },
}

# mistake -> words of the hint that is meant for it
HINTS = {
    "04.1": {
        "over the tokens": "You normalise over the tokens",
        "one mean for all tokens": "One mean for all tokens is too few",
        "n - 1 in the variance": "The variance divides by n, not n - 1: torch's var needs",
        "std as it is, and eps behind it": "Two things: torch's std divides by n - 1",
        "eps outside the root": "eps goes under the root, together with the variance",
        "gain and bias are forgotten": "gain and bias are missing: multiply by the one and add the",
        "the mean is not subtracted": "The mean is still there: subtract it before you divide",
    },
    "04.2": {
        "the residual is forgotten": "The residual is missing: what came in is added to what the",
        "the norm is forgotten": "The norm is missing",
        "pre-norm": "That is pre-norm, as GPT-2 has it",
        "normalised before adding": "You normalise before you add",
        "the result is added to itself": "You add the block's result to itself",
        "subtracted instead of added": "Call block on states, add states to the result, call norm",
    },
    "04.3": {
        "biases are forgotten": "The biases are missing: a linear layer has one for each output",
        "norms are forgotten": "The two LayerNorms are missing; each has gain and bias",
        "one norm": "That is one LayerNorm",
        "the output layer is forgotten": "Attention has four layers: query, key, value and output",
        "the inner width is taken for 4 times the width": "Count attention (4 layers),",
    },
    "04.4": {
        "a plain list": "hidden from it, and so from the optimiser",
        "one layer in all places": "All places hold the same layer",
        "copies of one layer": "as copies do",
        "one layer too few": "have 126 together; PyTorch finds 84",
        "dropout in eval, too": "after eval() two runs still differ",
        "no dropout": "nothing is dropped in training",
        "dropout on the sum": "not on the sum",
        "dropout's default share": "yours drops 0.50",
        "the residual is lost": "residual connection is lost",
        "all layers read the input": "layer after layer",
    },
}
