// What the parts of the batch monitor expect of each other. All stages keep to it: a later stage
// only puts other parts in the places of some.
//
// Many functions return a text: why a job is refused, or how it has ended. 0 means: all is well.
#pragma once

#include "lib.h"
#include "machine.h"
#include "services.h"
#include "trap.h"

enum { A0 = 10, A1 = 11, A7 = 17, SP = 2 };     // registers, in a trap frame's x[]
enum { LONGEST_NAME = 8 };
enum { MOST_PUNCHED = 100 };            // cards, for a job whose $JOB card does not say how many
enum { QUANTUM = 200 };                 // ticks: no job has more than this beyond its time

struct charges {                        // what a job has to pay for
  uint32_t ticks, cards, lines, pages, punched;
};

struct job {
  uint32_t number;
  char name[LONGEST_NAME + 1], account[LONGEST_NAME + 1];
  uint32_t seconds, pages, cards;       // limits: of its time, of its paper, of cards to punch
  uint32_t entry;                       // the address of its first instruction
  int32_t exit_code;
  struct charges used;
};

extern struct job job;                  // the job at hand
extern const char normal_end[];         // how a job ends that calls EXIT

// deck.c: the cards, with one that can be taken back
extern char card[CARD_COLUMNS + 1];     // the card at hand; a 0 follows
extern uint32_t card_number;            // of that card in the deck, from 1
bool next_card(void);                   // false: the deck is at its end
void hold_card(void);                   // next_card gives the same card again

// control.c
bool card_is(const char *word);         // does the card at hand begin with this word?
const char *read_job_card(void);        // from the $JOB card at hand into `job`

// record.c: an object card
struct record {
  uint8_t length, type;
  uint16_t address;
  uint8_t data[(CARD_COLUMNS - 1) / 2];
};
const char *read_record(struct record *record);         // from the card at hand

// loader.c
bool in_job_storage(uint32_t address, uint32_t size);   // all of these bytes; size <= JOB_SIZE
const char *load_object(void);          // the cards from $LOAD to $RUN, into the job's storage

// run.c
const char *run_job(void);              // returns how the job has ended
void go_on(struct trap_frame *frame) __attribute__((noreturn));         // with the job

// enter.S
const char *enter_job(struct trap_frame *frame);        // the job begins; comes back when ...
void leave_job(const char *how) __attribute__((noreturn));      // ... this is called

// services.c
const char *serve(struct trap_frame *frame);    // 0, or how the job has ended

// paper.c: a line is put together piece by piece; what does not fit into it is dropped
void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
void put_bytes(const char *text, size_t length);
void end_line(void);                    // prints it
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));     // put, end_line
void eject(void);                       // the next line comes at the top of a page
bool page_is_full(void);                // will the next line begin a page?

// bill.c: what is on the paper besides the job's own lines
extern struct charges batch_charges;    // of all jobs together
void print_header(void);
void print_refusal(const char *reason); // of the card at hand
void print_bill(const char *how);
void print_summary(uint32_t skipped);

// causes.c, dump.c
const char *cause_text(uint32_t cause);
void print_dump(const char *how, const struct trap_frame *frame);

// protection.c
void protect_monitor(void);
uint32_t job_status(void);              // mstatus for a job's start: its mode, above all
void clear_job_storage(void);
const char *check_buffer(uint32_t address, uint32_t size, uint32_t most);

// clock.c: a turn of the job is from where it goes on to its next trap. The time belongs to one of
// three at any moment; `charge` says to whom from now on, and tells to whom up to now.
enum payer { JOB, MONITOR, IDLE };
enum payer charge(enum payer next);
void batch_begins(void);
void job_begins(void);
void turn_begins(void);
void turn_ends(void);
uint64_t time_of(enum payer one);       // as print_elapsed has it; from stage 07 on
void print_time(uint32_t ticks);        // into the line
void print_elapsed(void);               // into the line; and lines of their own, if need be

// limits.c
const char *check_paper(void);          // may the job print another line?
const char *check_punch(void);          // may it punch another card?

// devices.c, terminal.c, wait.c
void open_devices(uint32_t device_tree);
bool card_in(char card[CARD_COLUMNS]);
void line_out(const char *text, size_t length);
void page_out(void);
void card_out(const char *text, size_t length);
void finish_output(void);               // returns when all is on the paper
void print_utilisation(void);           // which part of the time each device was at work
bool terminal_card(char card[CARD_COLUMNS]);
void terminal_line(const char *text, size_t length);
void wait_for(uint32_t device, uint32_t status);        // until one of these bits is up

// spool.c, store.c, units.c: stage 08. All but the first are called with interrupts off.
enum kind { NOTHING, CARD, LINE, PAGE, PUNCHED };
struct entry {                          // what goes through a spool
  uint8_t kind, length;
  char text[LINE_COLUMNS] __attribute__((aligned(4)));
};
struct spool;
extern struct spool input, output;
void open_spools(void);
bool spool_put(struct spool *spool, const struct entry *entry); // false: no room now
bool spool_get(struct spool *spool, struct entry *entry);       // false: nothing there now
bool spool_is_empty(const struct spool *spool);
bool spool_interrupt(int source);       // was it the disk's?
void open_units(void);
void start_units(void);                 // whatever has something to do, and can
bool unit_interrupt(int source);        // was it a unit's?
bool deck_has_ended(void);
bool units_are_idle(void);
