// Why a program was stopped, in words.
#pragma once

#include <stdint.h>

const char *cause_name(uint32_t cause);
