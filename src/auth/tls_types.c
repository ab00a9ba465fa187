/* SPDX-License-Identifier: Apache-2.0 */
/* How the options of a `tls` block are read that are neither word nor number. */
#include "auth/tls_types.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/value.h"
#include "io/tls_names.h"
#include "io/tls_options.h"

#define AUTO_FALLBACK_NS (50 * CLOCK_MS_NS)
#define PIN_TEXT "hex-encoded sha256 of DER encoded SubjectPublicKeyInfo"

/* ---- names of suites and curves: sets of bits */

/** What is read into a set. */
struct name_set {
    const struct tls_name *names;
    size_t n;
    const char *option;
    const char *unknown; // what is said of a name that is not among them
};

static enum status add_name(const struct name_set *s, const struct node *name, uint64_t *bits,
                            struct option_reader *r)
{
    if (name->kind != NODE_STR) {
        return option_wrong_type(r, name, node_kind_name(NODE_STR));
    }
    for (size_t i = 0; i < s->n; i++) {
        if (str_equal(str_of(s->names[i].name), name->text)) {
            *bits |= UINT64_C(1) << i;
            return ST_OK;
        }
    }
    diag_error(r->d, &name->at, "%s %.*s", s->unknown, STR_ARG(name->text));
    return ST_FAILED;
}

static enum status read_names(const struct name_set *s, uint64_t *field, const struct node *value,
                              struct option_reader *r)
{
    uint64_t bits = 0;

    if (value->kind != NODE_ARRAY) {
        return option_wrong_type(r, value, node_kind_name(NODE_ARRAY));
    }
    if (!value->first) {
        diag_error(r->d, &value->at, "error parsing tls config, '%s' cannot be empty", s->option);
        return ST_FAILED;
    }
    for (const struct node *n = value->first; n; n = n->next) {
        if (add_name(s, n, &bits, r) != ST_OK) {
            return ST_FAILED;
        }
    }
    *field = bits;
    return ST_OK;
}

static void print_names(const struct name_set *s, uint64_t bits, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < s->n; i++) {
        if (bits >> i & 1) {
            buf_printf(out, "%s%s", out->p[out->n - 1] == '[' ? "" : ", ", s->names[i].name);
        }
    }
    buf_add_char(out, ']');
}

static bool are_sets_equal(const void *a, const void *b)
{
    return *(const uint64_t *)a == *(const uint64_t *)b;
}

static struct name_set cipher_set(void)
{
    return (struct name_set){.names = tls_cipher_names,
                             .n = tls_n_cipher_names,
                             .option = "cipher_suites",
                             .unknown = "unrecognized cipher"};
}

static enum status read_ciphers(void *field, const struct node *value, struct option_reader *r)
{
    struct name_set s = cipher_set();

    return read_names(&s, field, value, r);
}

static void print_ciphers(const void *field, struct buf *out)
{
    struct name_set s = cipher_set();

    print_names(&s, *(const uint64_t *)field, out);
}

const struct option_type tls_ciphers_type = {
    .read = read_ciphers, .equal = are_sets_equal, .print = print_ciphers};

static struct name_set curve_set(void)
{
    return (struct name_set){.names = tls_curve_names,
                             .n = tls_n_curve_names,
                             .option = "curve_preferences",
                             .unknown = "unrecognized curve preference"};
}

static enum status read_curves(void *field, const struct node *value, struct option_reader *r)
{
    struct name_set s = curve_set();

    return read_names(&s, field, value, r);
}

static void print_curves(const void *field, struct buf *out)
{
    struct name_set s = curve_set();

    print_names(&s, *(const uint64_t *)field, out);
}

const struct option_type tls_curves_type = {
    .read = read_curves, .equal = are_sets_equal, .print = print_curves};

/* ---- min_version */

static enum status read_version(void *field, const struct node *value, struct option_reader *r)
{
    static const struct str known[] = {STR_INIT("1.0"), STR_INIT("1.1"), STR_INIT("1.2"),
                                       STR_INIT("1.3")};
    size_t i = 0;

    if (value->kind != NODE_STR) {
        struct buf text = {0};

        node_print(value, &text);
        diag_error(r->d, &value->at, "error parsing tls config: 'min_version' wrong type: %.*s",
                   STR_ARG(buf_str(&text)));
        buf_deinit(&text);
        return ST_FAILED;
    }
    while (i < ARRAY_SIZE(known) && !str_equal(known[i], value->text)) {
        i++;
    }
    if (i == ARRAY_SIZE(known)) {
        diag_error(r->d, &value->at, "error parsing tls config: unknown version: %.*s",
                   STR_ARG(value->text));
    } else if (i < 2) {
        diag_error(r->d, &value->at, "error parsing tls config: unsupported TLS version: TLS %.*s",
                   STR_ARG(value->text));
    } else {
        *(enum tls_min_version *)field = i == 2 ? TLS_MIN_1_2 : TLS_MIN_1_3;
        return ST_OK;
    }
    return ST_FAILED;
}

