// Intel HEX records, as the disk's dump consists of them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_BYTES = 32, RECORD_SIZE = RECORD_BYTES + 5 };
enum { DATA = 0, END = 1, UPPER_ADDRESS = 4 };  // types of records

extern bool cards;                      // cards instead of the console
extern uint32_t line_number;            // of what is read

void put_record(int type, uint16_t address, const uint8_t *data, int count);

// Reads a record into bytes: count, address (2), type, data, checksum. Returns its type.
int get_record(uint8_t record[RECORD_SIZE]);

// Waits for the UART or the disk.
void sleep_until_interrupt(void);
