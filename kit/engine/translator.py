"""Guest code to WebAssembly, a region at a time, from the traced definitions.

A translated region is a function that makes steps as long as it can: registers are locals, branches
within the region are branches, loads and stores go to the linear memory directly where the address
is known to be allowed. Whatever a path of an instruction does beyond that (a trap, a device, a
table, an address never seen) is not translated: the function returns in front of that instruction,
and the core executes it as the definitions say. So a translation never decides about a trap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kit.bits import Bits, Expr
from kit.engine.layout import (
    ENDING,
    ENTRIES,
    INTERPRETED,
    KINDS,
    MISSED,
    PAGE_MASK,
    WINDOW,
    Layout,
)
from kit.engine.paths import Block as Tree
from kit.engine.paths import Definitions, Fork, Op, Raise, Trace
from kit.engine.questions import handler
from kit.engine.regions import Block, Flow, Region, Shape, find_region
from kit.engine.wasm import I32, Code, Module
from kit.engine.wasm_expr import BITS, Values, all_ops, count_uses
from kit.isa.encoding import Decoder

__all__ = ["Translator"]

SHIFT = {1: 0, 2: 1, 4: 2}
REMEMBERED = 1 << 14
"""Instructions of which it is remembered where they lead, at most."""


@dataclass
class Template:
    """A traced instruction, and what is asked of it again and again."""

    trace: Trace
    uses: Counter[Expr]
    possible: bool
    reads: tuple[Expr, ...] = ()
    writes: tuple[Expr, ...] = ()
    accesses: frozenset[tuple[int, str]] = frozenset()


class Translator:
    """Translates regions for a layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.config = layout.config
        self.decoder = Decoder(self.config.extensions, self.config.xlen)
        self.definitions = Definitions(self.config)
        self._templates: dict[str, Template] = {}
        self._flows: dict[tuple[int, int], Flow | None] = {}

    def find(self, entry: int, word_at: Callable[[int], int | None]) -> Region:
        """The region at a virtual address, without blocks if nothing there can be translated."""
        return find_region(entry, word_at, self.flow)

    def translate(self, region: Region, slot: int, is_linear: bool, is_scattered: bool) -> bytes:
        """A module with the function of a region, for a slot of the table.

        It leaves at each address in no window, or if it is scattered, looks for what is remembered.
        """
        module = Module()
        module.imports = [
            (f"remember_{access}{size}", ((I32,), (I32,)))
            for access in ("read", "write")
            for size in (1, 2, 4)
        ]
        module.imports.append(("chain", ((), (I32,))))
        writer = _Writer(self, region, is_linear, is_scattered)
        code = writer.function({name: n for n, (name, _) in enumerate(module.imports)})
        module.functions.append((((), (I32,)), code))
        module.elements.append((slot, len(module.imports)))
        return module.binary()

    # -- what an instruction is ------------------------------------------------------------------

    def template(self, word: int) -> Template | None:
        """The traced instruction that a word is, if it can be translated."""
        row = self.decoder.find(word & 0xFFFF if word & 3 != 3 else word)
        if row is None:
            return None
        known = self._templates.get(row.name)
        if known is None:
            trace = self.definitions.trace(handler(row, self.decoder), (Bits(32, 0),))
            ops, uses = list(all_ops(trace.body)), count_uses(trace.body)
            known = Template(
                trace,
                uses,
                _has_a_way(trace.body)
                and _writes_last(trace.body)
                and all(map(_is_possible, ops))
                and _only_accessed(ops, uses),
                tuple(op.args[0] for op in ops if op.kind == "get_item"),
                tuple(op.args[0] for op in ops if op.kind == "set_item"),
                frozenset(op.name.static for op in ops if op.kind == "call"),
            )
            self._templates[row.name] = known
        return known if known.possible else None

    def values(self, code: Code, template: Template, at: int, word: int) -> Values:
        """The values of a template's nodes for one instruction."""
        values = Values(code, template.uses)
        short = word & 3 != 3
        values.known[template.trace.params[0]] = word & 0xFFFF if short else word
        for op in template.trace.body.ops:
            self.learn_pc(op, values, at, word)
        return values

    @staticmethod
    def learn_pc(op: Op, values: Values, at: int, word: int) -> None:
        """The pc, and the pc behind the instruction, are constants."""
        if op.kind == "get" and op.name in ("pc", "next_pc"):
            assert op.result is not None
            length = 2 if word & 3 != 3 else 4
            values.known[op.result] = (at + (length if op.name == "next_pc" else 0)) & 0xFFFF_FFFF

    def flow(self, at: int, word: int) -> Flow | None:
        """Where the instruction leads, or None if it is not translated."""
        key = (at, word)
        if key not in self._flows:
            if len(self._flows) == REMEMBERED:
                self._flows.clear()
            self._flows[key] = self._flow(at, word)
        return self._flows[key]

    def _flow(self, at: int, word: int) -> Flow | None:
        template = self.template(word)
        if template is None:
            return None
        values = self.values(Code(), template, at, word)
        behind = (at + (2 if word & 3 != 3 else 4)) & 0xFFFF_FFFF
        targets: list[int | None] = []
        self._follow(template.trace.body, values, behind, at, word, targets)
        written = {values.constant(node) for node in template.writes}
        jumps = any(target != behind for target in targets)
        if not jumps:
            return Flow()
        known = tuple(target for target in targets if target is not None)
        indirect = None in targets
        call = bool(written - {0}) and len(set(targets)) == 1
        return Flow(known, True, indirect, behind if call else None)

    def _follow(
        self,
        tree: Tree,
        values: Values,
        target: int | None,
        at: int,
        word: int,
        targets: list[int | None],
    ) -> None:
        """Collects where the ways through a tree lead, None for what only a register says."""
        for op in tree.ops:
            self.learn_pc(op, values, at, word)
            if op.kind == "set" and op.name == "next_pc":
                target = values.constant(op.args[0])
        end = tree.end
        if isinstance(end, Fork):
            self._follow(end.yes, values, target, at, word, targets)
            self._follow(end.no, values, target, at, word, targets)
        elif not isinstance(end, Raise):
            targets.append(target)


