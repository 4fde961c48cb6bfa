"""The lemmas, in the order of the argument. Importing this package enters them all."""

from kit.proof.lemmas import (  # noqa: F401, I001
    decoder,
    protection,
    translation,
    emulation,
    reflection,
    direct,
    dispatch,
    shadow,
    tables,
    storage,
    entry,
    initial,
    coverage,
)
