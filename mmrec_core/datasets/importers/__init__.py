"""One module for each format that can be installed; the surest to be recognised come first."""

from mmrec_core.datasets.importers import amazon_2023 as amazon_2023
from mmrec_core.datasets.importers import amazon_older as amazon_older
from mmrec_core.datasets.importers import elliot as elliot
from mmrec_core.datasets.importers import huggingface as huggingface
from mmrec_core.datasets.importers import mmrec as mmrec
from mmrec_core.datasets.importers import movielens as movielens
from mmrec_core.datasets.importers import recbole as recbole

# isort: split
# Last: they take what no other format claims.
from mmrec_core.datasets.importers import folder as folder
from mmrec_core.datasets.importers import tabular as tabular
from mmrec_core.datasets.importers.base import IMPORTERS as IMPORTERS
from mmrec_core.datasets.importers.base import Tables as Tables
from mmrec_core.datasets.importers.reading import read as read
