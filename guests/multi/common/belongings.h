// What a process has beside its storage.
#pragma once

struct process;

void belongings_inherit(struct process *child);         // from the current process
void belongings_leave(void);            // the current process has no more use for it
