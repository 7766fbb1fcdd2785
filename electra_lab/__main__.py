"""``python -m electra_lab`` is the command ``electra-lab``."""

from .cli import app

app(prog_name="electra-lab")
