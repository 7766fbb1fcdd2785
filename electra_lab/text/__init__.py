"""Text: tokens and their ids, vocabularies, and the micro-world that makes sentences."""
