/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages in the macros of man(7), on stdout. */
#pragma once

/** Print text so that roff takes none of it for its own. */
void manual_print(const char *text);

/** Print what every page begins with. @param page  "GNATWREN 1" */
void manual_print_title(const char *page, const char *section);

/** Print gnatwren(1): its options are those of --help. */
void manual_print_program(void);

/** What gnatwren.conf(5) says before and after the options. */
extern const char manual_conf_head[], manual_conf_tail[];