static bool are_versions_equal(const void *a, const void *b)
{
    return *(const enum tls_min_version *)a == *(const enum tls_min_version *)b;
}

static void print_version(const void *field, struct buf *out)
{
    buf_add(out,
            *(const enum tls_min_version *)field == TLS_MIN_1_3 ? STR("\"1.3\"") : STR("\"1.2\""));
}

const struct option_type tls_version_type = {
    .read = read_version, .equal = are_versions_equal, .print = print_version};

/* ---- handshake_first */

static bool is_any(struct str text, const char *a, const char *b)
{
    return str_equal_nocase(text, str_of(a)) || str_equal_nocase(text, str_of(b));
}

static enum status read_first_text(struct tls_first *first, const struct node *value,
                                   struct option_reader *r)
{
    struct buf why = {0};
    int64_t ns = 0;

    if (is_any(value->text, "true", "on")) {
        first->is_on = true;
    } else if (is_any(value->text, "auto", "auto_fallback")) {
        *first = (struct tls_first){.is_on = true, .fallback_ns = AUTO_FALLBACK_NS};
    } else if (!is_any(value->text, "false", "off")) {
        enum status st = value_parse_duration(value->text, &ns, &why);

        buf_deinit(&why);
        if (st != ST_OK) {
            diag_error(r->d, &value->at, "field \"%.*s\"'s value \"%.*s\" is invalid",
                       STR_ARG(value->key), STR_ARG(value->text));
            return ST_FAILED;
        }
        *first = (struct tls_first){.is_on = true, .fallback_ns = ns > 0 ? ns : 1};
    }
    return ST_OK;
}

static enum status read_first(void *field, const struct node *value, struct option_reader *r)
{
    struct tls_first *first = field;

    *first = (struct tls_first){0};
    if (value->kind == NODE_BOOL) {
        first->is_on = value->truth;
        return ST_OK;
    }
    if (value->kind != NODE_STR) {
        diag_error(r->d, &value->at, "field \"%.*s\" should be a boolean or a string, got %s",
                   STR_ARG(value->key), node_kind_name(value->kind));
        return ST_FAILED;
    }
    return read_first_text(first, value, r);
}

static bool are_firsts_equal(const void *a, const void *b)
{
    const struct tls_first *fa = a;
    const struct tls_first *fb = b;

    return fa->is_on == fb->is_on && fa->fallback_ns == fb->fallback_ns;
}

static void print_first(const void *field, struct buf *out)
{
    const struct tls_first *first = field;
    char text[CLOCK_DURATION_MAX];

    if (first->fallback_ns) {
        clock_format_duration(first->fallback_ns, text);
        buf_printf(out, "\"%s\"", text);
    } else {
        buf_add(out, first->is_on ? STR("true") : STR("false"));
    }
}

const struct option_type tls_first_type = {
    .read = read_first, .equal = are_firsts_equal, .print = print_first};

/* ---- certs */

static void release_pairs(void *field)
{
    struct tls_pairs *pairs = field;

    for (size_t i = 0; i < pairs->n; i++) {
        mem_free((char *)(uintptr_t)pairs->at[i].cert_file);
        mem_free((char *)(uintptr_t)pairs->at[i].key_file);
    }
    mem_free(pairs->at);
    *pairs = (struct tls_pairs){0};
}

static void set_path(const char **path, struct str text)
{
    mem_free((char *)(uintptr_t)*path);
    *path = mem_strndup(text.p, text.n);
}

static enum status read_pair(struct tls_pair *pair, const struct node *value,
                             struct option_reader *r)
{
    if (value->kind != NODE_MAP) {
        diag_error(r->d, &value->at, "error parsing certificates config: unsupported type %s",
                   node_kind_name(value->kind));
        return ST_FAILED;
    }
    for (const struct node *n = value->first; n; n = n->next) {
        if (n->kind != NODE_STR) {
            diag_error(r->d, &n->at, "error parsing certificates config: unsupported type %s",
                       node_kind_name(n->kind));
            return ST_FAILED;
        }
        if (str_equal(n->key, STR("cert_file"))) {
            set_path(&pair->cert_file, n->text);
        } else if (str_equal(n->key, STR("key_file"))) {
            set_path(&pair->key_file, n->text);
        } else {
            diag_error(r->d, &n->at, "error parsing tls certs config, unknown field \"%.*s\"",
                       STR_ARG(n->key));
            return ST_FAILED;
        }
    }
    if (pair->cert_file && pair->cert_file[0] && pair->key_file && pair->key_file[0]) {
        return ST_OK;
    }
    diag_error(r->d, value->first ? &value->first->at : &value->at,
               "error parsing certificates config: both 'cert_file' and 'cert_key' options are "
               "required");
    return ST_FAILED;
}

