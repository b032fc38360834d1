"""The trainer's commands without TensorFlow: they start light, and `train` says what is missing."""

import re
import subprocess
import sys

from trainer.cli import Recipe
from trainer.recipes import RECIPES

HEAVY = {"tensorflow", "keras", "sklearn", "matplotlib", "scipy", "onnx"}


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_commands_load_nothing_heavy() -> None:
    done = run(f"import sys, trainer.cli; print(sorted({HEAVY!r} & set(sys.modules)))")
    assert done.stdout == "[]\n", done.stderr


def test_without_tensorflow_train_says_so_in_one_line() -> None:
    # None in `sys.modules` is how Python marks a module as not to be found.
    done = run(
        "import sys; sys.modules.update(tensorflow=None, keras=None);"
        "sys.argv = ['gaitway', 'train', '--quick'];"
        "from stream.cli import main; main()"
    )
    assert done.returncode == 2
    advice = f"{sys.executable} -m pip install '.[train]'"
    needs = "this needs (tensorflow|keras), which the server does without"
    assert re.fullmatch(f"gaitway: error: {needs}: {re.escape(advice)}\n", done.stderr)


def test_missing_recordings_are_one_line() -> None:
    done = run(
        "import sys; sys.argv = ['gaitway', 'data', 'get', 'wisdm', '--from', '/nowhere.txt'];"
        "from stream.cli import main; main()"
    )
    assert done.returncode == 2
    assert done.stderr == "gaitway: error: /nowhere.txt: there is no such file\n"


def test_the_commands_know_every_recipe() -> None:
    assert {str(recipe) for recipe in Recipe} == set(RECIPES)
