/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. Syntax and texts are those of Go's flag package, which nats-server uses: one or
 * two dashes, -x v or -x=v, booleans only -x or -x=v, reading ends at the first other word, and a
 * mistake prints the usage and exits with code 0. The order of the checks is that of nats-server as
 * well. */
#include "server/cli.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/quote.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/option.h"
#include "conf/value.h"
#include "server/help.h"
#include "server/signal_send.h"
#include "server/version.h"

enum flag_kind { KIND_BOOL, KIND_INT, KIND_STR };

/* Flags that are not the flag of one option row. */
struct flag {
    const char *names; // separated by blanks
    enum flag_kind kind;
    const char *sets;       // options that a bool flag sets, separated by blanks
    const char *capability; // what it asks for and does not exist yet
};

/* Flags that cli_parse looks at itself; they index own_flags. */
enum {
    FLAG_HELP,
    FLAG_VERSION,
    FLAG_HELP_TLS,
    FLAG_CONFIG,
    FLAG_TEST,
    FLAG_SIGNAL,
    FLAG_SET,
    FLAG_EXPLAIN,
    FLAG_DIFF,
    FLAG_TLS,
    FLAG_TLS_CERT,
    FLAG_TLS_KEY,
    FLAG_TLS_CA,
    FLAG_TLS_VERIFY,
};

static const struct flag own_flags[] = {
    [FLAG_HELP] = {.names = "h help"},
    [FLAG_VERSION] = {.names = "v version"},
    [FLAG_HELP_TLS] = {.names = "help_tls"},
    [FLAG_CONFIG] = {.names = "c config", .kind = KIND_STR},
    [FLAG_TEST] = {.names = "t"},
    [FLAG_SIGNAL] = {.names = "sl signal", .kind = KIND_STR},
    [FLAG_SET] = {.names = "set", .kind = KIND_STR},
    [FLAG_EXPLAIN] = {.names = "explain"},
    [FLAG_DIFF] = {.names = "diff", .kind = KIND_STR},
    [FLAG_TLS] = {.names = "tls"},
    [FLAG_TLS_CERT] = {.names = "tlscert", .kind = KIND_STR},
    [FLAG_TLS_KEY] = {.names = "tlskey", .kind = KIND_STR},
    [FLAG_TLS_CA] = {.names = "tlscacert", .kind = KIND_STR},
    [FLAG_TLS_VERIFY] = {.names = "tlsverify"},
    {.names = "DV", .sets = "debug trace"},
    {.names = "VV", .sets = "trace trace_verbose"},
    {.names = "DVV", .sets = "debug trace trace_verbose"},
    {.names = "js jetstream", .capability = "JetStream"},
    {.names = "sd store_dir", .kind = KIND_STR, .capability = "JetStream"},
    {.names = "cluster", .kind = KIND_STR, .capability = "clustering"},
    {.names = "cluster_listen", .kind = KIND_STR, .capability = "clustering"},
    {.names = "cluster_name", .kind = KIND_STR, .capability = "clustering"},
    {.names = "cluster_advertise", .kind = KIND_STR, .capability = "clustering"},
    {.names = "routes", .kind = KIND_STR, .capability = "clustering"},
    {.names = "no_advertise", .capability = "clustering"},
    {.names = "connect_retries", .kind = KIND_INT, .capability = "clustering"},
};

#define N_FLAGS ARRAY_SIZE(own_flags)

/* A flag as it was found on the command line. */
struct given {
    const char *written; // the word with its dashes
    char *text;          // the value, booleans and integers in their usual form
};

struct reader {
    int argc;
    char **argv;
    int at; // next word
    const struct option_table *tables;
    struct cli *cli;
    struct given given[N_FLAGS]; // by own_flags; the last one of each
};

/* Says on stderr what is wrong with the value of a flag. */
static void refuse_value(const char *what, struct str value, const char *flag, struct str name,
                         const char *why)
{
    struct buf quoted = {0};

    quote_go(&quoted, value);
    fprintf(stderr, "%s %.*s for %s-%.*s: %s\n", what, STR_ARG(buf_str(&quoted)), flag,
            STR_ARG(name), why);
    buf_deinit(&quoted);
}

