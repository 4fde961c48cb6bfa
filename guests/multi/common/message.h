// Messages: texts that one process sends and another one receives.
#pragma once

#include <stdint.h>

enum { MAILBOXES = 8, MESSAGE_SIZE = 64, MESSAGES = 4 };

// The current process waits while there is no room, or no message. Both return the message's size;
// -1 if there is no such mailbox, or the storage is not the program's.
int message_send(uint32_t mailbox, uint32_t from, uint32_t size);
int message_receive(uint32_t mailbox, uint32_t to, uint32_t size);      // cuts what is longer
