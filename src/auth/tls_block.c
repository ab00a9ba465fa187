/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the `tls` block. The messages for values of the wrong type are of its own, too. */
#include "auth/tls_block.h"

#include <stdint.h>

#include "auth/tls_types.h"
#include "base/buf.h"
#include "conf/value.h"
#include "io/tls_context.h"
#include "io/tls_names.h"
#include "io/tls_options.h"

/* ---- what only other builds of the reference have */

static enum status check_text(const char *name, const struct node *value, struct option_reader *r)
{
    if (value->kind == NODE_STR && value->text.n) {
        return ST_OK;
    }
    diag_error(r->d, &value->at, "expected '%s' to be a valid non-empty string", name);
    return ST_FAILED;
}

static enum status refuse_store(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (check_text("cert_store", value, r) == ST_OK) {
        diag_error(r->d, &value->at, "cert store type not implemented");
    }
    return ST_FAILED;
}

static enum status refuse_match_by(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (check_text("cert_match_by", value, r) == ST_OK) {
        diag_error(r->d, &value->at, "cert match by type not implemented");
    }
    return ST_FAILED;
}

static enum status ignore_match(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return check_text("cert_match", value, r);
}

static enum status ignore_skip(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind == NODE_BOOL) {
        return ST_OK;
    }
    diag_error(r->d, &value->at, "expected 'cert_match_skip_invalid' to be a boolean");
    return ST_FAILED;
}

static enum status ignore_any(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    (void)value;
    (void)r;
    return ST_OK;
}

/* ---- ocsp_peer: known, refused at the start */

/* @return  what is wrong with a time, in `why`; it is of no use yet */
static enum status check_ocsp_time(const struct node *value, struct buf *why)
{
    int64_t ns;

    if (value->kind == NODE_INT || value->kind == NODE_FLOAT) {
        return ST_OK;
    }
    buf_add(why, STR("conversion error: "));
    if (value->kind != NODE_STR) {
        buf_add(why, STR("unexpected type"));
        return ST_FAILED;
    }
    buf_add(why, STR("time: "));
    return value_parse_duration(value->text, &ns, why);
}

static enum status check_ocsp_key(const struct node *n, struct buf *why)
{
    static const struct {
        const char *name;
        bool is_time;
    } keys[] = {
        {"verify", false},
        {"ca_timeout", true},
        {"allowed_clockskew", true},
        {"warn_only", false},
        {"unknown_is_good", false},
        {"allow_when_ca_unreachable", false},
        {"cache_ttl_when_next_update_unset", true},
    };
    size_t i = 0;

    while (i < ARRAY_SIZE(keys) && !str_equal_nocase(str_of(keys[i].name), n->key)) {
        i++;
    }
    if (i < ARRAY_SIZE(keys) && keys[i].is_time) {
        return check_ocsp_time(n, why);
    }
    if (i < ARRAY_SIZE(keys) && n->kind == NODE_BOOL) {
        return ST_OK;
    }
    buf_printf(why, "unknown field [\"%.*s\"]", STR_ARG(n->key));
    return ST_FAILED;
}

static enum status read_ocsp_peer(void *base, const struct node *value, struct option_reader *r)
{
    struct tls_options *o = base;
    enum status st = ST_OK;

    if (value->kind == NODE_BOOL) {
        o->wants_ocsp_peer = value->truth;
        return ST_OK;
    }
    if (value->kind != NODE_MAP) {
        diag_error(r->d, &value->at, "error parsing ocsp peer config: unsupported type %s",
                   node_kind_name(NODE_MAP)); // sic
        return ST_FAILED;
    }
    for (const struct node *n = value->first; n && st == ST_OK; n = n->next) {
        struct buf why = {0};

        if (check_ocsp_key(n, &why) != ST_OK) {
            diag_error(r->d, &value->at, "%s:%u:%u: error parsing tls peer config, %.*s",
                       n->at.file ? n->at.file : "", n->at.line, n->at.column,
                       STR_ARG(buf_str(&why)));
            st = ST_FAILED;
        } else if (str_equal_nocase(n->key, STR("verify"))) {
            o->wants_ocsp_peer = n->truth;
        }
        buf_deinit(&why);
    }
    return st;
}

/* ---- the block */

