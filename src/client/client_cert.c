/* SPDX-License-Identifier: Apache-2.0 */
/* Who a client is by its certificate (verify_and_map, spec 04 §11): the certificate's names one
 * after the other, until one is that of a user. */
#include "auth/cert_names.h"
#include "auth/login.h"
#include "base/attr.h"
#include "base/quote.h"
#include "client/client.h"
#include "io/tls_stream.h"

/* What the log says of a name; the texts are those of the reference. */
static const struct {
    const char *used;
    const char *unused; // NULL: not worth a line
} texts[] = {
    [CERT_NAME_EMAIL] = {"Using email found in cert for auth", NULL},
    [CERT_NAME_DNS] = {"Using SAN found in cert for auth", NULL},
    [CERT_NAME_URI] = {"Using URI found in cert for auth", NULL},
    [CERT_NAME_DN] = {"Using DistinguishedNameMatch for auth",
                      "DistinguishedNameMatch could not be used for auth"},
    [CERT_NAME_WITH_DC] = {"Using RDNSequence for auth", "RDNSequence could not be used for auth"},
    [CERT_NAME_SUBJECT] = {"Using certificate subject for auth", NULL},
};

/* Logs `before ["name"]after`. */
static void log_name(const struct client *c, const char *before, struct str name, const char *after)
{
    struct buf quoted = {0};

    if (log_enabled(LOG_DBG)) {
        quote_go(&quoted, name);
        client_log(c, LOG_DBG, "%s [%.*s]%s", before, STR_ARG(buf_str(&quoted)), after);
        buf_deinit(&quoted);
    }
}

static const struct login_user *try_name(const struct client *c, const struct cert_name *name)
{
    const struct login_user *u = login_find_certified(c->home->rules, name, CONNECTION_STANDARD);

    if (u) {
        log_name(c, texts[name->kind].used, u->id, "");
    } else if (texts[name->kind].unused) {
        log_name(c, texts[name->kind].unused, name->text, "");
    }
    return u;
}

static const struct login_user *try_all(const struct client *c, const struct cert_names *names)
{
    const struct login_user *u = NULL;

    if (names->n == 0) {
        client_log(c, LOG_DBG, "User required in cert, none found");
        return NULL;
    }
    for (size_t i = 0; i < names->n && !u; i++) {
        u = try_name(c, &names->at[i]);
    }
    if (!u) {
        log_name(c, "User in cert", names->subject, ", not found");
    }
    return u;
}

/* ---- the names */

struct collector {
    struct cert_names *names;
    enum cert_name_kind kind;
};

static void collect(void *arg, struct str name)
{
    const struct collector *to = arg;

    cert_names_add(to->names, to->kind, name);
}

static void list_names(const struct stream *s, struct cert_names *names)
{
    static const struct {
        enum tls_peer_name from;
        enum cert_name_kind to;
    } kinds[] = {{TLS_PEER_EMAIL, CERT_NAME_EMAIL},
                 {TLS_PEER_DNS, CERT_NAME_DNS},
                 {TLS_PEER_URI, CERT_NAME_URI}};
    struct buf subject = {0};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct collector to = {.names = names, .kind = kinds[i].to};

        tls_peer_for_each_name(s, kinds[i].from, collect, &to);
    }
    if (tls_peer_subject(s, &subject)) {
        cert_names_add_subject(names, buf_str(&subject));
    }
    buf_deinit(&subject);
}

const struct login_user *client_find_certified(const struct client *c)
{
    struct cert_names names = {0};

    if (!stream_is_secured(&c->conn.stream)) {
        client_log(c, LOG_DBG, "User required in cert, no TLS connection state");
        return NULL;
    }
    list_names(&c->conn.stream, &names);
    const struct login_user *u = try_all(c, &names);
    cert_names_deinit(&names);
    return u;
}
