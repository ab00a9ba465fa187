/* SPDX-License-Identifier: Apache-2.0 */
/* Writes docs/options.md from the option tables: options_md >docs/options.md */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "conf/option.h"
#include "server/server_config.h"

static const char *const kinds[] = {
    [OPTION_KIND_BOOL] = "boolean",   [OPTION_KIND_INT] = "integer",
    [OPTION_KIND_SIZE] = "size",      [OPTION_KIND_DURATION] = "duration",
    [OPTION_KIND_STR] = "string",     [OPTION_KIND_SECRET] = "secret",
    [OPTION_KIND_LIST] = "list",      [OPTION_KIND_OTHER] = "special",
    [OPTION_KIND_CUSTOM] = "special", [OPTION_KIND_ENUM] = "word",
    [OPTION_KIND_BLOCK] = "block",
};

static const char *const reloads[] = {
    [RELOAD_RESTART] = "no",
    [RELOAD_LIVE] = "yes",
    [RELOAD_NEW_CONNS] = "new connections",
    [RELOAD_HOOK] = "yes",
};

/* Words that are separated by blanks, each as code. */
static void print_words(const char *words)
{
    for (const char *p = words ? words : ""; *p;) {
        size_t n = strcspn(p, " ");

        printf("%s`%.*s`", p == words ? "" : " ", (int)n, p);
        p += n + (p[n] ? 1 : 0);
    }
}

/* Text in which < is no tag. */
static void print_text(const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '<') {
            printf("&lt;");
        } else {
            putchar(*p);
        }
    }
}

static void print_row(void *arg, const struct option_slot *slot, struct str name)
{
    const struct option *row = slot->row;
    struct buf value = {0};

    (void)arg;
    printf("| `%.*s`", STR_ARG(name));
    if (row->aliases) {
        printf(", ");
        print_words(row->aliases);
    }
    printf(" | %s | ", kinds[row->kind]);
    option_print(slot, &value);
    if (value.n && !str_equal(buf_str(&value), STR("\"\""))) {
        printf("`%.*s`", STR_ARG(buf_str(&value)));
    }
    printf(" | %s | ", row->has_no_field ? "" : reloads[row->reload]);
    print_words(row->cli);
    printf(" | ");
    print_text(row->doc);
    printf(" |\n");
    buf_deinit(&value);
}

int main(void)
{
    struct server_config config;
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];

    server_config_init(&config, "options_md");
    server_config_tables(&config, tables);
    printf(
        "# Options\n\n"
        "Written by `tools/options_md.c` from the tables of the program; do not edit. `a.b` is `b` "
        "in the block `a { … }`.\n"
        "`gnatwren -t --explain -c FILE` shows the values in effect and where they come from.\n\n"
        "| option, aliases | type | default | reload | flag | |\n"
        "|---|---|---|---|---|---|\n");
    option_for_each(tables, print_row, NULL);
    server_config_deinit(&config);
    return 0;
}
