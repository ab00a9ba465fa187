/* SPDX-License-Identifier: Apache-2.0 */
/* From the command line to a running server, and its exit code. */
#include <stdio.h>

#include "base/log.h"
#include "server/cli.h"
#include "server/server.h"

/* Prints what is in d on stderr, each line after the program's name. */
static void print_diag(const char *program, const struct diag *d)
{
    struct str rest = buf_str(&d->text);

    while (rest.n) {
        const char *lf = memchr(rest.p, '\n', rest.n);
        size_t n = lf ? (size_t)(lf - rest.p) : rest.n;

        fprintf(stderr, "%s: %.*s\n", program, (int)n, rest.p);
        n += lf ? 1 : 0;
        rest = (struct str){.p = rest.p + n, .n = rest.n - n};
    }
}

static enum status configure(const struct cli *cli, const struct option_table *tables,
                             const struct server_config *config, struct diag *d)
{
    option_set_defaults(tables);
    enum status st = cli_apply(cli, tables, d);

    if (st == ST_OK) {
        st = server_options_check(&config->server, d);
    }
    if (st == ST_OK) {
        st = client_options_check(&config->client, d);
    }
    if (st == ST_OK) {
        st = log_open(&config->server.log, config->program, d);
    }
    return st;
}

static int serve(const struct server_config *config)
{
    static struct server server;
    enum status st = server_start(&server, config);

    if (st == ST_OK) {
        server_run(&server);
    }
    server_deinit(&server);
    if (st == ST_OK) {
        log_info("Server Exiting..");
    }
    log_close();
    return st == ST_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct server_config config = {0};
    const struct option_table tables[] = {
        server_options_table(&config.server),
        client_options_table(&config.client),
        OPTION_TABLES_END,
    };
    struct cli cli = {0};
    struct diag d = {0};
    int code = 1;

    enum status st = cli_parse(argc, argv, tables, &cli);
    if (st == ST_OK) {
        config.program = cli.program;
        st = configure(&cli, tables, &config, &d);
        print_diag(cli.program, &d);
        code = st == ST_OK ? serve(&config) : 1;
    } else if (st == ST_EXIT) {
        code = 0;
    }
    option_deinit(tables);
    cli_deinit(&cli);
    diag_deinit(&d);
    return code;
}
