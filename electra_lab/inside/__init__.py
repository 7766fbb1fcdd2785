"""Looking inside: what a model predicts, views that draw it, explorers that ask again."""
