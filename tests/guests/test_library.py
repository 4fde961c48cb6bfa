"""`guests/lib`: small programs print what they find, and Python says what is right."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kit import VMM, Machine, compile_c
from kit.resources import guests_dir
from tests.toolchain import need_compiler

LIBRARY = guests_dir() / "lib"
HEADERS = '#include "lib.h"\n#include "machine.h"\n#include "trap.h"\n'


@pytest.fixture(autouse=True)
def _compiler() -> None:
    need_compiler()


def machine_after(body: str, **settings: object) -> Machine:
    """The machine, after a program that consists of `body` and has ended without an error."""
    machine = Machine(memory="1M", **settings)  # type: ignore[arg-type]
    machine.load(compile_c(HEADERS + body))
    stop = machine.run(5_000_000)
    assert (stop.reason, stop.code) == ("halt", 0), machine.uart.text
    return machine


def printed(body: str, **settings: object) -> list[str]:
    return machine_after(body, **settings).uart.text.splitlines()


def in_main(statements: str) -> str:
    return f"int main(uint32_t hart, uint32_t tree) {{\n{statements}\nreturn 0; }}\n"


def test_every_file_is_short_and_says_first_what_it_is() -> None:
    for file in sorted(LIBRARY.iterdir()):
        lines = file.read_text().splitlines()
        assert len(lines) < 150, file.name
        assert lines[0].startswith(("// ", "# ", "/* ")), file.name


# Start-up and end


def test_main_gets_what_the_loader_gave_and_its_result_is_the_exit_code() -> None:
    machine = Machine(memory="1M")
    text = 'int main(uint32_t hart, uint32_t tree) { printf("%u %x", hart, tree); return 77; }'
    machine.load(compile_c(HEADERS + text))
    tree = machine.register("a1")
    stop = machine.run(100_000)
    assert (stop.reason, stop.code) == ("halt", 77)
    assert machine.uart.text == f"0 {tree:x}"


def test_what_is_not_initialised_is_zero_after_a_reset_too() -> None:
    text = 'int n, m = 5; int main(void) { n++, m++; printf("%d %d ", n, m); return 0; }'
    machine = Machine(memory="1M")
    machine.load(compile_c(HEADERS + text))
    for _ in range(2):
        machine.run(100_000)
        machine.reset()
    assert machine.uart.text == "1 6 1 6 "


def test_the_stack_is_where_the_linker_put_it() -> None:
    body = in_main(
        """int here; uint32_t sp = (uint32_t)&here;
        printf("%d %d %d", sp > (uint32_t)stack_bottom, sp < (uint32_t)stack_top,
               stack_top - stack_bottom);"""
    )
    assert printed(body) == ["1 1 16384"]


def test_a_panic_says_why_and_ends_with_code_1() -> None:
    machine = Machine(memory="1M")
    machine.load(compile_c('#include "lib.h"\nint main(void) { panic("no %s left", "cards"); }'))
    assert machine.run(100_000).code == 1
    assert machine.uart.text == "panic: no cards left\n"


def test_a_trap_that_nobody_expects_is_reported() -> None:
    machine = Machine(memory="1M")
    image = compile_c("int main(void) { *(volatile int *)0x44 = 1; return 0; }")
    machine.load(image)
    assert machine.run(100_000).code == 1
    assert machine.uart.text.startswith("panic: trap: mcause 7, mepc 8000")
    assert ", mtval 44, " in machine.uart.text


# Numbers and texts


def test_printf_formats_as_c_does() -> None:
    cases = [
        ('"%d|%5d|%-5d|%05d", -7, -7, -7, -7', "-7|   -7|-7   |-0007"),
        ('"%u %x %08x", 4000000000u, 0xbeefu, 0xbeefu', "4000000000 beef 0000beef"),
        ('"%lld %llu", INT64_MIN, UINT64_MAX', f"{-(1 << 63)} {(1 << 64) - 1}"),
        ('"%ld %lu %zu", -1l, 1ul, sizeof(int)', "-1 1 4"),
        ('"%llx|%20llx|", 0x123456789abcdefll, 1ll', f"123456789abcdef|{1:20x}|"),
        ('"%s|%6s|%-6s|%s", "abc", "abc", "abc", (char *)0', "abc|   abc|abc   |(null)"),
        ('"%c%3c%-3c|%%", 97, 98, 99', "a  bc  |%"),
        ('"%p", (void *)0xabc', "00000abc"),
        ('"%d", INT32_MIN', "-2147483648"),
        ('"%d %d", 0, 10', "0 10"),
    ]
    body = '#pragma clang diagnostic ignored "-Wformat"\n' + in_main(
        "\n".join(f'printf({arguments}); printf("\\n");' for arguments, _ in cases)
    )
    assert printed(body) == [expected for _, expected in cases]


def test_snprintf_never_writes_beyond_its_buffer_and_says_what_it_needed() -> None:
    statements = """
    char buffer[8] = "1234567";
    for (int size = 0; size < 7; size++) {
      memset(buffer, '#', 8);
      int needed = snprintf(buffer, size, "%s", "hello");
      printf("%d ", needed);
      for (int i = 0; i < 8; i++) putchar(buffer[i] ? buffer[i] : '.');
      putchar('\\n');
    }"""
    expected = [
        f"5 {('hello'[: max(0, n - 1)] + '.' if n else '').ljust(8, '#')}" for n in range(7)
    ]
    assert printed(in_main(statements)) == expected


def quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def test_64_bit_division_is_exact() -> None:
    """Random numbers of all lengths, and the ends of the range."""
    chance = random.Random(5)
    edges = [1, 2, 3, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63]
    pairs = [(a, b) for a in [0, *edges, (1 << 64) - 1] for b in [*edges, (1 << 64) - 1]]
    for _ in range(100):
        length, other = chance.randint(1, 64), chance.randint(1, 63)
        pairs.append((chance.getrandbits(length), 1 + chance.getrandbits(other)))
    table = ", ".join(f"{{{a}ull, {b}ull}}" for a, b in pairs)
    body = f"static volatile uint64_t pairs[][2] = {{{table}}};\n" + in_main(
        """for (int i = 0; i < sizeof pairs / sizeof *pairs; i++) {
          uint64_t a = pairs[i][0], b = pairs[i][1];
          printf("%llx %llx ", a / b, a % b);
          if ((int64_t)a == INT64_MIN && (int64_t)b == -1) printf("\\n");
          else printf("%lld %lld\\n", (int64_t)a / (int64_t)b, (int64_t)a % (int64_t)b);
        }"""
    )
    for (a, b), line in zip(pairs, printed(body), strict=True):
        found = line.split()
        assert [int(word, 16) for word in found[:2]] == [a // b, a % b]
        signed_a, signed_b = (n - (1 << 64) if n >> 63 else n for n in (a, b))
        if (signed_a, signed_b) != (-(1 << 63), -1):
            rest = signed_a - signed_b * quotient(signed_a, signed_b)
            assert [int(word) for word in found[2:]] == [quotient(signed_a, signed_b), rest]


def test_64_bit_division_by_zero_gives_what_the_processor_gives_for_32() -> None:
    statements = (
        'volatile uint64_t zero = 0, a = 1ull << 40; printf("%llx %llx", a / zero, a % zero);'
    )
    assert printed(in_main(statements)) == [f"{(1 << 64) - 1:x} {1 << 40:x}"]


def test_storage_is_copied_filled_and_compared_at_any_alignment() -> None:
    """Each result is compared with a copy, byte by byte, made by hand."""
    statements = """
    static uint8_t a[64], b[64], c[64];
    int wrong = 0;
    for (int to = 8; to < 16; to++)
      for (int from = 4; from < 20; from++)
        for (int size = 0; size < 20; size++) {
          for (int i = 0; i < 64; i++) a[i] = b[i] = i * 37 + size;
          for (int i = 0; i < size; i++) c[i] = a[from + i];
          for (int i = 0; i < size; i++) b[to + i] = c[i];
          wrong += memmove(a + to, a + from, size) != a + to;
          for (int i = 0; i < 64; i++) wrong += a[i] != b[i];
          memset(a + to, size, from);
          for (int i = 0; i < from; i++) b[to + i] = size;
          for (int i = 0; i < 64; i++) wrong += a[i] != b[i];
          memcpy(c + to, a + from, size);
          for (int i = 0; i < size; i++) wrong += c[to + i] != a[from + i];
          wrong += memcmp(c + to, a + from, size) != 0;
        }
    printf("%d %d %d", wrong, memcmp("ab\\x80", "ab\\x01", 3) > 0, memcmp("a", "b", 1) < 0);"""
    assert printed(in_main(statements)) == ["0 1 1"]


def test_texts_are_measured_compared_searched_and_copied() -> None:
    statements = """
    char to[4];
    printf("%u %u\\n", strlen(""), strlen("four"));
    printf("%d %d %d %d\\n", strcmp("a", "a"), strcmp("a", "b") < 0, strcmp("\\x80", "a") > 0,
           strcmp("ab", "a") > 0);
    printf("%d %d\\n", strncmp("abc", "abd", 2), strncmp("abc", "abd", 3) < 0);
    printf("%s %d %u\\n", strchr("a=b", '='), strchr("ab", 'x') == 0, strlen(strchr("ab", 0)));
    printf("%u %s %u %s\\n", strlcpy(to, "abcdef", 4), to, strlcpy(to + 1, "x", 3), to);"""
    assert printed(in_main(statements)) == ["0 4", "0 1 1 1", "0 1", "=b 1 0", "6 ax 1 ax"]


# Traps

WATCHED = """
static int alarms;
void trap(struct trap_frame *frame) {
  if (frame->cause != CAUSE_M_TIMER) panic("cause %x", frame->cause);
  alarms++;
  clock_alarm(clock_now() + 397);
}
static uint64_t work(void) {
  uint64_t sum = 1;
  char text[24];
  for (int i = 1; i < 100; i++) {
    snprintf(text, sizeof text, "%d %llx", i, sum);
    sum = sum * 31 + sum / i + strlen(text) + text[i % 7];
  }
  return sum;
}
int main(void) {
  clock_alarm(clock_now() + 100);
  csr_write(mie, INTERRUPT_MTI);
  csr_set(mstatus, MSTATUS_MIE);
  uint64_t sum = work();
  csr_clear(mstatus, MSTATUS_MIE);
  printf("%llx %d\\n", sum, alarms);
  return 0;
}
"""


@pytest.mark.parametrize("interrupts", [0, 1])
def test_interrupts_leave_no_trace_in_what_they_interrupt(interrupts: int) -> None:
    """Hundreds of alarms, each at another instruction; the result is the one without any."""
    expected = 1
    for i in range(1, 100):
        text = f"{i} {expected:x}"
        character = f"{text}\0"[i % 7] if i % 7 <= len(text) else "\0"
        expected = (expected * 31 + expected // i + len(text) + ord(character)) & (1 << 64) - 1
    body = WATCHED if interrupts else WATCHED.replace("csr_set(mstatus, MSTATUS_MIE);", "")
    found, alarms = printed(body, engine="reference")[0].split()
    assert int(found, 16) == expected
    assert (int(alarms) > 100) == bool(interrupts)


JOB = """
void job(void);
asm (".globl job\\njob:\\n"
     ".irp n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,"
     " 25, 26, 27, 28, 29, 30, 31\\nli x\\\\n, 0x01010101 * \\\\n\\n.endr\\n"
     "li sp, STACK\\necall\\necall\\n");