static const struct option tls_rows[] = {
    OPTION_STR("cert_file", struct tls_options, cert_file, .reload = RELOAD_HOOK,
               .doc = "Certificate of the server, with its chain, in PEM."),
    OPTION_STR("key_file", struct tls_options, key_file, .reload = RELOAD_HOOK,
               .doc = "Its private key, in PEM."),
    OPTION_OTHER("certs", struct tls_options, certs, &tls_pairs_type, .aliases = "certificates",
                 .reload = RELOAD_HOOK,
                 .doc = "Several certificates, instead: {cert_file, key_file} each; clients choose "
                        "by name."),
    OPTION_STR("ca_file", struct tls_options, ca_file, .reload = RELOAD_HOOK,
               .doc = "Certificates to trust, in PEM; those of the system if there is none."),
    OPTION_BOOL("verify", struct tls_options, verify, .reload = RELOAD_HOOK,
                .doc = "Clients must show a certificate that is trusted."),
    OPTION_BOOL("verify_and_map", struct tls_options, verify_and_map,
                .doc = "Likewise, and the certificate names the user."),
    OPTION_BOOL("verify_cert_and_check_known_urls", struct tls_options, check_known_urls,
                .doc = "Likewise, and the certificate names a server that is configured."),
    OPTION_BOOL("insecure", struct tls_options, insecure,
                .doc = "Connect to servers whatever their certificate."),
    OPTION_DURATION("timeout", struct tls_options, timeout_ns, .def = "2s",
                    .plain = OPTION_PLAIN_LONG_SECONDS, .config = "tls", .zero_is_default = true,
                    .reload = RELOAD_NEW_CONNS, .doc = "Time that a handshake may take."),
    OPTION_OTHER("cipher_suites", struct tls_options, ciphers, &tls_ciphers_type,
                 .reload = RELOAD_HOOK,
                 .doc = "Suites of TLS 1.2; those of TLS 1.3 cannot be chosen."),
    OPTION_BOOL("allow_insecure_cipher_suites", struct tls_options, allows_insecure_ciphers,
                .reload = RELOAD_HOOK, .doc = "Take suites that are known to be weak."),
    OPTION_OTHER("curve_preferences", struct tls_options, curves, &tls_curves_type,
                 .reload = RELOAD_HOOK, .doc = "Key exchanges."),
    OPTION_OTHER("min_version", struct tls_options, min_version, &tls_version_type,
                 .reload = RELOAD_HOOK, .doc = "Lowest version of TLS: \"1.2\" or \"1.3\"."),
    OPTION_OTHER("handshake_first", struct tls_options, first, &tls_first_type,
                 .aliases = "first immediate", .reload = RELOAD_NEW_CONNS,
                 .doc = "The handshake comes before INFO: true, or so long at most (auto: 50ms)."),
    OPTION_INT("connection_rate_limit", struct tls_options, connection_rate_limit,
               .doc = "Handshakes in a second; 0 is any number."),
    OPTION_OTHER("pinned_certs", struct tls_options, pins, &tls_pins_type, .reload = RELOAD_HOOK,
                 .doc = "Public keys that clients may have: SHA-256, in hex, of each."),
    OPTION_CUSTOM("ocsp_peer", read_ocsp_peer, .doc = "Ask whether certificates are revoked."),
    OPTION_CUSTOM("cert_store", refuse_store, .has_no_field = true, .doc = "Of Windows."),
    OPTION_CUSTOM("cert_match_by", refuse_match_by, .has_no_field = true, .doc = "Of Windows."),
    OPTION_CUSTOM("cert_match", ignore_match, .has_no_field = true, .doc = "Of Windows."),
    OPTION_CUSTOM("cert_match_skip_invalid", ignore_skip, .has_no_field = true,
                  .doc = "Of Windows."),
    OPTION_CUSTOM("ca_certs_match", ignore_any, .has_no_field = true, .doc = "Of Windows."),
    OPTION_END};

static const struct option tls_block =
    OPTION_BLOCK("tls", tls_rows, .unknown = "error parsing tls config, unknown field \"%.*s\"");

static const struct option *find_row(struct str name)
{
    for (const struct option *row = tls_rows; row->kind != OPTION_KIND_END; row++) {
        if (str_equal_nocase(str_of(row->name), name)) {
            return row;
        }
    }
    return NULL;
}

