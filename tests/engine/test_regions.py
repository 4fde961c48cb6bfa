"""Regions are found as the flow says; their shapes against the definitions of the words."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from kit.engine.regions import LARGEST, RETURNS, Block, Flow, Region, Shape, find_region

START = 0x8000_0000

Edges = dict[int, tuple[int, ...]]


def random_region(seed: int) -> Region:
    """A graph of up to a dozen blocks, all of which can be reached: loops, merges, anything."""
    source = random.Random(seed)
    size = source.randrange(1, 13)
    edges = {
        n: tuple(source.randrange(size) for _ in range(source.choice((0, 1, 1, 2, 2, 3))))
        for n in range(size)
    }
    reached = reachable(edges, 0)
    blocks = {n: Block(n, [(n, 0)], edges[n], jumps=True) for n in sorted(reached)}
    return Region(0, blocks)


def reachable(
    edges: dict[int, tuple[int, ...]], start: int, without: int | None = None
) -> set[int]:
    """Where ways from `start` lead that avoid one block."""
    reached: set[int] = set()
    queue = [start]
    while queue:
        at = queue.pop()
        if at not in reached and at != without:
            reached.add(at)
            queue += edges[at]
    return reached


def edges_of(region: Region) -> Edges:
    return {n: tuple(region.successors(block)) for n, block in region.blocks.items()}


SEEDS = range(300)


def test_a_block_dominates_what_cannot_be_reached_without_it() -> None:
    for seed in SEEDS:
        region = random_region(seed)
        shape, edges = Shape(region), edges_of(region)
        for above in region.blocks:
            lost = set(region.blocks) - reachable(edges, 0, without=above)
            found = {below for below in region.blocks if shape.dominates(above, below)}
            assert found == lost, (seed, above)


def test_a_blocks_parent_is_its_nearest_dominator() -> None:
    for seed in SEEDS:
        region = random_region(seed)
        shape = Shape(region)
        for below in region.blocks:
            above = {n for n in region.blocks if n != below and shape.dominates(n, below)}
            parent = shape.parent[below]
            if below == region.entry:
                assert not above
                continue
            assert parent in above
            assert all(shape.dominates(n, parent) for n in above), seed
            assert below in shape.children[parent]
        assert sum(map(len, shape.children.values())) == len(region.blocks) - 1


def test_the_order_is_a_reverse_postorder() -> None:
    """Ways that are not back lead forwards, and every block comes behind its dominators."""
    for seed in SEEDS:
        region = random_region(seed)
        shape, edges = Shape(region), edges_of(region)
        assert shape.order[0] == region.entry
        assert sorted(shape.order) == sorted(region.blocks)
        for start, targets in edges.items():
            for target in targets:
                forwards = shape.number[start] < shape.number[target]
                assert shape.is_back(start, target) != forwards
        for below, parent in shape.parent.items():
            assert shape.number[parent] <= shape.number[below]


def test_loops_begin_where_a_way_leads_back_to_a_dominator() -> None:
    for seed in SEEDS:
        region = random_region(seed)
        shape, edges = Shape(region), edges_of(region)
        loops = {
            target
            for start, targets in edges.items()
            for target in targets
            if shape.dominates(target, start)
        }
        assert shape.loops == loops, seed


def test_merges_are_where_two_ways_forwards_meet() -> None:
    for seed in SEEDS:
        region = random_region(seed)
        shape, edges = Shape(region), edges_of(region)
        ways = [(a, b) for a, targets in edges.items() for b in targets if not shape.is_back(a, b)]
        assert shape.merges == {b for _, b in ways if sum(t == b for _, t in ways) > 1}, seed


def test_some_of_the_graphs_are_no_nest_of_loops() -> None:
    """Their ways back do not all lead to dominators: no structured code says the same directly."""
    irreducible = 0
    for seed in SEEDS:
        shape = Shape(random_region(seed))
        irreducible += any(
            shape.is_back(a, b) and not shape.dominates(b, a)
            for a, targets in edges_of(shape.region).items()
            for b in targets
        )
    assert irreducible > 10


# -- finding ---------------------------------------------------------------------------------


class Program:
    """Instructions of two or four bytes with flows, some of which are not translated."""

    def __init__(self, seed: int, size: int) -> None:
        source = random.Random(seed)
        self.flows: dict[int, Flow | None] = {}
        self.words: dict[int, int] = {}
        at = START
        places = []
        for _ in range(size):
            places.append(at)
            self.words[at] = source.choice((1, 3))
            at += 2 if self.words[at] == 1 else 4
        for at in places:
            behind = at + (2 if self.words[at] == 1 else 4)
            far = source.choice(places)
            self.flows[at] = source.choice(
                [
                    *[Flow()] * 8,
                    *(Flow((far,), True), Flow((far, behind), True), Flow((behind, far), True)),
                    *(Flow((far,), True, False, behind), Flow((), True, True, behind)),
                    *(Flow((), True, True), None),
                ]
            )

    def region(self) -> Region:
        return find_region(START, self.words.get, lambda at, word: self.flows[at])


@pytest.mark.parametrize("size", [1, 5, 40, 1000])
def test_a_region_consists_of_instructions_in_a_row_that_lead_where_their_flows_say(
    size: int,
) -> None:
    for seed in range(60):
        program = Program(seed, size)
        region = program.region()
        if program.flows[START] is None:
            assert not region.blocks
            continue
        calls = {f.returns_to for f in program.flows.values() if f and f.returns_to is not None}
        for start, block in region.blocks.items():
            places = [at for at, _ in block.instructions]
            assert places[0] == start
            assert all(b - a == (2 if program.words[a] == 1 else 4) for a, b in pairwise(places))
            *inner, last = (program.flows[at] for at in places)
            assert all(flow is not None and not flow.ends for flow in inner)
            assert last is not None
            assert (block.jumps, block.indirect) == (last.ends, last.indirect)
            if last.indirect:
                assert set(block.targets) <= calls
                assert len(block.targets) <= RETURNS
            elif last.ends:
                assert block.targets == last.targets
            else:
                length = 2 if program.words[places[-1]] == 1 else 4
                assert block.targets == (places[-1] + length,)


@pytest.mark.parametrize("size", [40, 1000])
def test_blocks_share_no_instruction_and_all_can_be_reached(size: int) -> None:
    for seed in range(60):
        region = Program(seed, size).region()
        places = [at for block in region.blocks.values() for at, _ in block.instructions]
        assert len(places) == len(set(places)) <= LARGEST
        if region.blocks:
            edges = edges_of(region)
            assert reachable(edges, region.entry) == set(region.blocks)
