/* SPDX-License-Identifier: Apache-2.0 */
/* From the command line to a running server, and its exit code. */
#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/job.h"
#include "server/advertise.h"
#include "server/cli.h"
#include "server/explain.h"
#include "server/server.h"
#include "server/server_config.h"

/* Prints what is in d on stderr, after the program's name if there is one. */
static void print_diag(const char *program, const struct diag *d)
{
    if (d->text.n) {
        fprintf(stderr, "%s%s", program, *program ? ": " : "");
        (void)fwrite(d->text.p, 1, d->text.n, stderr); // a message may show a NUL
    }
}

/* Reads the configuration file. Warnings alone end a test, but not a start. */
static enum status read_file(const struct cli *cli, struct server_config *config)
{
    struct diag d = {0};
    enum status st = server_config_read(config, cli->config, &d);
    bool is_good = st == ST_OK && !(cli->is_test && d.n_warnings);

    print_diag(is_good ? "" : cli->program, &d);
    if (is_good && cli->is_test && !cli->diff) {
        fprintf(stderr, "%s: configuration file %s is valid (%s)\n", cli->program, cli->config,
                config->digest);
    }
    diag_deinit(&d);
    return is_good ? ST_OK : ST_FAILED;
}

/* --diff: the file is read as `config` was, and then they are compared. */
static enum status compare_files(const struct cli *cli, struct server_config *config)
{
    struct server_config *before = mem_zalloc(sizeof(*before));
    struct diag d = {0};
    enum status st = server_config_load(before, cli, cli->diff, &d);

    print_diag(cli->program, &d);
    if (st == ST_OK) {
        st = explain_reload(stdout, before, config) == ST_OK ? ST_EXIT : ST_FAILED;
    }
    diag_deinit(&d);
    server_config_free(before);
    return st;
}

static enum status apply_command_line(const struct cli *cli, struct server_config *config)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];
    struct diag d = {0};

    server_config_tables(config, tables);
    enum status st = cli_apply(cli, tables, &config->origins, &d);
    if (st == ST_OK && cli->is_explain) {
        explain_options(stdout, config);
        st = ST_EXIT;
    } else if (st == ST_OK && cli->diff) {
        st = compare_files(cli, config);
    } else if (st == ST_OK && cli->is_test) {
        st = ST_EXIT;
    }
    if (st == ST_OK) {
        st = server_config_check(config, &d);
    }
    if (st == ST_OK) {
        st = advertise_check(&config->server, "Error setting server INFO with", &d);
    }
    if (st == ST_OK) {
        st = log_open(&config->server.log, config->program, &d);
    }
    print_diag(cli->program, &d);
    diag_deinit(&d);
    return st;
}

static int serve(struct server_config *take_config, const struct cli *cli)
{
    static struct server server;
    enum status st = server_start(&server, take_config, cli);

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
    struct server_config *config = mem_zalloc(sizeof(*config));
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];
    struct cli cli = {0};
    int code;

    job_init();
    hash_init(); // before anything is hashed, permissions of the configuration for one
    server_config_init(config, NULL);
    server_config_tables(config, tables);
    enum status st = cli_parse(argc, argv, tables, &cli);
    config->program = cli.program;
    if (st == ST_OK && cli.config) {
        st = read_file(&cli, config);
    }
    if (st == ST_OK) {
        st = apply_command_line(&cli, config);
    }
    if (st == ST_OK) {
        code = serve(config, &cli);
    } else {
        server_config_free(config);
        code = st == ST_EXIT ? 0 : 1;
    }
    cli_deinit(&cli);
    return code;
}