/* The value in its usual form, owned by the caller; NULL after an error, which is printed. */
static char *check_value(enum flag_kind kind, struct str name, struct str value)
{
    int64_t number = 0;
    bool is_true = true;
    char text[24];

    if (kind == KIND_STR) {
        return mem_strndup(value.p, value.n);
    }
    if (kind == KIND_BOOL) {
        if (value_parse_flag_bool(value, &is_true) != ST_OK) {
            refuse_value("invalid boolean value", value, "", name, "parse error");
            return NULL;
        }
        return is_true ? mem_strndup("true", 4) : mem_strndup("false", 5);
    }
    enum status st = value_parse_flag_int(value, &number);
    if (st != ST_OK) {
        refuse_value("invalid value", value, "flag ", name,
                     st == ST_OUT_OF_RANGE ? "value out of range" : "parse error");
        return NULL;
    }
    int n = snprintf(text, sizeof(text), "%" PRId64, number);
    return mem_strndup(text, (size_t)n);
}

/* ---- words */

static void add_setting(struct cli *cli, struct str key, struct str text, bool is_from_set)
{
    cli->settings = mem_realloc(cli->settings, (cli->n_settings + 1) * sizeof(*cli->settings));
    cli->settings[cli->n_settings++] = (struct cli_setting){
        .key = mem_strndup(key.p, key.n),
        .text = text.p ? mem_strndup(text.p, text.n) : NULL,
        .is_from_set = is_from_set,
    };
}

static enum flag_kind kind_of_option(const struct option *row)
{
    switch (row->kind) {
    case OPTION_KIND_BOOL:
        return KIND_BOOL;
    case OPTION_KIND_INT:
    case OPTION_KIND_SIZE:
        return KIND_INT;
    default:
        return KIND_STR;
    }
}

static bool next_name(const char **names, struct str *out)
{
    *names += strspn(*names, " ");
    *out = (struct str){.p = *names, .n = strcspn(*names, " ")};
    *names += out->n;
    return out->n > 0;
}

static size_t find_own(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(own_flags); i++) {
        const char *names = own_flags[i].names;
        struct str n;

        while (next_name(&names, &n)) {
            if (str_equal(n, name)) {
                return i;
            }
        }
    }
    return N_FLAGS;
}

/* Remembers the value of one of own_flags; the text is taken. */
static void remember_own(struct reader *r, size_t i, const char *written, char *take_text)
{
    const char *sets = own_flags[i].sets ? own_flags[i].sets : "";
    struct str option;

    mem_free(r->given[i].text);
    r->given[i] = (struct given){.written = written, .text = take_text};
    while (next_name(&sets, &option)) {
        add_setting(r->cli, option, str_of(take_text), false);
    }
    if (i == FLAG_SET) {
        const char *equals = strchr(take_text, '=');
        size_t n = equals ? (size_t)(equals - take_text) : strlen(take_text);

        add_setting(r->cli, (struct str){.p = take_text, .n = n},
                    str_of(equals ? equals + 1 : NULL), true);
    }
}

/* Reads the flag at argv[at], and its value; false after an error, which is printed. */
static bool read_flag(struct reader *r)
{
    const char *written = r->argv[r->at++];
    struct str name = str_of(written + (written[1] == '-' ? 2 : 1));
    const char *equals = memchr(name.p, '=', name.n);
    struct str value = {0};
    struct option_slot slot;

    if (name.n == 0 || name.p[0] == '-' || name.p[0] == '=') {
        fprintf(stderr, "bad flag syntax: %s\n", written);
        return false;
    }
    if (equals) {
        value = str_of(equals + 1);
        name.n = (size_t)(equals - name.p);
    }
    size_t own = find_own(name);
    bool is_option = own == N_FLAGS && option_find_flag(r->tables, name, &slot);
    if (own == N_FLAGS && !is_option) {
        fprintf(stderr, "flag provided but not defined: -%.*s\n", STR_ARG(name));
        return false;
    }
    enum flag_kind kind = is_option ? kind_of_option(slot.row) : own_flags[own].kind;
    if (!equals && kind == KIND_BOOL) {
        value = STR("true");
    } else if (!equals) {
        if (r->at >= r->argc) {
            fprintf(stderr, "flag needs an argument: -%.*s\n", STR_ARG(name));
            return false;
        }
        value = str_of(r->argv[r->at++]);
    }
    char *text = check_value(kind, name, value);
    if (!text) {
        return false;
    }
    if (is_option) {
        add_setting(r->cli, name, str_of(text), false);
        mem_free(text);
    } else {
        remember_own(r, own, written, text);
    }
    return true;
}

/* Reads flags up to the first other word. */
static bool read_flags(struct reader *r)
{
    while (r->at < r->argc) {
        const char *word = r->argv[r->at];

        if (word[0] != '-' || !word[1]) {
            return true;
        }
        if (strcmp(word, "--") == 0) {
            r->at++;
            return true;
        }
        if (!read_flag(r)) {
            return false;
        }
    }
    return true;
}

