// The machine as a program sees it: addresses, interrupts, control and status registers.
// Laid out like QEMU's `virt` board; the unit-record devices are the kit's own.
#pragma once

#define FINISHER    0x00100000
#define CLINT       0x02000000
#define PLIC        0x0c000000
#define UART        0x10000000
#define VIRTIO      0x10001000          // slot 0; the others follow at VIRTIO_STEP
#define VIRTIO_STEP 0x1000
#define VIRTIO_SLOTS 8
#define READER      0x10010000
#define PRINTER     0x10011000
#define PUNCH       0x10012000
#define RAM         0x80000000

#define TICKS_PER_SECOND 10000000       // of mtime

// PLIC sources
#define IRQ_VIRTIO  1                   // slot 0; the others follow
#define IRQ_UART    10
#define IRQ_READER  12
#define IRQ_PRINTER 13
#define IRQ_PUNCH   14

// mstatus and sstatus
#define MSTATUS_SIE  (1 << 1)
#define MSTATUS_MIE  (1 << 3)
#define MSTATUS_SPIE (1 << 5)
#define MSTATUS_MPIE (1 << 7)
#define MSTATUS_SPP  (1 << 8)
#define MSTATUS_MPP  (3 << 11)
#define MSTATUS_MPP_U (0 << 11)
#define MSTATUS_MPP_S (1 << 11)
#define MSTATUS_MPP_M (3 << 11)
#define MSTATUS_MPRV (1 << 17)
#define MSTATUS_SUM  (1 << 18)
#define MSTATUS_MXR  (1 << 19)
#define MSTATUS_TVM  (1 << 20)
#define MSTATUS_TW   (1 << 21)
#define MSTATUS_TSR  (1 << 22)

// mie, mip and their supervisor views
#define INTERRUPT_SSI (1 << 1)
#define INTERRUPT_MSI (1 << 3)
#define INTERRUPT_STI (1 << 5)
#define INTERRUPT_MTI (1 << 7)
#define INTERRUPT_SEI (1 << 9)
#define INTERRUPT_MEI (1 << 11)

// mcause and scause
#define CAUSE_INTERRUPT 0x80000000u
#define CAUSE_S_SOFTWARE (CAUSE_INTERRUPT | 1)
#define CAUSE_M_SOFTWARE (CAUSE_INTERRUPT | 3)
#define CAUSE_S_TIMER (CAUSE_INTERRUPT | 5)
#define CAUSE_M_TIMER (CAUSE_INTERRUPT | 7)
#define CAUSE_S_EXTERNAL (CAUSE_INTERRUPT | 9)
#define CAUSE_M_EXTERNAL (CAUSE_INTERRUPT | 11)
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_LOAD_ACCESS 5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_ECALL_U 8
#define CAUSE_ECALL_S 9
#define CAUSE_ECALL_M 11
#define CAUSE_FETCH_PAGE 12
#define CAUSE_LOAD_PAGE 13
#define CAUSE_STORE_PAGE 15

// pmpcfg
#define PMP_R 1
#define PMP_W 2
#define PMP_X 4
#define PMP_TOR 8                       // from the entry before up to this one's address
#define PMP_NAPOT 24
#define PMP_LOCK 128

#ifndef __ASSEMBLER__
#include <stdint.h>

// Registers of devices.
#define REG8(address)  (*(volatile uint8_t *)(address))
#define REG16(address) (*(volatile uint16_t *)(address))
#define REG32(address) (*(volatile uint32_t *)(address))

// Control and status registers, by name: csr_read(mepc), csr_write(mtvec, handler).
// "memory" keeps the compiler from moving loads and stores across a change of mode or protection.
#define csr_read(name) ({ uint32_t value_; \
  asm volatile("csrr %0, " #name : "=r"(value_) :: "memory"); value_; })
#define csr_write(name, value) \
  asm volatile("csrw " #name ", %0" :: "rK"((uint32_t)(value)) : "memory")
#define csr_swap(name, value) ({ uint32_t old_; \
  asm volatile("csrrw %0, " #name ", %1" \
               : "=r"(old_) : "r"((uint32_t)(value)) : "memory"); old_; })
#define csr_set(name, bits) \
  asm volatile("csrs " #name ", %0" :: "rK"((uint32_t)(bits)) : "memory")
#define csr_clear(name, bits) \
  asm volatile("csrc " #name ", %0" :: "rK"((uint32_t)(bits)) : "memory")

static inline void wait_for_interrupt(void) { asm volatile("wfi" ::: "memory"); }
static inline void fence(void) { asm volatile("fence" ::: "memory"); }
static inline void fence_i(void) { asm volatile("fence.i" ::: "memory"); }
static inline void sfence_vma(void) { asm volatile("sfence.vma" ::: "memory"); }
#endif
