from kit.devices.plic import MACHINE, SUPERVISOR, Plic
from tests.devices.fake import hosted, through_json

PENDING, ENABLE = 0x1000, 0x2000
THRESHOLD, CLAIM = 0x200000, 0x200004
S_ENABLE, S_THRESHOLD, S_CLAIM = 0x2080, 0x201000, 0x201004


def plic_with(*sources: int, context_offset: int = 0) -> Plic:
    """A PLIC with these sources enabled at priority 1, and their lines up."""
    plic = hosted(Plic())
    bits = sum(1 << source for source in sources)
    plic.write(ENABLE + context_offset, 4, bits)
    for source in sources:
        plic.write(4 * source, 4, 1)
    plic.set_lines(bits)
    return plic


def test_claim_takes_the_highest_priority_then_the_lowest_number() -> None:
    plic = plic_with(3, 5, 10)
    plic.write(4 * 10, 4, 7)
    assert [plic.read(CLAIM, 4) for _ in range(4)] == [10, 3, 5, 0]


def test_line_drops_when_claimed_and_rises_again_when_completed_with_the_source_still_up() -> None:
    plic = plic_with(10)
    assert plic.external_interrupt(MACHINE)
    assert plic.read(CLAIM, 4) == 10
    assert not plic.external_interrupt(MACHINE)
    assert plic.read(PENDING, 4) == 0
    plic.write(CLAIM, 4, 10)
    plic.set_lines(plic.lines)
    assert plic.external_interrupt(MACHINE)


def test_a_line_that_goes_down_leaves_its_source_pending_until_it_is_claimed() -> None:
    plic = plic_with(10)
    plic.set_lines(0)
    assert plic.read(CLAIM, 4) == 10
    plic.write(CLAIM, 4, 10)
    assert not plic.external_interrupt(MACHINE)


def test_a_line_that_goes_up_and_down_while_claimed_is_not_remembered() -> None:
    plic = plic_with(10)
    plic.read(CLAIM, 4)
    for lines in (0, 1 << 10, 0):
        plic.set_lines(lines)
    plic.write(CLAIM, 4, 10)
    assert plic.read(PENDING, 4) == 0


def test_a_disabled_source_is_pending_but_does_not_interrupt() -> None:
    plic = plic_with(10)
    plic.write(ENABLE, 4, 0)
    assert plic.read(PENDING, 4) == 1 << 10
    assert not plic.interrupt()
    assert plic.read(CLAIM, 4) == 0


def test_priority_must_exceed_the_threshold() -> None:
    plic = plic_with(10)
    plic.write(THRESHOLD, 4, 1)
    assert not plic.external_interrupt(MACHINE)
    plic.write(4 * 10, 4, 2)
    assert plic.external_interrupt(MACHINE)
    plic.write(4 * 10, 4, 0)
    plic.write(THRESHOLD, 4, 0)
    assert not plic.external_interrupt(MACHINE)


def test_contexts_have_their_own_enables_and_thresholds() -> None:
    plic = plic_with(12, context_offset=0x80)
    assert not plic.external_interrupt(MACHINE)
    assert plic.external_interrupt(SUPERVISOR)
    assert plic.read(S_ENABLE, 4) == 1 << 12
    plic.write(S_THRESHOLD, 4, 7)
    assert plic.read(S_THRESHOLD, 4) == 7
    assert plic.read(THRESHOLD, 4) == 0
    plic.write(S_THRESHOLD, 4, 0)
    assert plic.read(S_CLAIM, 4) == 12


def test_priorities_and_thresholds_have_three_bits() -> None:
    plic = hosted(Plic())
    plic.write(4 * 9, 4, 0xFF)
    plic.write(THRESHOLD, 4, 0x1A)
    assert plic.read(4 * 9, 4) == 7
    assert plic.read(THRESHOLD, 4) == 2


def test_source_0_does_not_exist() -> None:
    plic = hosted(Plic())
    plic.write(0, 4, 7)
    plic.write(ENABLE, 4, 0xFFFFFFFF)
    plic.set_lines(1)
    assert plic.read(0, 4) == 0
    assert plic.read(ENABLE, 4) == 0xFFFFFFFE
    assert plic.read(PENDING, 4) == 0


def test_sources_above_31_are_in_the_next_words() -> None:
    plic = hosted(Plic())
    plic.write(ENABLE + 4, 4, 1 << (40 - 32))
    plic.write(4 * 40, 4, 1)
    plic.set_lines(1 << 40)
    assert plic.read(PENDING + 4, 4) == 1 << 8
    assert plic.read(CLAIM, 4) == 40


def test_nonsense_registers_read_zero_and_ignore_writes() -> None:
    plic = plic_with(10)
    before = plic.save()
    for offset in (4 * 96, PENDING, PENDING + 0x40, ENABLE + 0x40, 0x3000, THRESHOLD + 8, 0x5FFFFC):
        plic.write(offset, 4, 0xFFFFFFFF)
    plic.write(CLAIM, 4, 500)
    assert plic.save() == before
    assert plic.read(0x3000, 4) == 0
    assert not plic.accepts(0, 1)
    assert not plic.accepts(0x600000, 4)


def test_restore_of_save_is_the_identity_and_reset_forgets() -> None:
    plic = plic_with(3, 10)
    plic.read(CLAIM, 4)
    other = hosted(Plic())
    other.restore(through_json(plic))
    assert other.save() == plic.save()
    other.set_lines(0)
    other.reset()
    assert other.save() == hosted(Plic()).save()
