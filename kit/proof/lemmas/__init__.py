"""The lemmas, in the order of the argument. Importing this package enters them all."""

from kit.proof.lemmas import protection, translation, emulation, reflection, direct, dispatch  # noqa: F401, I001
