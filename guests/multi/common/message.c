// Messages. P. Brinch Hansen, The Nucleus of a Multiprogramming System, 1970: processes that share
// no storage work together by sending texts to mailboxes. A mailbox is a ring of a few messages.

#include "message.h"
#include "process.h"
#include "schedule.h"
#include "storage.h"

struct message {
  uint32_t size;
  char text[MESSAGE_SIZE];
};

struct mailbox {
  struct message messages[MESSAGES];
  uint32_t sent, received;      // both count for ever; their difference is what waits
};

static struct mailbox mailboxes[MAILBOXES];

int
message_send(uint32_t mailbox, uint32_t from, uint32_t size)
{
  struct message message = {.size = size};

  if (mailbox >= MAILBOXES || size > MESSAGE_SIZE || !copy_in(message.text, from, size))
    return -1;
  struct mailbox *m = &mailboxes[mailbox];
  while (m->sent - m->received == MESSAGES)
    sleep(m);
  m->messages[m->sent++ % MESSAGES] = message;
  wake(m);
  return size;
}

int
message_receive(uint32_t mailbox, uint32_t to, uint32_t size)
{
  if (mailbox >= MAILBOXES)
    return -1;
  struct mailbox *m = &mailboxes[mailbox];
  uint32_t number, given;
  do {
    while (m->sent == m->received)
      sleep(m);
    number = m->received;
    const struct message *message = &m->messages[number % MESSAGES];
    given = size < message->size ? size : message->size;
    if (!copy_out(to, message->text, given))
      return -1;                // and the message stays for who can take it
  } while (m->received != number);      // somebody has got it while our page was being brought
  m->received++;
  wake(m);
  return given;
}
