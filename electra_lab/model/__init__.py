"""The model, in reading order: config, embeddings, attention, encoder, electra, heads.

Beside that path lie ``outputs`` (what a forward pass returns) and ``pretrained`` (what every model
can do besides computing: load, save, count its parameters).
"""
