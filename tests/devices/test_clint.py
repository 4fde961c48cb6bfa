from kit.devices.clint import Clint
from tests.devices.fake import hosted, through_json

MSIP, MTIMECMP, MTIME = 0, 0x4000, 0xBFF8


def clint_at(time: int) -> Clint:
    clint = hosted(Clint())
    clint.host.set_time(time)
    return clint


def test_mtime_shows_the_hosts_time_in_two_halves() -> None:
    clint = clint_at(0x1234_5678_9ABC)
    assert clint.read(MTIME, 4) == 0x5678_9ABC
    assert clint.read(MTIME + 4, 4) == 0x1234


def test_writing_half_of_mtime_sets_the_hosts_time_and_keeps_the_other_half() -> None:
    clint = clint_at(0x1_0000_0005)
    clint.write(MTIME, 4, 7)
    assert clint.host.now == 0x1_0000_0007
    clint.write(MTIME + 4, 4, 2)
    assert clint.host.now == 0x2_0000_0007


def test_timer_interrupt_comes_when_mtime_reaches_mtimecmp() -> None:
    clint = clint_at(99)
    clint.write(MTIMECMP, 4, 100)
    assert not clint.timer_interrupt()
    assert clint.next_event() == 100
    clint.host.set_time(100)
    assert clint.timer_interrupt()
    assert clint.next_event() is None


def test_mtimecmp_is_zero_after_power_on_so_the_timer_is_pending() -> None:
    assert clint_at(0).timer_interrupt()


def test_a_comparator_of_all_ones_is_no_event() -> None:
    clint = clint_at(5)
    clint.write(MTIMECMP, 4, 0xFFFFFFFF)
    clint.write(MTIMECMP + 4, 4, 0xFFFFFFFF)
    assert clint.next_event() is None
    assert not clint.interrupt()


def test_msip_keeps_bit_0_only() -> None:
    clint = clint_at(0)
    clint.write(MSIP, 4, 0xFFFFFFFF)
    assert clint.read(MSIP, 4) == 1
    assert clint.software_interrupt()
    clint.write(MSIP, 4, 0)
    assert not clint.software_interrupt()


def test_only_words_below_0xc000_are_accepted() -> None:
    clint = clint_at(0)
    assert clint.accepts(MTIME + 4, 4)
    assert not clint.accepts(MTIME, 2)
    assert not clint.accepts(0xC000, 4)
    assert clint.read(0x4008, 4) == 0


def test_restore_of_save_is_the_identity_and_reset_forgets() -> None:
    clint = clint_at(0)
    clint.write(MSIP, 4, 1)
    clint.write(MTIMECMP + 4, 4, 9)
    other = clint_at(0)
    other.restore(through_json(clint))
    assert other.save() == clint.save()
    other.reset()
    assert other.save() == clint_at(0).save()
