"""Training, in reading order: masking, sampling, objectives, optimization, loop, recipe, pretraining.

``masking`` chooses the positions of a step, ``sampling`` draws the generator's replacements,
``objectives`` turns both into a loss, ``optimization`` and ``loop`` make any module learn from any
loss, ``recipe`` holds the numbers and ``pretraining`` puts it all together.
"""
