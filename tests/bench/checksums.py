"""What each load has to print after a number of rounds, computed independently of its program."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

__all__ = ["CHECKSUMS", "pointers"]

MASK = 0xFFFF_FFFF


def signed(value: int) -> int:
    """A word as a number with a sign."""
    return value - ((value & 1 << 31) << 1)


def random_words(seed: int, count: int) -> Iterator[int]:
    """Numbers of the generator in Numerical Recipes."""
    for _ in range(count):
        seed = (seed * 1664525 + 1013904223) & MASK
        yield seed


def integer(rounds: int) -> int:
    x, total = 2463534242, 0
    for _ in range(1000):
        x ^= x << 13 & MASK
        x ^= x >> 17
        x ^= x << 5 & MASK
        total += x if x % 8 else x + x * x
    return total * rounds


def sieve(rounds: int) -> int:
    primes = [n for n in range(2, 8192) if all(n % d for d in range(2, int(n**0.5) + 1))]
    return len(primes) * rounds


def quicksort(rounds: int) -> int:
    ordered = sorted(random_words(12345, 1024), key=signed)
    return rounds * sum(place * value for place, value in enumerate(ordered, 1))


def strings(rounds: int) -> int:
    rules: list[Callable[[int], int]] = [lambda v: 10 * v, lambda v: v + 1, lambda v: v % 1000]
    records = [(0, 1234567)]
    for _ in range(15):
        kind = (records[-1][0] + 1) % 3
        records.append((kind, rules[kind](records[-1][1]) & MASK))
    wanted = ord("N") - ord("A")
    return rounds * (records[wanted][1] + sum(map(sum, records)))


def matrix(rounds: int) -> int:
    n = 24
    left = [[n * i + k + 1 for k in range(n)] for i in range(n)]
    right = [[(n * k + j + 1) ** 2 for j in range(n)] for k in range(n)]
    product = [sum(row[k] * right[k][j] for k in range(n)) for row in left for j in range(n)]
    return rounds * sum(product)


def crc(rounds: int) -> int:
    return rounds * zlib.crc32(bytes(7 * n & 0xFF for n in range(4096)))


def pointers(rounds: int, nodes: int = 8 << 20 >> 6) -> int:
    node, total = 0, 0
    for _ in range(rounds):
        for _ in range(1024):
            node = (1103515245 * node + 12345) % nodes
        total += node * 64
    return total


def once(_rounds: int) -> int:
    value = 0
    for number in range(400):
        value = (value + number + 1) ^ number
    return 10 * value


def trap_csr(rounds: int) -> int:
    """Each access reads what the one before it wrote; the very first one, zero."""
    return rounds * sum(range(1, 257)) - 1


CHECKSUMS: dict[str, Callable[[int], int]] = {
    "start-up": lambda rounds: rounds,
    "integer": integer,
    "sieve": sieve,
    "quicksort": quicksort,
    "strings": strings,
    "matrix": matrix,
    "crc": crc,
    "pointers": pointers,
    "self-modifying": lambda rounds: rounds * 8 * sum(range(16)),
    # 16 + 15 + … + 1 is added up, and there are 48 calls.
    "system-calls": lambda rounds: rounds * (136 + 48),
    # One task adds up the same, the other one 16 times 3.
    "context-switches": lambda rounds: rounds * (136 + 48),
    "page-faults": lambda rounds: rounds * sum(range(1, 65)),
    "polling": lambda rounds: rounds * 256 * 0x20,
    "once": once,
    "trap-csr": trap_csr,
    "trap-ecall": lambda rounds: rounds * 256,
    "trap-refill": lambda rounds: rounds * 256,
}
"""By the name of the load."""
