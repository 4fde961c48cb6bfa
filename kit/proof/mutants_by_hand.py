"""Bugs of the VMM kernel written by hand: what one may well get wrong, or has got wrong.

Those marked with a star are bugs that published monitors had.
"""

from __future__ import annotations

from kit.proof.mutant import Mutant

__all__ = ["BY_HAND", "NEEDS_FAULTS"]


def _in(file: str, **changes: tuple[str, str]) -> dict[str, Mutant]:
    return {name: Mutant(file, old, new) for name, (old, new) in changes.items()}


S_OPEN = "open_to_s = ~user | ((v.mstatus & SUM) != 0)"
FIRST_TABLE = "if not _readable(v, first):\n        return _fault(v, ACCESS_FAULT[right])"

BY_HAND: dict[str, Mutant] = {
    # -- registers -----------------------------------------------------------------------------
    **_in(
        "csr",
        medeleg_bit_11_is_writable=('("medeleg", 0xB3FE)', '("medeleg", 0xBBFE)'),  # *
        mideleg_delegates_machine_interrupts=(
            '("mideleg", S_INTERRUPTS)',
            '("mideleg", S_INTERRUPTS | M_INTERRUPTS)',
        ),
        mie_keeps_every_bit=('("mie", S_INTERRUPTS | M_INTERRUPTS)', '("mie", ALL)'),
        mtvec_keeps_a_reserved_mode=('("mtvec", ALL & ~2)', '("mtvec", ALL)'),  # *
        stvec_keeps_a_reserved_mode=('("stvec", ALL & ~2)', '("stvec", ALL)'),  # *
        mepc_keeps_bit_0=('("mepc", ALL & ~1)', '("mepc", ALL)'),  # *
        sepc_keeps_bit_0=('("sepc", ALL & ~1)', '("sepc", ALL)'),  # *
        satp_mode_is_dropped=('("satp", ALL)', '("satp", ALL >> 1)'),  # *
        satp_address_space_is_dropped=('("satp", ALL)', '("satp", 0x803F_FFFF)'),  # *
        mcounteren_lacks_time=('("mcounteren", 7)', '("mcounteren", 5)'),
        sstatus_shows_all_of_mstatus=("v.mstatus & S_STATUS,", "v.mstatus,"),
        sstatus_writes_all_of_mstatus=("number == MSTATUS)\n", "True)\n"),
        sie_is_not_masked=("SIE: lambda: v.mie & v.mideleg", "SIE: lambda: v.mie"),  # *
        sip_is_not_masked=("(v.wires | v.mip) & v.mideleg", "(v.wires | v.mip)"),  # *
        sie_writes_what_is_not_delegated=(
            "v.mie = (v.mie & ~v.mideleg) | (value & v.mideleg)",
            "v.mie = (v.mie & ~0x222) | (value & 0x222)",
        ),
        sip_writes_more_than_the_software_bit=("else v.mideleg & 2", "else v.mideleg"),
        mip_keeps_the_signals_of_devices=(
            "        return v.mip\n",
            "        return v.mip | v.wires\n",
        ),
        tvm_does_not_guard_satp=("~((v.mode == S) & ((v.mstatus & TVM) != 0))", "Bits(1, 1)"),
        scounteren_is_ignored=("machine & supervisor", "machine"),
        counters_are_closed_to_machine_mode=("(v.mode == M) | below", "below"),
        mpp_holds_modes_that_do_not_exist=(
            "(mode == M) | ((mode == S)",
            "(mode != S) | ((mode == S)",
        ),
        mpp_holds_the_reserved_mode=("(mode == M) | (", "(mode != S) | ("),
        a_written_clock_is_counted_twice=(
            "new - select(stands, Bits(64, 0), Bits(64, 1))",
            "new",
        ),
        the_halves_of_clocks_are_swapped=("if high == 63 else", "if high == 31 else"),
        every_pmpcfg_reads_the_first=(
            "return v.pmpcfg[number - PMPCFG.start]",
            "return v.pmpcfg[0]",
        ),  # *
        every_pmpcfg_writes_the_first=(
            "_set_pmpcfg(v, number - PMPCFG.start,",
            "_set_pmpcfg(v, 0,",
        ),
        pmpaddr_is_off_by_one=(
            "_set_pmpaddr(v, number - PMPADDR.start,",
            "_set_pmpaddr(v, (number - 1) & 15,",
        ),
        pmpcfg_keeps_reserved_bits=("value[low + 7 : low] & 0x9F", "value[low + 7 : low] & 0xFF"),
        pmpcfg_keeps_write_without_read=("new & 0x9D", "new"),
        locked_pmpcfg_is_overwritten=("select(old[low + 7], old[low + 7 : low], new)", "new"),
        locked_pmpaddr_is_overwritten=("select(own | above,", "select(above,"),
        the_bound_below_a_locked_range_is_overwritten=("select(own | above,", "select(own,"),
    ),
    # -- instructions --------------------------------------------------------------------------
    **_in(
        "interpreters",
        writes_to_read_only_registers_are_silent=(
            "(writes & csr[11] & csr[10])",
            "Bits(1, 0)",
        ),  # *
        registers_of_higher_modes_are_open=("v.mode.ltu(csr[9:8])", "Bits(1, 0)"),
        set_and_clear_with_x0_count_as_writes=(
            "_forbidden(v, csr, source != 0)",
            "_forbidden(v, csr, Bits(1, 1))",
        ),
        csrrwi_of_zero_does_not_write=(  # *
            "_replace(v, rd, csr, uimm.zext(v.xlen))",
            "_change(v, rd, csr, uimm.zext(v.xlen), uimm, True) if uimm == 0 else"
            " _replace(v, rd, csr, uimm.zext(v.xlen))",
        ),
        csrrci_of_zero_writes=("uimm, sets=False)", "Bits(5, 1), sets=False)"),  # *
        csrrw_returns_the_new_value=(
            "    v.x[rd] = old\n    complete(v)\n\n\ndef _change",
            "    v.x[rd] = value\n    complete(v)\n\n\ndef _change",
        ),
        mret_keeps_mpp=(
            "least = v.word(0 if v.config.has_u else MPP)",
            "least = status & MPP",
        ),  # *
        mret_keeps_mprv=("select(previous == M, status & MPRV, v.word(0))", "status & MPRV"),
        mret_always_clears_mprv=("select(previous == M, status & MPRV, v.word(0))", "v.word(0)"),
        mret_is_open_to_supervisor_mode=("if v.mode != M:", "if v.mode == U:"),
        mret_does_not_restore_mie=("| enabled | MPIE | least", "| MPIE | least"),
        sret_keeps_spp=("(status & ~(SIE | SPP | MPRV))", "(status & ~(SIE | MPRV))"),
        sret_keeps_mprv=("(status & ~(SIE | SPP | MPRV))", "(status & ~(SIE | SPP))"),
        tsr_is_ignored=("_kept_from_s(v, TSR)", "(v.mode == U)"),
        tvm_does_not_guard_sfence=("_kept_from_s(v, TVM)", "(v.mode == U)"),
        tw_is_ignored=("_kept_from_s(v, TW)", "(v.mode == U)"),
        wfi_is_open_to_user_mode=(
            "_kept_from_s(v, TW)",
            "((v.mode == S) & ((v.mstatus & TW) != 0))",
        ),
        wfi_does_not_wait=("v.waiting = 1", "v.waiting = 0"),
    ),
    # -- traps ---------------------------------------------------------------------------------
    **_in(
        "traps",
        traps_into_machine_mode_count_as_retired=(
            "M, target\n    tick(v, 0)",
            "M, target\n    tick(v, 1)",
        ),
        traps_into_supervisor_mode_count_twice=(
            "S, target\n    tick(v, 0)",
            "S, target\n    tick(v, 0), tick(v, 0)",
        ),
        mcountinhibit_does_not_stop_cycles=(
            "select(held[0], v.mcycle, v.mcycle + 1)",
            "v.mcycle + 1",
        ),
        mcountinhibit_does_not_stop_instret=(
            "select(held[2], v.minstret, v.minstret + 1)",
            "v.minstret + 1",
        ),
        a_trap_leaves_mie_on=("~(MIE | MPIE | MPP)", "~(MPIE | MPP)"),
        a_trap_forgets_mie=("| enabled | previous\n    v.mepc", "| previous\n    v.mepc"),
        spp_is_always_supervisor=("select(v.mode == S, v.word(SPP), v.word(0))", "v.word(SPP)"),
        exceptions_of_machine_mode_are_delegated=(
            "v.medeleg.shr(cause & 31)[0]\n        if delegated & (v.mode != M):",
            "v.medeleg.shr(cause & 31)[0]\n        if delegated:",
        ),
        medeleg_is_ignored=("v.medeleg.shr(cause & 31)[0]", "Bits(1, 0)"),
        delegated_interrupts_enter_machine_mode=("v.mideleg.shr(cause & 31)[0]", "Bits(1, 0)"),
        exceptions_keep_the_vector_mode_in_pc=("value, v.mtvec & ~3", "value, v.mtvec"),
        vectored_interrupts_go_to_the_base=(
            "select(vector[0], base + cause + cause + cause + cause, base)",
            "base",
        ),
        direct_interrupts_are_vectored=(
            "select(vector[0], base + cause + cause + cause + cause, base)",
            "base + cause + cause + cause + cause",
        ),
        timer_goes_before_software=("(5, 1, 9, 7, 3, 11)", "(5, 1, 9, 3, 7, 11)"),
        supervisor_timer_goes_before_external=("(5, 1, 9, 7, 3, 11)", "(1, 9, 5, 7, 3, 11)"),
        interrupts_of_machine_mode_need_mie_below_it=(
            "(v.mode != M) | ((v.mstatus & MIE) != 0)",
            "(v.mstatus & MIE) != 0",
        ),
        delegated_interrupts_go_first=(
            "select(cause == 0, second, cause)",
            "select(second == 0, cause, second)",
        ),
        supervisor_interrupts_need_sie_in_user_mode=(
            "open_ = (v.mode == U) | ((v.mode == S) &",
            "open_ = (v.mode == U) & ((v.mode == S) |",
        ),
        illegal_instructions_leave_mtval_zero=(
            "v.word(ILLEGAL), v.instruction)",
            "v.word(ILLEGAL), v.word(0))",
        ),
        the_wires_of_devices_do_not_interrupt=("(v.wires | v.mip) & v.mie", "v.mip & v.mie"),
    ),
    # -- translation and protection ------------------------------------------------------------
    **_in(
        "translation",
        supervisor_mode_fetches_user_pages_under_sum=(  # *
            "(user == (mode == U))",
            "select(mode == U, user, ~user | ((v.mstatus & SUM) != 0))",
        ),
        user_mode_fetches_supervisor_pages=("(user == (mode == U))", "(user | (mode == U))"),
        sum_is_ignored=(S_OPEN, "open_to_s = ~user"),
        sum_is_always_on=(S_OPEN, "open_to_s = Bits(1, 1)"),
        user_mode_reads_supervisor_pages=(
            "select(mode == U, user, open_to_s)",
            "select(mode == U, Bits(1, 1), open_to_s)",
        ),
        mxr_is_ignored=("(entry[1] | (entry[3] & ((v.mstatus & MXR) != 0)))", "entry[1]"),
        mxr_is_always_on=("(entry[3] & ((v.mstatus & MXR) != 0))", "entry[3]"),
        invalid_entries_are_used=("usable = entry[0] & ", "usable = "),
        reserved_rights_are_used=("(entry[3] & ~entry[2])", "entry[3]"),
        reserved_bits_of_pointers_are_ignored=(
            "(entry & (0xF | USER | A | D)) == V",
            "(entry & 0xF) == V",
        ),
        misaligned_superpages_are_used=("entry[19:10] == 0", "Bits(1, 1)"),
        superpages_are_not_continued=(
            "concat(Bits(CAUSE, 0), entry[31:20], address[21:0])",
            "concat(Bits(CAUSE, 0), entry[31:10], address[11:0])",
        ),
        the_walk_ignores_protection=(
            "v.is_ram(at, 4) & guest_rights(v, at, 4, Bits(2, S))[READ]",
            "v.is_ram(at, 4)",
        ),
        absent_tables_are_page_faults=(FIRST_TABLE, FIRST_TABLE.replace("ACCESS", "PAGE")),  # *
        protection_is_a_page_fault=(
            "answer, _fault(v, ACCESS_FAULT[right])",
            "answer, _fault(v, PAGE_FAULT[right])",
        ),  # *
        protection_is_not_asked=("rights[right] & ~rights[CUT], answer", "Bits(1, 1), answer"),
        d_is_not_set=("A | D if right == WRITE else A", "A"),
        d_is_set_by_reading=("A | D if right == WRITE else A", "A | D"),
        marks_are_not_set=("    v.write(at, 4, entry | wanted)\n", ""),
        marks_ignore_protection=(
            "if not guest_rights(v, at, 4, Bits(2, S))[WRITE]:",
            "if Bits(1, 0):",
        ),
        marks_are_set_whatever_the_policy=('if v.config.ad == "fault":', "if False:"),
        pages_are_writable_before_d_is_set=(
            "_grants(v, entry, WRITE, mode) & marked",
            "_grants(v, entry, WRITE, mode)",
        ),
        fetches_follow_mprv=("v.mode if right == EXECUTE else data_mode(v)", "data_mode(v)"),
    ),
    **_in(
        "protection",
        mprv_is_ignored=("select((v.mstatus & 1 << 17) != 0, v.mstatus[12:11], v.mode)", "v.mode"),
        locked_entries_do_not_bind_machine_mode=(
            "select(is_machine & ~config[7],",
            "select(is_machine,",
        ),
        unlocked_entries_bind_machine_mode=(
            "select(is_machine & ~config[7],",
            "select(Bits(1, 0),",
        ),
        cut_pages_are_mapped=("select(match[0], granted, Bits(4, 1 << CUT))", "granted"),
        ranges_begin_at_zero=(
            "v.pmpaddr[entry - 1].zext(v.plen).shl(2) if entry else",
            "Bits(v.plen, 0) if entry else",
        ),
        the_last_matching_entry_decides=(
            "reversed(range(_entries_in_use(v)))",
            "range(_entries_in_use(v))",
        ),
        what_no_entry_covers_is_open=(
            "select(is_machine, Bits(4, 0b0111), Bits(4, 0))",
            "Bits(4, 0b0111)",
        ),
        entries_from_the_fifth_are_left_out=("v.config.pmp if rest", "4 if rest"),
        the_second_entry_is_left_out=("else 4 if (v", "else 1 if (v"),
        entries_from_the_fifth_switch_all_off=("v.config.pmp if rest", "0 if rest"),
        power_of_two_regions_are_half_as_large=(".shl(3)) - 1", ".shl(2)) - 1"),
        switched_off_entries_decide=(
            "select(is_range, before.ltu(here), kind != 0)",
            "select(is_range, before.ltu(here), Bits(1, 1))",
        ),
    ),
    # -- accesses carried out ------------------------------------------------------------------
    **_in(
        "access",
        absent_storage_is_a_page_fault=("{READ: 5, WRITE: 7}", "{READ: 13, WRITE: 15}"),  # *
        reservations_are_taken_on_devices=("if ram_only else", "if False else"),
        loads_are_not_extended=(
            "value.sext(v.xlen) if signed else value.zext(v.xlen)",
            "value.zext(v.xlen)",
        ),
        an_emulated_sc_keeps_the_reservation=("        v.reservation_valid = 0\n", ""),
        an_emulated_sc_needs_no_address=(
            "v.reservation_valid & (v.reservation == at)",
            "v.reservation_valid",
        ),
        an_emulated_lr_takes_no_reservation=(
            "v.reservation_valid, v.reservation = 1, at\n",
            "pass\n",
        ),
        an_emulated_sc_that_fails_answers_zero=(
            "select(succeeds, v.word(0), v.word(1))",
            "v.word(0)",
        ),
        atomic_operations_fault_as_loads=("4, WRITE, act)", "4, READ, act)"),
        an_emulated_amo_returns_the_new_value=(
            "        v.x[rd] = old\n",
            "        v.x[rd] = v.read(at, 4)\n",
        ),
        minimum_is_unsigned=(
            '"amomin.w": partial(_atomic, new=lambda old, op: select(op.lts(old)',
            '"amomin.w": partial(_atomic, new=lambda old, op: select(op.ltu(old)',
        ),
        stores_write_a_word=(
            "v.write(at, size, v.x[rs2][8 * size - 1 : 0])",
            "v.write(at, 1, v.x[rs2][7:0])",
        ),
    ),
    # -- shadow tables, frames, storage ----------------------------------------------------------
    **_in(
        "shadow",
        table_pages_stay_writable=("            rights &= ~2\n", "            pass\n"),
        table_pages_that_were_writable_stay_so=(
            "self._real.read(entry, 4) & ~W)",
            "self._real.read(entry, 4))",
        ),
        a_regime_forgets_its_root=("if key not in self._roots:", "if not self._roots:"),
        new_tables_hold_old_entries=("        self._real.write_bytes(table, bytes(PAGE))\n", ""),
        dropped_entries_keep_their_roots=("        self._roots.clear()\n", ""),
        entries_are_always_writable=("(W if rights & 2 else 0)", "W"),
        entries_are_always_executable=("(X if rights & 4 else 0)", "X"),
    ),
    **_in(
        "allocator",
        stores_to_tables_do_not_drop_shadows=(
            "self.stale = self.stale or address & -PAGE in self.tables",
            "self.stale = self.stale",
        ),
        dma_does_not_drop_shadows=(
            "self.stale = self.stale or not self.tables.isdisjoint(pages)",
            "self.stale = self.stale",
        ),
        a_frame_is_left_out=("self.owner[frame] = owner\n        return frame", "return frame"),
    ),
    # -- the dispatcher --------------------------------------------------------------------------
    **_in(
        "kernel",
        decoding_accepts_too_much=(
            "vcpu.decoder.decode(word)",
            "vcpu.decoder.decode(word & ~(1 << 25))",
        ),  # *
        mprv_is_not_mirrored=(
            "moved = self.code.data_mode(hart) != hart.mode",
            "moved = False",
        ),  # *
        mpp_is_not_mirrored=(
            "moved = self.code.data_mode(hart) != hart.mode",
            "moved = hart.mstatus >> 17 & 1 and hart.mstatus >> 11 & 3 == 1",
        ),
        data_of_another_mode_is_mapped=("rights &= 1 << EXECUTE  #", "rights &= 7  #"),
        a_regime_has_no_satp=("return 2 + hart.mode, hart.satp,", "return 2 + hart.mode, 0,"),
        a_regime_has_no_mode=("return 2 + hart.mode, hart.satp,", "return 2, hart.satp,"),
        a_regime_has_no_sum=("else SUM | MXR", "else MXR"),
        a_regime_has_no_mxr=("relevant = MXR if hart.mode == U else SUM | MXR", "relevant = SUM"),
        machine_mode_shares_tables_with_bare_modes=(
            "return int(hart.mode == M), 0, 0, moved",
            "return 0, 0, 0, moved",
        ),
        stale_entries_stay=("if vcpu.storage.stale:", "if False:"),
        pmp_writes_do_not_drop_shadows=("word >> 25 == 0x3A0 >> 5", "word >> 25 == 0"),
        tables_are_not_protected=(
            "                shadow.protect(storage.real_address(table))\n",
            "",
        ),
        tables_are_not_watched=("                storage.tables.add(table)\n", ""),
        leaf_rights_are_not_asked=(
            "rights &= vcpu.code.leaf_rights(hart, entry, hart.mode)",
            "rights &= 7",
        ),
        absent_code_is_a_page_fault=("fault = FETCH_DENIED", "fault = FETCH"),  # *
        cut_pages_are_mapped_for_fetches=(
            "            step(vcpu.v, vcpu.decoder)\n",
            "            rights = 7\n            return self._fill("
            "vcpu, regime, address, page, right, rights)\n",
        ),
        no_interrupt_comes_right_after_a_trap=(
            "cause = vcpu.code.due_interrupt(hart)",
            "cause = vcpu.code.due_interrupt(hart) if hart.completed else 0",
        ),
        devices_do_not_end_a_slice=(
            "(hart.waiting or vcpu.storage.attention or vcpu.failure)",
            "(hart.waiting or vcpu.failure)",
        ),
        all_calls_come_from_user_mode=("ECALL + hart.mode, 0)", "ECALL, 0)"),
        reflected_faults_have_no_mtval=(
            "vcpu.code.deliver_exception(hart, fault, address)",
            "vcpu.code.deliver_exception(hart, fault, 0)",
        ),
        reflected_exceptions_have_no_mtval=(
            "vcpu.code.deliver_exception(hart, cause, value)",
            "vcpu.code.deliver_exception(hart, cause, 0)",
        ),
        illegal_words_have_no_mtval=(
            "vcpu.code.deliver_exception(hart, ILLEGAL, word)",
            "vcpu.code.deliver_exception(hart, ILLEGAL, 0)",
        ),
        direct_steps_are_not_timed=(
            "hart.mtime = hart.mtime + direct & CLOCK",
            "hart.mtime = hart.mtime & CLOCK",
        ),
        direct_steps_are_counted_twice=(
            "(0 if hart.mcountinhibit & 4 else direct)",
            "(0 if hart.mcountinhibit & 4 else 2 * direct)",
        ),
        direct_steps_are_counted_when_inhibited=(
            "(0 if hart.mcountinhibit & 1 else direct)",
            "direct",
        ),
        the_trap_counts_as_a_direct_step=(
            "self.real.mcycle - self._entered - 1)",
            "self.real.mcycle - self._entered)",
        ),
        reservations_are_lost_on_leaving=(
            "hart.reservation_valid = real.reservation_valid",
            "hart.reservation_valid = 0",
        ),
        reservations_are_lost_on_entering=(
            "real.reservation_valid = hart.reservation_valid",
            "real.reservation_valid = 0",
        ),
        reservations_of_others_are_kept=(
            "        real.reservation_valid = hart.reservation_valid\n",
            "        real.reservation_valid |= hart.reservation_valid\n",
        ),
        reservations_are_not_translated=(
            "vcpu.storage.guest_address(real.reservation) or 0",
            "real.reservation",
        ),
        the_second_half_is_fetched_from_the_same_page=(
            "(hart.pc, hart.pc + 2 & WORD)",
            "(self._fetched(vcpu, hart.pc) + 2)",
        ),
        new_storage_is_not_cleared=("self.machine.bus.write_bytes(frame, bytes(PAGE))", "pass"),
        the_machines_satp_is_not_switched=(
            "        real.satp = SV32 |",
            "        real.satp = real.satp or SV32 |",
        ),
        registers_are_not_loaded=("real.x[:] = hart.x", "real.x[1:31] = hart.x[1:31]"),
    ),
}

NEEDS_FAULTS = {"marks_are_set_whatever_the_policy"}
"""Those that only show where the guest sets A and D bits itself (``ad="fault"``)."""