def _is_possible(op: Op) -> bool:
    if op.kind in ("get", "set"):
        return op.name in ("pc", "next_pc")
    if op.kind in ("get_item", "set_item"):
        return bool(op.name == "x")
    return op.kind == "storage" or op.name.name == "translate"


def _writes_last(tree: Tree) -> bool:
    """Does every way write a register only when nothing is read any more?"""
    end = tree.end
    kinds = [op.kind for op in tree.ops]
    if "set_item" in kinds[:-1] or ("set_item" in kinds and isinstance(end, Fork)):
        return False
    return not isinstance(end, Fork) or (_writes_last(end.yes) and _writes_last(end.no))


def _only_accessed(ops: list[Op], uses: Counter[Expr]) -> bool:
    """Are physical addresses used for nothing but accesses?"""
    accesses = Counter(op.args[0] for op in ops if op.kind == "storage")
    return all(uses[op.result] == accesses[op.result] for op in ops if op.kind == "call")  # type: ignore[index]


def _has_a_way(tree: Tree) -> bool:
    """Does any way through a tree not end in a trap?"""
    end = tree.end
    if isinstance(end, Fork):
        return _has_a_way(end.yes) or _has_a_way(end.no)
    return not isinstance(end, Raise)


@dataclass
class Window:
    """Locals: the table for an access, and of its window the address, what to add, the sizes.

    A size counts in words of 1, 2 or 4 bytes.
    """

    table: int
    address: int
    addend: int
    sizes: dict[int, int]


