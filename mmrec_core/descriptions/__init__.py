"""What vision-language models say about items: answers, and attributes made of them."""

from mmrec_core.descriptions.features import Attributes, DescriptionText, ProbedAttributes
from mmrec_core.descriptions.parser import STATUSES, Answer, parse_answer
from mmrec_core.descriptions.vocabulary import Vocabulary, VocabularyConfig, build_vocabulary

__all__ = [
    "STATUSES",
    "Answer",
    "Attributes",
    "DescriptionText",
    "ProbedAttributes",
    "Vocabulary",
    "VocabularyConfig",
    "build_vocabulary",
    "parse_answer",
]
