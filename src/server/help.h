/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of --help and --help_tls. */
#pragma once

#include <stdio.h>

/** Print how the program is used. @param program its name. Thread: main. */
void help_print_usage(FILE *to, const char *program);

/** Print how TLS is configured. Thread: main. */
void help_print_tls(FILE *to);
