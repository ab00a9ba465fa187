/* SPDX-License-Identifier: Apache-2.0 */
/* Printing the options in effect. Options that are only checked have no value, so they are left
 * out. */
#include "server/explain.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "conf/option.h"
#include "conf/origin.h"
#include "server/reload_diff.h"

#define COLUMN 48 // where the comments begin

static const char *const reload_rules[] = {
    [RELOAD_RESTART] = "needs a restart",
    [RELOAD_LIVE] = "reloads",
    [RELOAD_NEW_CONNS] = "reloads for new connections",
    [RELOAD_HOOK] = "reloads",
};

struct explanation {
    FILE *out;
    const struct origins *origins;
};

static void print_origin(struct buf *line, const struct origin *from)
{
    if (!from) {
        buf_add(line, STR("default"));
    } else if (!from->at.file) {
        buf_add(line, STR("command line"));
    } else {
        buf_printf(line, "%s:%u:%u", from->at.file, from->at.line, from->at.column);
    }
}

static void explain(void *arg, const struct option_slot *slot, struct str name)
{
    const struct explanation *e = arg;
    struct buf line = {0};

    if (slot->row->has_no_field || slot->row->kind == OPTION_KIND_CUSTOM) {
        return;
    }
    buf_printf(&line, "%.*s = ", STR_ARG(name));
    option_print(slot, &line);
    do {
        buf_add_char(&line, ' ');
    } while (line.n < COLUMN);
    buf_add(&line, STR("# "));
    print_origin(&line, origins_find(e->origins, slot));
    fprintf(e->out, "%.*s, %s\n", STR_ARG(buf_str(&line)), reload_rules[slot->row->reload]);
    buf_deinit(&line);
}

void explain_options(FILE *out, struct server_config *config)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];
    struct explanation e = {.out = out, .origins = &config->origins};

    server_config_tables(config, tables);
    option_for_each(tables, explain, &e);
}

enum status explain_reload(FILE *out, struct server_config *before, struct server_config *now)
{
    struct reload_diff diff = {0};

    reload_compare(before, now, (int)before->server.port, &diff);
    bool is_refused = diff.refusal.n > 0;
    if (is_refused) {
        fprintf(out, "A reload would be refused: %.*s\n", STR_ARG(buf_str(&diff.refusal)));
    } else {
        fprintf(out, "A reload would say:\nReloaded: authorization users\nReloaded: accounts\n%.*s",
                STR_ARG(buf_str(&diff.changes)));
    }
    buf_deinit(&diff.refusal);
    buf_deinit(&diff.changes);
    return is_refused ? ST_FAILED : ST_OK;
}
