"""A local stand-in for Glue's `awsgluedq`: the data quality transform of Glue jobs."""

import sys
from pathlib import Path

# A job's path holds this folder's parent alone; the engine belongs to the local cloud around it.
_ROOT = str(Path(__file__).resolve().parents[3])
if _ROOT not in sys.path:
    sys.path.append(_ROOT)
