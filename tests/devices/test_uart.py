import pytest

from kit.devices.uart import Uart
from tests.devices.fake import hosted, through_json

RBR = THR = 0
IER, IIR, LCR, MCR, LSR, MSR, SCR = 1, 2, 3, 4, 5, 6, 7
FCR = IIR
DATA_READY, OVERRUN, TRANSMITTER_EMPTY = 0x01, 0x02, 0x60


@pytest.fixture
def uart() -> Uart:
    return hosted(Uart())


def send(uart: Uart, text: bytes) -> None:
    for byte in text:
        uart.write(THR, 1, byte)


def test_registers_after_power_on(uart: Uart) -> None:
    assert [uart.read(offset, 1) for offset in range(8)] == [0, 0, 1, 0, 8, 0x60, 0xB0, 0]


def test_bytes_sent_are_collected_and_reach_the_sink() -> None:
    heard: list[bytes] = []
    uart = hosted(Uart(heard.append))
    send(uart, "Grüß\n".encode())
    assert uart.text == "Grüß\n"
    assert b"".join(heard) == bytes(uart.output)
    assert uart.read(LSR, 1) == TRANSMITTER_EMPTY


def test_output_beyond_what_is_kept_is_forgotten(uart: Uart) -> None:
    uart.kept = 4
    send(uart, b"0123456789")
    assert b"0123456789".endswith(uart.output)
    assert 4 <= len(uart.output) <= 8


def test_a_wide_write_sends_its_low_byte(uart: Uart) -> None:
    uart.write(THR, 4, 0x11223341)
    assert uart.output == b"A"


def test_typed_bytes_arrive_one_after_the_other_without_loss(uart: Uart) -> None:
    uart.feed(b"hello")
    got = bytearray()
    while uart.read(LSR, 1) & DATA_READY:
        got.append(uart.read(RBR, 1))
    assert got == b"hello"
    assert uart.read(RBR, 1) == 0


def test_receive_interrupt_needs_ier_bit_0(uart: Uart) -> None:
    uart.feed(b"x")
    assert not uart.interrupt()
    uart.write(IER, 1, 1)
    assert uart.interrupt()
    assert uart.read(IIR, 1) == 0x04
    uart.read(RBR, 1)
    assert not uart.interrupt()
    assert uart.read(IIR, 1) == 0x01


def test_fifo_interrupts_at_the_trigger_level_and_times_out_below_it(uart: Uart) -> None:
    uart.write(FCR, 1, 0x81)  # FIFO on, trigger at 8
    uart.write(IER, 1, 1)
    uart.feed(b"0123456789")
    assert uart.read(IIR, 1) == 0xC4
    got = bytes(uart.read(RBR, 1) for _ in range(3))
    assert uart.read(IIR, 1) == 0xCC
    got += bytes(uart.read(RBR, 1) for _ in range(7))
    assert got == b"0123456789"
    assert uart.read(IIR, 1) == 0xC1


def test_transmitter_interrupt_is_raised_by_enabling_and_by_sending_and_ended_by_iir(
    uart: Uart,
) -> None:
    uart.write(IER, 1, 2)
    assert uart.interrupt()
    assert uart.read(IIR, 1) == 0x02
    assert not uart.interrupt()
    uart.write(IER, 1, 2)
    assert not uart.interrupt(), "only switching it on raises it again"
    send(uart, b"x")
    assert uart.interrupt()
    uart.write(IER, 1, 0)
    assert not uart.interrupt()


def test_reading_iir_for_another_cause_keeps_the_transmitters(uart: Uart) -> None:
    uart.write(IER, 1, 3)
    uart.feed(b"x")
    assert uart.read(IIR, 1) == 0x04
    uart.read(RBR, 1)
    assert uart.read(IIR, 1) == 0x02


def test_divisor_latch_hides_data_and_ier(uart: Uart) -> None:
    uart.write(LCR, 1, 0x83)
    uart.write(0, 1, 0x34)
    uart.write(1, 1, 0x12)
    assert (uart.read(0, 1), uart.read(1, 1), uart.divisor) == (0x34, 0x12, 0x1234)
    uart.write(LCR, 1, 0x03)
    assert uart.read(IER, 1) == 0
    assert uart.output == b""
    assert uart.read(LCR, 1) == 3


def test_clearing_the_receive_fifo_drops_what_it_holds_but_not_the_line(uart: Uart) -> None:
    uart.write(FCR, 1, 0x41)  # trigger at 4
    uart.feed(b"abcdef")
    uart.write(FCR, 1, 0x43)
    assert uart.read(RBR, 1) == ord("e")


def test_loop_back_receives_what_is_sent_and_reports_overrun(uart: Uart) -> None:
    uart.write(MCR, 1, 0x1F)
    uart.write(IER, 1, 4)
    send(uart, b"ab")
    assert uart.output == b""
    assert uart.read(IIR, 1) == 0x06
    assert uart.read(LSR, 1) & (OVERRUN | DATA_READY) == OVERRUN | DATA_READY
    assert not uart.read(LSR, 1) & OVERRUN
    assert uart.read(RBR, 1) == ord("b")
    assert uart.read(MSR, 1) == 0xF0


def test_loop_back_fifo_holds_sixteen_bytes(uart: Uart) -> None:
    uart.write(MCR, 1, 0x10)
    uart.write(FCR, 1, 0x01)
    send(uart, bytes(range(17)))
    assert [uart.read(RBR, 1) for _ in range(17)] == [*range(16), 0]
    assert uart.read(LSR, 1) & OVERRUN


def test_scratch_register_and_read_only_registers(uart: Uart) -> None:
    uart.write(SCR, 1, 0x5A)
    uart.write(LSR, 1, 0xFF)
    uart.write(MSR, 1, 0xFF)
    assert uart.read(SCR, 1) == 0x5A
    assert uart.read(LSR, 1) == TRANSMITTER_EMPTY
    assert uart.read(MSR, 1) == 0xB0


def test_only_eight_bytes_of_the_window_answer(uart: Uart) -> None:
    assert uart.accepts(7, 1)
    assert not uart.accepts(8, 1)


def test_restore_of_save_is_the_identity_and_reset_keeps_the_output(uart: Uart) -> None:
    uart.write(FCR, 1, 0x41)
    uart.write(IER, 1, 3)
    uart.feed(b"waiting line")
    send(uart, b"out\xff")
    other = hosted(Uart())
    other.restore(through_json(uart))
    assert other.save() == uart.save()
    assert [other.read(RBR, 1) for _ in range(12)] == list(b"waiting line")
    uart.reset()
    assert uart.output == b"out\xff"
    assert uart.read(LSR, 1) == TRANSMITTER_EMPTY