/* ---- what to do */

static bool is_on(const struct reader *r, size_t flag)
{
    return r->given[flag].text && strcmp(r->given[flag].text, "true") == 0;
}

static const char *text_of(const struct reader *r, size_t flag)
{
    return r->given[flag].text ? r->given[flag].text : "";
}

static enum status show_version(const char *program)
{
    printf("%s: v%s (gnatwren %s)\n", program, VERSION_COMPATIBLE, GNATWREN_VERSION);
    return ST_EXIT;
}

static enum status show_usage(const char *program)
{
    help_print_usage(stdout, program);
    return ST_EXIT;
}

static enum status run_word(const char *program, const char *word)
{
    struct buf quoted = {0};

    if (str_equal_nocase(str_of(word), STR("version"))) {
        return show_version(program);
    }
    if (str_equal_nocase(str_of(word), STR("help"))) {
        return show_usage(program);
    }
    quote_go(&quoted, str_of(word));
    fprintf(stderr, "%s: unrecognized command: %.*s\n", program, STR_ARG(buf_str(&quoted)));
    buf_deinit(&quoted);
    return ST_FAILED;
}

static enum status send_signal(const char *program, const char *argument)
{
    struct diag d = {0};
    enum status st = signal_send(program, argument, &d);

    if (st != ST_OK) {
        fprintf(stderr, "%s: %.*s", program, STR_ARG(buf_str(&d.text)));
    }
    diag_deinit(&d);
    return st == ST_OK ? ST_EXIT : ST_FAILED;
}

/* Whether a flag asks for something that is not there: not with an empty text, 0 or false. */
static bool asks(const struct given *g)
{
    return g->text && g->text[0] && strcmp(g->text, "false") != 0 && strcmp(g->text, "0") != 0;
}

static enum status refuse_missing(const struct reader *r)
{
    enum status st = ST_OK;

    for (size_t i = 0; i < ARRAY_SIZE(own_flags); i++) {
        const struct given *g = &r->given[i];

        if (own_flags[i].capability && asks(g)) {
            fprintf(stderr, "%s: %.*s: %s is not supported yet\n", r->cli->program,
                    (int)strcspn(g->written, "="), g->written, own_flags[i].capability);
            st = ST_FAILED;
        }
    }
    return st;
}

static void add_path(struct buf *block, const char *name, const char *path)
{
    buf_printf(block, "%s: \"", name);
    for (; *path; path++) {
        if (*path == '"' || *path == '\\') {
            buf_add_char(block, '\\');
        }
        buf_add_char(block, *path);
    }
    buf_add(block, STR("\", "));
}

/* The flags of TLS together stand for a whole tls block; --tls=false for none. */
static enum status set_tls(const struct reader *r)
{
    const char *missing = NULL;
    struct buf block = {0};
    bool is_any = false;

    for (size_t i = FLAG_TLS; i <= FLAG_TLS_VERIFY; i++) {
        is_any = is_any || r->given[i].text;
    }
    if (!is_any) {
        return ST_OK;
    }
    if (r->given[FLAG_TLS].text && !is_on(r, FLAG_TLS)) {
        add_setting(r->cli, STR("tls"), STR("false"), false);
        return ST_OK;
    }
    if (!text_of(r, FLAG_TLS_CERT)[0]) {
        missing = "certificate";
    } else if (!text_of(r, FLAG_TLS_KEY)[0]) {
        missing = "private key";
    }
    if (missing) {
        fprintf(stderr, "%s: TLS Server %s must be present and valid\n", r->cli->program, missing);
        return ST_FAILED;
    }
    buf_add(&block, STR("{ "));
    add_path(&block, "cert_file", text_of(r, FLAG_TLS_CERT));
    add_path(&block, "key_file", text_of(r, FLAG_TLS_KEY));
    add_path(&block, "ca_file", text_of(r, FLAG_TLS_CA));
    buf_printf(&block, "verify: %s }", is_on(r, FLAG_TLS_VERIFY) ? "true" : "false");
    add_setting(r->cli, STR("tls"), buf_str(&block), false);
    buf_deinit(&block);
    return ST_OK;
}

static char *copy_text(const char *text)
{
    return mem_strndup(text, strlen(text));
}

/* -t --diff OLD NEW */
static enum status take_diff(struct reader *r)
{
    if (!is_on(r, FLAG_TEST) || r->at + 1 != r->argc) {
        fprintf(stderr, "%s: usage: -t --diff OLD NEW, two configuration files\n", r->cli->program);
        return ST_FAILED;
    }
    r->cli->is_test = true;
    r->cli->diff = copy_text(text_of(r, FLAG_DIFF));
    r->cli->config = copy_text(r->argv[r->at]);
    return ST_OK;
}

