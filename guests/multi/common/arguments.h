// The words that the machine was started with: kit run ... --append "quantum=500 count clerk".
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ARGUMENT_LENGTH = 40 };

// `usual` are the words that count where none is given, settings aside.
void arguments_read(uint32_t device_tree, const char *usual);

// The n-th word that is no setting, from 0 on; false if there are not so many.
bool argument(int n, char word[ARGUMENT_LENGTH]);

// What stands behind `name=`, or what is to be if nothing says it.
const char *setting(const char *name, const char *otherwise);
uint32_t setting_number(const char *name, uint32_t otherwise);