class _Writer:
    """Writes the function of a region."""

    def __init__(
        self, translator: Translator, region: Region, is_linear: bool, is_scattered: bool
    ) -> None:
        self.translator, self.region = translator, region
        self.is_linear, self.is_scattered = is_linear, is_scattered
        self.layout = translator.layout
        self.shape = Shape(region)
        self.code = Code()
        self.x: dict[int, int] = {}
        self.written: set[int] = set()
        self.accesses: set[tuple[int, str]] = set()
        self.labels: dict[int, int] = {}
        self.todo: list[Callable[[], object]] = []
        self.done = 0
        self.longest = sum(len(block.instructions) for block in region.blocks.values())

    def function(self, imports: dict[str, int]) -> Code:
        """The function, which returns 0, `INTERPRETED` or `ENDING`."""
        code, at = self.code, self.layout.at
        self.imports = imports
        self._use_registers()
        self.pc, self.left, self.result = (code.local(I32) for _ in range(3))
        for number, local in self.x.items():
            self._load(local, at["x"] + 4 * number)
        self._load(self.left, at["left"])
        self.windows: dict[str, Window] = {}
        for access in sorted({access for _, access in self.accesses}):
            if access == "write" or not self.is_linear:
                sizes = {size: code.local(I32) for size, name in self.accesses if name == access}
                window = Window(code.local(I32), code.local(I32), code.local(I32), sizes)
                self.windows[access] = window
                self._load(window.table, at[f"{access}_table"])
                self._load_window(window)
        self.leave = code.open("block")
        self._then(partial(self._tree, self.region.entry))
        while self.todo:
            self.todo.pop()()
        code.op("end")
        for number in sorted(self.written):
            self._store(self.x[number], at["x"] + 4 * number)
        self._store(self.left, at["left"])
        self._store(self.pc, at["pc"])
        code.get(self.result)
        code.op("i32.eqz")
        code.open("if")
        code.tail_call(imports["chain"])
        code.op("end")
        code.get(self.result)
        return code

    def _use_registers(self) -> None:
        translator = self.translator
        for block in self.region.blocks.values():
            for at, word in block.instructions:
                template = translator.template(word)
                assert template is not None
                values = translator.values(self.code, template, at, word)
                self.accesses |= template.accesses
                for nodes, files in ((template.reads, None), (template.writes, self.written)):
                    for node in nodes:
                        number = values.constant(node)
                        assert number is not None
                        if number:
                            if number not in self.x:
                                self.x[number] = self.code.local(I32)
                            if files is not None:
                                files.add(number)

    def _load(self, local: int, place: int) -> None:
        self.code.const(I32, 0)
        self.code.access("i32.load", place)
        self.code.set(local)

    def _store(self, local: int, place: int) -> None:
        self.code.const(I32, 0)
        self.code.get(local)
        self.code.access("i32.store", place)

    def _load_window(self, window: Window) -> None:
        """Fetches what is known of the window now."""
        code = self.code
        code.get(window.table)
        code.access("i32.load", WINDOW)
        code.set(window.address)
        code.get(window.table)
        code.access("i32.load", WINDOW + 8)
        code.const(I32, self.layout.at["ram"])
        code.op("i32.sub")
        code.set(window.addend)
        for size, local in window.sizes.items():
            code.get(window.table)
            code.access("i32.load", WINDOW + 4)
            code.const(I32, SHIFT[size])
            code.op("i32.shr_u")
            code.set(local)

    # -- control ---------------------------------------------------------------------------------
    # After Ramsey, "Beyond Relooper": a block's code holds that of the blocks it dominates. They
    # may lie in each other by the hundred, too many for Python's stack: what is still to be written
    # waits in `todo` instead. Nothing may therefore follow a `_go` but what was put there before.

    def _then(self, *acts: Callable[[], object]) -> None:
        """These are done next, in this order; what they put here themselves comes in between."""
        self.todo += reversed(acts)

    def _end(self) -> None:
        self.code.op("end")

    def _tree(self, start: int) -> None:
        if start in self.shape.loops:
            self.labels[start] = self.code.open("loop")
            self._then(self._end)
        if start in self.shape.loops or start == self.region.entry:
            self._enough(start)
        self._within(start)

    def _enough(self, start: int) -> None:
        """Leaves if the budget might end before the next look at it."""
        self.code.get(self.left)
        self.code.const(I32, self.longest)
        self.code.op("i32.lt_s")
        self.code.rarely()
        self.code.open("if")
        self._exit(start, ENDING)
        self.code.op("end")

    def _within(self, start: int) -> None:
        merges = [child for child in self.shape.children[start] if child in self.shape.merges]
        merges.sort(key=lambda child: -self.shape.number[child])
        for child in merges:
            self.labels[child] = self.code.open("block")
            self._then(self._end, partial(self._tree, child))
        self._block(self.region.blocks[start])

    def _go(self, start: int, target: int) -> None:
        """Goes from a block to an address."""
        shape = self.shape
        if target not in self.region.blocks:
            self._exit(target, 0)
        elif shape.is_back(start, target):
            if target in shape.loops and shape.dominates(target, start):
                self.code.branch(self.labels[target])
            else:
                self._exit(target, 0)
        elif target in shape.merges:
            self.code.branch(self.labels[target])
        else:
            self._then(partial(self._tree, target))

    def _exit(self, target: int, result: int) -> None:
        """Leaves with pc at an address."""
        self.code.const(I32, target)
        self.code.set(self.pc)
        self._finish(result)

    def _finish(self, result: int) -> None:
        self.code.const(I32, result)
        self.code.set(self.result)
        self.code.branch(self.leave)

    def _bail(self) -> None:
        """Leaves in front of the instruction that is being written, for the core to execute it."""
        self._count(self.done)
        self._exit(self.at, INTERPRETED)

    def _count(self, steps: int) -> None:
        if steps:
            self.code.get(self.left)
            self.code.const(I32, steps)
            self.code.op("i32.sub")
            self.code.set(self.left)

    # -- blocks ----------------------------------------------------------------------------------

    def _block(self, block: Block) -> None:
        self.block = block
        for number, (at, word) in enumerate(block.instructions):
            self.at, self.word, self.done = at, word, number
            self.behind = (at + (2 if word & 3 != 3 else 4)) & 0xFFFF_FFFF
            template = self.translator.template(word)
            assert template is not None
            values = self.translator.values(self.code, template, at, word)
            jumps = block.jumps and number == len(block.instructions) - 1
            self._emit(template.trace.body, values, self.behind if jumps else None)
        if not block.jumps:
            self._count(len(block.instructions))
            self._go(block.start, block.targets[0])

    def _emit(self, tree: Tree, values: Values, target: int | Expr | None) -> None:
        """Writes a tree. Behind each way through that of a jump follows what is at `target`."""
        code = self.code
        for position, op in enumerate(tree.ops):
            self.translator.learn_pc(op, values, self.at, self.word)
            if op.kind == "set" and op.name == "next_pc":
                if target is None:  # a jump to the next instruction is none
                    continue
                known = values.constant(op.args[0])
                if known is None:
                    values.push(op.args[0])
                    code.set(self.pc)
                target = op.args[0] if known is None else known
            elif self._is_access(tree, position):
                self._access(op, values)
            else:
                self._op(op, values)
        end = tree.end
        if isinstance(end, Fork):
            self._fork(end, values, target)
        elif isinstance(end, Raise):
            self._bail()
        elif target is not None:
            self._count(len(self.block.instructions))
            if isinstance(target, int):
                self._go(self.block.start, target)
            else:
                self._indirect()

    def _fork(self, end: Fork, values: Values, target: int | Expr | None) -> None:
        code = self.code
        outcome = values.constant(end.condition)
        if outcome is not None:
            self._emit(end.yes if outcome else end.no, values, target)
            return
        if _is_trap(end.no) or _is_trap(end.yes):
            if not self._checks_alignment(end):
                values.push(end.condition)
                if _is_trap(end.no):
                    code.op("i32.eqz")
                code.open("if")
                self._bail()
                code.op("end")
            self._emit(end.yes if _is_trap(end.no) else end.no, values, target)
            return
        values.push(end.condition)
        code.open("if")
        if target is None:
            self._emit(end.yes, values.fork(), None)
            code.op("else")
            self._emit(end.no, values, None)
            code.op("end")
            return
        place = self.block, self.at, self.word, self.done

        def otherwise() -> None:
            code.op("end")
            self.block, self.at, self.word, self.done = place
            self._emit(end.no, values, target)

        self._then(otherwise)
        self._emit(end.yes, values.fork(), target)

    def _indirect(self) -> None:
        """Goes where pc (the local) says: to a place behind a call of the region, or out of it."""
        start = self.block.start

        def go_if_there(target: int) -> None:
            self.code.get(self.pc)
            self.code.const(I32, target)
            self.code.op("i32.eq")
            self.code.open("if")
            self._then(self._end)
            self._go(start, target)

        targets = self.region.successors(self.block)
        self._then(*(partial(go_if_there, target) for target in targets), partial(self._finish, 0))

    # -- operations ------------------------------------------------------------------------------

    def _op(self, op: Op, values: Values) -> None:
        code = self.code
        if op.kind == "get_item":
            number = values.constant(op.args[0])
            assert op.result is not None
            assert number is not None
            if number == 0:
                values.known[op.result] = 0
            else:
                # Registers are written at the end of an instruction, so until then it is this.
                values.locals[op.result] = self.x[number]
        elif op.kind == "set_item":
            number = values.constant(op.args[0])
            assert number is not None
            if number:
                values.push(op.args[1])
                code.set(self.x[number])
        elif op.kind == "storage":
            self._storage(op, values)

    @staticmethod
    def _is_access(tree: Tree, position: int) -> bool:
        return tree.ops[position].kind == "call"

    def _access(self, op: Op, values: Values) -> None:
        """Translates an address: leaves unless it is one of RAM that may be accessed directly.

        The physical address is not computed; its node stands for the distance from RAM's start.
        """
        code = self.code
        size, access = op.name.static
        address = code.local(I32)
        values.push(op.args[0])
        code.set(address)
        assert op.result is not None
        if access in self.windows:
            address = self._look_up(address, size, access)
        else:
            self._check_linear(address, size)
        values.locals[op.result] = address

    def _check_linear(self, address: int, size: int) -> None:
        """Leaves unless the address is aligned and in RAM; makes it the distance from its start."""
        code, layout = self.code, self.layout
        code.get(address)
        code.const(I32, layout.ram_base)
        code.op("i32.sub")
        code.tee(address)
        self._rotate(size)
        code.const(I32, layout.size >> SHIFT[size])
        code.op("i32.ge_u")
        code.rarely()
        code.open("if")
        self._bail()
        code.op("end")

    def _rotate(self, size: int) -> None:
        """Makes a distance that is not a multiple of `size` larger than any count of such words."""
        if SHIFT[size]:
            self.code.const(I32, SHIFT[size])
            self.code.op("i32.rotr")

    def _look_up(self, address: int, size: int, access: str) -> int:
        """Leaves unless an address may be accessed; returns its distance from RAM's start."""
        code, window = self.code, self.windows[access]
        place = code.local(I32)
        code.get(address)
        code.get(window.addend)
        code.op("i32.add")
        code.set(place)
        code.get(address)
        code.get(window.address)
        code.op("i32.sub")
        self._rotate(size)
        code.get(window.sizes[size])
        code.op("i32.ge_u")
        code.rarely()
        code.open("if")
        if self.is_scattered:
            self._search(address, size, access)
            code.set(place)
        else:
            self._miss(address, size, access)
        code.op("end")
        return place

    def _miss(self, address: int, size: int, access: str) -> None:
        """Leaves, and says what for. Without a call here, registers stay where they are."""
        code, at = self.code, self.layout.at
        self._store(address, at["missed"])
        code.const(I32, 0)
        code.const(I32, KINDS.index((access, size)))
        code.access("i32.store", at["missed_kind"])
        code.const(I32, 0)
        code.const(I32, 0)
        code.access("i32.load", at["misses"])
        code.const(I32, 1)
        code.op("i32.add")
        code.access("i32.store", at["misses"])
        self._count(self.done)
        self._exit(self.at, MISSED)

    def _search(self, address: int, size: int, access: str) -> None:
        """Pushes what `_look_up` returns, for an address outside the window.

        No tag is that of a misaligned address.
        """
        code, window = self.code, self.windows[access]
        entry = code.local(I32)
        code.get(window.table)
        code.get(address)
        code.const(I32, 9)
        code.op("i32.shr_u")
        code.const(I32, (ENTRIES - 1) << 3)
        code.op("i32.and", "i32.add")
        code.tee(entry)
        code.access("i32.load", 0)
        code.get(address)
        code.const(I32, PAGE_MASK | (size - 1))
        code.op("i32.and", "i32.ne")
        code.rarely()
        code.open("if")
        code.get(address)
        code.const(I32, size - 1)
        code.op("i32.and")
        code.open("if")
        self._bail()
        code.op("end")
        code.get(address)
        code.call(self.imports[f"remember_{access}{size}"])
        code.op("i32.eqz")
        code.open("if")
        self._bail()
        code.op("end")
        self._load_window(window)
        code.op("end")
        code.get(address)
        code.get(entry)
        code.access("i32.load", 4)
        code.op("i32.add")
        code.const(I32, self.layout.at["ram"])
        code.op("i32.sub")

    def _storage(self, op: Op, values: Values) -> None:
        code, ram = self.code, self.layout.at["ram"]
        if op.name in ("is_ram", "reaches"):
            assert op.result is not None
            values.known[op.result] = 1
            return
        code.get(values.locals[op.args[0]])
        if op.name == "read":
            assert op.result is not None
            code.access("i32.load" + BITS[op.size], ram)
            values.bind(op.result)
        else:
            values.push(op.args[1])
            code.access({1: "i32.store8", 2: "i32.store16", 4: "i32.store"}[op.size], ram)

    def _checks_alignment(self, end: Fork) -> bool:
        """Is this the check of an address that is looked up next, which checks it, too?"""
        condition, tree = end.condition, end.yes
        if condition.op != "eq" or condition.args[0].op != "and" or not tree.ops:
            return False
        op = tree.ops[0]
        return bool(op.kind == "call" and op.args[0] is condition.args[0].args[0])


def _is_trap(tree: Tree) -> bool:
    return isinstance(tree.end, Raise) and not tree.ops
