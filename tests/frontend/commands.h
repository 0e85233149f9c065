/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program can be told to do. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "conn.h"

/* Carries out a line, see README.md. */
void command_run(struct frontend *fe, const char *line);

/* What connections are like if nobody says otherwise: what Linux would do. */
void settings_default(struct settings *set);

#endif /* COMMANDS_H */