/* Values of the wrong type, in the words that this block has for them. */
static enum status check_kinds(const struct node *map, struct option_reader *r)
{
    for (const struct node *n = map->first; n; n = n->next) {
        const struct option *row = find_row(n->key);
        enum option_kind kind = row ? row->kind : OPTION_KIND_END;

        if (kind == OPTION_KIND_STR && n->kind != NODE_STR) {
            diag_error(r->d, &n->at, "error parsing tls config, expected '%s' to be filename",
                       row->name);
        } else if (kind == OPTION_KIND_BOOL && n->kind != NODE_BOOL) {
            diag_error(r->d, &n->at, "error parsing tls config, expected '%s' to be a boolean",
                       row->name);
        } else if (kind == OPTION_KIND_INT && n->kind != NODE_INT) {
            diag_error(r->d, &n->at, "error parsing tls config, '%s' wrong type", row->name);
        } else {
            continue;
        }
        return ST_FAILED;
    }
    return ST_OK;
}

static bool is_insecure(struct str cipher)
{
    for (size_t i = 0; i < tls_n_cipher_names; i++) {
        if (str_equal(str_of(tls_cipher_names[i].name), cipher)) {
            return tls_cipher_names[i].is_insecure;
        }
    }
    return false;
}

static enum status check_ciphers(const struct tls_options *o, const struct node *value,
                                 struct option_reader *r)
{
    const struct node *list = node_find(value, STR("cipher_suites"));
    struct buf names = {0};
    enum status st = ST_OK;

    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        if (is_insecure(n->text)) {
            buf_add(&names, names.n ? STR(", ") : STR(""));
            buf_add(&names, n->text);
        }
    }
    if (names.n && !o->allows_insecure_ciphers) {
        diag_error(r->d, &value->at,
                   "insecure cipher suites configured without 'allow_insecure_cipher_suites' "
                   "option set: %.*s",
                   STR_ARG(buf_str(&names)));
        st = ST_FAILED;
    }
    buf_deinit(&names);
    return st;
}

/* Whether it all goes together, and the files can be used. */
static enum status check_block(const struct tls_options *o, const struct node *value,
                               struct option_reader *r)
{
    const struct node *urls = node_find(value, STR("verify_cert_and_check_known_urls"));
    struct tls_context *context = NULL;

    if (o->check_known_urls && urls) {
        diag_error(r->d, &urls->at,
                   "verify_cert_and_check_known_urls not supported in this context");
        return ST_FAILED;
    }
    if (check_ciphers(o, value, r) != ST_OK) {
        return ST_FAILED;
    }
    enum status st = tls_context_new(o, r->d, &value->at, &context);
    tls_context_unref(context);
    return st;
}

static void release_tls(void *field)
{
    struct tls_options *o = field;

    option_deinit_block(&tls_block, o);
    *o = (struct tls_options){0};
}

static enum status read_tls(void *field, const struct node *value, struct option_reader *r)
{
    struct tls_options *o = field;

    release_tls(o);
    if (value->kind == NODE_BOOL && !value->truth && !value->at.file) {
        return ST_OK; // --tls=false takes away what the file says
    }
    if (value->kind != NODE_MAP) {
        return option_wrong_type(r, value, node_kind_name(NODE_MAP));
    }
    option_init_block(&tls_block, o);
    o->is_on = true;
    if (check_kinds(value, r) != ST_OK || option_read_block(&tls_block, o, value, r) != ST_OK) {
        return ST_FAILED;
    }
    return check_block(o, value, r);
}

static bool are_tls_equal(const void *a, const void *b)
{
    bool are_equal =
        ((const struct tls_options *)a)->is_on == ((const struct tls_options *)b)->is_on;

    for (const struct option *row = tls_rows; are_equal && row->kind != OPTION_KIND_END; row++) {
        are_equal = option_equal(row, a, b);
    }
    return are_equal;
}

static void print_tls(const void *field, struct buf *out)
{
    struct tls_options *o = (struct tls_options *)(uintptr_t)field;

    if (!o->is_on) {
        return;
    }
    buf_add(out, STR("{"));
    for (const struct option *row = tls_rows; row->kind != OPTION_KIND_END; row++) {
        if (row->kind != OPTION_KIND_CUSTOM) {
            buf_printf(out, " %s: ", row->name);
            option_print(&(struct option_slot){.row = row, .base = o}, out);
            buf_add(out, STR(";"));
        }
    }
    buf_add(out, STR(" }"));
}

const struct option_type tls_options_type = {
    .read = read_tls,
    .release = release_tls,
    .equal = are_tls_equal,
    .print = print_tls,
    .rows = tls_rows,
};
