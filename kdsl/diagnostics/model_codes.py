"""What the elaborator reports: E2xx names and imports, E3xx arguments, E4xx shapes, E5xx training."""

from __future__ import annotations

from kdsl.diagnostics.argument_codes import ARGUMENTS
from kdsl.diagnostics.block_codes import BLOCKS
from kdsl.diagnostics.entry import Entry
from kdsl.diagnostics.expression_codes import EXPRESSIONS
from kdsl.diagnostics.import_codes import IMPORTS
from kdsl.diagnostics.name_codes import NAMES
from kdsl.diagnostics.shape_codes import SHAPES
from kdsl.diagnostics.training_codes import TRAINING

MODEL: tuple[Entry, ...] = (*NAMES, *IMPORTS, *ARGUMENTS, *SHAPES, *BLOCKS, *EXPRESSIONS, *TRAINING)
