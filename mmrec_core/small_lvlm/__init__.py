"""The bundled small vision-language model: drawn pictures, recipe, training, card.

It answers the structured prompt about the demo shop's products and nothing else, so that every part
of the program that needs an LVLM can be tried on a laptop, offline.
"""
