/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the configuration. A value is checked where its row is; what several values say together
 * is checked by the module's own …_options_check. */
#include "server/server_config.h"

#include "base/mem.h"
#include <stdint.h>

#include "auth/callout_options.h"
#include "auth/tenancy_make.h"
#include "base/log.h"
#include "base/str.h"
#include "broker/tenancy.h"
#include "server/cli.h"

void server_config_tables(struct server_config *c, struct option_table *out)
{
    out[0] = server_options_table(&c->server);
    out[1] = client_options_table(&c->client);
    out[2] = auth_options_table(&c->auth);
    out[3] = later_options_table(&c->later);
    out[SERVER_CONFIG_N_TABLES] = OPTION_TABLES_END;
}

void server_config_init(struct server_config *c, const char *program)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];

    *c = (struct server_config){.program = program};
    server_config_tables(c, tables);
    option_set_defaults(tables);
}

void server_config_deinit(struct server_config *c)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];

    server_config_tables(c, tables);
    option_deinit(tables);
    origins_deinit(&c->origins);
    tenancy_unref(c->tenancy);
}

void server_config_free(struct server_config *c)
{
    if (c) {
        server_config_deinit(c);
        mem_free(c);
    }
}

static void note_origin(void *arg, const struct option_slot *slot, const struct diag_place *at)
{
    origins_add(arg, slot, at);
}

/* The place of an option that is set; NULL on the command line. */
static const struct diag_place *place_of(const struct server_config *c, struct str name)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];
    struct option_slot slot;

    server_config_tables((struct server_config *)(uintptr_t)c, tables); // looked at, no more
    const struct origin *origin =
        option_find(tables, name, &slot) ? origins_find(&c->origins, &slot) : NULL;
    return origin ? &origin->at : NULL;
}

/* What the accounts offer each other; the one that was made of less is given up. */
static enum status make_tenancy(struct server_config *c, struct diag *d)
{
    tenancy_unref(c->tenancy);
    c->tenancy = NULL;
    return tenancy_make(&c->auth, str_of(c->later.cluster_name), place_of(c, STR("accounts")), d,
                        &c->tenancy);
}

enum status server_config_read(struct server_config *c, const char *path, struct diag *d)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];
    struct option_reader r = {.d = d, .on_set = note_origin, .arg = &c->origins};
    struct conf_tree tree = {0};

    server_config_tables(c, tables);
    c->path = path;
    enum status st = conf_parse_file(path, &tree, d);
    if (st == ST_OK) {
        st = option_read(tables, tree.root, &r);
        conf_digest(tree.root, c->digest);
        server_options_settle(&c->server);
    }
    if (st == ST_OK) {
        st = callout_options_check(&c->auth, d);
    }
    if (st == ST_OK) {
        st = make_tenancy(c, d);
    }
    conf_tree_deinit(&tree);
    return st;
}

/* What has options of its own already, but does not exist yet. */
static enum status refuse_missing(const struct server_config *c, struct diag *d)
{
    const struct tls_options *tls = &c->client.tls;
    const struct {
        const char *what;
        struct str name;
        bool is_asked;
    } list[] = {
        {"stapling", STR("ocsp"), c->later.staples_always && tls_options_have_certificate(tls)},
    };
    enum status st = ST_OK;

    for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
        if (list[i].is_asked) {
            diag_error(d, place_of(c, list[i].name), "%.*s: %s is not supported yet",
                       STR_ARG(list[i].name), list[i].what);
            st = ST_FAILED;
        }
    }
    return st;
}

enum status server_config_load(struct server_config *c, const struct cli *cli, const char *path,
                               struct diag *d)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];

    server_config_init(c, cli->program);
    server_config_tables(c, tables);
    enum status st = server_config_read(c, path, d);
    return st == ST_OK ? cli_apply(cli, tables, &c->origins, d) : st;
}

enum status server_config_check(struct server_config *c, struct diag *d)
{
    if (server_options_check(&c->server, d) != ST_OK ||
        client_options_check(&c->client, d) != ST_OK || auth_options_check(&c->auth, d) != ST_OK) {
        return ST_FAILED;
    }
    enum status st = refuse_missing(c, d);
    if (make_tenancy(c, d) != ST_OK) { // the command line may have changed accounts
        st = ST_FAILED;
    }
    return later_options_check(&c->later, &c->origins, d) == ST_OK ? st : ST_FAILED;
}

void server_config_log(const struct server_config *c)
{
    feature_flags_log(&c->server.feature_flags);
    if (c->path) {
        log_info("Using configuration file: %s (%s)", c->path, c->digest);
    }
}