static enum status act(struct reader *r)
{
    const char *program = r->cli->program;

    if (!read_flags(r)) {
        return show_usage(program);
    }
    if (is_on(r, FLAG_VERSION)) {
        return show_version(program);
    }
    if (is_on(r, FLAG_HELP)) {
        return show_usage(program);
    }
    if (is_on(r, FLAG_HELP_TLS)) {
        help_print_tls(stdout);
        return ST_EXIT;
    }
    if (text_of(r, FLAG_DIFF)[0]) {
        return take_diff(r);
    }
    if (r->at < r->argc) {
        return run_word(program, r->argv[r->at]);
    }
    if (text_of(r, FLAG_SIGNAL)[0]) {
        return send_signal(program, text_of(r, FLAG_SIGNAL));
    }
    if (is_on(r, FLAG_TEST) && !text_of(r, FLAG_CONFIG)[0]) {
        fprintf(stderr,
                "%s: must specify [-c, --config] option to check configuration file syntax\n",
                program);
        return ST_FAILED;
    }
    if (text_of(r, FLAG_CONFIG)[0]) {
        r->cli->config = copy_text(text_of(r, FLAG_CONFIG));
    }
    r->cli->is_test = is_on(r, FLAG_TEST);
    r->cli->is_explain = is_on(r, FLAG_EXPLAIN);
    if (r->cli->is_test) {
        return ST_OK;
    }
    enum status st = set_tls(r);
    return refuse_missing(r) == ST_OK ? st : ST_FAILED;
}

/* Those of --set first; otherwise the order stays. */
static void sort_settings(struct cli *cli)
{
    size_t n_sets = 0;

    for (size_t i = 0; i < cli->n_settings; i++) {
        struct cli_setting s = cli->settings[i];

        if (s.is_from_set) {
            memmove(&cli->settings[n_sets + 1], &cli->settings[n_sets],
                    (i - n_sets) * sizeof(*cli->settings));
            cli->settings[n_sets++] = s;
        }
    }
}

enum status cli_parse(int argc, char **argv, const struct option_table *tables, struct cli *out)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    struct reader r = {.argc = argc, .argv = argv, .at = 1, .tables = tables, .cli = out};

    *out = (struct cli){.program = slash ? slash + 1 : argc > 0 ? argv[0] : "gnatwren"};
    enum status st = act(&r);
    sort_settings(out);
    for (size_t i = 0; i < N_FLAGS; i++) {
        mem_free(r.given[i].text);
    }
    return st;
}

/* Sets one option; what goes wrong with --set is reported as its. */
static enum status apply_one(const struct cli_setting *s, const struct option_table *tables,
                             struct origins *origins, struct diag *d)
{
    struct option_slot slot;
    struct diag own = {0};
    struct str key = str_of(s->key);

    if (!s->text) {
        diag_error(d, NULL, "--set: expected NAME=VALUE, got \"%s\"", s->key);
        return ST_FAILED;
    }
    if ((s->is_from_set || !option_find_flag(tables, key, &slot)) &&
        !option_find(tables, key, &slot)) {
        diag_error(d, NULL, "--set: unknown option \"%s\"", s->key);
        return ST_FAILED;
    }
    enum status st = option_set_text(&slot, key, str_of(s->text), &own);
    const char *prefix = s->is_from_set ? "--set: " : "";
    struct str text = buf_str(&own.text);
    if (st == ST_OK) {
        origins_add(origins, &slot, NULL);
    }
    if (st != ST_OK) {
        diag_error(d, NULL, "%s%.*s", prefix, (int)(text.n - 1), text.p);
    } else if (own.n_warnings) {
        diag_warning(d, NULL, "%s%.*s", prefix, (int)(text.n - 1), text.p);
    }
    diag_deinit(&own);
    return st;
}

enum status cli_apply(const struct cli *cli, const struct option_table *tables,
                      struct origins *origins, struct diag *d)
{
    enum status st = ST_OK;

    for (size_t i = 0; i < cli->n_settings; i++) {
        if (apply_one(&cli->settings[i], tables, origins, d) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

void cli_deinit(struct cli *cli)
{
    for (size_t i = 0; i < cli->n_settings; i++) {
        mem_free(cli->settings[i].key);
        mem_free(cli->settings[i].text);
    }
    mem_free(cli->settings);
    mem_free(cli->config);
    mem_free(cli->diff);
    *cli = (struct cli){0};
}
