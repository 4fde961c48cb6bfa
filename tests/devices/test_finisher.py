import pytest

from kit.devices.finisher import Finisher, Result
from tests.devices.fake import hosted, through_json


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (0x5555, Result()),
        (0x3333 | 42 << 16, Result(42)),
        (0x7777, Result(reset=True)),
        (0x1234, None),
    ],
)
def test_the_three_known_values_end_the_run(value: int, result: Result | None) -> None:
    finisher = hosted(Finisher())
    finisher.write(0, 4, value)
    assert finisher.result == result
    assert finisher.read(0, 4) == 0


def test_other_offsets_and_bytes_do_nothing() -> None:
    finisher = hosted(Finisher())
    finisher.write(4, 4, 0x5555)
    assert finisher.result is None
    assert finisher.accepts(0, 2)
    assert not finisher.accepts(0, 1)


def test_restore_of_save_is_the_identity_and_reset_forgets() -> None:
    finisher = hosted(Finisher())
    finisher.write(0, 4, 0x3333 | 3 << 16)
    other = hosted(Finisher())
    other.restore(through_json(finisher))
    assert other.result == Result(3)
    other.restore(through_json(hosted(Finisher())))
    assert other.result is None
    finisher.reset()
    assert finisher.result is None
