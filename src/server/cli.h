/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: flags as nats-server has them, in the syntax of Go's flag package, and some of
 * our own, --io_threads, --set, --explain and --diff. Flags that set an option are named by the
 * option's row. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"
#include "conf/option.h"
#include "conf/origin.h"

/** One option that the command line sets. */
struct cli_setting {
    char *key;        // the option's name as given, for --set; of the row, for a flag
    char *text;       // its value; NULL: --set without one
    bool is_from_set; // of --set, not of a flag
};

/** What the command line asks for. */
struct cli {
    const char *program;          // base name of argv[0]: in messages, file names, syslog
    char *config;                 // path of the configuration file; NULL: none
    bool is_test;                 // -t: only check the file
    bool is_explain;              // --explain: print the options in effect
    char *diff;                   // --diff: the file that config is compared with; NULL: none
    struct cli_setting *settings; // those of --set first, otherwise in order
    size_t n_settings;
};

/**
 * Read the command line. What it asks to be done instead of a start is done here: help, version,
 * sending a signal. All messages are printed: usage on stdout, errors on stderr.
 * @param tables  rows whose flags are known
 * @param out     release with cli_deinit, whatever the result; program is borrowed from argv
 * @return        ST_OK: go on and start; ST_EXIT: done, exit code 0; ST_FAILED: exit code 1
 * Thread: main.
 */
MUST_USE enum status cli_parse(int argc, char **argv, const struct option_table *tables,
                               struct cli *out);

/**
 * Set the options that the command line sets, over defaults and configuration; flags win over
 * --set.
 * @param origins  what is set is noted here
 * @return         ST_FAILED: the reasons are in d, to be printed after the program's name
 * Thread: control.
 */
MUST_USE enum status cli_apply(const struct cli *cli, const struct option_table *tables,
                               struct origins *origins, struct diag *d);

/** Release what cli_parse allocated. Thread: control. */
void cli_deinit(struct cli *cli);
