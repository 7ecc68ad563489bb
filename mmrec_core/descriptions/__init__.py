"""What vision-language models say about items: prompts, answers, attributes."""

from mmrec_core.descriptions.parser import STATUSES, Answer, parse_answer

__all__ = ["STATUSES", "Answer", "parse_answer"]