static char stack[1024] __attribute__((aligned(16)));
static int calls;
void trap(struct trap_frame *frame) {
  int wrong = 0;
  for (int n = 1; n < 32; n++)
    wrong += frame->x[n] != (n == 2 ? STACK : 0x01010101u * n);
  uint32_t here = (uint32_t)&wrong;
  printf("%x %d %d %x\\n", frame->cause, wrong, here > (uint32_t)stack && here < (uint32_t)frame,
         (uint32_t)stack + sizeof stack - (uint32_t)frame);
  if (++calls == 2)
    power_off(0);
  frame->pc += 4;
}
"""


@pytest.mark.parametrize("stack", ["0", "0xffffffff", "0x80000000"])
def test_a_job_s_registers_survive_a_service_whatever_its_stack_pointer(stack: str) -> None:
    body = f'#define STACK {stack}u\n' + JOB.replace("li sp, STACK", f"li sp, {stack}") + in_main(
        """struct trap_frame *frame = (struct trap_frame *)(stack + sizeof stack) - 1;
        csr_write(pmpaddr0, 0xffffffff);
        csr_write(pmpcfg0, PMP_NAPOT | PMP_R | PMP_W | PMP_X);
        frame->pc = (uint32_t)job;
        frame->status = MSTATUS_MPP_U;
        trap_return(frame);"""
    )  # fmt: skip
    assert printed(body) == ["8 0 1 90"] * 2


# Devices


def test_what_is_typed_is_read() -> None:
    body = "int c; while ((c = getchar()) != '.') putchar(c - 32);"
    machine = Machine(memory="1M")
    machine.load(compile_c(HEADERS + in_main(body)))
    machine.uart.feed(b"hello.")
    assert machine.run(100_000).reason == "halt"
    assert machine.uart.text == "HELLO"


def test_cards_are_read_printed_and_punched() -> None:
    from kit.devices.deck import Deck

    body = in_main(
        """char card[80];
        while (card_read(card)) { line_print(card, 80); card_punch(card, 3); }
        page_eject(); line_print("end", 3); line_print("and no more", 7); printer_finish();"""
    )
    machine = machine_after(body, reader=Deck.from_text("FIRST\n\nTHIRD"))
    assert machine.printer.text == "FIRST\n\nTHIRD\n\fend\nand no\n"
    assert machine.punch.deck.lines() == ["FIR", "", "THI"]


@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_many_disk_requests_at_once_end_in_order(legacy: bool, tmp_path: Path) -> None:
    """Twelve requests for ten places: the rest is refused until there is room."""
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(512 * 16))
    statements = """
    static uint8_t data[12][SECTOR_SIZE];
    static struct disk_request requests[12];
    int source = disk_open(), ended = 0, refused = 0;
    plic_enable(PLIC_MACHINE, source);
    csr_set(mie, INTERRUPT_MEI);
    for (int i = 0; i < 12; i++) {
      memset(data[i], 'a' + i, SECTOR_SIZE);
      requests[i] = (struct disk_request){
        .type = DISK_WRITE, .sector = i, .buffer = data[i], .size = SECTOR_SIZE};
      while (!disk_start(&requests[i])) {
        refused++;
        wait_for_interrupt();
        struct disk_request *done = disk_finished();
        if (done != &requests[ended++] || !done->done || done->result != 0) panic("order");
      }
    }
    while (ended < 12) {
      struct disk_request *done = disk_finished();
      if (done == 0) wait_for_interrupt();
      else if (done != &requests[ended++]) panic("order");
    }
    printf("%d %d %u", source, refused, disk_sectors());"""
    assert printed(in_main(statements), disk=disk, legacy_virtio=legacy) == ["1 2 16"]
    assert disk.read_bytes()[: 12 * 512 : 512] == b"abcdefghijkl"


def test_a_machine_without_a_disk_says_so() -> None:
    assert printed(in_main('printf("%d", disk_open());')) == ["0"]


def test_the_clock_wakes_a_waiting_program_in_time() -> None:
    statements = """
    uint64_t start = clock_now();
    clock_alarm(start + 123456);
    csr_write(mie, INTERRUPT_MTI);
    wait_for_interrupt();
    printf("%d", (int)(clock_now() - start) / 1000);"""
    assert printed(in_main(statements)) == ["123"]


def test_the_device_tree_says_what_is_there() -> None:
    statements = """
    uint32_t base, size, length;
    printf("%d %x %x\\n", device_tree_region(tree, "memory", &base, &size), base, size);
    printf("%d %x\\n", device_tree_region(tree, "line-printer", &base, &size), base);
    printf("%d %d\\n", device_tree_region(tree, "memor", &base, &size),
           device_tree_region(tree, "tape", &base, &size));
    printf("[%s] %s\\n", boot_arguments(tree),
           (char *)device_tree_property(tree, "cpu", "riscv,isa-base", &length));
    printf("%d", device_tree_property(0, "cpu", "reg", &length) == 0);"""
    expected = ["1 80000000 100000", "1 10011000", "0 0", "[] rv32i", "1"]
    assert printed(in_main(statements)) == expected


def test_a_program_runs_the_same_in_a_virtual_machine() -> None:
    bare = machine_after(WATCHED, engine="reference")
    vmm = VMM(Machine(memory="4M", engine="reference"))
    virtual = vmm.create("c", image=compile_c(HEADERS + WATCHED), memory="1M")
    vmm.run(5_000_000)
    assert virtual.uart.text == bare.uart.text
