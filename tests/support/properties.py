"""How property tests run here: the same bounded examples every time, and no file left in the checkout."""

import atexit
import shutil
import tempfile

from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

_home = tempfile.mkdtemp(prefix="hypothesis-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
set_hypothesis_home_dir(_home)

PROPERTY = settings(max_examples=300, deadline=None, derandomize=True, database=None)