static enum status read_pairs(void *field, const struct node *value, struct option_reader *r)
{
    struct tls_pairs *pairs = field;

    release_pairs(pairs);
    if (value->kind != NODE_ARRAY) {
        diag_error(r->d, &value->at, "error parsing certificates config: unsupported type %s",
                   node_kind_name(NODE_MAP)); // sic
        return ST_FAILED;
    }
    for (const struct node *n = value->first; n; n = n->next) {
        pairs->at = mem_realloc(pairs->at, (pairs->n + 1) * sizeof(*pairs->at));
        pairs->at[pairs->n++] = (struct tls_pair){0};
        if (read_pair(&pairs->at[pairs->n - 1], n, r) != ST_OK) {
            return ST_FAILED;
        }
    }
    return ST_OK;
}

static bool are_pairs_equal(const void *a, const void *b)
{
    const struct tls_pairs *pa = a;
    const struct tls_pairs *pb = b;
    bool are_equal = pa->n == pb->n;

    for (size_t i = 0; are_equal && i < pa->n; i++) {
        are_equal = strcmp(pa->at[i].cert_file, pb->at[i].cert_file) == 0 &&
                    strcmp(pa->at[i].key_file, pb->at[i].key_file) == 0;
    }
    return are_equal;
}

static void print_pairs(const void *field, struct buf *out)
{
    const struct tls_pairs *pairs = field;

    buf_add_char(out, '[');
    for (size_t i = 0; i < pairs->n; i++) {
        buf_printf(out, "%s{cert_file: \"%s\", key_file: \"%s\"}", i ? ", " : "",
                   pairs->at[i].cert_file, pairs->at[i].key_file);
    }
    buf_add_char(out, ']');
}

const struct option_type tls_pairs_type = {
    .read = read_pairs, .release = release_pairs, .equal = are_pairs_equal, .print = print_pairs};

/* ---- pinned_certs */

static void release_pins(void *field)
{
    struct tls_pins *pins = field;

    mem_free(pins->at);
    *pins = (struct tls_pins){0};
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool parse_pin(struct str text, uint8_t out[TLS_PIN_BYTES])
{
    if (text.n != 2 * (size_t)TLS_PIN_BYTES) {
        return false;
    }
    for (size_t i = 0; i < TLS_PIN_BYTES; i++) {
        int high = hex_digit(text.p[2 * i]);
        int low = hex_digit(text.p[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum status read_pins(void *field, const struct node *value, struct option_reader *r)
{
    struct tls_pins *pins = field;

    release_pins(pins);
    if (value->kind != NODE_ARRAY) {
        diag_error(r->d, &value->at,
                   "error parsing tls config, expected 'pinned_certs' to be a list of " PIN_TEXT);
        return ST_FAILED;
    }
    for (const struct node *n = value->first; n; n = n->next) {
        pins->at = mem_realloc(pins->at, (pins->n + 1) * sizeof(*pins->at));
        if (n->kind != NODE_STR) {
            return option_wrong_type(r, n, node_kind_name(NODE_STR));
        }
        if (!parse_pin(n->text, pins->at[pins->n])) {
            diag_error(
                r->d, &n->at,
                "error parsing tls config, 'pinned_certs' key %.*s does not look like " PIN_TEXT,
                STR_ARG(n->text));
            return ST_FAILED;
        }
        pins->n++;
    }
    return ST_OK;
}

static bool are_pins_equal(const void *a, const void *b)
{
    const struct tls_pins *pa = a;
    const struct tls_pins *pb = b;

    return pa->n == pb->n && (pa->n == 0 || memcmp(pa->at, pb->at, pa->n * sizeof(*pa->at)) == 0);
}

static void print_pins(const void *field, struct buf *out)
{
    const struct tls_pins *pins = field;

    buf_add_char(out, '[');
    for (size_t i = 0; i < pins->n; i++) {
        buf_add(out, i ? STR(", \"") : STR("\""));
        for (size_t k = 0; k < TLS_PIN_BYTES; k++) {
            buf_printf(out, "%02x", pins->at[i][k]);
        }
        buf_add_char(out, '"');
    }
    buf_add_char(out, ']');
}

const struct option_type tls_pins_type = {
    .read = read_pins, .release = release_pins, .equal = are_pins_equal, .print = print_pins};
