"""Both ends of a channel, driven through their registers, each with a clock of its own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.devices.channel import (
    FULL,
    JOINED,
    LENGTH,
    QUEUE,
    RECEIVE,
    ROOM,
    SEND,
    TRANSIT,
    WAITING,
    Channel,
)
from kit.devices.unit_record import ACK, BUFFER, COMMAND, COUNT, DONE, END, IE, LOST, READY, STATUS
from kit.errors import KitError
from tests.devices.fake import hosted, through_json, wait


def joined() -> tuple[Channel, Channel]:
    one, two = hosted(Channel()), hosted(Channel())
    Channel.join(one, two)
    return one, two


def status(end: Channel) -> int:
    return end.read(STATUS, 4)


def send(end: Channel, message: bytes) -> int:
    """Sends a message; returns the status at the end of the operation."""
    for at, byte in enumerate(message):
        end.write(BUFFER + at, 1, byte)
    end.write(LENGTH, 4, len(message))
    end.write(COMMAND, 4, SEND)
    wait_done(end)
    return status(end)


def wait_done(end: Channel) -> None:
    """Lets time pass until the operation has ended, and not longer."""
    while end.due is not None:
        end.host.set_time(min(end.due, end.next_event()))
        end.advance(end.host.now)


def receive(end: Channel) -> bytes | None:
    end.write(COMMAND, 4, RECEIVE)
    wait_done(end)
    if status(end) & END:
        return None
    return bytes(end.read(BUFFER + at, 1) for at in range(end.read(LENGTH, 4)))


def test_messages_arrive_whole_and_in_order_both_ways() -> None:
    one, two = joined()
    for message in (b"first", b"", bytes(range(256))):
        assert send(one, message) == READY | DONE | JOINED
    send(two, b"back")
    wait(one), wait(two)
    assert [receive(two) for _ in range(4)] == [b"first", b"", bytes(range(256)), None]
    assert [receive(one), receive(one)] == [b"back", None]
    assert (one.read(COUNT, 4), two.read(COUNT, 4)) == (4, 4)


def test_a_message_arrives_at_the_receivers_time_whatever_the_senders_clock_is() -> None:
    one, two = joined()
    one.host.now, two.host.now = 1_000_000, 50
    send(one, b"x")
    assert two.next_event() == 50 + TRANSIT
    two.advance(50 + TRANSIT - 1)
    assert status(two) == READY | JOINED
    two.host.now = 50 + TRANSIT
    two.advance(two.host.now)
    assert status(two) & WAITING


def test_setting_the_clock_keeps_what_is_on_its_way_on_its_way() -> None:
    one, two = joined()
    send(one, b"x")
    two.host.now += 5000
    two.time_moved(5000)
    assert two.next_event() == 5000 + TRANSIT


def test_a_full_queue_refuses_and_tells_when_there_is_room() -> None:
    one, two = joined()
    one.write(IE, 4, 4)
    for number in range(QUEUE):
        assert not send(one, bytes([number])) & FULL
    assert send(one, b"late") == READY | DONE | FULL | JOINED
    assert one.next_event() is None
    assert not one.interrupt()
    wait(two)
    assert receive(two) == b"\0"
    assert wait(one) == TRANSIT
    assert status(one) & ROOM
    assert one.interrupt()
    one.write(ACK, 4, 1)
    assert not one.interrupt()
    assert not send(one, b"late") & (FULL | ROOM)
    wait(two)
    received = [receive(two) for _ in range(QUEUE)]
    assert received == [*(bytes([number]) for number in range(1, QUEUE)), b"late"]


@pytest.mark.parametrize(("enabled", "expected"), [(0, False), (1, False), (2, True), (4, False)])
def test_a_waiting_message_interrupts_if_it_is_enabled_until_it_is_taken(
    enabled: int, expected: bool
) -> None:
    one, two = joined()
    two.write(IE, 4, enabled)
    send(one, b"x")
    assert not two.interrupt()
    wait(two)
    assert two.interrupt() is expected
    receive(two)
    assert two.interrupt() is bool(enabled & 1)


def test_an_end_that_is_not_joined_refuses_to_send_until_it_is() -> None:
    one, two = hosted(Channel()), hosted(Channel())
    assert send(one, b"x") == READY | DONE | FULL
    Channel.join(one, two)
    wait(one)
    assert status(one) & (ROOM | JOINED) == ROOM | JOINED


def test_a_parted_channel_still_delivers_what_was_sent() -> None:
    one, two = joined()
    send(one, b"last")
    one.part()
    assert not status(two) & JOINED
    assert send(two, b"x") & FULL
    wait(two)
    assert receive(two) == b"last"


def test_a_reset_loses_what_waits_there_and_frees_the_sender() -> None:
    one, two = joined()
    for _ in range(QUEUE + 1):
        send(one, b"x")
    two.reset()
    assert wait(one) == TRANSIT
    assert status(one) & ROOM
    assert receive(two) is None
    assert status(two) & JOINED


def test_a_second_command_while_busy_is_lost() -> None:
    one, _ = joined()
    one.write(COMMAND, 4, SEND)
    one.write(COMMAND, 4, RECEIVE)
    assert status(one) == LOST | JOINED


def test_a_length_beyond_the_buffer_becomes_the_buffers() -> None:
    one, _ = joined()
    one.write(LENGTH, 4, 0xFFFFFFFF)
    assert one.read(LENGTH, 4) == 256
    assert one.accepts(BUFFER + 252, 4)
    assert not one.accepts(BUFFER + 256, 1)


def test_only_two_free_ends_that_are_on_machines_can_be_joined() -> None:
    one, two = joined()
    with pytest.raises(KitError, match="to itself"):
        Channel.join(one, one)
    with pytest.raises(KitError, match="joined already"):
        Channel.join(hosted(Channel()), two)
    with pytest.raises(KitError, match="on no machine"):
        Channel.join(hosted(Channel()), Channel())


Act = tuple[int, int, int, int, int]
ACTS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(("read", "write", "wait", "save")),
        st.one_of(st.sampled_from((STATUS, COMMAND, IE, COUNT, ACK, LENGTH)), st.integers(0, 400)),
        st.sampled_from((1, 2, 4)),
        st.one_of(st.integers(0, 3), st.integers(0, 0xFFFFFFFF)),
    ),
    max_size=120,
)


def perform(acts: list[Act], keeping: bool) -> list[object]:
    """What two ends show while all this is done to them; `keeping`: they are saved and restored."""
    ends, seen = joined(), []
    for which, act, offset, size, value in acts:
        end = ends[which]
        if act == "wait":
            end.host.now += value % 300
            end.advance(end.host.now)
        elif act == "save":
            state = through_json(end)
            if keeping:
                end.restore(state)
            seen.append(state)
        elif end.accepts(offset, size):
            if act == "read":
                seen.append(end.read(offset, size))
            else:
                end.write(offset, size, value & ((1 << 8 * size) - 1))
        for one in ends:
            assert len(one.coming) + len(one.inbox) <= QUEUE
            assert len(one.buffer) == one.width
            seen.append((one.interrupt(), one.next_event()))
    return seen


@settings(max_examples=150, deadline=None)
@given(ACTS)
def test_no_access_breaks_a_channel_and_saving_it_changes_nothing(acts: list[Act]) -> None:
    assert json.dumps(perform(acts, False)) == json.dumps(perform(acts, True))
