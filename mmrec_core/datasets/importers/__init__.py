"""One module for each format that can be installed."""

from mmrec_core.datasets.importers import folder as folder
from mmrec_core.datasets.importers.base import IMPORTERS as IMPORTERS
from mmrec_core.datasets.importers.base import Tables as Tables
