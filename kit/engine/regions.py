"""Which code is translated together: a region of basic blocks behind one entry, and its shape.

Blocks are found by following jumps, branches and calls from the entry; a return leads to the
places behind the calls of the region. `Shape` is what WebAssembly's structured control flow needs
of such a graph: an order, dominators, and which blocks begin loops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Block", "Flow", "Region", "Shape", "find_region"]

LARGEST = 400
"""Instructions in a region, at most."""
RETURNS = 6
"""Places that an indirect jump may go to within a region, at most."""


@dataclass(frozen=True)
class Flow:
    """Where an instruction leads: to known places, besides perhaps wherever a register says.

    `ends` is true where it ends a block; `returns_to` is the place behind a call.
    """

    targets: tuple[int, ...] = ()
    ends: bool = False
    indirect: bool = False
    returns_to: int | None = None


@dataclass
class Block:
    """Instructions in a row, as (address, word), and the places that the last one leads to.

    The last one jumps, or else the block ends where another begins. A place may be named twice,
    where two ways lead to it. `indirect` jumps may lead elsewhere, too.
    """

    start: int
    instructions: list[tuple[int, int]] = field(default_factory=list)
    targets: tuple[int, ...] = ()
    jumps: bool = False
    indirect: bool = False


@dataclass
class Region:
    """The blocks behind an entry, by their addresses; `is_cut` if there would have been more."""

    entry: int
    blocks: dict[int, Block]
    is_cut: bool = False

    def successors(self, block: Block) -> list[int]:
        """The blocks of the region that a block may lead to."""
        return [target for target in block.targets if target in self.blocks]


def find_region(
    entry: int, word_at: Callable[[int], int | None], flow_of: Callable[[int, int], Flow | None]
) -> Region:
    """The region behind an entry.

    `word_at` gives the instruction at an address, or None where none may be translated; `flow_of`
    where it leads, or None where it is not translated.
    """
    flows: dict[int, tuple[int, Flow]] = {}
    leaders, returns = {entry}, []
    queue = [entry]
    while queue and len(flows) < LARGEST:
        at = queue.pop(0)
        while at not in flows and len(flows) < LARGEST:
            word = word_at(at)
            flow = None if word is None else flow_of(at, word)
            if word is None or flow is None:
                break
            flows[at] = word, flow
            if flow.returns_to is not None and flow.returns_to not in returns:
                returns.append(flow.returns_to)
                leaders.add(flow.returns_to)
                queue.append(flow.returns_to)
            if flow.ends:
                leaders.update(flow.targets)
                queue += flow.targets
                break
            at += 2 if word & 3 != 3 else 4
    blocks = {}
    for leader in leaders:
        if leader in flows:
            blocks[leader] = _block(leader, flows, leaders, tuple(returns[:RETURNS]))
    region = Region(entry, blocks, len(flows) == LARGEST)
    reachable, queue = {entry}, [entry] if entry in blocks else []
    while queue:
        for target in region.successors(blocks[queue.pop()]):
            if target not in reachable:
                reachable.add(target)
                queue.append(target)
    region.blocks = {start: block for start, block in blocks.items() if start in reachable}
    return region


def _block(
    leader: int, flows: dict[int, tuple[int, Flow]], leaders: set[int], returns: tuple[int, ...]
) -> Block:
    block = Block(leader)
    at = leader
    while at in flows:
        word, flow = flows[at]
        block.instructions.append((at, word))
        at += 2 if word & 3 != 3 else 4
        if flow.ends:
            block.jumps, block.indirect = True, flow.indirect
            block.targets = returns if flow.indirect else flow.targets
            return block
        if at in leaders:
            break
    block.targets = (at,)
    return block


class Shape:
    """The order of a region's blocks, and who dominates whom.

    After Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm".
    """

    def __init__(self, region: Region) -> None:
        self.region = region
        self.order = self._order()
        self.number = {start: position for position, start in enumerate(self.order)}
        self.predecessors: dict[int, list[int]] = {start: [] for start in self.order}
        for start in self.order:
            for target in region.successors(region.blocks[start]):
                self.predecessors[target].append(start)
        self.parent = self._dominators()
        self.children: dict[int, list[int]] = {start: [] for start in self.order}
        for start, parent in self.parent.items():
            if start != parent:
                self.children[parent].append(start)
        self.loops = {
            target
            for start in self.order
            for target in region.successors(region.blocks[start])
            if self.is_back(start, target) and self.dominates(target, start)
        }
        self.merges = {start for start in self.order if self._forward(start) > 1}

    def _forward(self, start: int) -> int:
        """How many ways lead to a block, those that repeat a loop left out."""
        return sum(not self.is_back(before, start) for before in self.predecessors[start])

    def is_back(self, start: int, target: int) -> bool:
        """Does this way lead backwards in the order?"""
        return self.number[target] <= self.number[start]

    def dominates(self, above: int, below: int) -> bool:
        """Does every way from the entry to `below` lead through `above`?"""
        while self.number[below] > self.number[above]:
            below = self.parent[below]
        return below == above

    def _order(self) -> list[int]:
        """The blocks in reverse postorder."""
        done: list[int] = []
        seen = {self.region.entry}
        stack = [(self.region.entry, iter(self._targets(self.region.entry)))]
        while stack:
            start, targets = stack[-1]
            target = next((t for t in targets if t not in seen), None)
            if target is None:
                done.append(start)
                stack.pop()
            else:
                seen.add(target)
                stack.append((target, iter(self._targets(target))))
        return done[::-1]

    def _targets(self, start: int) -> list[int]:
        return self.region.successors(self.region.blocks[start])[::-1]

    def _dominators(self) -> dict[int, int]:
        entry = self.region.entry
        parent = {entry: entry}
        changed = True
        while changed:
            changed = False
            for start in self.order[1:]:
                known = [before for before in self.predecessors[start] if before in parent]
                chosen = known[0]
                for before in known[1:]:
                    chosen = self._meet(parent, chosen, before)
                if parent.get(start) != chosen:
                    parent[start] = chosen
                    changed = True
        return parent

    def _meet(self, parent: dict[int, int], one: int, other: int) -> int:
        while one != other:
            while self.number[one] > self.number[other]:
                one = parent[one]
            while self.number[other] > self.number[one]:
                other = parent[other]
        return one
